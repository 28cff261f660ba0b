"""A transformer small enough for a test: two layers, width 16, a vocabulary learned from the test's own texts."""

from pathlib import Path
from typing import Any

from pipeline.transformer.model import Transformer
from pipeline.transformer.params import TransformerParams
from tests.made_up import CATEGORIES

RANDOM = {
    "tokenizer": None, "vocabulary_size": 400, "n_layers": 2, "width": 16, "n_heads": 2, "feed_forward": 32,
    "max_positions": 64,
}  # fmt: skip


def small_params(**changes: dict[str, Any] | bool) -> TransformerParams:
    """The parameters; a section is changed by naming the keys that differ."""
    given: dict[str, Any] = {
        "encoder": {"random": RANDOM},
        "input": {"joining": "pair", "max_tokens": 32, "max_title_tokens": 8, "head_share": 0.75},
        "network": {"pooling": "mean", "dropout": 0.1, "attention_dropout": 0.0},
        "wide": {"buckets": 512, "max_n": 2},
        "loss": {"category": "logit_adjusted", "adjustment": 1.0, "label_smoothing": 0.0, "risk_weight": 1.0},
        "history": {"penalty": 1.0},
        "regularization": {"r_drop": 0.0, "fgm": 0.0, "token_dropout": 0.1, "average_decay": 0.9},
        "optimization": {
            "learning_rate": 0.01, "head_learning_rate": 0.01, "wide_learning_rate": 0.02, "layer_decay": 0.9,
            "weight_decay": 0.01, "max_gradient_norm": 1.0, "epochs": 4, "patience_epochs": 4, "warmup_share": 0.1,
            "decay": "linear", "tokens_per_batch": 512, "max_reports_per_batch": 16,
            "gradient_checkpointing": False, "precision": "float32", "checkpoint_minutes": 0.0,
        },
        "refuse_absent_categories": True,
    }  # fmt: skip
    for section, value in changes.items():
        given[section] = {**given[section], **value} if isinstance(value, dict) and section != "encoder" else value
    return TransformerParams.model_validate(given)


def small_transformer(
    *, categories: tuple[str, ...] = CATEGORIES, seed: int = 7, work: Path | None = None, root: Path = Path(), **changes: Any
) -> Transformer:
    """An unfitted transformer with small parameters."""
    return Transformer(small_params(**changes), categories=categories, seed=seed, root=root, work=work)
