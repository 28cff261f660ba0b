"""What choosing a reading order by its last validation window costs against the choice one would have made in hindsight.

Before each period of service the candidates are measured on the same dated window that was settled by then, and the one with
the highest recall at capacity is chosen; of equals the first. Afterwards it shows which would have found most. Regret is the
difference in recall between that one and the chosen one (external regret; Cesa-Bianchi & Lugosi, Prediction, Learning, and
Games, 2006, chapter 2), here of a rule and not of a learner.

Limit: every candidate keeps its own open reports through all periods, so what it finds in one depends on what it left open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.capacity import make_queue, read_at_capacity


@dataclass(frozen=True)
class Period:
    """One period of service.

    Attributes:
        first_day: Its first night, ISO.
        validated: Candidate to recall at capacity on the window before it; NaN where that could not be measured.
        found: Candidate to escalations read in time during it.
        n_escalated: Escalations that arrived during it.
    """

    first_day: str
    validated: Mapping[str, float]
    found: Mapping[str, int]
    n_escalated: int

    @property
    def chosen(self) -> str:
        """The candidate the rule chooses; the first where nothing could be measured."""
        return max(self.validated, key=lambda name: np.nan_to_num(self.validated[name], nan=-1.0))

    @property
    def best(self) -> str:
        """The candidate that found most; the chosen one if it is among the best."""
        most = max(self.found.values())
        return self.chosen if self.found[self.chosen] == most else next(name for name in self.found if self.found[name] == most)

    @property
    def regret(self) -> float:
        """Recall that the chosen one missed against the best; NaN where nothing escalated."""
        missed = self.found[self.best] - self.found[self.chosen]
        return missed / self.n_escalated if self.n_escalated else float("nan")


def total_regret(periods: Sequence[Period]) -> float:
    """Regret over all periods, weighted by escalations; NaN where nothing escalated."""
    n_escalated = sum(period.n_escalated for period in periods)
    missed = sum(period.found[period.best] - period.found[period.chosen] for period in periods)
    return missed / n_escalated if n_escalated else float("nan")


def recall_on_window(
    scores: np.ndarray, escalated: np.ndarray, days: np.ndarray, *, capacity: int, max_day_share: float
) -> float:
    """Recall at capacity of an order on a window, day by day.

    Args:
        scores: Higher is read first, shape (n_reports,).
        escalated: Shape (n_reports,), bool.
        days: Local day of each, shape (n_reports,).
        capacity: Reports read in a day.
        max_day_share: Most of a day's reports that may be read.
    """
    if not escalated.any():
        return float("nan")
    read = read_at_capacity(make_queue(scores, days), escalated, capacity=capacity, max_day_share=max_day_share)
    return float(read.chance[escalated].sum() / escalated.sum())
