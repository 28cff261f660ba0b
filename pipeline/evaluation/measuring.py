"""From tables to results: picks what can be measured on the test split and measures it.

Every row gives what it has: reports with a category are measured by category, reports with a settled escalation by risk. A
profile whose source supplies only one of them gets only that.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.evaluation.baselines import HarmWords, commonest_category, first_rankings, keyword_categories
from pipeline.evaluation.capacity import local_days
from pipeline.evaluation.categories import CategoryResult, measure_categories
from pipeline.evaluation.risks import RiskResult, measure_risk
from pipeline.evaluation.slices import measure_category_slices, measure_risk_slices, slice_names
from pipeline.params import EvaluationParams
from pipeline.taxonomy import Taxonomy


@dataclass(frozen=True)
class Inputs:
    """What the measures need.

    Attributes:
        examples: EXAMPLES of every split.
        test: EXAMPLES of the test split with `category_probabilities` and `risk`, and `text_only` where the baseline model's
            text score is known.
        taxonomy: Of the profile.
        harm_words: Of the keyword ranking.
        timezone: Whose midnight divides days.
        capacity: Reports the unit reads in a day.
        params: Of intervals, bins and slices.
        seed: Of the resamples.
    """

    examples: pd.DataFrame
    test: pd.DataFrame
    taxonomy: Taxonomy
    harm_words: HarmWords
    timezone: str
    capacity: int
    params: EvaluationParams
    seed: int


@dataclass(frozen=True)
class Results:
    """What was measured; a result is None, and its slices are empty, where the test split holds no such label."""

    category: CategoryResult | None
    risk: RiskResult | None
    category_slices: pd.DataFrame
    risk_slices: pd.DataFrame


def measure(inputs: Inputs) -> Results:
    """Measure whatever the test split has labels for."""
    labelled = inputs.test[inputs.test["category"].notna()]
    settled = inputs.test[inputs.test["escalated"].notna()]
    escalated = settled["escalated"].to_numpy(dtype=bool)
    both = bool(escalated.any()) and not bool(escalated.all())
    category, category_slices = _measure_category(inputs, labelled) if len(labelled) else (None, pd.DataFrame())
    risk, risk_slices = _measure_risk(inputs, settled, escalated) if both else (None, pd.DataFrame())
    return Results(category, risk, category_slices, risk_slices)


def _measure_category(inputs: Inputs, test: pd.DataFrame) -> tuple[CategoryResult, pd.DataFrame]:
    ids = inputs.taxonomy.ids
    number = {category: index for index, category in enumerate(ids)}
    actual = test["category"].map(number).to_numpy(dtype=np.int64)
    probabilities = np.stack(test["category_probabilities"].tolist()).astype(np.float64)
    earlier = inputs.examples[inputs.examples["split"].isin(["train", "validation"]) & inputs.examples["category"].notna()]
    fallback = commonest_category(earlier if len(earlier) else test)
    keywords = pd.Series(keyword_categories(test, inputs.taxonomy, fallback)).map(number).to_numpy(dtype=np.int64)
    result = measure_categories(
        actual,
        probabilities,
        {"majority": np.full(len(test), number[fallback]), "keywords": keywords},
        test["duplicate_group"],
        categories=ids,
        params=inputs.params,
        seed=inputs.seed,
    )
    slices = measure_category_slices(
        slice_names(test, inputs.timezone),
        actual,
        probabilities.argmax(axis=1),
        test["duplicate_group"],
        n_categories=len(ids),
        params=inputs.params,
        seed=inputs.seed,
    )
    return result, slices


def _measure_risk(inputs: Inputs, test: pd.DataFrame, escalated: np.ndarray) -> tuple[RiskResult, pd.DataFrame]:
    known = inputs.examples[inputs.examples["escalated"].notna() & (inputs.examples["split"] != "test")]
    train = known[known["split"] == "train"]
    risk, days = test["risk"].to_numpy(dtype=np.float64), local_days(test["received_at"], inputs.timezone)
    text_only = test["text_only"].to_numpy(dtype=np.float64) if "text_only" in test else None
    result = measure_risk(
        risk,
        escalated,
        first_rankings(train, test, inputs.harm_words, text_only),
        test["matter_id"],
        days,
        known_rate=float(known["escalated"].mean()) if len(known) else 0.5,
        capacity=inputs.capacity,
        params=inputs.params,
        seed=inputs.seed,
    )
    slices = measure_risk_slices(
        slice_names(test, inputs.timezone),
        risk,
        escalated,
        result.chance_read,
        test["matter_id"],
        params=inputs.params,
        seed=inputs.seed,
    )
    return result, slices
