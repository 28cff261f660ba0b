"""Bootstrap intervals from clusters."""

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation import resampling
from pipeline.evaluation.metrics import weighted_mean
from pipeline.evaluation.resampling import resample

SETTINGS = {"n_resamples": 400, "confidence": 0.95, "seed": 7}


def _mean(values, name="mean"):
    return lambda weights: {name: weighted_mean(values, weights)}


def test_the_interval_of_a_mean_is_near_the_normal_one():
    values = np.random.default_rng(1).normal(10, 2, size=400)
    found = resample([_mean(values)], pd.Series(range(400)), **SETTINGS).estimate("mean")
    assert found.point == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)


def test_reports_that_belong_together_widen_the_interval():
    values = np.repeat(np.random.default_rng(1).normal(0, 1, size=40), 10)
    alone = resample([_mean(values)], pd.Series(range(400)), **SETTINGS).estimate("mean")
    together = resample([_mean(values)], pd.Series(np.repeat(range(40), 10)), **SETTINGS).estimate("mean")
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_a_cluster_is_drawn_whole():
    seen = []
    resample([lambda weights: seen.append(weights) or {"none": weights[:, 0]}], pd.Series(["a", "b", "a"]), **SETTINGS)
    weights = np.vstack(seen)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])


def test_differences_are_paired():
    values = np.random.default_rng(1).normal(0, 5, size=100)
    found = resample([_mean(values + 0.1, "a"), _mean(values, "b")], pd.Series(range(100)), **SETTINGS).difference("a", "b")
    assert (found.low, found.high) == pytest.approx((0.1, 0.1))


def test_the_same_seed_gives_the_same_interval_whatever_is_held_in_memory(monkeypatch):
    values = np.arange(50.0)
    whole = resample([_mean(values)], pd.Series(range(50)), **SETTINGS).estimate("mean")
    monkeypatch.setattr(resampling, "WEIGHTS_AT_ONCE", 120)
    assert resample([_mean(values)], pd.Series(range(50)), **SETTINGS).estimate("mean") == whole


def test_resamples_in_which_a_metric_is_undefined_are_left_out():
    def first_only(weights):
        return {"mean": np.where(weights[:, 0] > 0, 1.0, np.nan)}

    found = resample([first_only], pd.Series(range(3)), **SETTINGS).estimate("mean")
    assert (found.point, found.low, found.high) == (1.0, 1.0, 1.0)


def test_a_metric_that_is_undefined_says_so():
    found = resample([lambda weights: {"none": np.full(len(weights), np.nan)}], pd.Series([1, 2]), **SETTINGS).estimate("none")
    assert not found.defined
