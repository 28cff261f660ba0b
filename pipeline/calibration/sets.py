"""Category sets with a promised coverage in every category, and the lanes they put reports into.

Class-conditional (Mondrian) conformal prediction (Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World, 2005, sec.
4.5): a category is in a report's set unless the report is stranger, as a report of that category, than all but `1 - level` of
the category's reports of the calibration split. Strangeness is one minus the category's probability. Each category is compared
with its own reports only, so a rare one is covered as often as a common one; one threshold for all would let the common ones
pay.

A set of one is lane `clear`, of two up to `max_choices` lane `choose`; an empty set (like nothing seen) or a wider one is
`unclear` and goes to a person first. A set of one that is not the likeliest category is no agreement, so it is `choose` too.

A category with few calibration reports has no threshold worth the name: with fewer than 1 / (1 - level) it could never be left
out, and every report would be `unclear`. Such categories share the scores of all categories (the null cluster of Ding,
Angelopoulos, Bates, Jordan & Tibshirani, Class-Conditional Conformal Prediction with Many Classes, NeurIPS 2023): their
coverage is not promised.

P-values equal those of `crepes` without smoothing (a test holds them to it); crepes counts in a Python loop over reports and
categories, which takes 60 times as long as the sorted search here. Limit: the promise holds while reports are like those of the
calibration split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from pipeline.schema import CHOOSE, CLEAR, UNCLEAR

ROUNDING = 1e-9  # keeps 0.1 * 10, a little off 1 in floating point, from deciding


@dataclass(frozen=True)
class CategorySets:
    """What decides which categories a report may have.

    Attributes:
        level: Share of each category's reports whose set holds it, in (0, 1).
        max_choices: Categories of the largest set a person can choose from at a glance.
        min_reports: Calibration reports a category needs for its own threshold.
        scores: For each category, strangeness of its calibration reports, ascending.
    """

    level: Annotated[float, Field(gt=0.0, lt=1.0)]
    max_choices: Annotated[int, Field(ge=1)]
    min_reports: Annotated[int, Field(ge=1)]
    scores: tuple[tuple[float, ...], ...]

    @property
    def shared(self) -> tuple[bool, ...]:
        """Whether each category must share the scores of all."""
        return tuple(len(own) < self.min_reports for own in self.scores)

    def p_values(self, probabilities: np.ndarray) -> np.ndarray:
        """Share of a category's reports at least as strange as each report, itself counted.

        Args:
            probabilities: Calibrated, shape (n_reports, n_categories).

        Returns:
            Shape (n_reports, n_categories), in (0, 1].
        """
        together = np.sort(np.concatenate([np.asarray(own, dtype=np.float64) for own in self.scores]))
        values = np.empty(probabilities.shape)
        for column, (own, shared) in enumerate(zip(self.scores, self.shared, strict=True)):
            known = together if shared else np.asarray(own)
            stranger = len(known) - np.searchsorted(known, 1 - probabilities[:, column], side="left")
            values[:, column] = (stranger + 1) / (len(known) + 1)
        return values

    def members(self, probabilities: np.ndarray) -> np.ndarray:
        """Whether each category is in each report's set, shape (n_reports, n_categories), bool."""
        return self.p_values(probabilities) > 1 - self.level + ROUNDING

    def lanes(self, probabilities: np.ndarray, members: np.ndarray) -> np.ndarray:
        """The lane of each report, shape (n_reports,), of `schema.LANES`."""
        sizes = members.sum(axis=1)
        agrees = np.take_along_axis(members, probabilities.argmax(axis=1)[:, None], axis=1)[:, 0]
        lane = np.where((sizes >= 1) & (sizes <= self.max_choices), CHOOSE, UNCLEAR).astype(object)
        lane[(sizes == 1) & agrees] = CLEAR
        return lane


def fit_sets(
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    n_categories: int,
    level: float,
    max_choices: int,
    min_reports: int,
) -> CategorySets:
    """Keep how strange each category's calibration reports are.

    Args:
        probabilities: Calibrated, of the labelled reports of the calibration split, shape (n_reports, n_categories).
        labels: Category indices, shape (n_reports,).
        n_categories: Of the taxonomy.
        level: As in `CategorySets`.
        max_choices: As in `CategorySets`.
        min_reports: As in `CategorySets`.
    """
    strangeness = 1 - probabilities[np.arange(len(labels)), labels]
    scores = tuple(tuple(np.sort(strangeness[labels == index]).tolist()) for index in range(n_categories))
    return CategorySets(level, max_choices, min_reports, scores)


def named(members: np.ndarray, categories: Sequence[str]) -> list[list[str]]:
    """The ids in each report's set, in the order of the taxonomy."""
    return [[category for category, inside in zip(categories, row, strict=True) if inside] for row in members]
