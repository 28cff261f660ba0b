"""Whether a machine has instructions for 16-bit products, and the type learning computes in accordingly."""

import torch

from pipeline.settings import LearningPrecision


def has_bfloat16(device: torch.device) -> bool:
    """Whether a GPU, or the processor, has instructions for bfloat16; without, it is several times slower than 32 bits."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities()
    return bool(able.get("amx_bf16") or able.get("avx512_bf16"))


def working_type(precision: LearningPrecision, device: torch.device) -> torch.dtype:
    """The type to compute in.

    Args:
        precision: `auto`, `bfloat16` or `float32`; `auto` takes bfloat16 where the device has instructions for it.
        device: Where it is computed.
    """
    if precision == "auto":
        precision = "bfloat16" if has_bfloat16(device) else "float32"
    return torch.bfloat16 if precision == "bfloat16" else torch.float32
