"""People's decisions as labels: a category that a reviewer settled stands over the one that came with the report.

Only reviewers have read the report as a whole; a source's label was often chosen by whoever took the call, and a model learns
its mistakes. Which reports get read is not chance: the propensity that comes with each decision says how likely it was.
"""

import pandas as pd


def use_decisions(reports: pd.DataFrame, decisions: pd.DataFrame, *, as_of: pd.Timestamp) -> pd.DataFrame:
    """Give every decided report the category of its newest decision.

    Args:
        reports: With `report_id` and `category`.
        decisions: DECISIONS; those made at or after `as_of`, without a category, or of other reports play no part.
        as_of: The instant from which we look, aware.
    """
    known = decisions[(decisions["decided_at"] < as_of) & decisions["category"].notna()]
    if known.empty:
        return reports
    newest = known.sort_values("decided_at", kind="stable").drop_duplicates("report_id", keep="last")
    settled = reports["report_id"].map(newest.set_index("report_id")["category"])
    return reports.assign(category=settled.where(settled.notna(), reports["category"]).astype(object))
