"""`triage register`: from a file nobody has described to a source, a profile and a taxonomy that can be learned from at once.

Nothing is asked. What could not be told from the file is decided one way and marked with `# doubt:` in what is written, for a
person to confirm before the numbers are believed: which column is which, the licence, the split days, how severe a category is.

Limits: one file with one header, of reports. An outcome is drafted only where the file has ids and says when it was recorded,
because an outcome without a day would be known too early.
"""

import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from pipeline.errors import SourceError
from pipeline.intake.labels import DraftedCategories, draft_categories, draft_outcome_labels
from pipeline.intake.registration import Source, checksum
from pipeline.intake.split_days import GROUP_RULE, choose_split_days
from pipeline.intake.survey import Survey, survey
from pipeline.params import Places, Profile
from pipeline.taxonomy import Taxonomy, load_outcomes, load_taxonomy

_SHIPPED = "categories"
_MOST_AREAS = 500


@dataclass(frozen=True)
class Draft:
    """What was drafted.

    Attributes:
        name: Of the source and of the profile.
        n_rows: Rows in the file.
        files: Files written.
        doubts: What a person should confirm.
    """

    name: str
    n_rows: int
    files: tuple[Path, ...]
    doubts: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"Drafted source and profile '{self.name}' from {self.n_rows} rows:", *(f"  {path}" for path in self.files)]
        lines += ["To be confirmed by a person, marked '# doubt:' in these files:", *(f"  - {doubt}" for doubt in self.doubts)]
        return "\n".join([*lines, f"Next: set 'profile: {self.name}' in params.yaml and run `dvc repro`."])


@dataclass
class _Page:
    """A YAML file in the making: its content, and doubts by top-level key."""

    path: Path
    about: str
    content: dict[str, Any]
    doubts: dict[str, list[str]] = field(default_factory=dict)

    def doubt(self, key: str, what: str) -> None:
        self.doubts.setdefault(key, []).append(what)

    def text(self) -> str:
        lines = [f"# {self.about} Drafted by `triage register`; lines marked 'doubt' are for a person to confirm and remove."]
        for key, value in self.content.items():
            lines += [f"# doubt: {what}" for what in self.doubts.get(key, [])]
            lines.append(yaml.safe_dump({key: value}, allow_unicode=True, sort_keys=False, width=120).rstrip())
        return "\n".join(lines) + "\n"


def draft(path: Path, root: Path, *, name: str | None) -> Draft:
    """Draft a registry file, a profile and a taxonomy for a file of reports, and copy it into `data/raw`.

    Args:
        path: The file: CSV or JSONL (also gzipped), Parquet or XLSX.
        root: Project folder.
        name: Of the new source and profile; None to make one from the file's name.

    Raises:
        SourceError: If the file is missing, empty, of an unknown format or without a column of text, or the name is taken.
    """
    if not path.is_file():
        raise SourceError(f"{path} was to be registered, but there is no such file. Give the path of the file to register.")
    name = name or re.sub("[^a-z0-9]+", "-", path.name.split(".")[0].lower()).strip("-") or "my-source"
    if re.fullmatch("[a-z0-9][a-z0-9-]*", name) is None:
        raise SourceError(
            f"'{name}' cannot be the name of a source: use small letters, digits and hyphens, as in 'city-hotline'."
        )
    places = Places(root, name)
    profile_path, with_outcomes = root / "data" / "profiles" / f"{name}.yaml", f"{name}-outcomes"
    taken = (places.source_file(name), places.source_file(with_outcomes), profile_path, places.taxonomy(name), places.raw(name))
    for existing in taken:
        if existing.exists():
            raise SourceError(f"'{name}' is taken: {existing} exists. Give another name with --name, or remove what is there.")
    found = survey(path)
    shipped = load_taxonomy(places.taxonomy(_SHIPPED))
    categories = draft_categories(name, found.labels, shipped, _SHIPPED)
    reports = _registry_page(path, name, found, categories, places)
    outcomes = _outcomes_page(path, name, found, reports, places)
    pages = [reports, *([] if outcomes is None else [outcomes])]
    pages.append(_profile_page(path, name, found, categories, outcomes, profile_path))
    if categories.content is not None:
        pages.append(_Page(places.taxonomy(name), "Categories as the file labels them.", categories.content))
        for what in categories.doubts:
            pages[-1].doubt("categories", what)
    return _put_down(path, name, found.n_rows, pages, root)


def _registry_page(path: Path, name: str, found: Survey, categories: DraftedCategories, places: Places) -> _Page:
    columns = {ours: theirs for ours, theirs in found.guess.columns.items() if ours not in ("outcome", "recorded_at")}
    made_on = _made_on(path)
    n_late = sum(count for day, count in found.days.items() if day > made_on)
    content = {
        "name": name, "kind": "reports", "title": path.name, "origin": "unknown", "licence": "unknown", "owner": "unknown",
        "as_of_day": made_on if n_late < found.days.total() else None, "pii": "personal", "n_rows": found.n_rows, "url": None,
        "files": [{"path": f"{name}/{path.name}", "sha256": checksum(path)}], "format": found.layout.format_,
        "encoding": found.layout.encoding, "delimiter": found.layout.delimiter, "timezone": found.timezone,
        "date_order": found.guess.date_order, "dated": "received_at" in columns, "columns": columns,
        "categories": categories.categories, "outcomes": ["re_reported"] if {"received_at", "reporter"} <= set(columns) else [],
    }  # fmt: skip
    page = _Page(
        places.source_file(name), f"Registry file of {path.name}.", {k: v for k, v in content.items() if _is_said(k, v)}
    )
    for key in ("origin", "licence", "owner"):
        page.doubt(key, "not known from the file; say it before the data is used")
    page.doubt("pii", "taken as personal until somebody has read some of it")
    if found.timezone == "UTC":
        page.doubt("timezone", "the file does not say; UTC was assumed")
    if "received_at" not in columns:
        page.doubt("dated", "no column of dates was found: no nights, no risk, and a split by duplicate group")
    if n_late:
        page.doubt("as_of_day", f"{n_late} row(s) are dated after the file was last changed and will be rejected")
    for role, what in found.guess.doubts.items():
        page.doubt("date_order" if role == "date_order" else "columns", what if role == "date_order" else f"{role}: {what}")
    for role in ("received_at", "title", "source_id", "category", "area", "channel", "reporter"):
        if role not in columns:
            page.doubt("columns", f"{role}: no column seems to hold it")
    return page


