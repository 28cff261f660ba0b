"""The type learning computes in."""

import pytest
import torch

from pipeline.precision import working_type


def test_precision_is_what_is_asked_for():
    assert working_type("float32", torch.device("cpu")) is torch.float32
    assert working_type("bfloat16", torch.device("cpu")) is torch.bfloat16


@pytest.mark.parametrize(
    ("able", "expected"),
    [({}, torch.float32), ({"avx512_bf16": True}, torch.bfloat16), ({"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16)],
)
def test_auto_follows_what_the_processor_has(monkeypatch, able, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    assert working_type("auto", torch.device("cpu")) is expected
