"""The gate on equal care: every violation is answered for in writing, or the model is not promoted."""

from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.gates import Gate
from pipeline.sections import EvaluationParams

WORDS = {
    "recall": "its escalated reports are read {value:+.0%} against all others",
    "precision": "its read reports escalate {value:+.0%} against all others",
    "risk_gap": "its stated risk is {value:+.1%} off",
}


def equal_care_gates(metrics: Mapping[str, Any], params: EvaluationParams) -> list[Gate]:
    """One gate a group with violations, or one that says there is none.

    Args:
        metrics: The content of `metrics.json`; without a section `equal_care`, as where no risk was measured, there is no gate.
        params: The limits, for the words.

    Returns:
        A gate a group; it holds if a waiver of the profile for that group had not ended when the model was evaluated.
    """
    care = metrics.get("equal_care")
    if care is None:
        return []
    by_group: dict[str, list[Mapping[str, Any]]] = {}
    for violation in care["violations"]:
        by_group.setdefault(violation["slice"], []).append(violation)
    if not by_group:
        n_groups, n_small = care["n_groups"], care["n_not_measured"]
        return [Gate("equal care", True, _wanted(params), f"{n_groups} groups within it, {n_small} too small to measure")]
    return [_of_group(name, violations, params) for name, violations in by_group.items()]


def _of_group(name: str, violations: list[Mapping[str, Any]], params: EvaluationParams) -> Gate:
    got = ", ".join(WORDS[one["measure"]].format(value=one["value"]) for one in violations)
    waiver = violations[0]
    if waiver["waived_by"]:
        got += f"; waived until {waiver['waived_until']} by {waiver['waived_by']}: {waiver['waiver']}"
    wanted = f"{_wanted(params)}, or a waiver for '{name}' in the profile"
    return Gate(f"equal care for {name}", bool(waiver["waived_by"]), wanted, got)


def _wanted(params: EvaluationParams) -> str:
    limits = params.equal_care
    return (
        f"recall not below all others' by more than {limits.max_recall_gap:.0%}, precision within "
        f"{limits.max_precision_gap:.0%}, stated risk within {limits.max_risk_gap:.0%}"
    )
