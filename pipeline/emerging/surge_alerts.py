"""From the surges a night sees to what people are told.

The counts of a cell of area and category are part of its area's, its category's and all counts, so one event shows in several
series. It is told once, where it is narrowest: a wider surge is left out while narrower ones inside it explain most of what it
has too many. A surge of which one matter makes up at least half names that matter: then it is not a category that grows.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from pipeline import schema
from pipeline.emerging.alerts import Finding
from pipeline.emerging.series import ALL, AREA, AREA_CATEGORY, CATEGORY
from pipeline.sections import EmergingParams

EXPLAINED = 0.6
"""Share of a wider surge's excess that narrower ones must make up to be told in its place."""
OF_ONE_MATTER = 0.5
"""Share of a surge's reports that one matter must make up to be named."""
_NARROW_FIRST = (AREA_CATEGORY, CATEGORY, AREA, ALL)


def surge_findings(surges: pd.DataFrame, counted: pd.DataFrame, *, as_of: date, params: EmergingParams) -> list[Finding]:
    """What to tell of the surges that still alarm, or did until some days ago.

    Args:
        surges: `Detection.surges`.
        counted: The reports that were counted: `report_id`, `day` (naive), `area`, `category`, `matter_id`, `reporter_hash`.
        as_of: The morning of the night.
        params: Section `emerging`.

    Returns:
        One finding a surge, the narrowest first; `confidence` is one less the false-discovery rate among the day's series.
    """
    recent = surges[surges["last_day"] >= pd.Timestamp(as_of - timedelta(days=params.close_after_days))]
    recent = recent[recent["false_discovery_rate"] <= params.max_false_discovery_rate]
    order = {level: place for place, level in enumerate(_NARROW_FIRST)}
    rows: list[Any] = sorted(recent.to_dict("records"), key=lambda row: (order[row["level"]], row["p_value"], row["surge_id"]))
    told: list[dict[str, Any]] = []
    for row in rows:
        if _explained(row, told) < EXPLAINED:
            told.append(row)
    return [_finding(row, counted, params) for row in told]


def _explained(row: dict[str, Any], told: Sequence[dict[str, Any]]) -> float:
    """Share of a surge's excess that narrower surges on the same days make up."""
    inside = [
        other
        for other in told
        if all(row[name] is None or row[name] == other[name] for name in ("area", "category"))
        and other["first_day"] <= row["last_day"]
        and row["first_day"] <= other["last_day"]
    ]
    excess = float(row["observed"]) - float(row["expected"])
    return sum(float(other["observed"]) - float(other["expected"]) for other in inside) / max(excess, 1e-9)


def _finding(row: dict[str, Any], counted: pd.DataFrame, params: EmergingParams) -> Finding:
    last, first = (pd.Timestamp(row[name]).date() for name in ("last_day", "first_day"))
    window_days = int(row["window_days"])
    reports = of_series(counted, row["area"], row["category"])
    reports = reports[
        (reports["day"] > pd.Timestamp(last - timedelta(days=window_days))) & (reports["day"] <= pd.Timestamp(last))
    ]
    matters = reports["matter_id"].value_counts()
    shared = len(matters) > 0 and matters.iloc[0] > 1 and matters.iloc[0] >= OF_ONE_MATTER * len(reports)
    known = reports["reporter_hash"].notna().any()
    return Finding(
        kind=schema.SURGE, area=_name(row["area"]), category=_name(row["category"]),
        matter_id=str(matters.index[0]) if shared else None, candidate_id=None, first_seen=first, last_seen=last,
        window_days=window_days, n_reports=int(row["observed"]), expected=float(row["expected"]),
        low=float(row["low"]), high=float(row["high"]),
        n_reporters=int(reports["reporter_hash"].nunique()) if known else None,
        confidence=1.0 - float(row["false_discovery_rate"]), report_ids=examples(reports, params.n_examples),
    )  # fmt: skip


def of_series(counted: pd.DataFrame, area: object, category: object) -> pd.DataFrame:
    """The reports that a series counts."""
    inside = np.ones(len(counted), dtype=bool)
    for name, value in (("area", area), ("category", category)):
        if value is not None:
            inside &= (counted[name] == value).to_numpy(dtype=bool)
    return counted[inside]


def examples(reports: pd.DataFrame, n_examples: int) -> tuple[str, ...]:
    """Ids of the newest reports, one of each person first."""
    newest = reports.sort_values(["received_at", "report_id"], ascending=False)
    again = newest["reporter_hash"].notna() & newest.duplicated("reporter_hash")
    ordered = pd.concat([newest[~again], newest[again]])
    return tuple(ordered["report_id"].head(n_examples))


def _name(value: object) -> str | None:
    return None if value is None else str(value)
