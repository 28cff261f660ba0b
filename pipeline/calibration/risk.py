"""How a risk logit becomes a stated risk: three maps to choose from, and the choice.

`platt`: a sigmoid of two numbers (`platt.py`). `isotonic`: the monotone step function nearest to the outcomes (Zadrozny &
Elkan, Transforming Classifier Scores into Accurate Multiclass Probability Estimates, KDD 2002), kept off 0 and 1 by one
report's share. `venn_abers`: inductive Venn-Abers (Vovk, Petej & Fedorova, Large-scale probabilistic predictors with and
without guarantees of validity, NeurIPS 2015): isotonic regression with the new report added once as harmless, once as
escalated, gives p0 and p1; stated is p1 / (1 - p0 + p1), their section 4's minimax for log loss. p0 and p1 come from the
authors' package; a test holds them to the definition.

`auto` compares the three by log loss in cross-validation over whole matters inside the calibration split, so neither the test
split nor copies of a matter take part in the choice. A step map must beat the sigmoid by more than one standard error: the
sigmoid is smoother, has two numbers to get wrong, and extends beyond the logits seen.

Step maps give long runs of equal risks, which would leave the reading order to chance. So a thousandth of every stated risk
comes from the sigmoid: equal steps keep the model's order, and no stated risk moves by more than 0.001.
"""

import warnings
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GroupKFold
from venn_abers import calc_p0p1

from pipeline.calibration.platt import RiskScaler, fit_risk_scaler
from pipeline.sections import CalibrationParams

RiskMethod = Literal["platt", "isotonic", "venn_abers", "shift", "none"]
STEPPED: tuple[Literal["isotonic"], Literal["venn_abers"]] = ("isotonic", "venn_abers")
TIE_WEIGHT = 1e-3
Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Steps:
    """A step function of the logit: `values[0]` before the first knot, `values[k]` from `knots[k - 1]` on or just after it."""

    knots: Numbers
    values: Numbers

    def at(self, logits: np.ndarray, *, including: bool) -> np.ndarray:
        """The value at each logit; `including` says whether a knot itself already has the value after it."""
        return np.asarray(self.values)[np.searchsorted(self.knots, logits, side="right" if including else "left")]


@dataclass(frozen=True)
class RiskMap:
    """How a risk logit becomes a stated risk.

    Attributes:
        method: Which map; `shift` and `none` as in `RiskScaler`.
        sigmoid: The sigmoid; for a step map only what orders equal steps.
        low: For `venn_abers` p0, for `isotonic` its steps, else without knots.
        high: For `venn_abers` p1, for `isotonic` its steps, else without knots.
    """

    method: RiskMethod
    sigmoid: RiskScaler
    low: Steps
    high: Steps

    def apply(self, logits: np.ndarray) -> np.ndarray:
        """Stated risks, shape (n_reports,), in [0, 1], rising with the logit."""
        smooth = self.sigmoid.apply(logits)
        if self.method not in STEPPED:
            return smooth
        values = logits.astype(np.float64)
        p0 = self.low.at(values, including=True)
        p1 = self.high.at(values, including=self.method == "isotonic")
        stepped = p1 if self.method == "isotonic" else p1 / (1 - p0 + p1)
        return np.asarray((1 - TIE_WEIGHT) * stepped + TIE_WEIGHT * smooth)


@dataclass(frozen=True)
class Trial:
    """What cross-validation inside the calibration split said of one method: mean log loss and Brier score."""

    method: RiskMethod
    log_loss: Annotated[float, Field(ge=0.0)]
    brier: Annotated[float, Field(ge=0.0)]
    chosen: bool


NO_STEPS = Steps((), (0.0,))


def fit_risk_map(logits: np.ndarray, escalated: np.ndarray, method: RiskMethod, *, min_positives: int) -> RiskMap:
    """Fit one map.

    Args:
        logits: Risk logits, shape (n_reports,).
        escalated: Whether each report escalated, shape (n_reports,), bool.
        method: `platt`, `isotonic` or `venn_abers`; where the sigmoid can only be shifted, so is every map.
        min_positives: Escalations (and as many others) needed for more than a shift.
    """
    sigmoid = fit_risk_scaler(logits, escalated, min_positives=min_positives)
    if sigmoid.method != "platt" or method not in STEPPED:
        return RiskMap(sigmoid.method, sigmoid, NO_STEPS, NO_STEPS)
    values, happened = logits.astype(np.float64), escalated.astype(np.float64)
    low, high = _isotonic(values, happened) if method == "isotonic" else _venn_abers(values, happened)
    return RiskMap(method, sigmoid, low, high)


