"""`triage export-decisions`: what the review unit decided becomes a source that intake accepts, without a word of any text.

Two files are written: the decisions themselves, `data/raw/<name>/decisions.csv`, and the registry file that says what they are
and holds their checksum, so that `dvc repro` notices new ones. A profile learns from them when it names the source under
`decision_sources`. What reviewers decided about matters is kept beside what `triage matter` decided, for every night to come,
with who decided and the reason they gave; that table stays in the project's folder.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import yaml
from pydantic import ValidationError

from pipeline.casework import Judged
from pipeline.errors import ParameterError
from pipeline.intake.decided import MOVE, add
from pipeline.intake.registration import Source, checksum
from pipeline.params import load_project, midnight
from pipeline.publishing import open_database, open_store
from pipeline.store.store import Store

COLUMNS = ("report_id", "decided_at", "action", "category", "predicted", "selected", "propensity")
_LOOKED_AT = frozenset({"confirm", "hand_over", "mediated", "recategorize"})


@dataclass(frozen=True)
class Exported:
    """What was exported.

    Attributes:
        name: Of the source.
        n_decisions: Reports with a decision.
        n_corrected: Of these, with another category than the model gave.
        files: Decisions and registry file.
        is_used: Whether the profile names the source.
    """

    name: str
    n_decisions: int
    n_corrected: int
    files: tuple[Path, Path]
    is_used: bool


def export_decisions(root: Path, *, since: date | None, name: str, today: date) -> Exported:
    """Write the decisions that stand as a source.

    Args:
        root: Project folder.
        since: First day of deciding; None for all.
        name: Of the source, as a registry file may be called.
        today: The day of exporting.

    Raises:
        StoreError: If there is no store.
        ParameterError: If the name cannot be one of a source.
    """
    _, profile, places = load_project(root)
    begin = None if since is None else midnight(since, profile.timezone)
    judged = [one for one in open_store(root).judgements.judged() if begin is None or one.at >= begin]
    file, registry = places.raw(name) / "decisions.csv", places.source_file(name)
    try:
        described = Source.model_validate(_description(name, profile.timezone, len(judged), today, sha256="0" * 64))
    except ValidationError as error:
        raise ParameterError(f"'{name}' cannot be the name of a source. Use small letters, digits and hyphens.") from error
    _write(file, _rows(judged))
    described = described.model_copy(update={"files": (described.files[0].model_copy(update={"sha256": checksum(file)}),)})
    _write(registry, "# Written by `triage export-decisions`; written anew with every export.\n" + _as_yaml(described))
    n_corrected = sum(bool(_category(one)) and one.category != one.predicted for one in judged)
    return Exported(name, len(judged), n_corrected, (file, registry), name in profile.decision_sources)


def take_up_moves(root: Path) -> int:
    """Let what reviewers joined and parted hold for intake and the nights to come, as if decided by `triage matter`.

    Returns:
        How many decisions are new; 0 where there is no store.
    """
    database = open_database(root)
    if not database.exists():
        return 0
    _, _, places = load_project(root)
    database.migrate()
    moves = Store(database).judgements.moves()
    rows = {
        "decided_at": pd.Series([one.at for one in moves], dtype="datetime64[us, UTC]"), "action": MOVE,
        "subject": [one.report_id for one in moves], "into": [one.matter_id for one in moves],
        "by": [one.person for one in moves], "reason": [one.reason or "undone" for one in moves],
    }  # fmt: skip
    return add(places.matter_decisions, pd.DataFrame(rows)) if moves else 0


def _category(one: Judged) -> str:
    """The category a person stands for: one they changed, or one they had before them when they said what becomes of it."""
    return one.category if one.action in _LOOKED_AT or one.category != one.predicted else ""


def _rows(judged: list[Judged]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in judged:
        at: datetime = one.at
        told = (one.report_id, at.isoformat(), one.action, _category(one), one.predicted, one.selected, f"{one.propensity:.6g}")
        writer.writerow(told)
    return text.getvalue()


def _description(name: str, timezone: str, n_rows: int, today: date, *, sha256: str) -> dict[str, object]:
    return {
        "name": name, "kind": "decisions", "title": "Decisions of the review unit", "origin": "triage export-decisions",
        "licence": "internal", "owner": "the review unit", "as_of_day": today, "pii": "none", "n_rows": n_rows, "url": None,
        "files": [{"path": f"{name}/decisions.csv", "sha256": sha256}], "format": "csv", "encoding": "utf-8", "delimiter": ",",
        "timezone": timezone, "dated": True,
        "columns": {
            "report_id": "report_id", "recorded_at": "decided_at", "action": "action", "category": "category",
            "selected": "selected", "propensity": "propensity",
        },
    }  # fmt: skip


def _as_yaml(source: Source) -> str:
    content = source.model_dump(mode="json", exclude_defaults=True)
    kept = {**content, "url": None, "files": [file.model_dump() for file in source.files]}
    return yaml.safe_dump(kept, allow_unicode=True, sort_keys=False)


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".writing")
    aside.write_text(content, encoding="utf-8")
    aside.replace(path)
