"""Metrics of parts of the test split."""

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.slices import gather_small, measure_category_slices, measure_risk_slices, slice_names
from pipeline.params import load_params
from tests.conftest import ROOT
from tests.made_up import make_examples


@pytest.fixture
def params():
    return load_params(ROOT).evaluation.model_copy(update={"n_bootstrap": 50, "min_slice_reports": 10})


def test_lengths_are_those_of_title_and_text():
    reports = make_examples(4).assign(title="题目", text=["短", "字" * 48, "字" * 148, "字" * 1000])
    assert slice_names(reports, "Asia/Shanghai")["length"].tolist() == ["0-49", "50-149", "150-499", "500+"]


def test_months_are_local():
    reports = make_examples(2).assign(received_at=pd.to_datetime(["2025-01-31T15:00:00Z", "2025-01-31T17:00:00Z"]))
    assert slice_names(reports, "Asia/Shanghai")["month"].tolist() == ["2025-01", "2025-02"]


def test_what_a_source_does_not_say_is_unknown():
    reports = make_examples(1).assign(area=None, channel=None, received_at=pd.Series([pd.NaT], dtype="datetime64[us, UTC]"))
    assert slice_names(reports, "Asia/Shanghai").iloc[0][["area", "channel", "month"]].tolist() == ["unknown"] * 3


def test_small_slices_are_counted_but_not_measured(params):
    names = pd.DataFrame({"area": ["东"] * 20 + ["西"] * 5})
    actual = np.zeros(25, dtype=int)
    table = measure_category_slices(names, actual, actual, pd.Series(range(25)), n_categories=2, params=params, seed=7)
    assert table.set_index("slice")["n_reports"].to_dict() == {"东": 20, "西": 5}
    assert table.set_index("slice")["accuracy"].notna().to_dict() == {"东": True, "西": False}


def test_a_dimension_along_which_all_are_alike_is_left_out(params):
    names = pd.DataFrame({"area": ["东"] * 20, "source": ["a"] * 10 + ["b"] * 10})
    actual = np.zeros(20, dtype=int)
    table = measure_category_slices(names, actual, actual, pd.Series(range(20)), n_categories=2, params=params, seed=7)
    assert set(table["dimension"]) == {"source"}


def test_accuracy_is_that_of_the_slice(params):
    names = pd.DataFrame({"area": ["东"] * 10 + ["西"] * 10})
    predicted = np.array([0] * 10 + [0] * 5 + [1] * 5)
    table = measure_category_slices(
        names, np.zeros(20, dtype=int), predicted, pd.Series(range(20)), n_categories=2, params=params, seed=7
    )
    assert table.set_index("slice")["accuracy"].to_dict() == {"东": 1.0, "西": 0.5}


def test_recall_of_a_slice_is_at_the_cut_off_of_the_whole_unit(params):
    names = pd.DataFrame({"area": ["东"] * 10 + ["西"] * 10})
    escalated = np.array([True] * 2 + [False] * 8 + [True] * 4 + [False] * 6)
    chance_read = np.array([1.0] * 2 + [0.0] * 8 + [1.0] + [0.0] * 9)
    table = measure_risk_slices(
        names, np.full(20, 0.2), escalated, chance_read, pd.Series(range(20)), params=params, seed=7
    ).set_index("slice")
    assert table["recall_at_capacity"].to_dict() == {"东": 1.0, "西": 0.25}
    assert table["share_read"].to_dict() == pytest.approx({"东": 0.2, "西": 0.1})
    assert table["observed"].to_dict() == pytest.approx({"东": 0.2, "西": 0.4})


def test_lengths_stand_in_order_of_length(params):
    names = pd.DataFrame({"length": ["500+", "50-149", "0-49", "150-499"] * 3})
    actual = np.zeros(12, dtype=int)
    table = measure_category_slices(names, actual, actual, pd.Series(range(12)), n_categories=2, params=params, seed=7)
    assert table["slice"].tolist() == ["0-49", "50-149", "150-499", "500+"]


def test_slices_that_were_only_counted_are_gathered_by_dimension():
    table = pd.DataFrame(
        {
            "dimension": ["area", "area", "area", "month"],
            "slice": ["东", "西", "北", "2025-01"],
            "n_reports": [40, 3, 4, 2],
            "accuracy": [0.9, None, None, None],
        }
    )
    gathered = gather_small(table, 30)
    assert gathered[["dimension", "slice", "n_reports"]].to_numpy().tolist() == [
        ["area", "东", 40],
        ["area", "2 smaller", 7],
        ["month", "1 smaller", 2],
    ]
