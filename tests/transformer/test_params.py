import pytest
from pydantic import ValidationError

from pipeline.settings import read_yaml
from pipeline.transformer.params import TransformerParams
from tests.conftest import ROOT
from tests.transformer.small import RANDOM, small_params

CONFIG = ROOT / "models" / "transformer" / "config.yaml"
HUB = {"name": "a/b", "revision": None, "download": True}


def test_the_shipped_configuration_is_complete():
    assert read_yaml(CONFIG, TransformerParams).encoder.pretrained is not None


def test_every_key_says_its_reason():
    for line in CONFIG.read_text(encoding="utf-8").splitlines():
        name, colon, value = line.partition(":")
        if colon and value.strip() and not name.lstrip().startswith("#"):
            assert "#" in value, f"'{name.strip()}' has no comment"


@pytest.mark.parametrize("encoder", [{}, {"pretrained": HUB, "random": RANDOM}])
def test_exactly_one_encoder_is_named(encoder):
    with pytest.raises(ValidationError, match="exactly one"):
        small_params(encoder=encoder)


def test_heads_must_divide_the_width():
    with pytest.raises(ValidationError, match="multiple of n_heads"):
        small_params(encoder={"random": {**RANDOM, "n_heads": 3}})


def test_a_title_must_leave_room_for_the_text():
    with pytest.raises(ValidationError, match="leave room"):
        small_params(input={"max_title_tokens": 30})


def test_a_batch_must_hold_the_longest_report():
    with pytest.raises(ValidationError, match="would not fit a batch"):
        small_params(optimization={"tokens_per_batch": 16})


def test_an_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="momentum"):
        small_params(optimization={"momentum": 0.9})
