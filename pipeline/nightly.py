"""One night, on one page: the day's reports come in, the champion scores what is open, the queue is published.

The night of `as_of` looks at everything received before that day began in the profile's time zone, and at nothing later. It
admits what earlier nights have not admitted yet, with the same `admit` as learning; scores every report nobody has been asked
to read; ranks; and publishes one folder, written aside and renamed. A night that fails leaves the last queue where it was, and
the same night again gives the same queue, because it depends on earlier nights only.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import registry, schema
from pipeline.acceleration import accelerate
from pipeline.alerting import alert_night
from pipeline.dataset.history import add_history
from pipeline.errors import ParameterError
from pipeline.intake.decided import Decision, read_decisions
from pipeline.intake.stage import receive
from pipeline.nights import Earlier, Replay, earlier_nights, joined, publish, restore_interrupted
from pipeline.params import Params, Places, Profile, load_project, midnight
from pipeline.registry import TrainedModel
from pipeline.scoring.priority import priority, severity_weights
from pipeline.scoring.ranking import rank
from pipeline.scoring.reasons import explain
from pipeline.scoring.shards import Score, ScoreShards, forget, score_in_shards
from pipeline.taxonomy import Taxonomy, load_taxonomy

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
    model_name: str
    engine: str
    scored_by: str
    inputs: dict[str, dict[str, str]]
    n_new: int
    n_rejected: int
    n_open: int
    n_selected: int
    seconds: dict[str, float]


def run_night(
    root: Path,
    as_of: date,
    *,
    model: TrainedModel | None = None,
    replay: Replay | None = None,
    elsewhere: Callable[[Score], ScoreShards] | None = None,
) -> Night:
    """Run the night of `as_of` and publish its queue.

    Args:
        root: Project folder.
        as_of: The morning the queue is for; reports received before it began are looked at.
        model: Scores the reports; the profile's champion, with the fastest engine that scores alike, if not given.
        replay: What came in and what earlier nights left, where one process runs many nights; read anew if not given.
        elsewhere: Takes the scoring to other machines; a killed night goes on from its finished shards either way.

    Returns:
        The manifest.

    Raises:
        RejectLimitError: If too many of the new rows were rejected; nothing is published.
        PipelineError: If there is no champion, or a source or parameter is not in order; nothing is published.
    """
    params, profile, places = load_project(root)
    _refuse_without_nights(profile)
    restore_interrupted(places.nights)
    clock = _Clock()
    model = model if model is not None else accelerate(root, registry.champion(root, profile.name))
    clock.lap("champion")
    earlier = earlier_nights(places.nights, as_of) if replay is None else replay.earlier(places.nights, as_of)
    begins = midnight(as_of, profile.timezone)
    decisions = read_decisions(places.matter_decisions, as_of=begins, timezone=profile.timezone)
    came = _come_in(root, profile, params, earlier, begins, replay, decisions)
    earlier = earlier.decided(decisions)
    clock.lap("intake")
    opening = earlier.opening or as_of - timedelta(days=params.scoring.opening_days)
    identity = _identity(model, params, profile)
    shards = places.nights / f".scoring-{as_of.isoformat()}"
    score = _by_shards(model, identity, shards, params, elsewhere) if replay is None else model.score
    scored = _score_open(_Open(earlier, came.reports, opening, identity), model, score, profile, places)
    queue = _rank(scored, as_of, model, profile, params)
    clock.lap("scoring")
    alerted = alert_night(
        places, as_of, earlier=earlier.reports, new=came.reports, scored=scored, model=model, params=params, profile=profile
    )
    clock.lap("alerts")
    night = _manifest(profile, as_of, opening, model, identity, came, queue, clock.laps)
    publish(places.nights, as_of, night, queue, came.rejected, came.reports, alerted)
    forget(shards)
    if replay is not None:
        replay.remember(as_of, earlier.after(came.reports, queue, opening=opening, scored_by=identity))
    logger.info(
        "nightly: %d new, %d rejected, %d open, %d selected", night.n_new, night.n_rejected, night.n_open, night.n_selected
    )
    return night


def _refuse_without_nights(profile: Profile) -> None:
    if not profile.nightly_sources:
        raise ParameterError(f"Profile '{profile.name}' names no nightly_sources, so it has no nights. Add them to its file.")


@dataclass(frozen=True)
class _Came:
    """What came in since the last night: REPORTS, REJECTED, and the files they were read from."""

    reports: pd.DataFrame
    rejected: pd.DataFrame
    checksums: dict[str, dict[str, str]]


def _manifest(
    profile: Profile,
    as_of: date,
    opening: date,
    model: TrainedModel,
    identity: str,
    came: _Came,
    queue: pd.DataFrame,
    laps: dict[str, float],
) -> Night:
    return Night(
        profile=profile.name, as_of=as_of.isoformat(), opening=opening.isoformat(), model=model.version,
        model_name=model.name, engine=model.engine, scored_by=identity, inputs=came.checksums, n_new=len(came.reports),
        n_rejected=len(came.rejected), n_open=len(queue),
        n_selected=int((queue["selected"] != "waiting").sum()), seconds=laps,
    )  # fmt: skip


def _come_in(
    root: Path,
    profile: Profile,
    params: Params,
    earlier: Earlier,
    begins: datetime,
    replay: Replay | None,
    decisions: Sequence[Decision],
) -> _Came:
    """Admit what no earlier night has admitted; in a replay that has been done once for all nights."""
    if replay is not None:
        return _Came(replay.new(earlier, begins), schema.REJECTED.empty(), replay.checksums)
    admitted, checksums = receive(
        root,
        profile.nightly_sources,
        earlier=earlier.reports,
        as_of=begins,
        params=params.intake,
        n_processes=params.threads,
        decisions=decisions,
    )
    return _Came(admitted.reports, admitted.rejected, checksums)


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
class _Open:
    """What may be open: what earlier nights left, what is new, since when, and who scores tonight."""

    earlier: Earlier
    new: pd.DataFrame
    opening: date
    identity: str

    def unscored(self, timezone: str) -> pd.DataFrame:
        """Open reports that must be scored, with their history."""
        known = joined(self.earlier.reports, self.new)
        since = midnight(self.opening, timezone)
        done = self.earlier.selected.union(self.carried["report_id"])
        is_open = (known["received_at"] >= since) & ~known["report_id"].isin(done)
        return add_history(known[is_open].reset_index(drop=True), earlier=known[~is_open])

    @property
    def carried(self) -> pd.DataFrame:
        """Open reports that the same model, with the same parameters, scored last night: their scores still hold."""
        queue = self.earlier.last_queue
        same = self.identity == self.earlier.last_scored_by
        return queue[(queue["selected"] == "waiting") & same]


def _by_shards(
    model: TrainedModel, identity: str, folder: Path, params: Params, elsewhere: Callable[[Score], ScoreShards] | None
) -> Score:
    """Scores reports here or elsewhere, and keeps every finished shard until the night is published."""
    return partial(
        score_in_shards,
        score=model.score,
        folder=folder,
        identity=identity,
        shard_reports=params.scoring.engine.shard_reports,
        elsewhere=elsewhere(model.score) if elsewhere is not None else None,
    )


def _score_open(waiting: _Open, model: TrainedModel, score: Score, profile: Profile, places: Places) -> pd.DataFrame:
    """Every open report with category, risk and priority."""
    taxonomy = load_taxonomy(places.taxonomy(profile.taxonomy))
    reports = add_scores(waiting.unscored(profile.timezone), model, taxonomy, score=score)
    parts = [part for part in (waiting.carried, reports) if len(part)] or [reports]
    together: pd.DataFrame = pd.concat([part[_SCORED] for part in parts], ignore_index=True)
    return together


def add_scores(reports: pd.DataFrame, model: TrainedModel, taxonomy: Taxonomy, *, score: Score | None = None) -> pd.DataFrame:
    """Add what a model says of reports: the columns of PROBABILITIES, and the `priority` made of them.

    Args:
        reports: Reports with `title`, `text` and `schema.HISTORY`.
        model: The model.
        taxonomy: Whose severity weights count.
        score: Scores in the model's place, shard by shard; the model itself if not given.
    """
    scores = (model.score if score is None else score)(reports)
    weights = severity_weights(taxonomy, model.categories)
    shares = np.array(scores["category_probabilities"].tolist()).reshape(len(reports), len(weights))
    said = {name: scores[name].to_numpy() for name in _FROM_MODEL}
    return reports.assign(**said, priority=priority(said["risk"], shares, weights))


def draw_seed(params: Params, as_of: date) -> int:
    """Seed of a night's audit draw: its own, so that the same night draws the same reports."""
    return params.seed + as_of.toordinal()


def _rank(scored: pd.DataFrame, as_of: date, model: TrainedModel, profile: Profile, params: Params) -> pd.DataFrame:
    """Put open reports in order, select tonight's, and say why."""
    shares = {"audit_share": params.scoring.audit_share, "unclear_share": params.scoring.unclear_share}
    queue: pd.DataFrame = rank(scored, capacity=profile.capacity, seed=draw_seed(params, as_of), **shares)
    shown = queue["selected"] != "waiting"
    found = explain(queue[shown], lambda part: model.score(part)["risk"].to_numpy(), n_reasons=params.scoring.n_reasons)
    reasons = dict(zip(queue.loc[shown, "report_id"], found, strict=True))
    queue["reasons"] = [reasons.get(report_id, []) for report_id in queue["report_id"]]
    return queue


def _identity(model: TrainedModel, params: Params, profile: Profile) -> str:
    """Digest of the model and of every parameter a score depends on."""
    text = model.version + model.engine + params.model_dump_json() + profile.model_dump_json()
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
