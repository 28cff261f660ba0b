"""From tables to results: picks what can be measured on the test split and measures it.

Every row gives what it has: reports with a category are measured by category, reports with a settled escalation by risk. A
profile whose source supplies only one of them gets only that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.special import expit, softmax

from pipeline.evaluation.baselines import HarmWords, commonest_category, first_rankings, keyword_categories
from pipeline.evaluation.capacity import local_days
from pipeline.evaluation.categories import CategoryResult, measure_categories
from pipeline.evaluation.equal_care import Cutoff, EqualCare, measure_equal_care
from pipeline.evaluation.lanes import LaneResult, measure_lanes
from pipeline.evaluation.reliability import CATEGORY, RISK, Stated, each_category, likeliest, measure_reliability
from pipeline.evaluation.risks import RiskResult, measure_risk
from pipeline.evaluation.slices import measure_category_slices, measure_risk_slices, slice_names
from pipeline.params import Waiver
from pipeline.sections import EvaluationParams
from pipeline.taxonomy import Taxonomy


@dataclass(frozen=True)
class Inputs:
    """What the measures need.

    Attributes:
        examples: EXAMPLES of every split.
        test: EXAMPLES of the test split with `category_logits` and `risk_logit`, with `category_probabilities`, `category_set`,
            `lane` and `risk`, and `text_only` where the baseline model's text score is known.
        taxonomy: Of the profile.
        harm_words: Of the keyword ranking.
        timezone: Whose midnight divides days.
        capacity: Reports the unit reads in a day.
        level: Coverage the category sets promise.
        shared: Whether a category has no threshold of its own, by id.
        waivers: Of the profile, for groups served worse.
        as_of: The day from which outcomes were looked at.
        params: Of intervals, bins and slices.
        seed: Of the resamples.
    """

    examples: pd.DataFrame
    test: pd.DataFrame
    taxonomy: Taxonomy
    harm_words: HarmWords
    timezone: str
    capacity: int
    level: float
    shared: Mapping[str, bool]
    waivers: tuple[Waiver, ...]
    as_of: date
    params: EvaluationParams
    seed: int


@dataclass(frozen=True)
class Results:
    """What was measured; a result is None, and its tables are empty, where the test split holds no such label."""

    category: CategoryResult | None
    risk: RiskResult | None
    category_slices: pd.DataFrame
    risk_slices: pd.DataFrame
    lanes: LaneResult | None
    equal_care: EqualCare | None
    reliability: pd.DataFrame
    stated: tuple[Stated, ...]


def measure(inputs: Inputs) -> Results:
    """Measure whatever the test split has labels for."""
    labelled = inputs.test[inputs.test["category"].notna()]
    settled = inputs.test[inputs.test["escalated"].notna()]
    escalated = settled["escalated"].to_numpy(dtype=bool)
    both = bool(escalated.any()) and not bool(escalated.all())
    category, category_slices = _measure_category(inputs, labelled) if len(labelled) else (None, pd.DataFrame())
    risk, risk_slices = _measure_risk(inputs, settled, escalated) if both else (None, pd.DataFrame())
    reliability, stated = measure_stated(inputs, labelled, settled if both else settled.iloc[:0])
    return Results(
        category=category,
        risk=risk,
        category_slices=category_slices,
        risk_slices=risk_slices,
        lanes=_measure_lanes(inputs, labelled) if len(labelled) else None,
        equal_care=_measure_equal_care(inputs, settled, risk) if risk is not None else None,
        reliability=reliability,
        stated=stated,
    )


def measure_stated(inputs: Inputs, labelled: pd.DataFrame, settled: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Stated, ...]]:
    """What probabilities mean before and after calibration.

    Args:
        inputs: Of the bins, intervals and slices.
        labelled: Test reports with a category.
        settled: Test reports with a settled escalation.

    Returns:
        The rows of `measure_reliability`, and what was stated.
    """
    stated, slices = [], {}
    if len(labelled):
        before = softmax(np.stack(labelled["category_logits"].tolist()).astype(np.float64), axis=1)
        after = np.stack(labelled["category_probabilities"].tolist()).astype(np.float64)
        actual, groups = _indices(labelled["category"], inputs.taxonomy.ids), labelled["duplicate_group"]
        stated = [likeliest(before, after, actual, groups)]
        stated += each_category(before, after, actual, groups, inputs.taxonomy.ids)
        slices[CATEGORY] = slice_names(labelled, inputs.timezone)
    if len(settled):
        logits, risk = (settled[name].to_numpy(dtype=np.float64) for name in ("risk_logit", "risk"))
        escalated = settled["escalated"].to_numpy(dtype=bool)
        stated.append(Stated(RISK, "", expit(logits), risk, escalated, settled["matter_id"]))
        slices[RISK] = slice_names(settled, inputs.timezone)
    return measure_reliability(stated, slices, params=inputs.params, seed=inputs.seed), tuple(stated)


def _indices(categories: pd.Series, ids: tuple[str, ...]) -> np.ndarray:
    number = {category: index for index, category in enumerate(ids)}
    return categories.map(number).to_numpy(dtype=np.int64)


def _measure_lanes(inputs: Inputs, test: pd.DataFrame) -> LaneResult:
    probabilities = np.stack(test["category_probabilities"].tolist())
    return measure_lanes(
        _indices(test["category"], inputs.taxonomy.ids),
        probabilities.argmax(axis=1),
        test["category_set"],
        test["lane"],
        categories=inputs.taxonomy.ids,
        shared=inputs.shared,
        level=inputs.level,
        confidence=inputs.params.confidence,
    )


def _measure_equal_care(inputs: Inputs, test: pd.DataFrame, risk: RiskResult) -> EqualCare:
    return measure_equal_care(
        slice_names(test, inputs.timezone),
        Cutoff(risk.risk, risk.escalated, risk.chance_read, test["matter_id"]),
        waivers=inputs.waivers,
        as_of=inputs.as_of,
        params=inputs.params,
        seed=inputs.seed,
    )


def _measure_category(inputs: Inputs, test: pd.DataFrame) -> tuple[CategoryResult, pd.DataFrame]:
    ids = inputs.taxonomy.ids
    actual = _indices(test["category"], ids)
    probabilities = np.stack(test["category_probabilities"].tolist()).astype(np.float64)
    earlier = inputs.examples[inputs.examples["split"].isin(["train", "validation"]) & inputs.examples["category"].notna()]
    fallback = commonest_category(earlier if len(earlier) else test)
    keywords = _indices(pd.Series(keyword_categories(test, inputs.taxonomy, fallback)), ids)
    result = measure_categories(
        actual,
        probabilities,
        {"majority": np.full(len(test), ids.index(fallback)), "keywords": keywords},
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
