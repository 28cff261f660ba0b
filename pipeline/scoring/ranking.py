"""From priorities to tonight's selection: the top of the list, reports of unclear category, and an audit draw.

The order is by priority and nothing else: a report that may harm somebody is read first whatever it is about. But nobody knows
where an `unclear` report belongs, it may be the first of a new kind, and no unit will get it until a person says so. A
declared share of the capacity therefore goes to the unclear reports next in order below the line; what is not needed for them
goes to the line. They carry `selected = "unclear"` and must be given a category by a person before they are handed over.

Reading only the top would never show what the model misses. A declared share of each night's capacity is therefore drawn at
random, without replacement and with equal chances, from the reports below the line. Each report keeps its `propensity`, the
probability with which the draw reached it, so that later estimates can weigh by its inverse (Horvitz & Thompson, *Journal of
the American Statistical Association* 47, 1952).
"""

import numpy as np
import pandas as pd

from pipeline.schema import UNCLEAR


def rank(scored: pd.DataFrame, *, capacity: int, audit_share: float, unclear_share: float, seed: int) -> pd.DataFrame:
    """Put open reports in reading order and select tonight's.

    The order is by priority, then by arrival, then by report_id, so the order of the input changes nothing. All reports are
    kept: those not selected wait, and are ranked again the next night.

    Args:
        scored: Open reports with `report_id`, `received_at`, `lane` and `priority`.
        capacity: Reports the unit can review tonight, at least 1.
        audit_share: Share of the capacity drawn from below the line, in [0, 1]; rounded, but at least one report if the share
            is above 0, the capacity above 1 and something lies below the line.
        unclear_share: Share of the capacity kept for unclear reports below the line, in [0, 1]; rounded, and never more than
            the audit draw leaves.
        seed: Of the draw; the night's own, so that the same night draws the same reports.

    Returns:
        The reports with `rank` (from 1), `selected` (`ranked`, `unclear`, `audit` or `waiting`) and `propensity` in (0, 1], in
        order of rank. `propensity` is 1 for ranked and unclear ones selected, and n_drawn / n_drawn_from for all others.
    """
    ordered = scored.sort_values(["priority", "received_at", "report_id"], ascending=[False, True, True], ignore_index=True)
    n_open = len(ordered)
    n_audit = _audit_size(n_open, capacity=capacity, audit_share=audit_share)
    n_chosen = min(capacity - n_audit, n_open)
    n_kept = min(round(capacity * unclear_share), n_chosen) if n_open > capacity else 0
    selected = np.full(n_open, "waiting", dtype=object)
    selected[: n_chosen - n_kept] = "ranked"
    unclear = np.flatnonzero((selected == "waiting") & (ordered["lane"] == UNCLEAR).to_numpy())[:n_kept]
    selected[unclear] = "unclear"
    selected[np.flatnonzero(selected == "waiting")[: n_kept - len(unclear)]] = "ranked"
    below = np.flatnonzero(selected == "waiting")
    selected[np.random.default_rng(seed).choice(below, size=n_audit, replace=False)] = "audit"
    propensity = np.ones(n_open)
    propensity[below] = n_audit / max(1, len(below))
    return ordered.assign(rank=np.arange(1, n_open + 1, dtype=np.int32), selected=selected, propensity=propensity)


def _audit_size(n_open: int, *, capacity: int, audit_share: float) -> int:
    """How many reports to draw from below the line."""
    if n_open <= capacity:
        return 0  # everything is read, nothing lies below the line
    wanted = round(capacity * audit_share)
    if audit_share > 0 and capacity > 1:
        wanted = max(wanted, 1)
    return min(wanted, capacity)
