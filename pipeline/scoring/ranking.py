"""From priorities to tonight's selection: the top of the list, and an audit draw from below the line.

Reading only the top would never show what the model misses. A declared share of each night's capacity is therefore drawn at
random, without replacement and with equal chances, from the reports below the line. Each report keeps its `propensity`, the
probability with which the draw reached it, so that later estimates can weigh by its inverse (Horvitz & Thompson, *Journal of
the American Statistical Association* 47, 1952).
"""

import numpy as np
import pandas as pd


def rank(scored: pd.DataFrame, *, capacity: int, audit_share: float, seed: int) -> pd.DataFrame:
    """Put open reports in reading order and select tonight's.

    The order is by priority, then by arrival, then by report_id, so the order of the input changes nothing. All reports are
    kept: those not selected wait, and are ranked again the next night.

    Args:
        scored: Open reports with `report_id`, `received_at` and `priority`.
        capacity: Reports the unit can review tonight, at least 1.
        audit_share: Share of the capacity drawn from below the line, in [0, 1]; rounded, but at least one report if the share
            is above 0, the capacity above 1 and something lies below the line.
        seed: Of the draw; the night's own, so that the same night draws the same reports.

    Returns:
        The reports with `rank` (from 1), `selected` (`ranked`, `audit` or `waiting`) and `propensity` in (0, 1], in order
        of rank. `propensity` is 1 above the line and n_drawn / n_below the line.
    """
    ordered = scored.sort_values(["priority", "received_at", "report_id"], ascending=[False, True, True], ignore_index=True)
    n_open = len(ordered)
    n_audit = _audit_size(n_open, capacity=capacity, audit_share=audit_share)
    n_ranked = min(capacity - n_audit, n_open)
    n_below = n_open - n_ranked
    drawn = np.random.default_rng(seed).choice(n_below, size=n_audit, replace=False) + n_ranked
    selected = np.where(np.arange(n_open) < n_ranked, "ranked", "waiting").astype(object)
    selected[drawn] = "audit"
    propensity = np.ones(n_open)
    propensity[n_ranked:] = n_audit / n_below if n_below else 0.0
    return ordered.assign(rank=np.arange(1, n_open + 1, dtype=np.int32), selected=selected, propensity=propensity)


def _audit_size(n_open: int, *, capacity: int, audit_share: float) -> int:
    """How many reports to draw from below the line."""
    if n_open <= capacity:
        return 0  # everything is read, nothing lies below the line
    wanted = round(capacity * audit_share)
    if audit_share > 0 and capacity > 1:
        wanted = max(wanted, 1)
    return min(wanted, capacity)
