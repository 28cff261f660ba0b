"""Whether every group is cared for equally at the cut-off, and the gate on it."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.equal_care import DIMENSIONS, Cutoff, as_section, holm, measure_equal_care
from pipeline.evaluation.equal_care_gates import equal_care_gates
from pipeline.params import Waiver, load_params
from tests.conftest import ROOT

PARAMS = load_params(ROOT).evaluation.model_copy(update={"n_bootstrap": 200})
AS_OF = date(2025, 6, 1)
WAIVER = Waiver(slice="area=west", why="its desk notes risks by telephone", who="Li", until=date(2025, 6, 1))


def _names(area):
    names = pd.DataFrame({dimension: ["one"] * len(area) for dimension in DIMENSIONS})
    return names.assign(area=area)


def _cutoff(n_each=1000, *, recall=(0.8, 0.8), stated=(0.2, 0.2), seed=1):
    """Two areas of equal size and equal share escalated, 0.2."""
    rng = np.random.default_rng(seed)
    area = np.repeat(["east", "west"], n_each)
    west = (area == "west").astype(int)
    escalated = rng.random(2 * n_each) < 0.2
    read = np.where(escalated, rng.random(2 * n_each) < np.array(recall)[west], rng.random(2 * n_each) < 0.1)
    matters = pd.Series(np.arange(2 * n_each).astype(str))
    return area, Cutoff(np.array(stated)[west], escalated, read.astype(float), matters)


def _found(area, cutoff, *, waivers=(), params=PARAMS):
    return measure_equal_care(_names(area), cutoff, waivers=waivers, as_of=AS_OF, params=params, seed=1)


def _gates(found):
    return equal_care_gates({"equal_care": as_section(found)}, PARAMS)


def test_each_group_has_its_recall_and_what_it_misses():
    area = np.array(["east"] * 4 + ["west"] * 4)
    escalated = np.array([1, 1, 0, 0, 1, 1, 0, 0], dtype=bool)
    read = np.array([1.0, 0.5, 0.5, 0.0, 1.0, 1.0, 0.0, 0.0])
    cutoff = Cutoff(np.full(8, 0.4), escalated, read, pd.Series(list("abcdefgh")))
    least = PARAMS.equal_care.model_copy(update={"min_group_reports": 1, "min_group_escalated": 1})
    east = _found(area, cutoff, params=PARAMS.model_copy(update={"equal_care": least})).groups.iloc[0]
    assert east["recall"] == 0.75
    assert east["false_negative_rate"] == 0.25
    assert east["precision"] == pytest.approx(1.5 / 2.0)
    assert east["risk_gap"] == pytest.approx(-0.1)
    assert east["recall_difference"] == pytest.approx(-0.25)


def test_equal_groups_pass_the_gate():
    found = _found(*_cutoff())
    assert not found.findings["beyond_chance"].any()
    assert [gate.passed for gate in _gates(found)] == [True]


def test_a_group_whose_escalated_reports_are_read_less_often_fails_the_gate():
    found = _found(*_cutoff(recall=(0.8, 0.5)))
    assert found.findings.loc[found.findings["beyond_chance"], ["slice", "measure"]].to_numpy().tolist()[0] == [
        "area=west",
        "recall",
    ]
    failed = [gate for gate in _gates(found) if not gate.passed]
    assert [gate.name for gate in failed] == ["equal care for area=west"]
    assert "read -3" in failed[0].got


def test_being_read_more_often_is_no_violation_of_recall():
    found = _found(*_cutoff(recall=(0.8, 0.5)))
    assert "area=east" not in found.findings.loc[found.findings["measure"] == "recall", "slice"].tolist()


def test_a_stated_risk_that_is_off_in_one_group_fails_the_gate():
    found = _found(*_cutoff(stated=(0.2, 0.35)))
    assert found.findings[["slice", "measure"]].to_numpy().tolist() == [["area=west", "risk_gap"]]
    assert not _gates(found)[0].passed


def test_a_difference_that_may_be_chance_is_only_watched():
    found = _found(*_cutoff(150, recall=(0.8, 0.6), seed=8))
    assert not found.findings["beyond_chance"].any()
    assert "area=west" in found.findings["slice"].tolist()
    assert all(gate.passed for gate in _gates(found))


def test_a_waiver_answers_for_its_group_and_is_shown():
    found = _found(*_cutoff(recall=(0.8, 0.5)), waivers=[WAIVER])
    gate = next(gate for gate in _gates(found) if gate.name == "equal care for area=west")
    assert gate.passed
    assert "waived until 2025-06-01 by Li" in gate.got


def test_a_waiver_that_has_ended_answers_for_nothing():
    ended = WAIVER.model_copy(update={"until": date(2025, 5, 31)})
    found = _found(*_cutoff(recall=(0.8, 0.5)), waivers=[ended])
    assert not all(gate.passed for gate in _gates(found))


def test_small_groups_are_counted_and_not_measured():
    area, cutoff = _cutoff()
    found = _found(np.where(np.arange(len(area)) < 50, "north", area), cutoff)
    assert found.groups["group"].tolist() == ["east", "west"]
    assert found.n_not_measured == 1


def test_copies_of_a_matter_do_not_make_a_difference_certain():
    area, cutoff = _cutoff(150, recall=(0.8, 0.6), seed=8)
    copied = np.repeat(np.arange(300), 20)
    many = Cutoff(cutoff.risk[copied], cutoff.escalated[copied], cutoff.chance_read[copied], pd.Series(copied.astype(str)))
    assert not _found(area[copied], many).findings["beyond_chance"].any()


def test_holm_multiplies_by_what_is_left_and_never_falls():
    np.testing.assert_allclose(holm(np.array([0.04, 0.01, 0.03])), [0.06, 0.03, 0.06])


def test_without_a_measured_risk_there_is_no_gate():
    assert equal_care_gates({"risk": {"n_reports": 0}}, PARAMS) == []
