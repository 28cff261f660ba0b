"""Weighing n-grams of title and text."""

import numpy as np
import pandas as pd
import pytest

from pipeline.baseline import features as features_module
from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.features import in_steps, learn_features
from pipeline.settings import read_yaml
from tests.conftest import ROOT

CONFIG = read_yaml(ROOT / "models/baseline/config.yaml", BaselineConfig).model_copy(update={"min_reports": 1})
REPORTS = pd.DataFrame({"title": ["欠薪", "漏水", ""], "text": ["老板拖欠工资不发", "楼上漏水没人管" * 20, "楼上漏水"]})


def test_both_blocks_have_their_declared_length():
    features = learn_features(REPORTS, CONFIG)
    matrix = features.transform(REPORTS).toarray()
    n_whole = len(features.whole_idf)
    np.testing.assert_allclose(np.linalg.norm(matrix[:, :n_whole], axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(matrix[:, n_whole:], axis=1), CONFIG.lead_weight, rtol=1e-6)


def test_a_report_of_unknown_characters_is_zero_throughout():
    matrix = learn_features(REPORTS, CONFIG).transform(pd.DataFrame({"title": [""], "text": ["鑫"]}))
    assert matrix.nnz == 0


def test_what_more_reports_hold_weighs_less():
    features = learn_features(REPORTS, CONFIG)
    idf = dict(zip(features.whole.names(), features.whole_idf, strict=True))
    assert idf["漏水"] < idf["工资"]


def test_transforming_in_steps_is_transforming_at_once(monkeypatch):
    features = learn_features(REPORTS, CONFIG)
    whole = features.transform(REPORTS).toarray()
    monkeypatch.setattr(features_module, "CHARACTERS_AT_ONCE", 5)
    np.testing.assert_array_equal(features.transform(REPORTS).toarray(), whole)


@pytest.mark.parametrize("texts", [[], ["短"], ["长" * 10, "短", "", "长" * 10, "短"]])
def test_steps_hold_every_text_once_in_order(monkeypatch, texts):
    monkeypatch.setattr(features_module, "CHARACTERS_AT_ONCE", 8)
    assert [text for step in in_steps(texts) for text in step] == texts
