"""Puts results into `metrics.json` and into sentences."""

from collections.abc import Mapping

from pipeline.evaluation.categories import CategoryResult
from pipeline.evaluation.resampling import Estimate
from pipeline.evaluation.risks import MODEL, RANKED, STATED, RiskResult

FEW_MATTERS = 50  # below, the interval of a recall is wider than 25 points
Metrics = dict[str, dict[str, object]]


def as_metrics(category: CategoryResult | None, risk: RiskResult | None) -> Metrics:
    """The content of `metrics.json`: sections of flat numbers, undefined ones left out.

    Args:
        category: What was measured of the category, if anything.
        risk: What was measured of the risk, if anything.

    Returns:
        `category`, `risk` and `baselines` (by name, then metric). An estimate `x` comes with `x_low` and `x_high`; in
        `baselines`, `gain_x` is how far the model exceeds that baseline.
    """
    metrics: Metrics = {"category": {"n_reports": 0}, "risk": {"n_reports": 0}}
    if category is not None:
        metrics["category"] = {
            "n_reports": category.n_reports,
            "n_never_predicted": category.n_never_predicted,
            **flat(category.summary),
        }
    if risk is not None:
        metrics["risk"] = {
            "n_reports": risk.n_reports,
            "n_escalated": risk.n_escalated,
            "n_matters_escalated": risk.n_matters,
            "n_days": risk.n_days,
            "n_read_at_capacity": risk.n_read,
            **flat(risk.stated),
            **_ranking(risk, MODEL),
        }
        metrics["baselines"] = {
            name: {**_ranking(risk, name), **{f"gain_{key}": value for key, value in flat(gains).items()}}
            for name, gains in risk.gains.items()
        }
    return metrics


def _ranking(risk: RiskResult, name: str) -> dict[str, object]:
    worst, best = risk.ties[name]
    return {**flat(risk.rankings[name]), "recall_at_capacity_worst": worst, "recall_at_capacity_best": best}


