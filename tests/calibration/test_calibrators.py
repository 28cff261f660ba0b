"""Both calibrators together, on disk and in the stage."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.baseline import stage as baseline
from pipeline.calibration.band import RiskBand
from pipeline.calibration.calibrators import Calibrators, fit_calibrators
from pipeline.calibration.platt import RiskScaler
from pipeline.calibration.risk import NO_STEPS, RiskMap
from pipeline.calibration.sets import CategorySets
from pipeline.calibration.stage import run
from pipeline.classifier import Logits
from pipeline.errors import ArtifactError, SchemaError
from pipeline.params import load_params
from pipeline.schema import EXAMPLES, LOGITS, PROBABILITIES
from tests.conftest import ROOT
from tests.learning import made_up_splits, make_project

SETS = CategorySets(level=0.5, max_choices=1, min_reports=1, scores=((0.1, 0.2, 0.3), (0.1, 0.2, 0.3)))
RISK = RiskMap("platt", RiskScaler("platt", 2.0, -1.0), NO_STEPS, NO_STEPS)
BAND = RiskBand((-1.0, 0.0, 1.0), (0.0, 0.2, 0.6), (0.1, 0.4, 0.9))
CALIBRATORS = Calibrators(("wages", "fraud"), 0.5, 0.0, SETS, RISK, BAND, (), n_category=10, n_risk=8, n_positives=3)
LOGITS_OF_TWO = Logits(np.array([[1.0, 0.0], [0.0, 3.0]], dtype=np.float32), np.array([0.0, 1.0], dtype=np.float32))


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    places = make_project(tmp_path_factory.mktemp("project"))
    baseline.run(places.root)
    return places


def test_probabilities_become_the_columns_of_a_table():
    table = CALIBRATORS.apply(LOGITS_OF_TWO).to_frame(CALIBRATORS.categories)
    assert table["category"].tolist() == ["wages", "fraud"]
    assert table["category_probability"].tolist() == pytest.approx([1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-6))])
    assert table["risk"].tolist() == pytest.approx([1 / (1 + np.exp(1)), 1 / (1 + np.exp(-1))])
    assert [len(row) for row in table["category_probabilities"]] == [2, 2]
    assert table["category_set"].tolist() == [["wages"], ["fraud"]]
    assert table["lane"].tolist() == ["clear", "clear"]
    assert table["risk_low"].tolist() == [0.2, 0.6]
    assert table["risk_high"].tolist() == [0.4, 0.9]


def test_written_and_read_they_are_equal(tmp_path):
    CALIBRATORS.save(tmp_path / "calibrators.json")
    assert Calibrators.load(tmp_path / "calibrators.json") == CALIBRATORS


def test_scores_of_other_categories_are_refused(tmp_path):
    replace(CALIBRATORS, categories=("wages", "fraud", "noise")).save(tmp_path / "calibrators.json")
    with pytest.raises(ArtifactError, match="3 categories but scores of 2"):
        Calibrators.load(tmp_path / "calibrators.json")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', json.dumps({"temperature": -1})])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "calibrators.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ArtifactError, match="calibrators"):
        Calibrators.load(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="triage run calibration"):
        Calibrators.load(tmp_path / "calibrators.json")


def test_logits_of_another_model_are_refused():
    with pytest.raises(SchemaError, match="2 categories"):
        CALIBRATORS.apply(Logits(np.zeros((1, 3), dtype=np.float32), np.zeros(1, dtype=np.float32)))


def test_rows_teach_what_they_have_a_label_for():
    examples = pd.DataFrame(
        {
            "category": ["wages", None, "fraud"],
            "escalated": pd.array([pd.NA, True, False], dtype="boolean"),
            "matter_id": ["a", "b", "c"],
        }
    )
    logits = Logits(np.zeros((3, 2), dtype=np.float32), np.zeros(3, dtype=np.float32))
    params = load_params(ROOT).calibration
    found = fit_calibrators(logits, examples, categories=("wages", "fraud"), params=params, seed=1)
    assert (found.n_category, found.n_risk, found.n_positives) == (2, 2, 1)


def test_the_stage_calibrates_every_split_in_the_order_of_the_logits(places):
    run(places.root, "baseline")
    probabilities = PROBABILITIES.read(places.model("baseline") / "probabilities.parquet")
    logits = LOGITS.read(places.model("baseline") / "logits.parquet")
    assert probabilities[["report_id", "split"]].equals(logits[["report_id", "split"]])


def test_the_stage_learns_from_the_calibration_split_only(tmp_path):
    examples = made_up_splits()
    elsewhere = examples["split"] != "calibration"
    moved = examples.assign(escalated=examples["escalated"].where(~elsewhere, ~examples["escalated"]))
    found = []
    for folder, table in (("as-they-are", examples), ("others-reversed", moved)):
        places = make_project(tmp_path / folder, examples)
        baseline.run(places.root)
        EXAMPLES.write(table, places.examples)
        found.append(run(places.root, "baseline").calibrators)
    assert found[0] == found[1]


def test_logits_of_other_reports_are_refused(tmp_path):
    places = make_project(tmp_path)
    baseline.run(places.root)
    EXAMPLES.write(made_up_splits().iloc[1:], places.examples)
    with pytest.raises(SchemaError, match="same reports"):
        run(places.root, "baseline")


def test_logits_of_another_taxonomy_are_refused(tmp_path):
    places = make_project(tmp_path)
    baseline.run(places.root)
    logits = LOGITS.read(places.model("baseline") / "logits.parquet")
    logits["category_logits"] = [row[:2] for row in logits["category_logits"]]
    LOGITS.write(logits, places.model("baseline") / "logits.parquet")
    with pytest.raises(SchemaError, match="3 category logits"):
        run(places.root, "baseline")
