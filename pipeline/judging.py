"""Runs every gate on a model that somebody wants to promote. Writes nothing.

The model judged is the very artifact that would serve, fetched from MLflow, not what lies in `models/` by now. It scores the
test split anew, as does the champion, so both are measured on the same reports by the same code. Reports the champion learned
from are left out of the contest; it would look better on them than it is.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.classifier import logits_table
from pipeline.evaluation.behaviour import ask, behaviour_gates, load_behaviour
from pipeline.evaluation.capacity import local_days
from pipeline.evaluation.challenge import CHALLENGER, CHAMPION, Contest, champion_gates
from pipeline.evaluation.equal_care_gates import equal_care_gates
from pipeline.evaluation.evidence import Judged
from pipeline.evaluation.gates import Gate, check_gates
from pipeline.evaluation.honesty import calibration_gates, coverage_gates, set_gate
from pipeline.evaluation.measuring import measure
from pipeline.evaluation.stage import Promised, prepare
from pipeline.evaluation.summary import as_metrics
from pipeline.evaluation.trust import trust_sections
from pipeline.intake.normalization import normalize
from pipeline.intake.redaction import redact
from pipeline.limits import GateGroup, GateParams
from pipeline.params import Params, Places, Profile
from pipeline.registry import TrainedModel
from pipeline.schema import EXAMPLES
from pipeline.settings import Section, read_yaml


class _PlantedSentence(Section):
    text: str
    hide: tuple[str, ...] = Field(min_length=1)


class _Planted(Section):
    """The content of `data/behaviour/planted.yaml`."""

    name: str
    version: int
    sentences: tuple[_PlantedSentence, ...] = Field(min_length=1)


def judge(
    root: Path, params: Params, profile: Profile, challenger: TrainedModel, champion: TrainedModel | None
) -> tuple[list[Judged], str]:
    """Put a model before every gate.

    Args:
        root: Project folder.
        params: All parameters.
        profile: The profile.
        challenger: The model somebody wants to promote.
        champion: The model in service, if there is one.

    Returns:
        Every gate with what it is about, and the days and number of test reports in words.
    """
    places = Places(root, profile.name)
    examples = EXAMPLES.read(places.examples)
    test = examples[examples["split"] == "test"].sort_values("report_id").reset_index(drop=True)
    started = time.perf_counter()
    logits = challenger.classifier.predict(test)
    scored = challenger.state(logits)
    seconds = time.perf_counter() - started
    predicted = logits_table(test, logits).join(scored)
    results = measure(prepare(params, places, profile, predicted, _promised(challenger), model=challenger.name))
    judged: list[Judged] = []

    def add(group: GateGroup, gates: Sequence[Gate]) -> None:
        judged.extend(Judged(group, gate) for gate in gates)

    add("measured", check_gates(as_metrics(results.category, results.risk), params.evaluation))
    if champion is not None:
        add("champion", _contest_gates(test, scored, challenger, champion, params, profile))
    add("calibration", calibration_gates(results.category, results.risk, params.evaluation))
    if results.category is not None:
        add("categories", coverage_gates(results.category.per_class, params.evaluation.gates))
    if results.lanes is not None:
        add("categories", [set_gate(results.lanes, params.evaluation.gates)])
    add("slices", equal_care_gates(trust_sections(results), params.evaluation))
    add("behaviour", _behaviour_gates(places, profile, challenger, params))
    add("speed", [_speed_gate(challenger, test, seconds, params.evaluation.gates)])
    add("redaction", _redaction_gates(places, test, params))
    return judged, _tested(test, profile.timezone)


def _promised(model: TrainedModel) -> Promised:
    calibrators = model.calibrators
    return Promised(calibrators.risk.method, calibrators.sets.level, calibrators.sets.shared)


def _tested(test: pd.DataFrame, timezone: str) -> str:
    days = test["received_at"].dropna().dt.tz_convert(timezone).dt.date
    span = f"{days.min()} to {days.max()}, " if len(days) else ""
    return f"{span}{len(test)} reports"


def _contest_gates(
    test: pd.DataFrame, scored: pd.DataFrame, challenger: TrainedModel, champion: TrainedModel, params: Params, profile: Profile
) -> list[Gate]:
    """The challenger against the champion, on test reports that the champion has not learned from."""
    fresh = np.ones(len(test), dtype=bool)
    if champion.learned_until:
        fresh = ~(test["received_at"] <= pd.Timestamp(champion.learned_until)).to_numpy(dtype=bool)
    n_fresh, n_wanted = int(fresh.sum()), min(len(test), params.evaluation.min_slice_reports)
    gate = Gate(
        "the champion has not learned the reports both are tested on",
        n_fresh >= n_wanted,
        f"{n_wanted} test reports later than {champion.learned_until or 'unknown'}",
        f"{n_fresh} of {len(test)}",
    )
    if not gate.passed:
        return [gate]
    test, scored = test[fresh].reset_index(drop=True), scored[fresh].reset_index(drop=True)
    known = champion.score(test)
    categories = tuple(dict.fromkeys((*challenger.categories, *champion.categories)))
    number = {category: index for index, category in enumerate(categories)}
    both = {CHALLENGER: scored, CHAMPION: known}
    contest = Contest(
        categories=categories,
        actual=test["category"].map(number).fillna(-1).to_numpy(dtype=np.int64),
        predicted={model: scores["category"].map(number).to_numpy(dtype=np.int64) for model, scores in both.items()},
        escalated=test["escalated"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan),
        risk={model: scores["risk"].to_numpy(dtype=np.float64) for model, scores in both.items()},
        matters=test["matter_id"],
        duplicate_groups=test["duplicate_group"],
        days=local_days(test["received_at"], profile.timezone),
    )
    return [gate, *champion_gates(contest, params.evaluation, capacity=profile.capacity, seed=params.seed)]


def _behaviour_gates(places: Places, profile: Profile, model: TrainedModel, params: Params) -> list[Gate]:
    outcomes = {outcome for source in profile.sources.values() for outcome in source.outcomes}

    def score(written: pd.DataFrame) -> pd.DataFrame:
        redacted = {column: [_redacted(text, params) for text in written[column]] for column in ("title", "text")}
        return model.score(written.assign(**redacted))

    answers = ask(
        load_behaviour(places.behaviour), score, outcomes=outcomes, tolerance=params.evaluation.gates.behaviour_tolerance
    )
    return behaviour_gates(answers, params.evaluation.gates)


def _redacted(text: str, params: Params) -> str:
    """What intake would make of a text."""
    return redact(normalize(text, simplify=params.intake.simplify)).text


def _speed_gate(model: TrainedModel, test: pd.DataFrame, seconds: float, limits: GateParams) -> Gate:
    """Whether a night of the declared size is scored in the declared time; the clock is the machine's that promotes."""
    n_scored = len(test)
    if 0 < n_scored < limits.timed_reports:  # too few to time: score them again, several times over
        again = test.iloc[np.arange(limits.timed_reports) % n_scored].reset_index(drop=True)
        started = time.perf_counter()
        model.score(again)
        n_scored, seconds = len(again), time.perf_counter() - started
    wanted, got = limits.night_reports / (60 * limits.night_minutes), n_scored / max(seconds, 1e-9)
    return Gate(
        "a night is scored in time",
        got >= wanted,
        f"{wanted:.0f} reports a second, for {limits.night_reports:,} in {limits.night_minutes:g} minutes",
        f"{got:.0f} reports a second on {n_scored}",
    )


def _redaction_gates(places: Places, test: pd.DataFrame, params: Params) -> list[Gate]:
    """Whether redaction takes out what was planted, and left nothing in what the model was measured on."""
    planted = read_yaml(places.planted, _Planted)
    items = [(_redacted(sentence.text, params), item) for sentence in planted.sentences for item in sentence.hide]
    n_hidden, wanted = sum(item not in text for text, item in items), params.evaluation.gates.min_redaction_recall
    n_changed = sum(redact(text).text != text for column in ("title", "text") for text in test[column])
    return [
        Gate(
            "redaction takes out planted personal data",
            n_hidden / len(items) >= wanted,
            f"{wanted:.0%} of {len(items)} planted items",
            f"{n_hidden} of {len(items)}",
        ),
        Gate(
            "the model was tested on redacted text only",
            n_changed == 0,
            "no title or text that redaction would still change",
            f"{n_changed} of {2 * len(test)}",
        ),
    ]