def flat(estimates: Mapping[str, Estimate]) -> dict[str, object]:
    """Point and ends of the interval under `name`, `name_low`, `name_high`; undefined estimates are left out."""
    result: dict[str, object] = {}
    for name, estimate in estimates.items():
        if estimate.defined:
            result |= {name: estimate.point, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return result


def sentences(
    category: CategoryResult | None,
    risk: RiskResult | None,
    names: Mapping[str, str],
    *,
    capacity: int,
    max_day_share: float,
) -> list[str]:
    """What the numbers mean, in words.

    Args:
        category: What was measured of the category, if anything.
        risk: What was measured of the risk, if anything.
        names: Category id to name.
        capacity: Reports the unit reads in a day.
        max_day_share: Most of a day's reports that may be read.
    """
    said = []
    if risk is not None:
        said += _of_risk(risk, capacity, max_day_share)
    if category is not None:
        said += _of_category(category, names)
    return said


def limits(category: CategoryResult | None, risk: RiskResult | None, risk_method: str) -> list[str]:
    """What must be kept in mind while reading the numbers.

    Args:
        category: What was measured of the category, if anything.
        risk: What was measured of the risk, if anything.
        risk_method: How the risk was calibrated: `platt`, `isotonic`, `venn_abers`, `shift` or `none`.
    """
    said = [
        "Everything here is measured on the test split only, which no model, calibrator or threshold has seen.",
        "Intervals come from resampling whole matters (risk) and whole groups of copies (category), not single reports.",
    ]
    if risk is None:
        said.append("No risk was measured: the test split holds no settled escalations, or none of both kinds.")
    elif risk.n_matters < FEW_MATTERS:
        said.append(
            f"The escalated reports of the test split belong to only {risk.n_matters} matters, and one large matter can carry "
            "a result: read the intervals, not the numbers before them."
        )
    if risk is not None and risk_method in ("shift", "none"):
        said.append("The risk was not fully calibrated: too few escalations on the calibration split. Use its order only.")
    if category is None:
        said.append("No category was measured: the test split holds no report with a category.")
    said.append(
        "The replay reads each day's own reports; a real queue also holds unread reports of earlier days. "
        "Reports whose label window had not closed are left out of the risk, not counted as harmless."
    )
    return said


def interval(estimate: Estimate, *, percent: bool = False) -> str:
    """An estimate as text, such as "0.91 (0.89 to 0.93)" or "34 % (20 to 48)"."""
    if not estimate.defined:
        return "not measured"
    if percent:
        return f"{100 * estimate.point:.0f} % ({100 * estimate.low:.0f} to {100 * estimate.high:.0f})"
    return f"{estimate.point:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def verdict(gain: Estimate) -> str:
    """Whether a difference is more than chance."""
    if not gain.defined:
        return "not comparable"
    if gain.low > 0:
        return "better"
    return "worse" if gain.high < 0 else "within chance"


def _of_risk(risk: RiskResult, capacity: int, max_day_share: float) -> list[str]:
    model = risk.rankings[MODEL]
    recall = model["recall_at_capacity"]
    said = [
        f"The test split holds {risk.n_reports:,} reports from {risk.n_days} days whose outcome is known; {risk.n_escalated} "
        f"of them ({100 * risk.n_escalated / risk.n_reports:.0f} %) escalated, from {risk.n_matters} different matters.",
        f"A unit that reads {capacity} reports a day, and at most {100 * max_day_share:.0f} % of a day's reports, reads "
        f"{risk.n_read:,} of them. In this model's order it reads {round(recall.point * risk.n_escalated)} of the "
        f"{risk.n_escalated} that escalated: {interval(recall, percent=True)}.",
    ]
    for name, title in risk.titles.items():
        if name in ("arrival_order", "keywords", "text_only"):
            other = risk.rankings[name]["recall_at_capacity"]
            gain = risk.gains[name]["recall_at_capacity"]
            said.append(
                f"With the same effort, reading {_reading(name, title)} finds {interval(other, percent=True)}; "
                f"this model is {_compared(gain)}."
            )
    precision = model["precision_at_capacity"].point
    if precision > 0:
        said.append(f"Of the reports it puts within capacity, about one in {max(1, round(1 / precision))} escalated.")
    return said


def _reading(name: str, title: str) -> str:
    return title if name == "arrival_order" else f"by {title}"


def _compared(gain: Estimate) -> str:
    words = {
        "better": "better by more than chance",
        "worse": "worse by more than chance",
        "within chance": "not clearly different",
    }
    return words.get(verdict(gain), "not comparable")


def _of_category(category: CategoryResult, names: Mapping[str, str]) -> list[str]:
    accuracy, macro = category.summary["accuracy"], category.summary["macro_f1"]
    worst = category.per_class[category.per_class["n_reports"] > 0].nsmallest(1, "f1").iloc[0]
    said = [
        f"{100 * accuracy.point:.0f} of 100 test reports ({100 * accuracy.low:.0f} to {100 * accuracy.high:.0f}) get the right "
        f"category. Macro-F1, in which every category counts the same, is {interval(macro)}.",
        f"The hardest category is {names[worst['category']]}: {100 * worst['recall']:.0f} % of its {worst['n_reports']} "
        f"reports are found, and {100 * worst['precision']:.0f} % of what is called so is right.",
    ]
    if "keywords_macro_f1" in category.summary:
        said.append(f"Looking for keywords instead gives {interval(category.summary['keywords_macro_f1'])}.")
    return said


def ranking_rows(risk: RiskResult) -> list[dict[str, str]]:
    """One row a ranking for the report: estimates as text, and whether the model beats it at capacity."""
    rows = []
    for name, title in risk.titles.items():
        found = risk.rankings[name]
        row = {"title": title, "verdict": ""}
        for key in RANKED:
            row[key] = interval(found[key], percent=key.startswith(("recall", "precision")))
        row["ties"] = "{:.0f} to {:.0f} %".format(*(100 * end for end in risk.ties[name]))
        if name != MODEL:
            row["verdict"] = verdict(risk.gains[name]["recall_at_capacity"])
            row["gain"] = interval(risk.gains[name]["average_precision"])
        rows.append(row)
    return rows


def stated_rows(risk: RiskResult) -> list[tuple[str, str]]:
    """The risk as a probability, for the report."""
    words = {
        "brier": "Brier score",
        "log_loss": "log loss",
        "calibration_error": "calibration error",
        "brier_base_rate": "Brier score of the base rate known beforehand",
        "base_rate": "share escalated",
    }
    return [(words[name], interval(risk.stated[name])) for name in STATED]
