"""When new people report a matter: the points from which its growth is told.

Only a person's first report of a matter counts: somebody who writes daily is one person. A report that does not say who wrote
it counts as somebody new, unless it copies another of the matter.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from pipeline.emerging.series import Integers, Reals

MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class Arrivals:
    """First reports of people, sorted by matter and time.

    Attributes:
        matter_ids: Ids of the matters, ascending, shape (n_matters,).
        starts: Where each matter's arrivals begin, with the end of the last; shape (n_matters + 1,).
        days: Days since 1970 of each arrival, ascending within a matter, shape (n_arrivals,).
    """

    matter_ids: "np.ndarray"
    starts: Integers
    days: Reals

    @property
    def sizes(self) -> Integers:
        """People of each matter, shape (n_matters,)."""
        return np.diff(self.starts)

    @property
    def matters(self) -> Integers:
        """Number of the matter each arrival belongs to, shape (n_arrivals,)."""
        return np.repeat(np.arange(len(self.matter_ids)), self.sizes)

    @property
    def places(self) -> Integers:
        """Place of each arrival in its matter, from 0, shape (n_arrivals,)."""
        return np.arange(len(self.days)) - np.repeat(self.starts[:-1], self.sizes)


def local_arrivals(reports: pd.DataFrame, timezone: str) -> Arrivals:
    """As `arrivals`, with days that begin at midnight of a time zone."""
    local = reports["received_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.tz_localize("UTC")
    return arrivals(reports.assign(received_at=local))


def days_since_1970(day: date) -> int:
    """Days from 1970-01-01 to a day."""
    return (day - date(1970, 1, 1)).days


def arrivals(reports: pd.DataFrame) -> Arrivals:
    """The first report of every person of every matter.

    Args:
        reports: `received_at` (UTC), `matter_id`, `reporter_hash`, `duplicate_group`; undated ones are left out.
    """
    dated = reports[reports["received_at"].notna()]
    instants = dated["received_at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    who = dated["reporter_hash"].where(dated["reporter_hash"].notna(), "?" + dated["duplicate_group"].astype(str))
    people = pd.DataFrame({"matter": dated["matter_id"].to_numpy(), "who": who.to_numpy(), "at": instants})
    people = people.sort_values(["matter", "at", "who"], ignore_index=True).drop_duplicates(["matter", "who"])
    ids, sizes = np.unique(people["matter"].to_numpy(dtype=object), return_counts=True)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Arrivals(ids, starts, people["at"].to_numpy(dtype=np.float64) / MICROSECONDS_A_DAY)
