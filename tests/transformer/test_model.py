import errno
import json

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from pipeline.errors import ArtifactError, TrainingError
from tests.made_up import CATEGORIES, without_escalation
from tests.transformer.small import small_transformer


@pytest.fixture(scope="module")
def fitted(train, validation):
    return small_transformer(optimization={"epochs": 6}).fit(train, validation)


def test_it_learns_categories_and_risk(fitted, validation):
    logits = fitted.predict(validation)
    predicted = np.array(CATEGORIES)[logits.category.argmax(axis=1)]
    assert (predicted == validation["category"]).mean() > 0.9
    escalated = validation["escalated"].to_numpy(dtype=bool)
    assert logits.risk[escalated].mean() > logits.risk[~escalated].mean()


def test_the_same_seed_gives_equal_logits_and_another_does_not(train, validation):
    one, same, other = (
        small_transformer(seed=seed, optimization={"epochs": 1}).fit(train, validation).predict(validation)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.category, same.category)
    assert not np.array_equal(one.category, other.category)


def test_a_pretrained_encoder_is_fine_tuned(encoder_folder, train, validation):
    choice = {"pretrained": {"name": str(encoder_folder), "revision": None, "download": False}}
    model = small_transformer(encoder=choice).fit(train, validation)
    before = AutoModel.from_pretrained(encoder_folder).get_input_embeddings().weight
    assert max(result.macro_f1 for result in model.fitted_.results) > 0.8
    assert not torch.equal(model.fitted_.network.encoder.get_input_embeddings().weight, before)


def test_order_of_the_reports_does_not_matter(fitted, validation):
    shuffled = validation.sample(frac=1.0, random_state=1)
    straight, mixed = fitted.predict(validation), fitted.predict(shuffled)
    np.testing.assert_allclose(mixed.category, straight.category[shuffled.index], atol=1e-5)


def test_an_empty_text_and_a_very_long_one_are_scored(fitted, validation):
    logits = fitted.predict(validation.head(2).assign(title=["", "长" * 3000], text=["", "邻居很吵。" * 8000]))
    assert np.isfinite(logits.category).all()


def test_without_settled_labels_the_risk_is_zero(train, validation):
    model = small_transformer(optimization={"epochs": 1}).fit(without_escalation(train), validation)
    assert (model.predict(validation).risk == 0.0).all()


def test_where_nothing_ever_escalated_the_risk_is_zero(train, validation):
    model = small_transformer(optimization={"epochs": 1}).fit(train.assign(escalated=False), validation)
    assert (model.predict(validation).risk == 0.0).all()


def test_a_category_without_examples_is_never_predicted(train, validation):
    model = small_transformer(categories=("noise", *CATEGORIES), optimization={"epochs": 1}).fit(train, validation)
    logits = model.predict(validation).category
    assert logits.shape == (45, 4)
    assert (logits[:, 0] < logits[:, 1:].min(axis=1)).all()


def test_a_category_that_one_split_lacks_is_refused_by_name(train, validation):
    with pytest.raises(TrainingError, match=r"validation split has no report of fraud.*refuse_absent_categories"):
        small_transformer().fit(train, validation[validation["category"] != "fraud"])
    with pytest.raises(TrainingError, match=r"training split has no report of fraud"):
        small_transformer().fit(train[train["category"] != "fraud"], validation)


def test_a_category_that_one_split_lacks_can_be_put_up_with(train, validation):
    model = small_transformer(refuse_absent_categories=False, optimization={"epochs": 1})
    model.fit(train[train["category"] != "fraud"], validation)
    assert (model.predict(validation).category.argmax(axis=1) != CATEGORIES.index("fraud")).all()


def test_an_empty_training_split_is_refused(train, validation):
    with pytest.raises(TrainingError, match="training split is empty"):
        small_transformer().fit(train.head(0), validation)


def test_one_category_is_not_enough(train, validation):
    with pytest.raises(TrainingError, match="two categories"):
        small_transformer().fit(train.assign(category="fraud"), validation.assign(category="fraud"))


def test_a_label_outside_the_taxonomy_is_refused_without_quoting_the_report(train, validation):
    strange = train.assign(category=["weather", *train["category"][1:]])
    with pytest.raises(TrainingError, match="weather.*train-00000") as caught:
        small_transformer().fit(strange, validation)
    assert train["text"].iloc[0] not in str(caught.value)


def test_saved_and_loaded_it_gives_equal_logits(fitted, validation, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = type(fitted).load(tmp_path / "model")
    assert loaded.categories == CATEGORIES
    assert np.array_equal(loaded.predict(validation).category, fitted.predict(validation).category)
    assert np.array_equal(loaded.predict(validation).risk, fitted.predict(validation).risk)


def test_the_saved_folder_is_an_encoder_others_can_load(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    network = AutoModel.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert network.config.vocab_size == len(tokenizer)
    assert json.loads((tmp_path / "model" / "categories.json").read_text()) == list(CATEGORIES)


@pytest.mark.parametrize("change", [{"history": ["n_similar_7d"]}, {"weights": [1.0, 0.5]}])
def test_weights_for_other_history_are_refused(fitted, tmp_path, change):
    fitted.save(tmp_path / "model")
    path = tmp_path / "model" / "classifier.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    written["description"]["joined"] |= change
    path.write_text(json.dumps(written), encoding="utf-8")
    with pytest.raises(ArtifactError, match="not as this version writes it"):
        type(fitted).load(tmp_path / "model")


def test_every_damaged_or_missing_file_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    for path in sorted((tmp_path / "model").iterdir()):
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        with pytest.raises(ArtifactError):
            type(fitted).load(tmp_path / "model")
        path.unlink()
        with pytest.raises(ArtifactError):
            type(fitted).load(tmp_path / "model")
        path.write_bytes(whole)


def test_a_full_disk_while_saving_is_one_clear_message(fitted, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipeline.transformer.artifact.save_encoder", full)
    with pytest.raises(TrainingError, match="No space left.*Free space"):
        fitted.save(tmp_path / "model")


def test_rows_without_one_label_teach_the_other(train, validation):
    half = train.copy()
    half.loc[half.index % 5 < 2, "category"] = None
    half.loc[half.index % 5 >= 3, "escalated"] = pd.NA
    logits = small_transformer(optimization={"epochs": 10}).fit(half, validation).predict(validation)
    predicted = np.array(CATEGORIES)[logits.category.argmax(axis=1)]
    assert (predicted == validation["category"]).mean() > 0.8
    assert np.ptp(logits.risk) > 0
