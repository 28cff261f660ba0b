"""Asks a trained model questions whose answers we know, before it may be promoted.

In the manner of CheckList (Ribeiro, Wu, Guestrin & Singh, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL
2020): ordinary made-up reports are changed a little, and the change says what must come of it. Other names, other amounts and
another order of clauses must leave category and risk where they were (invariance). A threat, a weapon, self-harm, a hurt child,
or more people reporting the same must raise the risk (direction). Harm that is denied (没有动手) must not raise it, and must
weigh less than the same harm affirmed. A sentence is compared with a neutral one in the same place, because a longer report
alone may rank higher.

Changes are measured in log-odds of risk, so that a small risk and a large one are held to the same. The reports lie in
`data/behaviour/reports.yaml`; they are written as people write, with names in them, and whoever asks redacts them first, as
the night does. Limits: eighteen reports and some twenty sentences show gross faults, not fine ones; a deployment whose
outcomes know nothing of harm is not asked about harm.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field

from pipeline.errors import ParameterError
from pipeline.evaluation.gates import Gate
from pipeline.evaluation.metrics import SMALLEST
from pipeline.limits import GateParams
from pipeline.schema import HISTORY
from pipeline.settings import Section, read_yaml

Scorer = Callable[[pd.DataFrame], pd.DataFrame]
"""Takes reports as people write them (`title`, `text`, `schema.HISTORY`); gives their `category` and `risk`, in order."""

INVARIANCE, DIRECTION, DENIAL, NOT_LOWERED = "invariance", "direction", "denial", "not_lowered"
NAMES, AMOUNTS, ORDER = "names", "amounts", "order"
REPEATED, REPEATED_NOT_LOWERED = "repeated", "repeated_not_lowered"
DENIED, DENIED_BELOW_AFFIRMED = "denied", "denied_below_affirmed"
_ROUNDING = 1e-6  # log-odds; two batches of one model may differ by it
_SAYS = {
    INVARIANCE: "same category, and log-odds of risk within {tolerance:g}",
    DIRECTION: "higher risk",
    NOT_LOWERED: "risk not lowered",
    DENIAL: "log-odds of risk not raised by over {tolerance:g}",
}


class _Report(Section):
    title: str
    text: str


class _Direction(Section):
    kind: str
    needs: tuple[str, ...]
    sentences: tuple[str, ...] = Field(min_length=1)


class _Pair(Section):
    denied: str
    affirmed: str


class _Negation(Section):
    needs: tuple[str, ...]
    pairs: tuple[_Pair, ...]


class _Repeats(Section):
    similar: tuple[int, int, int]
    reporters: tuple[int, int, int]
    days: float

    def as_history(self) -> dict[str, float]:
        return dict(zip(HISTORY, (*self.similar, *self.reporters, self.days), strict=True))


class Behaviour(Section):
    """The content of `data/behaviour/reports.yaml`."""

    name: str
    version: int
    reports: tuple[_Report, ...] = Field(min_length=1)
    names: tuple[str, ...] = Field(min_length=1)
    amounts: tuple[str, ...] = Field(min_length=1)
    neutral: tuple[str, ...] = Field(min_length=1)
    direction: tuple[_Direction, ...]
    negation: _Negation
    repeated: tuple[_Repeats, ...]


@dataclass(frozen=True)
class Answer:
    """How a model answered one kind of question.

    Attributes:
        kind: Such as `names` or `threats`.
        asks: `invariance`, `direction`, `not_lowered` or `denial`.
        n_pairs: Questions asked.
        n_passed: Questions answered as they must be.
        largest: The change of log-odds of risk furthest to the wrong side.
    """

    kind: str
    asks: str
    n_pairs: int
    n_passed: int
    largest: float


@dataclass
class _Questions:
    """Reports to score, each once, and the pairs to compare."""

    rows: list[dict[str, object]] = field(default_factory=list)
    pairs: list[tuple[str, str, int, int]] = field(default_factory=list)

    def add(self, report: _Report, text: str, history: Mapping[str, float]) -> int:
        self.rows.append({"title": report.title, "text": text, **history})
        return len(self.rows) - 1

    def ask(self, kind: str, asks: str, before: int, after: int) -> None:
        self.pairs.append((kind, asks, before, after))


def load_behaviour(path: Path) -> Behaviour:
    """Read the questions."""
    return read_yaml(path, Behaviour)


def ask(behaviour: Behaviour, score: Scorer, *, outcomes: Collection[str], tolerance: float) -> list[Answer]:
    """Put every question that applies to a model.

    Args:
        behaviour: The questions.
        score: Scores reports as people write them, the way the night does.
        outcomes: Outcomes that count as escalation in the profile; empty where it knows none, then only invariance is asked.
        tolerance: Log-odds of risk that a change without meaning may make.

    Returns:
        One answer a kind, in the order of asking.
    """
    questions = _Questions()
    for number, report in enumerate(behaviour.reports):
        _ask_invariance(questions, behaviour, report)
        if outcomes:
            _ask_direction(questions, behaviour, report, outcomes, behaviour.neutral[number % len(behaviour.neutral)])
    scored = score(pd.DataFrame(questions.rows))
    risk = np.clip(scored["risk"].to_numpy(dtype=np.float64), SMALLEST, 1 - SMALLEST)
    log_odds, category = np.log(risk / (1 - risk)), scored["category"].to_numpy(dtype=object)
    kinds = dict.fromkeys((kind, asks) for kind, asks, _, _ in questions.pairs)
    answers = []
    for kind, asks in kinds:
        before, after = np.array([(b, a) for k, _, b, a in questions.pairs if k == kind]).T
        change, moved = log_odds[after] - log_odds[before], category[after] != category[before]
        answers.append(_judge(kind, asks, change, moved, tolerance))
    return answers


def _judge(kind: str, asks: str, change: np.ndarray, moved: np.ndarray, tolerance: float) -> Answer:
    if asks == INVARIANCE:
        passed, largest = (np.abs(change) <= tolerance) & ~moved, np.abs(change).max()
    elif asks == DIRECTION:
        passed, largest = change > _ROUNDING, change.min()
    elif asks == NOT_LOWERED:
        passed, largest = change >= -_ROUNDING, change.min()
    else:
        passed, largest = change <= tolerance, change.max()
    return Answer(kind, asks, len(change), int(passed.sum()), float(largest))


def _ask_invariance(questions: _Questions, behaviour: Behaviour, report: _Report) -> None:
    history = _first_seen()
    plain = questions.add(report, _filled(report, behaviour), history)
    for kind, others in ((NAMES, behaviour.names), (AMOUNTS, behaviour.amounts)):
        for other in others[1:]:
            text = _filled(report, behaviour, **{"name" if kind == NAMES else "amount": other})
            questions.ask(kind, INVARIANCE, plain, questions.add(report, text, history))
    clauses = _filled(report, behaviour).rstrip("。").split("，")
    for order in (clauses[::-1], clauses[2:] + clauses[:2]):
        questions.ask(ORDER, INVARIANCE, plain, questions.add(report, "，".join(order) + "。", history))


def _ask_direction(
    questions: _Questions, behaviour: Behaviour, report: _Report, outcomes: Collection[str], neutral: str
) -> None:
    text, history = _filled(report, behaviour).rstrip("。"), _first_seen()
    ending = questions.add(report, f"{text}，{neutral}。", history)
    for direction in behaviour.direction:
        if set(direction.needs) & set(outcomes):
            for sentence in direction.sentences:
                added = questions.add(report, f"{text}，{sentence}。", history)
                questions.ask(direction.kind, DIRECTION, ending, added)
    if set(behaviour.negation.needs) & set(outcomes):
        for pair in behaviour.negation.pairs:
            denied = questions.add(report, f"{text}，{pair.denied}。", history)
            affirmed = questions.add(report, f"{text}，{pair.affirmed}。", history)
            questions.ask(DENIED, DENIAL, ending, denied)
            questions.ask(DENIED_BELOW_AFFIRMED, DIRECTION, denied, affirmed)
    repeats = [questions.add(report, f"{text}。", step.as_history()) for step in behaviour.repeated]
    for before, after in zip(repeats[:-1], repeats[1:], strict=True):
        questions.ask(REPEATED, DIRECTION, before, after)
        questions.ask(REPEATED_NOT_LOWERED, NOT_LOWERED, before, after)


def _first_seen() -> dict[str, float]:
    return dict.fromkeys(HISTORY, 0.0)


def _filled(report: _Report, behaviour: Behaviour, **slots: str) -> str:
    return report.text.format_map({"name": behaviour.names[0], "amount": behaviour.amounts[0], **slots})


def behaviour_gates(answers: Collection[Answer], params: GateParams) -> list[Gate]:
    """One gate a kind of question.

    Raises:
        ParameterError: If `params.yaml` declares no share for a kind.
    """
    gates = []
    for answer in answers:
        if answer.kind not in params.min_behaviour_share:
            raise ParameterError(
                f"params.yaml: 'evaluation.gates.min_behaviour_share' has no share for '{answer.kind}', which "
                "data/behaviour/reports.yaml asks. Add it."
            )
        wanted, share = params.min_behaviour_share[answer.kind], answer.n_passed / answer.n_pairs
        says = _SAYS[answer.asks].format(tolerance=params.behaviour_tolerance)
        gates.append(
            Gate(
                f"behaviour: {answer.kind}",
                share >= wanted,
                f"{says}, in {wanted:.0%} of the pairs",
                f"{answer.n_passed} of {answer.n_pairs} ({share:.0%}); worst change {answer.largest:+.2f}",
            )
        )
    return gates
