"""Calibration before and after, and the parts of the Brier score."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from pipeline.evaluation import metrics
from pipeline.evaluation.reliability import CATEGORY, RISK, Stated, as_section, each_category, likeliest, measure_reliability
from pipeline.params import load_params
from tests.conftest import ROOT

PARAMS = load_params(ROOT).evaluation.model_copy(update={"n_bootstrap": 50})


def _stated(n_reports=4000, seed=1):
    """Risks that are right after calibration and too sure before."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 1.5, size=n_reports)
    happened = rng.random(n_reports) < expit(logits)
    clusters = pd.Series(np.arange(n_reports).astype(str))
    return Stated(RISK, "", expit(2.5 * logits), expit(logits), happened, clusters)


def test_the_parts_of_the_brier_score_add_up_where_bins_hold_one_probability_each():
    stated = np.repeat([0.1, 0.4, 0.8], 4)
    happened = np.array([0, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 0], dtype=bool)
    one = np.ones((1, 12))
    parts = metrics.brier_parts(stated, happened, one, 3)
    assert parts["reliability"][0] == pytest.approx((0.15**2 + 0.1**2 + 0.05**2) / 3)
    assert parts["resolution"][0] == pytest.approx((0.25**2 + 0.0 + 0.25**2) / 3)
    assert parts["uncertainty"][0] == pytest.approx(0.25)
    whole = parts["reliability"] - parts["resolution"] + parts["uncertainty"]
    assert whole[0] == pytest.approx(metrics.brier(stated, happened, one)[0])


def test_a_constant_has_no_resolution():
    parts = metrics.brier_parts(np.full(10, 0.3), np.arange(10) < 5, np.ones((1, 10)), 5)
    assert parts["resolution"][0] == 0.0
    assert parts["reliability"][0] == pytest.approx(0.04)


def test_what_is_too_sure_before_calibration_shows_as_error_and_reliability():
    row = measure_reliability([_stated()], {}, params=PARAMS, seed=1).iloc[0]
    assert row["error_before"] > 4 * row["error"]
    assert row["reliability_before"] > 10 * row["reliability"]
    assert row["error_low"] <= row["error"] <= row["error_high"]


def test_the_floor_is_what_right_probabilities_are_off_by_chance():
    errors, floors = [], []
    for seed in range(40):
        row = measure_reliability([_stated(400, seed)], {}, params=PARAMS, seed=1).iloc[0]
        errors.append(row["error"])
        floors.append(row["error_floor"])
    assert np.mean(errors) == pytest.approx(np.mean(floors), rel=0.1)


def test_slices_are_measured_where_they_are_large_enough():
    stated = _stated(200)
    area = pd.DataFrame({"area": ["east"] * 150 + ["west"] * (50 - 20) + ["north"] * 20})
    table = measure_reliability([stated], {RISK: area}, params=PARAMS, seed=1)
    assert table[["dimension", "group"]].to_numpy().tolist() == [["all", ""], ["area", "east"], ["area", "west"]]


def test_the_likeliest_category_and_each_category_are_asked_apart():
    after = np.array([[0.7, 0.3], [0.4, 0.6], [0.9, 0.1]])
    actual, clusters = np.array([0, 0, 0]), pd.Series(["a", "b", "c"])
    first = likeliest(after, after, actual, clusters)
    assert (first.of, first.after.tolist(), first.happened.tolist()) == (CATEGORY, [0.7, 0.6, 0.9], [True, False, True])
    assert [one.group for one in each_category(after, after, actual, clusters, ("wages", "fraud"))] == ["wages"]


def test_metrics_hold_the_whole_and_each_category_by_its_id():
    after = np.array([[0.7, 0.3], [0.4, 0.6], [0.9, 0.1], [0.2, 0.8]])
    actual, clusters = np.array([0, 1, 0, 1]), pd.Series(list("abcd"))
    stated = [likeliest(after, after, actual, clusters), *each_category(after, after, actual, clusters, ("wages", "fraud"))]
    section = as_section(measure_reliability(stated, {}, params=PARAMS, seed=1))
    assert set(section) == {"category", "by_category"}
    assert set(section["by_category"]) == {"wages", "fraud"}
    assert section["category"]["n_reports"] == 4
