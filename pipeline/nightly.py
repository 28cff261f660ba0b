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
from zoneinfo import ZoneInfo

import pandas as pd

from pipeline import registry, schema
from pipeline.dataset.history import add_history
from pipeline.errors import ParameterError, RejectLimitError
from pipeline.intake.admission import admit_sources
from pipeline.params import Params, Places, Profile, load_params, load_profile
from pipeline.registry import TrainedModel
from pipeline.scoring.priority import priority, severity_weights
from pipeline.scoring.ranking import rank
from pipeline.scoring.reasons import explain
from pipeline.taxonomy import Taxonomy, load_taxonomy

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Night:
    """What a night did; written as `manifest.json`."""

    profile: str
    as_of: str
    opening: str
    model: str
    parameters: str
    inputs: dict[str, str]
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
    params = load_params(root)
    profile = load_profile(root, params.profile)
    places = Places(root, profile.name)
    if not profile.nightly_sources:
        raise ParameterError(f"Profile '{profile.name}' names no nightly_sources, so it has no nights. Add them to its file.")
    _restore_interrupted(places.nights)
    clock = _Clock()
    model = model if model is not None else registry.champion(root, profile.name)
    clock.lap("champion")
    earlier = _earlier_nights(places.nights, as_of)
    admitted = admit_sources(root, profile, params, as_of=as_of, earlier=earlier.reports)
    clock.lap("intake")
    _refuse_many_rejects(admitted.rejected, len(admitted.reports), params)
    opening = earlier.opening or as_of - timedelta(days=params.scoring.opening_days)
    known = pd.concat([earlier.reports, admitted.reports], ignore_index=True) if len(earlier.reports) else admitted.reports
    queue = _queue(known, earlier.selected, opening, as_of, model, profile, params, places)
    clock.lap("scoring")
    night = Night(
        profile=profile.name,
        as_of=as_of.isoformat(),
        opening=opening.isoformat(),
        model=model.version,
        parameters=_digest(params, profile),
        inputs=dict(admitted.inputs),
        n_new=len(admitted.reports),
        n_rejected=len(admitted.rejected),
        n_open=len(queue),
        n_selected=int((queue["selected"] != "waiting").sum()),
        seconds=clock.laps,
    )
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
    """What nights before this one left: their reports, which of them were selected, and the day the first night opened with."""

    reports: pd.DataFrame
    selected: frozenset[str]
    opening: date | None


def _earlier_nights(nights: Path, as_of: date) -> _Earlier:
    folders = [folder for folder in sorted(nights.glob("????-??-??")) if date.fromisoformat(folder.name) < as_of]
    if not folders:
        return _Earlier(schema.REPORTS.empty(), frozenset(), None)
    reports = pd.concat([schema.REPORTS.read(folder / "reports.parquet") for folder in folders], ignore_index=True)
    queues = [pd.read_parquet(folder / "queue.parquet", columns=["report_id", "selected"]) for folder in folders]
    selected = frozenset(report_id for queue in queues for report_id in queue.loc[queue["selected"] != "waiting", "report_id"])
    manifest = json.loads((folders[0] / "manifest.json").read_text(encoding="utf-8"))
    return _Earlier(reports, selected, date.fromisoformat(manifest["opening"]))


def _refuse_many_rejects(rejected: pd.DataFrame, n_accepted: int, params: Params) -> None:
    n_rows = len(rejected) + n_accepted
    if n_rows and len(rejected) / n_rows > params.intake.reject_limit:
        raise RejectLimitError(
            f"{len(rejected)} of {n_rows} new rows were rejected; intake.reject_limit is {params.intake.reject_limit:.0%}. "
            f"Most often: {rejected['reason'].mode().iloc[0]}. No queue was published and the last one stays. "
            "Correct the source file."
        )


def _queue(
    known: pd.DataFrame,
    already_selected: frozenset[str],
    opening: date,
    as_of: date,
    model: TrainedModel,
    profile: Profile,
    params: Params,
    places: Places,
) -> pd.DataFrame:
    """Score and rank what is open: received since the opening, and not yet given to anybody to read."""
    first = pd.Timestamp(opening, tz=ZoneInfo(profile.timezone))
    is_open = (known["received_at"] >= first) & ~known["report_id"].isin(already_selected)
    reports = add_history(known.loc[is_open], earlier=known).reset_index(drop=True)
    taxonomy: Taxonomy = load_taxonomy(places.taxonomy(profile.taxonomy))
    scored = reports.assign(
        **{name: values for name, values in model.score(reports).items() if name != "category_probabilities"}
    )
    probabilities = model.score(reports)["category_probabilities"].tolist()
    weights = severity_weights(taxonomy, model.categories)
    scored["priority"] = priority(scored["risk"].to_numpy(), probabilities, weights) if len(scored) else 0.0
    ranked = rank(
        scored, capacity=profile.capacity, audit_share=params.scoring.audit_share, seed=params.seed + as_of.toordinal()
    )
    shown = ranked["selected"] != "waiting"
    reasons = explain(ranked.loc[shown], lambda part: model.score(part)["risk"].to_numpy(), n_reasons=params.scoring.n_reasons)
    ranked["reasons"] = [[] for _ in range(len(ranked))]
    for place, found in zip(ranked.index[shown], reasons, strict=True):
        ranked.at[place, "reasons"] = found
    return ranked


def _digest(params: Params, profile: Profile) -> str:
    """Identity of every parameter this night depended on."""
    text = params.model_dump_json() + profile.model_dump_json()
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