def _is_said(key: str, value: object) -> bool:
    """Whether a key is worth a line: optional keys without a value are not."""
    return value not in (None, {}) or key in ("as_of_day", "url")


def _made_on(path: Path) -> date:
    """The day a file was last changed."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()


def _outcomes_page(path: Path, name: str, found: Survey, reports: _Page, places: Places) -> _Page | None:
    """The same file once more as a source of outcomes, if it says what became of reports and when."""
    columns = found.guess.columns
    if "outcome" not in columns:
        return None
    labels = draft_outcome_labels(found.outcomes, load_outcomes(places.outcome_definitions))
    missing = [role for role in ("source_id", "received_at", "recorded_at") if role not in columns]
    if missing or not any(labels.values()):
        why = f"no column for {' and '.join(missing)}" if missing else "no label means harm in our words"
        reports.doubt("outcomes", f"'{columns['outcome']}' looks like an outcome but was not used: {why}")
        return None
    used = {"report_id": columns["source_id"], "outcome": columns["outcome"], "recorded_at": columns["recorded_at"]}
    content = dict(reports.content) | {
        "name": f"{name}-outcomes", "kind": "outcomes", "title": f"What became of the reports in {path.name}", "columns": used,
        "of": name, "outcome_labels": labels, "outcomes": sorted({label for label in labels.values() if label is not None}),
        "files": [{"path": f"{name}-outcomes/{path.name}", "sha256": checksum(path)}],
    }  # fmt: skip
    content.pop("categories", None)
    page = _Page(places.source_file(f"{name}-outcomes"), f"Outcomes in {path.name}.", content)
    page.doubt("outcome_labels", "judged by single words; null means no escalation")
    return page


def _profile_page(
    path: Path, name: str, found: Survey, categories: DraftedCategories, outcomes: _Page | None, profile_path: Path
) -> _Page:
    made_on = _made_on(path)
    timely = Counter({day: count for day, count in found.days.items() if day <= made_on}) or found.days
    days = choose_split_days(timely)
    counted = ["re_reported"] if outcomes is None else list(outcomes.content["outcomes"])
    escalates = days is not None and (outcomes is not None or "reporter" in found.guess.columns)
    source: dict[str, Any] = {
        "supplies": [*(["category"] if len(found.labels) > 1 else []), *(["escalated"] if escalates else [])]
    }
    if escalates:
        source |= {"outcomes": counted} | ({} if outcomes is None else {"outcome_sources": [outcomes.content["name"]]})
    source["split"] = dict(GROUP_RULE if days is None else days.split)
    as_of = days.as_of if days is not None else max(timely, default=made_on) + timedelta(days=1)
    content = {
        "name": name, "taxonomy": categories.taxonomy, "timezone": found.timezone,
        "as_of": as_of, "sources": {name: source},
        "nightly_sources": [name] if found.days else [],
        "label_window_days": 30 if days is None else days.window_days, "gap_days": 30 if days is None else days.window_days,
        "re_report_reporters": 1, "capacity": 10 if days is None else max(1, days.per_day // 4),
    }  # fmt: skip
    page = _Page(profile_path, f"What is learned from {path.name}.", content)
    page.doubt("capacity", "a quarter of an ordinary day's reports; say how many the unit reads")
    if categories.content is None:
        for what in categories.doubts:
            page.doubt("taxonomy", what)
    if days is not None:
        page.doubt("label_window_days", "a twentieth of the time covered; see on the dataset card how long outcomes take")
        page.doubt("sources", "split days divide the reports about 60:12:12:16; see that every split has escalations")
    if not escalates:
        page.doubt(
            "sources", "no escalation can be told: it takes dates, and outcomes or reporters; risk will be the same for all"
        )
    return page


def _put_down(path: Path, name: str, n_rows: int, pages: Sequence[_Page], root: Path) -> Draft:
    """Check every page, copy the file, and write; the registry file last, so that a half-made draft is no source."""
    models: Mapping[str, type[BaseModel]] = {"registry": Source, "profiles": Profile, "taxonomy": Taxonomy}
    for page in pages:
        models[page.path.parent.name].model_validate(yaml.safe_load(page.text()))
    for page in pages:
        if page.path.parent.name == "registry":
            folder = Places(root, name).raw(page.content["name"])
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / path.name)
    for page in reversed(pages):
        page.path.parent.mkdir(parents=True, exist_ok=True)
        page.path.write_text(page.text(), encoding="utf-8")
    doubts = [f"{page.path.name}, {key}: {what}" for page in pages for key, found in page.doubts.items() for what in found]
    return Draft(name, n_rows, tuple(page.path for page in pages), tuple(doubts))
