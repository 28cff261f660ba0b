"""Is every group of reports cared for equally at the real cut-off?

Reports are grouped by area, channel, length, script and month; none of these but the text itself is a model input. At the
cut-off of the whole unit (`capacity.py`: its capacity a day) each group has

- recall, the share of its escalated reports that would have been read, and the false-negative rate, what is left of it,
- precision, the share of its read reports that escalated,
- the gap between mean stated risk and share escalated, and the calibration error over bins of equal counts,

and the same for all other reports; a difference is the group minus the others. Matters are resampled whole, group and others
together, so intervals of differences are paired.

A difference is a **violation** when it is beyond its limit in params.yaml and more than chance: its p-value (normal, by the
bootstrap's standard error) stays below 1 - confidence after Holm's correction over all comparisons (A Simple Sequentially
Rejective Multiple Test Procedure, Scand. J. Statistics 6, 1979); otherwise some of fifty groups would fail any model. Beyond
the limit but within chance is listed as `to_watch`. A person answers for a violation in writing or the model is not promoted.

Limits: where groups escalate at different rates, precision and recall cannot both be equal under calibrated risks
(Chouldechova, Fair Prediction with Disparate Impact, Big Data 5, 2017), which is why a waiver exists. The calibration error is
shown but has no limit: in small groups most of it is noise. Too few reports prove nothing either way; such groups are counted
as `not_measured`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.stats import norm

from pipeline.evaluation import metrics
from pipeline.evaluation.resampling import Estimate, Resampled, resample
from pipeline.params import Waiver
from pipeline.sections import EvaluationParams

DIMENSIONS = ("area", "channel", "length", "script", "month")
MEASURES = ("recall", "precision", "risk_gap", "calibration_error")
FINDING = [
    *("slice", "measure", "value", "low", "high", "limit", "p_value", "beyond_chance", "waiver", "waived_by", "waived_until"),
]
COMPARED = ("recall", "precision", "risk_gap")


@dataclass(frozen=True)
class Cutoff:
    """What happened at the cut-off, one entry a report.

    Attributes:
        risk: Stated, shape (n_reports,).
        escalated: Shape (n_reports,), bool.
        chance_read: Probability of having been read at capacity, shape (n_reports,).
        matters: Matter of each report.
    """

    risk: np.ndarray
    escalated: np.ndarray
    chance_read: np.ndarray
    matters: pd.Series


@dataclass(frozen=True)
class EqualCare:
    """What was found.

    Attributes:
        groups: One row a measured group: `dimension`, `group`, `n_reports`, `n_escalated`, each of `MEASURES` with `_low` and
            `_high`, and `recall_difference` and `precision_difference` from all others with `_low` and `_high`.
        findings: One row a difference beyond its limit: `slice` (such as `area=...`), `measure`, `value`, `low`, `high`,
            `limit`, `p_value` (corrected), `beyond_chance`, and `waived_by`, `waived_until`, `waiver` where somebody answers
            for it.
        n_not_measured: Groups with too few reports or escalations.
        waivers: Of the profile, as written.
    """

    groups: pd.DataFrame
    findings: pd.DataFrame
    n_not_measured: int
    waivers: tuple[Waiver, ...]


def measure_equal_care(
    names: pd.DataFrame, cutoff: Cutoff, *, waivers: Sequence[Waiver], as_of: date, params: EvaluationParams, seed: int
) -> EqualCare:
    """Compare every group that is large enough with all other reports.

    Args:
        names: The group of each report along each of `DIMENSIONS`.
        cutoff: What happened, rows in the order of `names`.
        waivers: Of the profile; one that ended before `as_of` is not counted.
        as_of: The day from which the outcomes were looked at.
        params: Of intervals, bins, group sizes and limits.
        seed: Of the resamples.
    """
    rows, found, n_small = [], [], 0
    for dimension in DIMENSIONS:
        values = names[dimension].to_numpy(dtype=object)
        for group in sorted(set(values)) if len(set(values)) > 1 else ():
            inside = values == group
            if not _large_enough(inside, cutoff.escalated, params):
                n_small += 1
                continue
            measured = _measure(inside, cutoff, params, seed)
            rows.append(_row(dimension, str(group), inside, cutoff.escalated, measured))
            found += [_compare(dimension, str(group), measure, measured, params) for measure in COMPARED]
    comparisons = pd.DataFrame(found)
    return EqualCare(pd.DataFrame(rows), _findings(comparisons, waivers, as_of, params), n_small, tuple(waivers))


def _large_enough(inside: np.ndarray, escalated: np.ndarray, params: EvaluationParams) -> bool:
    """Whether the group, and all others together, have enough reports and escalations."""
    least = params.equal_care
    return all(
        part.sum() >= least.min_group_reports and (part & escalated).sum() >= least.min_group_escalated
        for part in (inside, ~inside)
    )


def _measure(inside: np.ndarray, cutoff: Cutoff, params: EvaluationParams, seed: int) -> Resampled:
    """The measures of the group and, with the prefix `others_`, of all other reports."""

    def measure(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        return {
            prefix + name: value
            for prefix, part in (("", inside), ("others_", ~inside))
            for name, value in _of_part(cutoff, part, weights[:, part], params.n_bins).items()
        }

    return resample([measure], cutoff.matters, n_resamples=params.n_bootstrap, confidence=params.confidence, seed=seed)


def _of_part(cutoff: Cutoff, part: np.ndarray, weights: np.ndarray, n_bins: int) -> dict[str, np.ndarray]:
    risk, happened, read = cutoff.risk[part], cutoff.escalated[part], cutoff.chance_read[part]
    hits, n_escalated = weights @ (read * happened), weights @ happened.astype(float)
    return {
        "recall": metrics.ratio(hits, n_escalated),
        "precision": metrics.ratio(hits, weights @ read),
        "risk_gap": metrics.weighted_mean(risk - happened, weights),
        "calibration_error": metrics.calibration_error(risk, happened, weights, n_bins),
    }


def _row(dimension: str, group: str, inside: np.ndarray, escalated: np.ndarray, measured: Resampled) -> dict[str, object]:
    row: dict[str, object] = {"dimension": dimension, "group": group, "n_reports": int(inside.sum())}
    row["n_escalated"] = int((inside & escalated).sum())
    estimates = {name: measured.estimate(name) for name in MEASURES}
    estimates |= {f"{name}_difference": measured.difference(name, f"others_{name}") for name in ("recall", "precision")}
    missed = estimates["recall"]
    estimates["false_negative_rate"] = Estimate(1 - missed.point, 1 - missed.high, 1 - missed.low)
    for name, estimate in estimates.items():
        row |= {name: estimate.point, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return row


def _compare(dimension: str, group: str, measure: str, measured: Resampled, params: EvaluationParams) -> dict[str, object]:
    """One comparison: how far a group is from all others, or its stated risk from what happened."""
    others = None if measure == "risk_gap" else f"others_{measure}"
    estimate = measured.estimate(measure) if others is None else measured.difference(measure, others)
    draws = measured.draws[measure] - (0.0 if others is None else measured.draws[others])
    error = float(np.std(draws[np.isfinite(draws)]))
    limits = params.equal_care
    limit = {"recall": limits.max_recall_gap, "precision": limits.max_precision_gap, "risk_gap": limits.max_risk_gap}[measure]
    worse = -estimate.point if measure == "recall" else abs(estimate.point)
    sides = 1 if measure == "recall" else 2
    return {
        "slice": f"{dimension}={group}", "measure": measure, "value": estimate.point, "low": estimate.low,
        "high": estimate.high, "limit": limit, "beyond_limit": bool(worse > limit),
        "p_value": float(sides * norm.sf(worse / error)) if error > 0 else float(worse <= 0),
    }  # fmt: skip


def _findings(comparisons: pd.DataFrame, waivers: Sequence[Waiver], as_of: date, params: EvaluationParams) -> pd.DataFrame:
    """The comparisons beyond their limit, with corrected p-values and who answers for them."""
    if comparisons.empty:
        return pd.DataFrame(columns=FINDING)
    known = comparisons[comparisons["value"].notna()].reset_index(drop=True)
    known["p_value"] = holm(known["p_value"].to_numpy(dtype=np.float64))
    beyond = known[known["beyond_limit"].astype(bool)].drop(columns="beyond_limit")
    beyond = beyond.assign(beyond_chance=beyond["p_value"] < 1 - params.confidence)
    valid = {waiver.slice: waiver for waiver in waivers if waiver.until >= as_of}
    answers = [valid.get(str(name)) for name in beyond["slice"]]
    beyond["waiver"] = [one.why if one is not None else "" for one in answers]
    beyond["waived_by"] = [one.who if one is not None else "" for one in answers]
    beyond["waived_until"] = [one.until.isoformat() if one is not None else "" for one in answers]
    return beyond[FINDING].sort_values(["p_value", "slice", "measure"], ignore_index=True)


def holm(p_values: np.ndarray) -> np.ndarray:
    """P-values corrected for their number by Holm's step-down, shape as given."""
    order = np.argsort(p_values)
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return corrected


def as_section(result: EqualCare) -> dict[str, object]:
    """The content of `metrics.json` under `equal_care`.

    Returns:
        `n_groups`, `n_not_measured`, `violations` and `to_watch` (lists of `EqualCare.findings` rows), `waivers`, `groups`.
    """
    findings = result.findings.to_dict("records")
    return {
        "n_groups": len(result.groups),
        "n_not_measured": result.n_not_measured,
        "n_violations": sum(bool(row["beyond_chance"]) for row in findings),
        "violations": [row for row in findings if row["beyond_chance"]],
        "to_watch": [row for row in findings if not row["beyond_chance"]],
        "waivers": [waiver.model_dump(mode="json") for waiver in result.waivers],
        "groups": [
            {name: value for name, value in row.items() if not pd.isna(value)} for row in result.groups.to_dict("records")
        ],
    }
