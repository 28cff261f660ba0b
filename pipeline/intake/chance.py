"""How alike reports are by chance, measured on reports that cannot concern one matter.

How people write decides what a similarity means: free messages about different things are hardly alike, entries in a form or
set phrases are, whatever they are about. Reports of different areas seldom concern one matter, so how much a report resembles
its most similar one elsewhere shows what chance alone brings. The level that a given share of reports exceeds is taken from up
to 512 reports before the weights of n-grams are renewed, and holds until they are renewed again. On the citizen messages
0.05 of reports exceed 0.07 to 0.12, on simulated ones, which share their phrases, 0.31 to 0.44.

Limit: where areas are unknown or there is only one, nothing can be measured and the level stays 0.
"""

import numpy as np

from pipeline.intake.grams import Rows
from pipeline.intake.pairs import Reals

_LARGEST_SAMPLE, _FIRST_RENEWAL, _FEWEST = 512, 64, 32


class ChanceLevel:
    """The similarity to reports of other areas that a given share of reports exceeds."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._sample: list[float] = []
        self.level = 0.0

    def first_sampled(self, n_before: int) -> int:
        """From which report on, counted from 0, reports are sampled until the next renewal.

        Args:
            n_before: Dated reports so far.
        """
        renewal = 1 << n_before.bit_length()
        return renewal - min(_LARGEST_SAMPLE, renewal // 2) if renewal >= _FIRST_RENEWAL else renewal

    def count(self, rows: Rows, left: Rows, similarity: Reals, *, n_after: int) -> None:
        """Take note of sampled reports; renew the level if it is time.

        Args:
            rows: Row numbers of the sampled reports whose area is known, ascending, shape (n_rows,).
            left: Row of each pair that was compared with a report of another area, shape (n_pairs,).
            similarity: Of each pair, shape (n_pairs,).
            n_after: Dated reports so far, these included.
        """
        if len(rows):
            best = np.zeros(int(rows[-1]) - int(rows[0]) + 1)
            np.maximum.at(best, left - rows[0], similarity)
            self._sample.extend(best[rows - rows[0]].tolist())
        if n_after >= _FIRST_RENEWAL and n_after & (n_after - 1) == 0:
            enough = len(self._sample) >= _FEWEST
            self.level = float(np.quantile(self._sample, 1 - self._share)) if enough else 0.0
            self._sample = []
