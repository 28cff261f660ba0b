"""The baseline: character n-grams with linear heads, to be beaten by anything that costs more."""

from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.model import Baseline

__all__ = ["Baseline", "BaselineConfig"]
