"""One night, on one page: the day's reports come in, the champion scores what is open, the queue is published.

The night of `as_of` looks at everything received before that day began in the profile's time zone, and at nothing later. It
admits what earlier nights have not admitted yet, with the same `admit` as learning; scores every report nobody has been asked
to read; ranks; and publishes one folder, written aside and renamed. A night that fails leaves the last queue where it was, and
the same night again gives the same queue, because it depends on earlier nights only.
"""

import hashlib
import json
import logging
import shutil
import time
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import registry, schema
from pipeline.dataset.history import add_history
from pipeline.errors import ParameterError
from pipeline.intake.stage import receive
from pipeline.params import Params, Places, Profile, load_project, midnight
from pipeline.registry import TrainedModel
from pipeline.scoring.priority import priority, severity_weights
from pipeline.scoring.ranking import rank
from pipeline.scoring.reasons import explain
from pipeline.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

_SCORED = [
    *("report_id", "received_at", "title", "text", "area", "channel", "matter_id"),
    *("category", "category_probability", "category_set", "lane", "risk", "risk_low", "risk_high"),
    *("priority", *schema.HISTORY),
]
_FROM_MODEL = [name for name in _SCORED if name in schema.PROBABILITIES.arrow.names and name != "report_id"]


@dataclass(frozen=True)
class Night:
    """What a night did; written as `manifest.json`."""

    profile: str
    as_of: str
    opening: str
    model: str
    scored_by: str
    inputs: dict[str, dict[str, str]]
    n_new: int
    n_rejected: int
    n_open: int
    n_selected: int
    seconds: dict[str, float]


def run_night(root: Path, as_of: date, *, model: TrainedModel | None = None) -> Night:
    """Run the night of `as_of` and publish its queue.

    Args:
        root: Project folder.
        as_of: The morning the queue is for; reports received before it began are looked at.
        model: Scores the reports; the profile's champion if not given.

    Returns:
        The manifest.

    Raises:
        RejectLimitError: If too many of the new rows were rejected; nothing is published.
        PipelineError: If there is no champion, or a source or parameter is not in order; nothing is published.
    """
    params, profile, places = load_project(root)
    if not profile.nightly_sources:
        raise ParameterError(f"Profile '{profile.name}' names no nightly_sources, so it has no nights. Add them to its file.")
    _restore_interrupted(places.nights)
    clock = _Clock()
    model = model if model is not None else registry.champion(root, profile.name)
    clock.lap("champion")
    earlier = _earlier_nights(places.nights, as_of)
    begins = midnight(as_of, profile.timezone)
    admitted, checksums = receive(
        root,
        profile.nightly_sources,
        earlier=earlier.reports,
        as_of=begins,
        params=params.intake,
        n_processes=params.threads,
    )
    clock.lap("intake")
    opening = earlier.opening or as_of - timedelta(days=params.scoring.opening_days)
    identity = _identity(model, params, profile)
    scored = _score_open(_Open(earlier, admitted.reports, opening, identity), model, profile, places)
    queue = _rank(scored, as_of, model, profile, params)
    clock.lap("scoring")
    night = Night(
        profile=profile.name, as_of=as_of.isoformat(), opening=opening.isoformat(), model=model.version, scored_by=identity,
        inputs=checksums, n_new=len(admitted.reports), n_rejected=len(admitted.rejected), n_open=len(queue),
        n_selected=int((queue["selected"] != "waiting").sum()), seconds=clock.laps,
    )  # fmt: skip
    _publish(places.nights, as_of, night, queue, admitted.rejected, admitted.reports)
    logger.info(
        "nightly: %d new, %d rejected, %d open, %d selected", night.n_new, night.n_rejected, night.n_open, night.n_selected
    )
    return night


