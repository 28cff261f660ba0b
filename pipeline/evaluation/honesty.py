"""Whether a model's probabilities mean what they say, and whether it still finds every category: gates that need no champion.

A calibration error over bins is above zero even for a perfect model, by the noise of a bin: on 459 reports of which 6 %
escalate it is 0.03, as much as a real fault. So we ask how far it exceeds what chance alone would show if the stated
probabilities were true (`reliability.noise_floor`; the idea of consistency bars, Bröcker & Smith, Increasing the Reliability of
Reliability Diagrams, Weather and Forecasting 22, 2007). A model that is too sure of itself states little noise and shows much
error. Reports of one matter stand and fall together, and one large matter can shift the whole test split; so it is the low end
of the interval, from resampling matters, that is asked. The Brier score is held to its own limits, since a constant is well
calibrated and useless.
"""

import numpy as np
import pandas as pd

from pipeline.evaluation.categories import CategoryResult
from pipeline.evaluation.gates import Gate
from pipeline.evaluation.lanes import LaneResult
from pipeline.evaluation.reliability import noise_floor
from pipeline.evaluation.resampling import Estimate
from pipeline.evaluation.risks import RiskResult
from pipeline.limits import GateParams
from pipeline.sections import EvaluationParams


def calibration_gates(category: CategoryResult | None, risk: RiskResult | None, params: EvaluationParams) -> list[Gate]:
    """Whether the stated probabilities hold on the test split.

    Args:
        category: What was measured of the category, if anything.
        risk: What was measured of the risk, if anything.
        params: Of the bins and the gates.
    """
    limits, gates = params.gates, []
    if category is not None:
        limit = limits.max_category_calibration_excess
        gates.append(_excess_gate("category", category.summary["calibration_error"], category.confidence, limit, params))
        score = category.summary["brier"].point
        gates.append(_limit("category Brier score is low enough", score <= limits.max_category_brier,
                            f"at most {limits.max_category_brier:g}", score))  # fmt: skip
    if risk is not None:
        limit = limits.max_risk_calibration_excess
        gates.append(_excess_gate("risk", risk.stated["calibration_error"], risk.risk, limit, params))
        base = risk.stated["brier_base_rate"].point
        skill = 1.0 - risk.stated["brier"].point / base if base > 0 else 0.0
        gates.append(_limit("risk Brier skill over the known base rate", skill >= limits.min_risk_brier_skill,
                            f"at least {limits.min_risk_brier_skill:g}", skill))  # fmt: skip
    return gates


def coverage_gates(per_class: pd.DataFrame, limits: GateParams) -> list[Gate]:
    """Whether the model finds every category that the test split has enough reports of.

    Args:
        per_class: `CategoryResult.per_class`.
        limits: Smallest number of reports, smallest recall.
    """
    known = per_class[per_class["n_reports"] >= limits.min_category_reports]
    blind = known[known["recall"] < limits.min_category_recall]
    named = [f"{row.category} ({row.recall:.2f} of {row.n_reports})" for row in blind.itertuples()]
    return [
        Gate(
            "every category is found",
            not named,
            f"recall of at least {limits.min_category_recall:g} in each of {len(known)} categories with "
            f"{limits.min_category_reports} test reports",
            f"below: {', '.join(named)}" if named else "all",
        )
    ]


def set_gate(lanes: LaneResult, limits: GateParams) -> Gate:
    """Whether the category sets hold every category as often as they promise.

    Args:
        lanes: What was measured of them; categories that share their scores are promised nothing and are left out.
        limits: Smallest number of reports, largest gap below the level; the upper end of a category's interval must reach it.
    """
    promised = lanes.per_category[~lanes.per_category["shared"]]
    known = promised[promised["n_reports"] >= limits.min_category_reports]
    short = known[known["coverage_high"] < lanes.level - limits.max_coverage_gap]
    named = [f"{row.category} ({row.coverage:.2f} of {row.n_reports})" for row in short.itertuples()]
    return Gate(
        "category sets hold every category as promised",
        not named,
        f"{lanes.level:.0%} of each of {len(known)} categories, less {limits.max_coverage_gap:g} and chance",
        f"below: {', '.join(named)}" if named else "all",
    )


def _excess_gate(what: str, error: Estimate, stated: np.ndarray, limit: float, params: EvaluationParams) -> Gate:
    expected = noise_floor(stated, params.n_bins)
    return Gate(
        f"{what} is calibrated",
        error.low - expected <= limit,
        f"calibration error, at the low end of its interval, at most {limit:g} above what chance alone shows",
        f"{error.point:.3f} ({error.low:.3f} to {error.high:.3f}), chance {expected:.3f}, above it {error.low - expected:+.3f}",
    )


def _limit(name: str, passed: bool, wanted: str, got: float) -> Gate:
    return Gate(name, bool(passed), wanted, f"{got:.3f}")
