import numpy as np
import pandas as pd
import torch
from scipy import sparse

from pipeline.transformer.params import WideParams
from pipeline.transformer.wide import WideFeatures, count, pad
from tests.transformer.small import small_transformer

PARAMS = WideParams(buckets=4096, max_n=2)


def _reports(*texts, title=""):
    return pd.DataFrame({"title": [title] * len(texts), "text": list(texts)})


def test_characters_and_their_pairs_are_counted():
    assert count(_reports("欠薪"), PARAMS).sum() == 3


def test_placeholders_digits_and_punctuation_carry_no_topic():
    with_marks, without = count(_reports("[姓名]欠薪，3个月！", "欠薪个月"), PARAMS).toarray()
    np.testing.assert_array_equal(with_marks, without)


def test_every_report_has_length_one_and_an_empty_one_none():
    features = WideFeatures.fit(_reports("老板欠薪", "邻居漏水"), PARAMS)
    lengths = np.sqrt(features.transform(_reports("老板漏水", "")).power(2).sum(axis=1)).ravel()
    np.testing.assert_allclose(np.asarray(lengths).ravel(), [1.0, 0.0], rtol=1e-6)


def test_no_reports_have_no_n_grams():
    features = WideFeatures.fit(_reports("老板欠薪"), PARAMS)
    assert features.transform(_reports()).shape == (0, 4096)


def test_what_every_report_holds_weighs_less():
    features = WideFeatures.fit(_reports("请老板", "请邻居", "请物业"), PARAMS)
    common, rare = (count(_reports(word), PARAMS).indices[0] for word in ("请", "老"))
    assert features.idf[common] < features.idf[rare]


def test_rows_are_filled_up_with_weight_zero():
    buckets, weights = pad(sparse.csr_matrix(np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]], dtype=np.float32)))
    np.testing.assert_array_equal(buckets, [[1, 0], [0, 2]])
    np.testing.assert_array_equal(weights, [[2.0, 0.0], [1.0, 3.0]])


def test_the_wide_part_learns_and_is_saved(train, validation, tmp_path):
    model = small_transformer().fit(train, validation)
    assert model.fitted_.network.wide.weight.abs().sum() > 0
    model.save(tmp_path / "model")
    loaded = type(model).load(tmp_path / "model")
    assert torch.equal(loaded.fitted_.network.wide.weight, model.fitted_.network.wide.weight)
    np.testing.assert_array_equal(loaded.fitted_.wide.idf, model.fitted_.wide.idf)


def test_without_buckets_there_is_no_wide_part(train, validation, tmp_path):
    model = small_transformer(wide={"buckets": 0, "max_n": 2}).fit(train, validation)
    assert model.fitted_.network.wide is None
    model.save(tmp_path / "model")
    loaded = type(model).load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(validation).category, model.predict(validation).category)
