"""The baseline stage, from EXAMPLES to artifact and LOGITS."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from pipeline.baseline.model import Baseline
from pipeline.baseline.stage import run
from pipeline.errors import ParameterError, SchemaError
from pipeline.schema import EXAMPLES, HISTORY, LOGITS
from tests.learning import make_project
from tests.made_up import make_examples


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    places = make_project(tmp_path_factory.mktemp("project"))
    run(places.root)
    return places


def test_every_example_gets_logits_with_its_split(places):
    logits = LOGITS.read(places.model("baseline") / "logits.parquet")
    examples = pd.read_parquet(places.examples)
    assert logits[["report_id", "split"]].equals(examples[["report_id", "split"]])


def test_the_artifact_gives_the_logits_that_were_written(places):
    examples = pd.read_parquet(places.examples)
    logits = LOGITS.read(places.model("baseline") / "logits.parquet")
    again = Baseline.load(places.model("baseline") / "fitted").predict(examples)
    np.testing.assert_array_equal(np.stack(logits["category_logits"].tolist()), again.category)
    np.testing.assert_array_equal(logits["risk_logit"].to_numpy(), again.risk)


def test_the_text_only_risk_does_not_see_history(places):
    examples = pd.read_parquet(places.examples).assign(**dict.fromkeys(HISTORY, 3))
    written = LOGITS.read(places.model("baseline") / "text_only.parquet")
    alone = Baseline.load(places.model("baseline") / "fitted").text_risk(examples)
    np.testing.assert_array_equal(written["risk_logit"].to_numpy(), alone)


def test_running_again_gives_the_same_bytes(places):
    folder = places.model("baseline")
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    run(places.root)
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before


def _with_labels(places, kind):
    path = places.config("baseline")
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"risk_labels: \w+", f"risk_labels: {kind}", text), encoding="utf-8")
    run(places.root)
    return LOGITS.read(places.model("baseline") / "logits.parquet")["risk_logit"].to_numpy()


@pytest.mark.parametrize(("kind", "learns"), [("mature", False), ("hazard", True)])
def test_reports_between_two_splits_teach_a_hazard_only(tmp_path, kind, learns):
    places = make_project(tmp_path)
    before = _with_labels(places, kind)
    recent = make_examples(60, split="train", start="2025-04-10").assign(
        report_id=[f"between-{number}" for number in range(60)], category=None, followed_days=8.0, outcome_days=1.0
    )
    EXAMPLES.write(recent.assign(escalated=pd.array([pd.NA] * 60, dtype="boolean")), places.between)
    assert (_with_labels(places, kind) != before).any() == learns


def test_missing_examples_are_named(tmp_path):
    places = make_project(tmp_path)
    places.examples.unlink()
    with pytest.raises(SchemaError, match=r"examples\.parquet"):
        run(places.root)


def test_an_unknown_key_in_the_configuration_is_named(tmp_path):
    places = make_project(tmp_path)
    path = places.config("baseline")
    path.write_text(path.read_text(encoding="utf-8") + "colour: blue\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="colour"):
        run(places.root)


def test_n_grams_longer_than_can_be_counted_are_refused(tmp_path):
    places = make_project(tmp_path)
    path = places.config("baseline")
    path.write_text(path.read_text(encoding="utf-8").replace("max_n: 2", "max_n: 5"), encoding="utf-8")
    with pytest.raises(ParameterError, match="max_n"):
        run(places.root)


def test_a_half_written_artifact_of_an_earlier_run_does_not_stay(tmp_path):
    places = make_project(tmp_path)
    (places.model("baseline") / "fitted").mkdir(parents=True)
    (places.model("baseline") / "fitted" / "left-over").write_text("old", encoding="utf-8")
    run(places.root)
    assert not (places.model("baseline") / "fitted" / "left-over").exists()
    shutil.rmtree(places.root)
