"""Replay past nights with models that know only what was known, and measure what the unit would have got.

The nights are run by `nightly.run_night` itself, in a project folder of their own, with a model that is fitted again every
`backtest.refit_days`. What came in is admitted once and handed to the nights as it arrived. Other reading orders are replayed
over the same arrivals (`orders.py`), each with its own open reports. Everything goes to `data/backtests/<profile>/<from>_<to>`:

    known/                  what the sources hold, admitted once
    refits/<day>/           the project as of that day, and the model fitted on it
    capacity-<n>/           the nights' project: published nights, results.json, report.html, plots

A replay that was stopped goes on where it was: finished nights and models are kept. If sources, parameters or the profile have
changed since, it begins anew.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline.errors import ParameterError, SplitError
from pipeline.evaluation.audit import below_the_line, drawn_by, estimate_audit
from pipeline.evaluation.backtest_page import render_backtest
from pipeline.evaluation.backtest_plots import draw_backtest
from pipeline.evaluation.backtest_summary import Findings, as_results
from pipeline.evaluation.backtesting import MODEL, measure_backtest
from pipeline.evaluation.baselines import load_harm_words, messages, seconds
from pipeline.evaluation.capacity import local_days
from pipeline.evaluation.report import png
from pipeline.evaluation.selection import Period, recall_on_window
from pipeline.nightly import add_scores, run_night
from pipeline.nights import Replay, manifest, published
from pipeline.orders import Given, Order, Said, replay_order
from pipeline.params import Params, Places, Profile, load_project
from pipeline.past import Past, look_back
from pipeline.past_alerts import look_at_alerts
from pipeline.refits import Known, Refits, everything_known, refit, shadow_project, with_changes
from pipeline.registry import TrainedModel
from pipeline.schema import EXAMPLES, HISTORY, UNCLEAR
from pipeline.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

PREVIOUS, ARRIVAL, NEWEST, KEYWORDS = "previous_champion", "arrival_order", "newest_first", "keywords"


@dataclass(frozen=True)
class Replayed:
    """Replayed nights and the orders they are compared with.

    Attributes:
        folder: The nights' project; results go there.
        past: The nights.
        given: Reading order to what it gave somebody to read; the model's first.
        periods: For each model in service, what the rule of choosing by the last window would have done.
    """

    folder: Path
    past: Past
    given: Mapping[str, Given]
    periods: list[Period]


def backtest(root: Path, first: date, last: date, *, capacity: int | None = None) -> Findings:
    """Replay nights, measure them and write `results.json`, `report.html` and `plots/` beside them.

    Arguments and errors are those of `run_backtest`.
    """
    replayed = run_backtest(root, first, last, capacity=capacity)
    found = replace(measure(replayed), alerts=look_at_alerts(replayed.past))
    figures = draw_backtest(found.result, [day.isoformat() for day in replayed.past.days], found.lead_days, found.alerts)
    plots = replayed.folder / "plots"
    plots.mkdir(exist_ok=True)
    for name, figure in figures.items():
        (plots / f"{name}.png").write_bytes(png(figure))
    results = json.dumps(as_results(found), ensure_ascii=False, indent=2, allow_nan=False)
    (replayed.folder / "results.json").write_text(results + "\n", encoding="utf-8")
    (replayed.folder / "report.html").write_text(render_backtest(found, figures), encoding="utf-8")
    return found


def measure(replayed: Replayed) -> Findings:
    """What the replayed nights gave the unit, with intervals."""
    past, given = replayed.past, replayed.past.given
    params = past.params.evaluation
    result = measure_backtest(
        past.fate,
        {name: order.night for name, order in replayed.given.items()},
        lead_days=past.params.backtest.lead_days,
        n_resamples=params.n_bootstrap,
        confidence=params.confidence,
        seed=past.params.seed,
    )
    n_ranked = int((past.fate.in_time(given.night) & ~given.audit).sum())
    drawn = drawn_by(past.fate, given.night, given.audit, given.propensity)
    return Findings(
        profile=past.profile.name,
        first_day=past.days[0].isoformat(),
        last_day=past.days[-1].isoformat(),
        capacity=past.profile.capacity,
        lead_days=past.params.backtest.lead_days,
        confidence=params.confidence,
        result=result,
        periods=replayed.periods,
        audit=estimate_audit(drawn, n_ranked_escalated=n_ranked, confidence=params.confidence),
        below=below_the_line(past.fate, given.night, given.audit),
        models=list(dict.fromkeys(str(manifest(past.nights / day.isoformat())["model"]) for day in past.days)),
    )


def run_backtest(root: Path, first: date, last: date, *, capacity: int | None = None) -> Replayed:
    """Run the nights from `first` to `last`, or what is left of them to run, and replay the other orders.

    Args:
        root: Project folder.
        first: Day of the first night.
        last: Day of the last night.
        capacity: Reports read in a day; the profile's if not given.

    Raises:
        ParameterError: If the days are no nights of the profile.
        PipelineError: If no model can be fitted on the first day, or a source is not in order.
    """
    params, profile, _ = load_project(root)
    _refuse_impossible(profile, first, last)
    profile = profile if capacity is None else with_changes(profile, capacity=capacity)
    folder = results_folder(root, profile.name, first, last)
    known = _known(root, folder, params, profile)
    service = shadow_project(root, folder / f"capacity-{profile.capacity}", profile)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    starts, name = days[:: params.backtest.refit_days], params.backtest.model
    wanted, nights = [starts[0] - timedelta(days=params.backtest.refit_days), *starts], Places(service, profile.name).nights
    replay, done = Replay(known.reports, known.checksums), set(published(nights))
    with Refits(root, folder / "refits", folder / "known", name, wanted, n_processes=params.threads) as refits:
        models = _Models(root, folder / "refits", params, known, refits, starts)
        for day in tqdm(days, desc="backtest", unit=" nights", disable=None):
            if day not in done:
                run_night(service, day, model=models.on(day), replay=replay)
        past = look_back(nights, days, known, params, profile)
        orders = _Orders(service, past, models)
        given = {MODEL: past.given, **orders.replayed()}
        return Replayed(service, past, given, [orders.period(place, given) for place in range(len(starts))])


def results_folder(root: Path, profile: str, first: date, last: date) -> Path:
    """Where the replay of some nights lies; one folder in it for each capacity."""
    return root / "data" / "backtests" / profile / f"{first}_{last}"


def _refuse_impossible(profile: Profile, first: date, last: date) -> None:
    if not profile.nightly_sources:
        raise ParameterError(f"Profile '{profile.name}' names no nightly_sources, so it has no nights to replay.")
    if not first <= last <= profile.as_of:
        raise ParameterError(
            f"A backtest needs days with --from <= --to <= {profile.as_of} (as_of of profile '{profile.name}'), got "
            f"{first} and {last}. Choose other days, or set as_of later if the sources reach further."
        )


def _known(root: Path, folder: Path, params: Params, profile: Profile) -> Known:
    """Everything known, after what was made from other sources or parameters is cleared away."""
    noted = folder / "made_of.json"
    settings = params.model_dump_json(exclude={"threads": True, "evaluation": True}) + profile.model_dump_json(
        exclude={"capacity"}
    )
    configs = sorted((root / "models").glob("*/config.yaml"))
    read = [*configs, *sorted((root / "data" / "taxonomy").glob("*.yaml"))]
    for name in (*profile.sources, *(n for source in profile.sources.values() for n in source.outcome_sources)):
        read += sorted(file for file in Places(root, name).raw(name).rglob("*") if file.is_file())
    digests = {str(path.relative_to(root)): _sha256(path) for path in read}
    made_of = json.dumps({"settings": hashlib.sha256(settings.encode()).hexdigest(), "files": digests}, indent=2) + "\n"
    if folder.exists() and (not noted.exists() or noted.read_text(encoding="utf-8") != made_of):
        logger.info("backtest: sources, parameters or profile have changed; %s is made anew", folder)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    noted.write_text(made_of, encoding="utf-8")
    return everything_known(root, folder / "known")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Models:
    """The models that serve, each fitted with what was known on its first day; loaded when they are first asked for."""

    def __init__(self, root: Path, folder: Path, params: Params, known: Known, refits: Refits, starts: list[date]) -> None:
        self._root, self._folder, self._params, self._known = root, folder, params.backtest, known
        self._refits, self.starts = refits, starts
        self._loaded: dict[date, TrainedModel] = {}

    def _earlier(self, start: date) -> date:
        return start - timedelta(days=self._params.refit_days)

    def on(self, day: date) -> TrainedModel:
        """The model in service on a day."""
        return self.fitted(max(start for start in self.starts if start <= day))

    def fitted(self, day: date) -> TrainedModel:
        """The model fitted on a day.

        Raises:
            SplitError: If too little was known then to fit one.
        """
        if reason := self._refits.refused(day):
            raise SplitError(f"No model can be fitted as of {day}: {reason}")
        if day not in self._loaded:
            self._loaded[day] = refit(self._root, self._folder / day.isoformat(), self._params.model, day, self._known)
        return self._loaded[day]

    def before(self, start: date) -> TrainedModel | None:
        """The model that served before the one of `start`; None where too little was known to fit one."""
        earlier = self._earlier(start)
        return None if self._refits.refused(earlier) else self.fitted(earlier)

    def examples(self, start: date, profile: str) -> pd.DataFrame:
        """EXAMPLES of the window on which the model of `start` was tested before it served."""
        examples = EXAMPLES.read(Places(self._folder / start.isoformat(), profile).examples)
        return examples[(examples["split"] == "test") & examples["escalated"].notna()].reset_index(drop=True)


class _Orders:
    """The reading orders the model is compared with."""

    def __init__(self, service: Path, past: Past, models: _Models) -> None:
        places = Places(service, past.profile.name)
        self._past, self._models = past, models
        self._taxonomy = load_taxonomy(places.taxonomy(past.profile.taxonomy))
        self._harm_words = load_harm_words(places.taxonomy("harm_words"))
        self._starts = [past.days.index(start) for start in models.starts]

    def replayed(self) -> dict[str, Given]:
        """What each order gives out."""
        given = {name: self._replay(_fixed(scores)) for name, scores in self._simple(self._past.reports).items()}
        if self._models.before(self._models.starts[0]) is not None or len(self._starts) > 1:
            given[PREVIOUS] = self._replay(self._by_previous, renewed=frozenset(self._starts))
        return given

    def _replay(self, order: Order, *, renewed: frozenset[int] = frozenset()) -> Given:
        scoring, capacity = self._past.params.scoring, self._past.profile.capacity
        return replay_order(
            self._past.came, order, capacity=capacity, audit_share=scoring.audit_share, unclear_share=scoring.unclear_share,
            renewed=renewed,
        )  # fmt: skip

    def _simple(self, reports: pd.DataFrame) -> dict[str, np.ndarray]:
        arrival = seconds(reports["received_at"])
        return {ARRIVAL: -arrival, KEYWORDS: self._harm_words.score(messages(reports)), NEWEST: arrival}

    def _by_previous(self, night: int, places: np.ndarray) -> Said:
        """What the model of the refit before says; by the first model itself where there was none before."""
        start = self._past.days[max(start for start in self._starts if start <= night)]
        model = self._models.before(start) or self._models.fitted(start)
        part = self._past.reports.iloc[places][["title", "text", *HISTORY]].reset_index(drop=True)
        scored = add_scores(part, model, self._taxonomy)
        return Said(scored["priority"].to_numpy(), (scored["lane"] == UNCLEAR).to_numpy())

    def period(self, place: int, given: Mapping[str, Given]) -> Period:
        """What choosing by the last window would have done in the period of a model."""
        start = self._models.starts[place]
        window = self._models.examples(start, self._past.profile.name)
        previous = self._models.before(start)
        scores = {MODEL: self._priority(window, self._models.fitted(start)), **self._simple(window)}
        if PREVIOUS in given and previous is not None:
            scores[PREVIOUS] = self._priority(window, previous)
        begin, end = list(pairwise([*self._starts, len(self._past.days)]))[place]
        fate, nights = self._past.fate, {name: given[name].night for name in scores}
        inside = {name: (night >= begin) & (night < end) for name, night in nights.items()}
        return Period(
            first_day=start.isoformat(),
            validated={name: self._recall(window, score) for name, score in scores.items()},
            found={name: int((fate.in_time(night) & inside[name]).sum()) for name, night in nights.items()},
            n_escalated=int((fate.escalated & (fate.first_night >= begin) & (fate.first_night < end)).sum()),
        )

    def _recall(self, window: pd.DataFrame, scores: np.ndarray) -> float:
        return recall_on_window(
            scores,
            window["escalated"].to_numpy(dtype=bool),
            local_days(window["received_at"], self._past.profile.timezone),
            capacity=self._past.profile.capacity,
            max_day_share=self._past.params.evaluation.max_day_share,
        )

    def _priority(self, reports: pd.DataFrame, model: TrainedModel) -> np.ndarray:
        return add_scores(reports, model, self._taxonomy)["priority"].to_numpy()


def _fixed(scores: np.ndarray) -> Order:
    """An order that never changes its mind and knows no categories."""
    return lambda _, places: Said(scores[places], np.zeros(len(places), dtype=bool))
