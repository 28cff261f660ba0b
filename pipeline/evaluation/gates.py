"""What a model must show before it may be promoted.

A first, thin set: better than guessing at the category, no category forgotten, no worse than any of the first baselines at
ranking risk, and probabilities no worse than the constant known beforehand. All on the test split. With the few escalations a
test split holds, the order of two point estimates is often chance, so a gate on risk fails only where the whole interval of
the paired difference is below zero. A gate on something that was not measured (no escalation label) is left out, and that is
for the person who promotes to weigh.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.sections import EvaluationParams


@dataclass(frozen=True)
class Gate:
    """One condition and whether it holds.

    Attributes:
        name: What is asked.
        passed: Whether it holds.
        wanted: The condition, readable.
        got: What was measured, readable.
    """

    name: str
    passed: bool
    wanted: str
    got: str


def check_gates(metrics: Mapping[str, Any], params: EvaluationParams) -> list[Gate]:
    """Every gate that applies to what was measured.

    Args:
        metrics: The content of `metrics.json`.
        params: The margins.

    Returns:
        At least one gate; the first says whether anything was measured at all.
    """
    category, risk = metrics.get("category", {}), metrics.get("risk", {})
    n_category, n_risk = int(category.get("n_reports", 0)), int(risk.get("n_reports", 0))
    gates = [Gate("something was measured", n_category + n_risk > 0, "test reports with a label", f"{n_category + n_risk}")]
    if n_category:
        gates += _category_gates(category, params)
    if "average_precision" in risk:
        gates += _risk_gates(risk, metrics.get("baselines", {}), params.gates.max_baseline_drop)
    return gates


def _category_gates(category: Mapping[str, Any], params: EvaluationParams) -> list[Gate]:
    wanted = category["majority_macro_f1"] + params.min_macro_f1_gain
    n_forgotten = int(category["n_never_predicted"])
    return [
        Gate(
            "category beats the commonest category",
            category["macro_f1"] > wanted,
            f"macro-F1 above {wanted:.3f}",
            f"{category['macro_f1']:.3f}",
        ),
        Gate(
            "no category is forgotten",
            n_forgotten == 0,
            "every category of the test split predicted at least once",
            f"{n_forgotten} never predicted",
        ),
    ]


def _risk_gates(risk: Mapping[str, Any], baselines: Mapping[str, Any], max_drop: float) -> list[Gate]:
    gates = [
        Gate(
            "stated risks are no worse than the constant base rate",
            risk["brier_gain_high"] >= 0.0,
            f"Brier score not above {risk['brier_base_rate']:.4f} by more than chance",
            f"{risk['brier']:.4f}",
        )
    ]
    for name, ranking in baselines.items():
        highest = ranking.get("gain_average_precision_high")
        if highest is not None:
            gates.append(
                Gate(
                    f"risk ranks no worse than {name}",
                    highest >= 0.0 or ranking["gain_average_precision"] >= -max_drop,
                    f"PR-AUC not below {ranking['average_precision']:.3f} by over {max_drop:g} and by more than chance",
                    f"{risk['average_precision']:.3f}",
                )
            )
    return gates