class _Clock:
    """Seconds per part of the night."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 3)
        self._last = now


@dataclass(frozen=True)
class _Earlier:
    """What nights before this one left.

    Attributes:
        reports: REPORTS they admitted.
        selected: Ids of reports they gave somebody to read.
        opening: The day from which the first of them took reports as open; None if there was none.
        last_queue: The queue of the last of them.
        last_scored_by: Identity of the model and parameters that scored it.
    """

    reports: pd.DataFrame
    selected: frozenset[str]
    opening: date | None
    last_queue: pd.DataFrame
    last_scored_by: str


def _earlier_nights(nights: Path, as_of: date) -> _Earlier:
    folders = [folder for folder in sorted(nights.glob("????-??-??")) if date.fromisoformat(folder.name) < as_of]
    if not folders:
        return _Earlier(schema.REPORTS.empty(), frozenset(), None, schema.QUEUE.empty(), "")
    reports = pd.concat([schema.REPORTS.read(folder / "reports.parquet") for folder in folders], ignore_index=True)
    selected: set[str] = set()
    for folder in folders:
        queue = pd.read_parquet(folder / "queue.parquet", columns=["report_id", "selected"])
        selected.update(queue.loc[queue["selected"] != "waiting", "report_id"])
    first, last = (_manifest(folder) for folder in (folders[0], folders[-1]))
    last_queue = schema.QUEUE.read(folders[-1] / "queue.parquet")
    return _Earlier(reports, frozenset(selected), date.fromisoformat(first["opening"]), last_queue, last["scored_by"])


def _manifest(folder: Path) -> dict[str, str]:
    manifest: dict[str, str] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


@dataclass(frozen=True)
class _Open:
    """What may be open: what earlier nights left, what is new, since when, and who scores tonight."""

    earlier: _Earlier
    new: pd.DataFrame
    opening: date
    identity: str

    def unscored(self, timezone: str) -> pd.DataFrame:
        """Open reports that must be scored, with their history."""
        known = pd.concat([part for part in (self.earlier.reports, self.new) if len(part)] or [self.new], ignore_index=True)
        since = midnight(self.opening, timezone)
        done = self.earlier.selected.union(self.carried["report_id"])
        is_open = (known["received_at"] >= since) & ~known["report_id"].isin(done)
        with_history = add_history(known, earlier=schema.REPORTS.empty())
        return with_history.loc[is_open].reset_index(drop=True)

    @property
    def carried(self) -> pd.DataFrame:
        """Open reports that the same model, with the same parameters, scored last night: their scores still hold."""
        queue = self.earlier.last_queue
        same = self.identity == self.earlier.last_scored_by
        return queue[(queue["selected"] == "waiting") & same]


def _score_open(waiting: _Open, model: TrainedModel, profile: Profile, places: Places) -> pd.DataFrame:
    """Every open report with category, risk and priority."""
    reports = waiting.unscored(profile.timezone)
    scores = model.score(reports)
    taxonomy = load_taxonomy(places.taxonomy(profile.taxonomy))
    weights = severity_weights(taxonomy, model.categories)
    for name in _FROM_MODEL:
        reports[name] = scores[name].to_numpy()
    shares = np.array(scores["category_probabilities"].tolist()).reshape(len(reports), len(weights))
    reports["priority"] = priority(scores["risk"].to_numpy(), shares, weights)
    parts = [part for part in (waiting.carried, reports) if len(part)] or [reports]
    together: pd.DataFrame = pd.concat([part[_SCORED] for part in parts], ignore_index=True)
    return together


def _rank(scored: pd.DataFrame, as_of: date, model: TrainedModel, profile: Profile, params: Params) -> pd.DataFrame:
    """Put open reports in order, select tonight's, and say why."""
    seed = params.seed + as_of.toordinal()
    shares = {"audit_share": params.scoring.audit_share, "unclear_share": params.scoring.unclear_share}
    queue: pd.DataFrame = rank(scored, capacity=profile.capacity, seed=seed, **shares)
    shown = queue["selected"] != "waiting"
    found = explain(queue[shown], lambda part: model.score(part)["risk"].to_numpy(), n_reasons=params.scoring.n_reasons)
    reasons = dict(zip(queue.loc[shown, "report_id"], found, strict=True))
    queue["reasons"] = [reasons.get(report_id, []) for report_id in queue["report_id"]]
    return queue


def _identity(model: TrainedModel, params: Params, profile: Profile) -> str:
    """Digest of the model and of every parameter a score depends on."""
    text = model.version + params.model_dump_json() + profile.model_dump_json()
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _publish(
    nights: Path, as_of: date, night: Night, queue: pd.DataFrame, rejected: pd.DataFrame, reports: pd.DataFrame
) -> None:
    """Write the night aside, then rename it into place."""
    aside, final, old = (nights / f"{prefix}{as_of.isoformat()}" for prefix in (".writing-", "", ".replaced-"))
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    schema.QUEUE.write(queue, aside / "queue.parquet")
    schema.REJECTED.write(rejected, aside / "rejected.parquet")
    schema.REPORTS.write(reports, aside / "reports.parquet")
    manifest = {**asdict(night), "published_at": datetime.now(UTC).isoformat(timespec="seconds")}
    (aside / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if final.exists():
        final.rename(old)
    aside.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def _restore_interrupted(nights: Path) -> None:
    """Put back a night whose replacement was cut off between the two renames."""
    for old in nights.glob(".replaced-*"):
        final = nights / old.name.removeprefix(".replaced-")
        if final.exists():
            shutil.rmtree(old)
        else:
            old.rename(final)
