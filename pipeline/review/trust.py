"""What the pages say of the model's trustworthiness: its evaluation, and whether a night's reports are of the usual kinds."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import chi2_contingency

from pipeline.casework import NightRecord

FEWEST_REPORTS = 20  # of a night and of those before it; with fewer, chance alone makes any mix look unusual
USUAL_NIGHTS = 28  # nights before it that say what is usual
FIGURES = (
    ("category", "macro_f1"),
    ("risk", "average_precision"),
    ("risk", "recall_at_capacity"),
    ("risk", "precision_at_capacity"),
    ("risk", "calibration_error"),
)


@dataclass(frozen=True)
class Figure:
    """A figure of the evaluation with its interval."""

    name: str
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Point:
    """A bin of the calibration plot: stated risk against observed share, both in [0, 100] of the drawing; its reports."""

    x: float
    y: float
    n: int
    said: str


@dataclass(frozen=True)
class Card:
    """The evaluation of the model in service, as its night was published with it."""

    figures: tuple[Figure, ...]
    points: tuple[Point, ...]
    most: float


def card(night: NightRecord | None) -> Card | None:
    """The evaluation a night was published with; None where it had none."""
    evaluated = None if night is None else night.manifest.get("evaluation")
    if not isinstance(evaluated, Mapping):
        return None
    figures = tuple(figure for part, name in FIGURES if (figure := _figure(evaluated.get(part), name)) is not None)
    table = evaluated.get("reliability")
    bins = [
        (float(row[0]), float(row[1]), int(row[2]))
        for row in (table if isinstance(table, list) else [])
        if all(isinstance(value, int | float) for value in row)
    ]
    most = max((max(stated, observed) for stated, observed, _ in bins), default=1.0) or 1.0
    points = tuple(Point(100 * x / most, 100 * y / most, n, f"{x:.1%} / {y:.1%} · n={n}") for x, y, n in bins)
    return Card(figures, points, most)


def _figure(part: object, name: str) -> Figure | None:
    values = part if isinstance(part, Mapping) else {}
    value, low, high = (_finite(values.get(key)) for key in (name, f"{name}_low", f"{name}_high"))
    return None if value is None else Figure(name, value, low, high)


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def mix_probability(night: NightRecord, earlier: Sequence[NightRecord]) -> float | None:
    """How likely categories as different from the nights before would be by chance: Pearson's chi-squared test.

    Args:
        night: The night.
        earlier: Nights before it, the latest first.

    Returns:
        The probability; None where there are too few reports to say.
    """
    now = _mix(night)
    usual = sum((_mix(one) for one in earlier[:USUAL_NIGHTS]), Counter[str]())
    if min(now.total(), usual.total()) < FEWEST_REPORTS or not len({*now, *usual}) > 1:
        return None
    kinds = sorted({*now, *usual})
    table = [[now[kind] for kind in kinds], [usual[kind] for kind in kinds]]
    return float(chi2_contingency(table).pvalue)


def _mix(night: NightRecord) -> Counter[str]:
    mix = night.manifest.get("mix")
    return Counter({str(kind): int(n) for kind, n in mix.items()}) if isinstance(mix, Mapping) else Counter()
