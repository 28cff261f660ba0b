"""Encoders and examples that the transformer's tests share."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import BertConfig, BertModel

from pipeline.transformer.encoders import Encoder, save_encoder
from pipeline.transformer.vocabulary import learn_tokenizer
from tests.made_up import make_examples


@pytest.fixture(scope="session")
def train() -> pd.DataFrame:
    return make_examples(120)


@pytest.fixture(scope="session")
def validation() -> pd.DataFrame:
    return make_examples(45, split="validation", start="2025-06-01")


@pytest.fixture(scope="session")
def tokenizer(train):
    texts = [*train["title"], *train["text"], *["请打[手机号]"] * 3]
    return learn_tokenizer(texts, vocabulary_size=400, max_length=64)


@pytest.fixture(scope="session")
def encoder_folder(tokenizer, tmp_path_factory) -> Path:
    """A two-layer BERT with random weights, saved as a hub would keep it."""
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("hub") / "tiny"
    save_encoder(Encoder(tokenizer, BertModel(config), 64), folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Networks this small only wait for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
