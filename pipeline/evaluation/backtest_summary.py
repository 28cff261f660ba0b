"""What a backtest found, in sentences and rows, Chinese and English, and as plain values for a machine."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.evaluation.audit import AuditEstimate
from pipeline.evaluation.backtest_alerts import AlertsFound
from pipeline.evaluation.backtesting import MEASURED, MODEL, BacktestResult
from pipeline.evaluation.resampling import Estimate
from pipeline.evaluation.selection import Period, total_regret

TITLES = {
    MODEL: ("模型", "model"),
    "previous_champion": ("上一任模型", "previous champion"),
    "arrival_order": ("先来先阅", "arrival order"),
    "keywords": ("关键词", "keywords"),
    "newest_first": ("后来先阅", "newest first"),
}
"""Reading order to its Chinese and its English name."""
HEADS = {
    "recall": ("及时阅到的升级件占比", "escalations read in time"),
    "precision": ("阅件中升级件占比", "of what was read"),
    "lead_median": ("提前天数中位数", "median lead, days"),
    "lead_share": ("提前至少 {lead_days:g} 天", "lead of {lead_days:g} days or more"),
}


@dataclass(frozen=True)
class Findings:
    """Everything the page of a backtest shows.

    Attributes:
        profile: Name of the profile.
        first_day: First night, ISO.
        last_day: Last night, ISO.
        capacity: Reports read in a day.
        lead_days: Days of lead that leave time to act.
        confidence: Of the intervals.
        result: What was measured.
        periods: What choosing by the last window would have done.
        audit: What the audit draw estimates.
        below: What lay below the line in truth: report-nights, and those of them with an outcome still to come.
        models: Versions of the models that served, in order.
        alerts: What the nights' alerts were worth; None where it was not looked at.
    """

    profile: str
    first_day: str
    last_day: str
    capacity: int
    lead_days: float
    confidence: float
    result: BacktestResult
    periods: Sequence[Period]
    audit: AuditEstimate
    below: tuple[int, int]
    models: Sequence[str]
    alerts: AlertsFound | None = None


def sentences(found: Findings) -> list[tuple[str, str]]:
    """What matters most, in Chinese and in English."""
    result = found.result
    recall = result.rankings[MODEL]["recall"]
    n, read, hits = result.n_escalated, result.n_read[MODEL], result.n_in_time[MODEL]
    said = [
        (
            f"{found.first_day} 至 {found.last_day} 每天阅 {found.capacity} 件，共阅 {read} 件；"
            f"已有定论的升级件 {n} 件，模型让人及时阅到 {hits} 件（{span(recall, percent=True)}）。",
            f"From {found.first_day} to {found.last_day} {found.capacity} reports were read a day, {read} in all. Of {n} "
            f"reports that escalated, the model had {hits} read in time ({span(recall, percent=True)}).",
        ),
        (
            f"其中 {result.n_reachable} 件在第一个早晨之后才出事，再好的顺序最多也只能及时阅到这些。",
            f"{result.n_reachable} of them had their outcome after the first morning on which anybody could have read them; no "
            "order can do better than that.",
        ),
    ]
    for name, gains in result.gains.items():
        zh, en = TITLES[name]
        verdict = _verdict(gains["recall"])
        difference = span(gains["recall"], percent=True)
        said.append(
            (
                f"与“{zh}”相比，及时阅到的占比相差 {difference}：{verdict[0]}。",
                f"Against {en} the share read in time differs by {difference}: {verdict[1]}.",
            )
        )
    return said


def _verdict(gain: Estimate) -> tuple[str, str]:
    if not gain.defined:
        return "无法比较", "not comparable"
    if gain.low > 0:
        return "模型更好", "the model is better"
    if gain.high < 0:
        return "模型更差", "the model is worse"
    return "分不出高下", "no difference can be told"


def ranking_rows(found: Findings) -> list[dict[str, str]]:
    """One row a reading order, estimates as text."""
    rows = []
    for name, estimates in found.result.rankings.items():
        zh, en = TITLES[name]
        row = {"zh": zh, "en": en, "in_time": f"{found.result.n_in_time[name]} / {found.result.n_escalated}"}
        for key in MEASURED:
            row[key] = span(estimates[key], percent=not key.endswith("median"))
        rows.append(row)
    return rows


def period_rows(found: Findings) -> list[dict[str, str]]:
    """One row a model in service: what the rule chose, what was best, and the regret."""
    return [
        {
            "first_day": period.first_day,
            "chosen": _named(period.chosen),
            "validated": _percent(period.validated[period.chosen]),
            "best": _named(period.best),
            "found": f"{period.found[period.chosen]} / {period.found[period.best]} / {period.n_escalated}",
            "regret": _percent(period.regret),
        }
        for period in found.periods
    ]


def audit_sentences(found: Findings) -> list[tuple[str, str]]:
    """What the audit draw says, beside what lay below the line in truth."""
    audit, (n_below, n_missed) = found.audit, found.below
    truth = 1000 * n_missed / n_below if n_below else float("nan")
    return [
        (
            f"抽查 {audit.n_drawn} 件，其中 {audit.n_drawn_escalated} 件后来升级。"
            f"据此估计，线下每千件次漏掉升级件 {span(audit.missed_per_1000)}；实际为 {truth:.1f}。",
            f"{audit.n_drawn} reports were drawn from below the line, {audit.n_drawn_escalated} of which escalated later. "
            f"From them, of a thousand reports below the line on a night {span(audit.missed_per_1000)} escalate later; in "
            f"truth {truth:.1f}.",
        ),
        (
            f"据此估计，每夜待阅而尚未出事的升级件中，线上占 {span(audit.recall, percent=True)}。",
            f"From them, the line held {span(audit.recall, percent=True)} of the escalations still to come that were open on a "
            "night.",
        ),
    ]


def as_results(found: Findings) -> dict[str, Any]:
    """Plain values, ready for JSON; null where something could not be measured."""
    result = found.result
    counts = ("n_reports", "n_settled", "n_escalated", "n_matters", "n_reachable")
    values = {
        "profile": found.profile, "from": found.first_day, "to": found.last_day, "capacity": found.capacity,
        "lead_days": found.lead_days, "confidence": found.confidence, "models": list(found.models),
        **{name: getattr(result, name) for name in counts},
        "rankings": {
            name: {
                "n_read": result.n_read[name], "n_in_time": result.n_in_time[name],
                **{key: asdict(estimate) for key, estimate in estimates.items()},
            }
            for name, estimates in result.rankings.items()
        },
        "gains": {name: {key: asdict(value) for key, value in gains.items()} for name, gains in result.gains.items()},
        "selection": {
            "regret": total_regret(found.periods),
            "periods": [asdict(one) | {"chosen": one.chosen, "best": one.best, "regret": one.regret} for one in found.periods],
        },
        "audit": asdict(found.audit) | {"true_n_below": found.below[0], "true_n_missed": found.below[1]},
        "nights": result.nights.to_dict("records"),
        "alerts": asdict(found.alerts) if found.alerts is not None else None,
    }  # fmt: skip
    plain: dict[str, Any] = _without_nan(values)
    return plain


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def span(estimate: Estimate, *, percent: bool = False) -> str:
    """A number with its interval, or a dash where it was not measured."""
    if not estimate.defined:
        return "–"
    point, low, high = (100 * end if percent else end for end in (estimate.point, estimate.low, estimate.high))
    return f"{point:.1f}{' %' if percent else ''} ({low:.1f}–{high:.1f})"


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %" if np.isfinite(value) else "–"


def _named(name: str) -> str:
    return " ".join(TITLES[name])
