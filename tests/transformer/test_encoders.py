import json
import shutil
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    DistilBertConfig,
    DistilBertModel,
    GPT2Config,
    GPT2Model,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5Model,
)  # fmt: skip

from pipeline.errors import TrainingError
from pipeline.transformer.encoders import bring_encoder
from pipeline.transformer.params import EncoderChoice
from pipeline.transformer.vocabulary import learn_tokenizer
from tests.transformer.small import RANDOM, small_transformer


def _bring(name, *, root=Path(), max_tokens=32):
    choice = EncoderChoice.model_validate({"pretrained": {"name": str(name), "revision": None, "download": False}})
    return bring_encoder(choice, root=root, texts=[], max_tokens=max_tokens)


def test_an_encoder_is_loaded_by_a_path_inside_the_project(encoder_folder):
    encoder = _bring("tiny", root=encoder_folder.parent)
    assert encoder.max_positions == 64
    assert encoder.tokenizer.tokenize("[手机号]") == ["[手机号]"]


def test_the_loaded_weights_are_those_of_the_checkpoint(encoder_folder):
    loaded, expected = _bring(encoder_folder).network, AutoModel.from_pretrained(encoder_folder)
    assert torch.equal(loaded.get_input_embeddings().weight, expected.get_input_embeddings().weight)


def test_an_unknown_name_is_refused_and_what_to_do_is_said():
    with pytest.raises(TrainingError, match="no such folder.*download"):
        _bring("nobody/no-such-encoder")


def test_a_folder_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"config\.json"):
        _bring(tmp_path)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (lambda: GPT2Model(GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=20)), "decoder-only"),
        (lambda: T5Model(T5Config(num_layers=1, num_heads=1, d_model=8, d_ff=8, d_kv=8, vocab_size=20)), "encoder-decoder"),
    ],
)
def test_an_architecture_that_is_no_encoder_is_refused_by_kind(model, kind, tmp_path, tokenizer):
    model().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(TrainingError, match=kind):
        _bring(tmp_path)


def test_a_vocabulary_of_another_checkpoint_is_refused(encoder_folder, tmp_path):
    shutil.copytree(encoder_folder, tmp_path / "mixed")
    other = learn_tokenizer([chr(0x4E00 + number) for number in range(900)] * 2, vocabulary_size=1000, max_length=64)
    other.save_pretrained(tmp_path / "mixed")
    with pytest.raises(TrainingError, match="do not belong together"):
        _bring(tmp_path / "mixed")


def test_weights_of_another_shape_are_refused(encoder_folder, tmp_path):
    shutil.copytree(encoder_folder, tmp_path / "mixed")
    config = json.loads((tmp_path / "mixed" / "config.json").read_text())
    (tmp_path / "mixed" / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(TrainingError, match="do not belong together"):
        _bring(tmp_path / "mixed")


def test_damaged_weights_are_refused(encoder_folder, tmp_path):
    shutil.copytree(encoder_folder, tmp_path / "damaged")
    weights = tmp_path / "damaged" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(TrainingError, match="can be read from it"):
        _bring(tmp_path / "damaged")


def test_texts_longer_than_the_encoder_takes_are_refused_before_training(encoder_folder):
    with pytest.raises(TrainingError, match="at most 64"):
        _bring(encoder_folder, max_tokens=65)


@pytest.mark.parametrize(
    "model",
    [
        lambda size: DistilBertModel(DistilBertConfig(vocab_size=size, dim=16, n_layers=1, n_heads=2, hidden_dim=16)),
        lambda size: RobertaModel(RobertaConfig(
            vocab_size=size, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            max_position_embeddings=66,
        )),
    ],
)  # fmt: skip
def test_other_architectures_are_fitted_the_same_way(model, tokenizer, train, validation, tmp_path):
    model(len(tokenizer)).save_pretrained(tmp_path / "other")
    tokenizer.save_pretrained(tmp_path / "other")
    choice = {"pretrained": {"name": "other", "revision": None, "download": False}}
    fitted = small_transformer(encoder=choice, root=tmp_path, optimization={"epochs": 1}).fit(train, validation)
    fitted.save(tmp_path / "saved")
    loaded = type(fitted).load(tmp_path / "saved")
    assert (loaded.predict(validation).category == fitted.predict(validation).category).all()


def test_a_random_encoder_can_borrow_a_vocabulary(encoder_folder):
    choice = EncoderChoice.model_validate({"random": {**RANDOM, "tokenizer": str(encoder_folder)}})
    torch.manual_seed(5)
    encoder = bring_encoder(choice, root=Path(), texts=[], max_tokens=32)
    assert encoder.tokenizer.get_vocab() == AutoTokenizer.from_pretrained(encoder_folder).get_vocab()
    pretrained = _bring(encoder_folder).network.get_input_embeddings().weight
    assert not torch.equal(encoder.network.get_input_embeddings().weight, pretrained)