def _isotonic(values: np.ndarray, happened: np.ndarray) -> tuple[Steps, Steps]:
    end = 1 / (len(values) + 2)
    knots = np.unique(values)
    fitted = IsotonicRegression(y_min=end, y_max=1 - end).fit(values, happened).predict(knots)
    steps = _steps(knots[1:], fitted)
    return steps, steps


def _venn_abers(values: np.ndarray, happened: np.ndarray) -> tuple[Steps, Steps]:
    with warnings.catch_warnings():  # the package divides by zero on purpose and skips the result
        warnings.simplefilter("ignore", RuntimeWarning)
        p0, p1, knots = calc_p0p1(np.column_stack([values, values]), happened)
    return _steps(knots, p0[:, 1]), _steps(knots, p1[:, 1])


def _steps(knots: np.ndarray, values: np.ndarray) -> Steps:
    """The step function with only those knots at which its value changes."""
    changes = np.flatnonzero(values[1:] != values[:-1])
    return Steps(tuple(knots[changes].tolist()), (float(values[0]), *values[changes + 1].tolist()))


def choose_method(
    logits: np.ndarray, escalated: np.ndarray, matters: np.ndarray, params: CalibrationParams
) -> tuple[RiskMethod, tuple[Trial, ...]]:
    """The declared method, or the one that cross-validation prefers.

    Args:
        logits: Risk logits of the calibration split, shape (n_reports,).
        escalated: Whether each report escalated, shape (n_reports,), bool.
        matters: Matter of each report; no matter is on both sides of a fold.
        params: The declared method, folds and what a fit needs.

    Returns:
        The method, and what was found of each; nothing was tried where a method is declared or escalations are too few.
    """
    if params.risk_method != "auto":
        return params.risk_method, ()
    fewest = min(len(np.unique(matters[escalated == outcome])) for outcome in (True, False)) if len(escalated) else 0
    if fewest < max(params.min_positives, params.n_folds):
        return "platt", ()
    methods: tuple[RiskMethod, ...] = ("platt", *STEPPED)
    stated = {method: _held_out(logits, escalated, matters, method, params) for method in methods}
    losses = {method: -np.log(np.where(escalated, risk, 1 - risk)) for method, risk in stated.items()}
    stepped: tuple[RiskMethod, ...] = STEPPED
    best = min(stepped, key=lambda method: float(losses[method].mean()))
    chosen: RiskMethod = best if _clearly_below(losses[best] - losses["platt"], matters) else "platt"
    briers = {method: float(np.mean((risk - escalated) ** 2)) for method, risk in stated.items()}
    return chosen, tuple(
        Trial(method, float(losses[method].mean()), briers[method], chosen=method == chosen) for method in methods
    )


def _held_out(
    logits: np.ndarray, escalated: np.ndarray, matters: np.ndarray, method: RiskMethod, params: CalibrationParams
) -> np.ndarray:
    """Risk of every report from a map fitted on the other folds, kept off 0 and 1."""
    risk = np.empty(len(logits))
    for fitted, held in GroupKFold(n_splits=params.n_folds).split(logits, groups=matters):
        found = fit_risk_map(logits[fitted], escalated[fitted], method, min_positives=1)
        risk[held] = found.apply(logits[held])
    end = 1 / (len(logits) + 2)
    return np.clip(risk, end, 1 - end)


def _clearly_below(differences: np.ndarray, matters: np.ndarray) -> bool:
    """Whether the mean difference is below zero by more than one standard error, reports of a matter taken together."""
    sums = np.bincount(np.unique(matters, return_inverse=True)[1], weights=differences)
    return bool(sums.sum() < -np.sqrt((sums**2).sum()))
