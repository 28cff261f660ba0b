"""Models that must not come into service, each refused for its own reason."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from pipeline import champions, registry
from pipeline.baseline import stage as baseline
from pipeline.calibration import stage as calibration
from pipeline.errors import GateError
from pipeline.evaluation import stage as evaluation
from pipeline.params import Places
from pipeline.promotion import promote
from pipeline.registry import TrainedModel
from pipeline.schema import EXAMPLES

pytestmark = pytest.mark.slow
CHALLENGER = "unregistered"  # the version of a model that is not yet registered


@pytest.fixture
def desk(project, tmp_path):
    return shutil.copytree(project, tmp_path / "desk")


def _learn_from(root, change):
    """Learn again from changed training rows; calibrate, evaluate and track on the true ones."""
    places = Places(root, "desk")
    true = EXAMPLES.read(places.examples)
    EXAMPLES.write(change(true.copy()), places.examples)
    baseline.run(root)
    EXAMPLES.write(true, places.examples)
    calibration.run(root, "baseline")
    evaluation.run(root, "baseline")
    registry.log_evaluated(root, "baseline")


def _refusal(root):
    """The gates that refused, by name, with what they measured; the champion stays."""
    with pytest.raises(GateError, match="was not promoted"):
        promote(root, "baseline", who="tester", why="worse on purpose", waivers={})
    assert champions.champion_number(root, "desk") == "1"
    pack = sorted((root / "data" / "evidence" / "desk").glob("*-refused"))[-1]
    gates = json.loads((pack / "evidence.json").read_text(encoding="utf-8"))["gates"]
    return {gate["name"]: gate["got"] for gate in gates if not gate["passed"]}


def _rescore(monkeypatch, change):
    """Change what the challenger, and only it, makes of reports."""
    state = TrainedModel.state

    def changed(self, logits):
        scored = state(self, logits)
        if self.version != CHALLENGER:
            return scored
        probabilities, risk = change(np.stack(scored["category_probabilities"].tolist()), scored["risk"].to_numpy())
        likeliest = probabilities.argmax(axis=1)
        return scored.assign(
            category_probabilities=list(probabilities.astype(np.float32)),
            category=np.asarray(self.categories, dtype=object)[likeliest],
            category_probability=probabilities.max(axis=1),
            risk=risk,
        )

    monkeypatch.setattr(TrainedModel, "state", changed)


def _logits_times(factor, probabilities):
    raised = np.clip(probabilities, 1e-9, 1.0) ** factor
    return raised / raised.sum(axis=1, keepdims=True)


def test_a_model_learned_from_shuffled_labels_is_refused(desk):
    def shuffle(examples):
        rng = np.random.default_rng(1)
        for column in ("category", "escalated"):
            examples[column] = examples[column].to_numpy()[rng.permutation(len(examples))]
        return examples

    _learn_from(desk, shuffle)
    refused = _refusal(desk)
    assert "recall at capacity is no worse than the champion's" in refused
    assert "category macro-F1 is no worse than the champion's" in refused


def test_a_model_learned_from_a_twentieth_of_the_labels_is_refused(desk):
    def forget(examples):
        rest = np.arange(len(examples)) % 20 != 0
        examples.loc[rest, "category"] = None
        examples.loc[rest, "escalated"] = pd.NA
        return examples

    _learn_from(desk, forget)
    assert "recall at capacity is no worse than the champion's" in _refusal(desk)


def test_a_model_five_times_too_sure_is_refused_by_calibration(desk, monkeypatch):
    """One test report in ten gets another outcome first: a model that is always right cannot be too sure."""

    def too_sure(probabilities, risk):
        return _logits_times(5, probabilities), _logits_times(5, np.column_stack([1 - risk, risk]))[:, 1]

    places = Places(desk, "desk")
    examples = EXAMPLES.read(places.examples)
    test = np.flatnonzero((examples["split"] == "test") & examples["escalated"].notna())
    rng = np.random.default_rng(2)
    flipped = test[rng.random(len(test)) < 0.1]
    examples.loc[flipped, "escalated"] = ~examples.loc[flipped, "escalated"].astype(bool)
    EXAMPLES.write(examples, places.examples)
    _rescore(monkeypatch, too_sure)
    assert "risk is calibrated" in _refusal(desk)


def test_a_model_blind_to_a_category_is_refused_with_the_category_named(desk, monkeypatch):
    def blind(probabilities, risk):
        seen = probabilities.copy()
        seen[:, 2] = 0.0
        return seen / seen.sum(axis=1, keepdims=True), risk

    _rescore(monkeypatch, blind)
    refused = _refusal(desk)
    assert refused["every category is found"].startswith("below: fraud (0.00 of ")
    assert refused["no category's recall collapses against the champion"] == "fraud (0.00 against 1.00)"


def test_a_model_that_reads_names_is_refused_by_behaviour(desk, monkeypatch):
    score = TrainedModel.score

    def nosy(self, reports):
        scored = score(self, reports)
        named = reports["text"].str.contains("4650元", regex=False).to_numpy()
        return scored.assign(risk=np.where(named, 0.9, scored["risk"]))

    monkeypatch.setattr(TrainedModel, "score", nosy)
    assert set(_refusal(desk)) == {"behaviour: amounts"}
