"""What was known of a report's matter when the report arrived.

Only reports received strictly earlier count, so what came in later, or at the same instant, changes nothing. A window of 7 days
holds the instants from 7 days before the arrival up to the arrival, `start <= received_at < arrival`. Reporters are counted as
different hashes; reports without one count as reports and not as reporters. Undated reports have no history.
"""

from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.dataset.matters import MICROSECONDS_A_DAY, UNKNOWN, Matter, repeated_matters
from pipeline.schema import HISTORY

WINDOW_DAYS = (7, 30, 90)


def add_history(reports: pd.DataFrame, *, earlier: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of `schema.HISTORY`.

    Args:
        reports: REPORTS, in any order.
        earlier: REPORTS admitted before, which count as history; empty where `reports` holds all there is.

    Returns:
        `reports` with the counts of earlier reports and reporters of the same matter, and the days since its first report
        (0.0 for that report itself).
    """
    columns = ["received_at", "matter_id", "reporter_hash"]
    of_matters = earlier.loc[earlier["matter_id"].isin(set(reports["matter_id"])), columns]
    known = pd.concat([reports[columns], of_matters]) if len(of_matters) else reports[columns]
    n_reports = len(reports)
    counts = np.zeros((2 * len(WINDOW_DAYS), len(known)), dtype=np.int32)
    days = np.zeros(len(known))
    for matter in repeated_matters(known):
        days[matter.places] = (np.array(matter.received) - matter.received[0]) / MICROSECONDS_A_DAY
        for number, window in enumerate(WINDOW_DAYS):
            similar, reporters = _count_before(matter, window * MICROSECONDS_A_DAY)
            counts[number, matter.places] = similar
            counts[number + len(WINDOW_DAYS), matter.places] = reporters
    added = {name: column[:n_reports] for name, column in zip(HISTORY, [*counts, days], strict=True)}
    return reports.assign(**added)


def _count_before(matter: Matter, window: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Reports and different reporters in the window before each report of a matter, each (n_reports,)."""
    n = len(matter.places)
    similar, reporters = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
    inside: Counter[int] = Counter()
    opened = closed = n_distinct = 0  # reports in [closed, opened) lie in the window
    for place, received in enumerate(matter.received):
        while matter.received[opened] < received:
            reporter = matter.reporters[opened]
            n_distinct += reporter != UNKNOWN and inside[reporter] == 0
            inside[reporter] += 1
            opened += 1
        while matter.received[closed] < received - window:
            reporter = matter.reporters[closed]
            inside[reporter] -= 1
            n_distinct -= reporter != UNKNOWN and inside[reporter] == 0
            closed += 1
        similar[place], reporters[place] = opened - closed, n_distinct
    return similar, reporters
