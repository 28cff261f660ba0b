"""Reports that arrive late: how complete a recent day is.

A report can be received by a desk on Monday and reach us on Thursday. Compared with complete days, the last days then look
quiet, and a surge is seen late. The share of a day's reports that is known `k` days on is estimated from earlier days that
are old enough to be complete; expected counts of recent days are multiplied by it. The counts themselves stay as they are,
so their distribution stays that of counts (a thinned Poisson or negative-binomial count is one again).

Only days at least `max_delay_days` old are used, which avoids right truncation at the price of following a change of habits
that many days late (Lawless, Canadian Journal of Statistics 1994, treats the truncated case).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.emerging.calendar import Days

MEMORY_DAYS = 90
"""Days of complete history from which delays are learned; habits older than a quarter are other people's."""
SMALLEST_SHARE = 0.05
"""A day expected to be less complete than this says too little; its share is not taken to be smaller."""


def completeness(known: pd.DataFrame, days: Days, *, max_delay_days: int) -> NDArray[np.float64]:
    """Share of each day's reports expected to be known by the end of the last day.

    Args:
        known: Reports with `day` received and `known_day`, both naive days; all known by the end of the last day.
        days: Consecutive days, shape (n_days,), ascending.
        max_delay_days: Days after which a day is complete.

    Returns:
        Shares in [SMALLEST_SHARE, 1], shape (n_days,); 1 where the day is old, or where nothing could be learned.
    """
    if not len(days):
        return np.ones(0)
    last = days[-1]
    received = known["day"].to_numpy(dtype="datetime64[D]")
    age = (last - received).astype(np.int64)
    late = (known["known_day"].to_numpy(dtype="datetime64[D]") - received).astype(np.int64)
    learned = (age >= max_delay_days) & (age < max_delay_days + MEMORY_DAYS)
    if not learned.any():
        return np.ones(len(days))
    delays = np.clip(late[learned], 0, max_delay_days)
    share = np.cumsum(np.bincount(delays, minlength=max_delay_days + 1)) / len(delays)
    ages = np.minimum((last - days).astype(np.int64), max_delay_days)
    known_share: NDArray[np.float64] = np.maximum(share[ages], SMALLEST_SHARE)
    return known_share
