import pickle

import numpy as np
import pandas as pd
import pytest

from pipeline.params import load_params
from pipeline.scoring.engine import Engine, batches
from pipeline.scoring.exports import export
from pipeline.scoring.passes import Setting, load_pass
from pipeline.transformer.export import TransformerSteps
from tests.conftest import ROOT
from tests.made_up import make_examples
from tests.transformer.small import small_transformer

PARAMS = load_params(ROOT).scoring.engine.model_copy(update={"chunk_reports": 8, "tokens_per_batch": 64})
EXACT = Setting("torch", "float32", 2)


@pytest.fixture(scope="module")
def model():
    examples = make_examples(120)
    return small_transformer(optimization={"epochs": 2}).fit(examples, make_examples(30, split="validation"))


@pytest.fixture(scope="module")
def steps(model):
    return TransformerSteps(model)


@pytest.fixture(scope="module")
def samples(steps):
    encoded = steps.encode(make_examples(20))
    return [encoded.batch(np.array([row]), n_tokens=int(encoded.lengths[row])) for row in range(20)]


@pytest.fixture
def reports():
    return make_examples(30, split="test").assign(text=lambda frame: frame["text"] * 2)


def _same(one, other, atol=1e-5):
    np.testing.assert_allclose(one.category, other.category, atol=atol)
    np.testing.assert_allclose(one.risk, other.risk, atol=atol)


def test_the_three_steps_give_the_logits_of_the_classifier(model, steps, reports, tmp_path):
    _same(Engine(steps, load_pass(EXACT, tmp_path, steps.network), PARAMS).predict(reports), model.predict(reports))


def test_without_history_the_steps_give_the_risk_by_the_text(model, reports, tmp_path):
    steps = TransformerSteps(model, with_history=False)
    assert steps.digest != TransformerSteps(model).digest
    _same(Engine(steps, load_pass(EXACT, tmp_path, steps.network), PARAMS).predict(reports), model.predict_by_text(reports))


def test_empty_and_very_long_texts_are_scored_like_any_other(model, steps, reports, tmp_path):
    strange = reports.head(3).assign(title="", text=["", "长" * 5000, "。"])
    _same(Engine(steps, load_pass(EXACT, tmp_path, steps.network), PARAMS).predict(strange), model.predict(strange))


def test_no_reports_have_logits_of_the_right_shape(model, steps, reports, tmp_path):
    logits = Engine(steps, load_pass(EXACT, tmp_path, steps.network), PARAMS).predict(reports.head(0))
    assert logits.category.shape == (0, 3)
    assert logits.risk.shape == (0,)


def test_exact_copies_go_through_the_network_once_and_near_copies_each(steps, reports, tmp_path):
    seen = []
    whole = load_pass(EXACT, tmp_path, steps.network)

    def counting(stream, deliver):
        whole(((seen.append(len(rows)) or rows, inputs) for rows, inputs in stream), deliver)

    twice = pd.concat([reports, reports], ignore_index=True)
    near = reports.head(1).assign(text=lambda frame: frame["text"] + "！")
    logits = Engine(steps, counting, PARAMS).predict(pd.concat([twice, near], ignore_index=True))
    assert sum(seen) == len(reports) + 1
    np.testing.assert_array_equal(logits.risk[:30], logits.risk[30:60])


def test_the_same_reports_in_the_same_order_give_the_same_bytes(steps, reports, tmp_path):
    engine = Engine(steps, load_pass(EXACT, tmp_path, steps.network), PARAMS)
    assert engine.predict(reports).category.tobytes() == engine.predict(reports).category.tobytes()


@pytest.mark.parametrize("backend", [pytest.param("openvino", marks=pytest.mark.slow), "onnxruntime"])
def test_an_export_scores_like_torch_and_travels_to_another_process(backend, model, steps, samples, reports, tmp_path):
    export(backend, "float32", steps, samples, tmp_path)
    engine = Engine(steps, load_pass(Setting(backend, "float32", 2), tmp_path, steps.network), PARAMS)
    _same(engine.predict(reports), model.predict(reports), atol=1e-4)
    _same(pickle.loads(pickle.dumps(engine)).predict(reports), engine.predict(reports), atol=0.0)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_8_bits_score_nearly_like_32(backend, model, steps, samples, reports, tmp_path):
    export(backend, "int8", steps, samples, tmp_path)
    fast = Engine(steps, load_pass(Setting(backend, "int8", 1), tmp_path, steps.network), PARAMS).predict(reports)
    _same(fast, model.predict(reports), atol=0.5)


def test_batches_hold_every_report_once_within_both_limits(steps, reports):
    encoded = steps.encode(reports)
    limits = PARAMS.model_copy(update={"tokens_per_batch": 96, "max_reports_per_batch": 4})
    found = list(batches(encoded, limits))
    assert sorted(row for rows, _ in found for row in rows) == list(range(len(reports)))
    assert all(len(rows) <= 4 and inputs[0].size <= 96 for rows, inputs in found)
    assert all(inputs[0].shape[1] % limits.length_step == 0 for _, inputs in found)


def test_the_digest_changes_with_the_weights(model):
    before = TransformerSteps(model).digest
    other = small_transformer(optimization={"epochs": 1}, seed=8).fit(make_examples(60), make_examples(30, split="validation"))
    assert TransformerSteps(model).digest == before
    assert TransformerSteps(other).digest != before
