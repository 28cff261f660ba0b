"""What every classifier promises, whatever it is made of. A new one adds one line to `MAKERS`."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.model import Baseline
from pipeline.classifier import RiskOverTime
from pipeline.ensemble.model import Ensemble
from pipeline.errors import ArtifactError, TrainingError
from pipeline.registry import CLASSIFIERS
from pipeline.schema import HISTORY
from pipeline.settings import read_yaml
from tests.conftest import ROOT
from tests.made_up import CATEGORIES, make_examples, without_escalation
from tests.transformer.small import small_transformer

LABEL_WINDOW_DAYS = 14


def _baseline(*, categories=CATEGORIES, seed=7):
    config = read_yaml(ROOT / "models/baseline/config.yaml", BaselineConfig)
    return Baseline(config, categories=categories, label_window_days=LABEL_WINDOW_DAYS, seed=seed)


def _transformer(*, categories=CATEGORIES, seed=7):
    return small_transformer(categories=categories, seed=seed, optimization={"epochs": 6, "patience_epochs": 6})


def _ensemble(*, categories=CATEGORIES, seed=7):
    return Ensemble(_baseline(categories=categories, seed=seed), _transformer(categories=categories, seed=seed))


MAKERS = {"baseline": _baseline, "ensemble": _ensemble, "transformer": _transformer}


@pytest.fixture(scope="module")
def train():
    return make_examples(240)


@pytest.fixture(scope="module")
def validation():
    return make_examples(60, split="validation", start="2025-06-01")


@pytest.fixture(scope="module", params=sorted(MAKERS))
def make(request):
    return MAKERS[request.param]


@pytest.fixture(scope="module")
def fitted(make, train, validation):
    return make().fit(train, validation)


@pytest.fixture
def reports():
    return make_examples(30, split="test", start="2025-09-01")


def test_every_classifier_keeps_this_contract():
    assert set(MAKERS) == set(CLASSIFIERS)


def test_logits_have_one_row_a_report_and_one_column_a_category(fitted, reports):
    logits = fitted.predict(reports)
    assert logits.category.shape == (30, 3)
    assert logits.risk.shape == (30,)
    assert logits.category.dtype == logits.risk.dtype == np.float32
    assert np.isfinite(logits.category).all()
    assert np.isfinite(logits.risk).all()


def test_risk_over_time_does_not_fall_and_agrees_with_the_logit_within_the_label_window(fitted, reports):
    if not isinstance(fitted, RiskOverTime):
        pytest.skip("knows the label window only")
    risk = fitted.risk_by_horizon(reports)
    assert risk.shape == (30, len(fitted.horizons))
    assert list(fitted.horizons) == sorted(set(fitted.horizons))
    assert (np.diff(risk, axis=1) >= 0).all()
    np.testing.assert_array_equal(risk[:, fitted.horizons.index(LABEL_WINDOW_DAYS)], fitted.predict(reports).risk)


def test_categories_are_the_taxonomys_in_its_order(fitted):
    assert fitted.categories == CATEGORIES


def test_it_learns_what_the_words_say(fitted, reports):
    predicted = np.array(CATEGORIES)[fitted.predict(reports).category.argmax(axis=1)]
    assert (predicted == reports["category"]).mean() > 0.9


def test_reports_that_escalate_get_higher_risk_logits(fitted, reports):
    risk = fitted.predict(reports).risk
    escalated = reports["escalated"].to_numpy(dtype=bool)
    assert risk[escalated].mean() > risk[~escalated].mean()


def test_the_same_seed_gives_equal_logits(make, train, validation, fitted, reports):
    again = make().fit(train, validation)
    np.testing.assert_array_equal(again.predict(reports).category, fitted.predict(reports).category)
    np.testing.assert_array_equal(again.predict(reports).risk, fitted.predict(reports).risk)


def test_saved_and_loaded_it_gives_equal_logits(fitted, reports, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = type(fitted).load(tmp_path / "model")
    assert loaded.categories == fitted.categories
    np.testing.assert_array_equal(loaded.predict(reports).category, fitted.predict(reports).category)
    np.testing.assert_array_equal(loaded.predict(reports).risk, fitted.predict(reports).risk)


def test_a_missing_artifact_is_refused(fitted, tmp_path):
    with pytest.raises(ArtifactError, match="Run"):
        type(fitted).load(tmp_path / "nothing")


def test_every_damaged_or_missing_file_of_an_artifact_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    for path in sorted(path for path in (tmp_path / "model").rglob("*") if path.is_file()):
        whole = path.read_bytes()
        for damaged in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
            if path.suffix == ".json" and _same_json(damaged, whole):
                continue
            path.write_bytes(damaged)
            with pytest.raises(ArtifactError):
                type(fitted).load(tmp_path / "model")
        path.unlink()
        with pytest.raises(ArtifactError):
            type(fitted).load(tmp_path / "model")
        path.write_bytes(whole)


def _same_json(one, other):
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


@pytest.mark.parametrize(
    "text", ["", " ", "。", "吵", "😀" * 20, "\x00", "<script>alert(1)</script>", "=1+1", "邻居很吵。" * 6000]
)
def test_any_text_is_scored(fitted, reports, text):
    one = reports.head(1).assign(title="", text=text)
    logits = fitted.predict(one)
    assert np.isfinite(logits.category).all()
    assert np.isfinite(logits.risk).all()


def test_no_reports_give_no_logits(fitted, reports):
    logits = fitted.predict(reports.head(0))
    assert logits.category.shape == (0, 3)
    assert logits.risk.shape == (0,)


def test_a_report_is_scored_alike_alone_and_among_others(fitted, reports):
    together, alone = fitted.predict(reports), fitted.predict(reports.iloc[[5]])
    np.testing.assert_allclose(alone.category[0], together.category[5], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(alone.risk[0], together.risk[5], rtol=1e-5, atol=1e-5)


def test_only_title_text_and_history_are_read(fitted, reports):
    needed = reports[["title", "text", *HISTORY]]
    np.testing.assert_array_equal(fitted.predict(needed).category, fitted.predict(reports).category)
    np.testing.assert_array_equal(fitted.predict(needed).risk, fitted.predict(reports).risk)


def test_column_order_extra_columns_area_and_reporter_do_not_matter(fitted, reports):
    other = reports[list(reversed(reports.columns))].assign(area="别处", reporter_hash="abc", sex="女", age=30)
    np.testing.assert_array_equal(fitted.predict(other).category, fitted.predict(reports).category)
    np.testing.assert_array_equal(fitted.predict(other).risk, fitted.predict(reports).risk)


def test_row_labels_do_not_matter(fitted, reports):
    relabelled = reports.set_axis([f"r{number}" for number in range(len(reports))])
    np.testing.assert_array_equal(fitted.predict(relabelled).risk, fitted.predict(reports).risk)


def test_history_read_as_whole_or_real_numbers_is_the_same(fitted, reports):
    real = reports.astype(dict.fromkeys(HISTORY, "float64"))
    np.testing.assert_array_equal(fitted.predict(real).risk, fitted.predict(reports).risk)


def test_what_area_and_channel_say_teaches_nothing(make, train, validation, fitted, reports):
    moved = make().fit(train.assign(area="某区", channel=None), validation.assign(area=None))
    np.testing.assert_array_equal(moved.predict(reports).category, fitted.predict(reports).category)
    np.testing.assert_array_equal(moved.predict(reports).risk, fitted.predict(reports).risk)


def test_rows_without_one_of_the_labels_teach_the_other(make, train, validation, reports):
    half, dozen = train.copy(), train.index // 12  # each dozen has every saying of every category
    half.loc[dozen % 2 == 0, "category"] = None
    half.loc[dozen % 2 == 1, ["escalated", "followed_days", "outcome_days"]] = pd.NA
    logits = make().fit(half, validation).predict(reports)
    predicted = np.array(CATEGORIES)[logits.category.argmax(axis=1)]
    assert (predicted == reports["category"]).mean() > 0.9
    assert np.ptp(logits.risk) > 0


def test_without_escalation_labels_the_risk_logit_is_zero(make, train, validation, reports):
    assert (make().fit(without_escalation(train), without_escalation(validation)).predict(reports).risk == 0).all()


def test_without_any_category_training_is_refused(make, train, validation):
    with pytest.raises(TrainingError, match="two categories"):
        make().fit(train.assign(category=None), validation)


def test_a_label_outside_the_taxonomy_is_refused_by_name(make, train, validation):
    with pytest.raises(TrainingError, match="weather"):
        make().fit(train.assign(category=["weather", *train["category"][1:]]), validation)


def test_a_category_without_examples_is_never_predicted(make, train, validation, reports):
    model = make(categories=(*CATEGORIES, "noise")).fit(train, validation)
    logits = model.predict(reports).category
    assert logits.shape == (30, 4)
    assert (logits.argmax(axis=1) != 3).all()


def test_an_empty_validation_split_is_enough(make, train, validation, reports):
    logits = make().fit(train, validation.head(0)).predict(reports)
    assert logits.category.shape == (30, 3)
    assert np.ptp(logits.risk) > 0
