"""What the ensemble takes of its members."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.acceleration import Weighed, network_steps
from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.model import Baseline
from pipeline.ensemble.model import Ensemble
from pipeline.params import load_params
from pipeline.registry import TrainedModel
from pipeline.schema import HISTORY
from pipeline.scoring.engine import Engine
from pipeline.scoring.passes import Setting, load_pass
from pipeline.settings import read_yaml
from pipeline.transformer.history import JoinedRisk
from tests.conftest import ROOT
from tests.made_up import CATEGORIES, make_examples
from tests.transformer.small import small_transformer


@pytest.fixture(scope="module")
def ensemble():
    config = read_yaml(ROOT / "models/baseline/config.yaml", BaselineConfig)
    baseline = Baseline(config, categories=CATEGORIES, label_window_days=14, seed=7)
    return Ensemble(baseline, small_transformer(optimization={"epochs": 2})).fit(
        make_examples(240), make_examples(60, split="validation", start="2025-06-01")
    )


@pytest.fixture
def reports():
    return make_examples(30, split="test", start="2025-09-01")


def test_history_comes_from_the_baseline_alone(ensemble, reports):
    before = ensemble.predict(reports)
    fitted = ensemble.transformer.fitted_
    ensemble.transformer.fitted_ = replace(fitted, joined=JoinedRisk((9.0, *[9.0] * (1 + len(HISTORY))), 9.0))
    after = ensemble.predict(reports)
    ensemble.transformer.fitted_ = fitted
    assert np.array_equal(after.risk, before.risk)


def test_run_by_an_engine_it_scores_alike(ensemble, reports, tmp_path):
    model = TrainedModel("ensemble", "1", "sample", ensemble, calibrators=None)
    steps = network_steps(model)
    engine = Engine(steps, load_pass(Setting("torch", "float32", 1), tmp_path, steps.network), load_params(ROOT).scoring.engine)
    fast, exact = Weighed(ensemble, engine).predict(reports), ensemble.predict(reports)
    np.testing.assert_allclose(fast.category, exact.category, atol=1e-4)
    np.testing.assert_allclose(fast.risk, exact.risk, atol=1e-5)
