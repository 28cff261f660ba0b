"""What the compared models start from: the baseline, and the transformer from three kinds of first weights.

`random` has the shape and vocabulary of the encoder that `models/transformer/config.yaml` names, with fresh weights; `svd` has
those, but its embedding table is factorised co-occurrence; `pretrained` is the encoder itself. All else is equal, so a
difference between the three is the difference of their first weights. `layers-1` and `layers-2` are the encoder's lowest layers
alone (Sajjad et al. 2023): smaller models for the table of size, score and speed, without another pre-training.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.model import Baseline
from pipeline.classifier import Classifier
from pipeline.encoder.corpus import Tokens, load_tokens, tokenize
from pipeline.encoder.initialization import svd_embeddings
from pipeline.encoder.params import EncoderParams
from pipeline.encoder.vocabulary import CONTROL_TOKENS
from pipeline.errors import TrainingError
from pipeline.params import Places, load_profile
from pipeline.settings import read_yaml
from pipeline.transformer.model import Transformer
from pipeline.transformer.params import EncoderChoice, PretrainedEncoder, TransformerParams

MODELS = ("baseline", "random", "svd", "layers-1", "layers-2", "pretrained")


FRESH = ("random", "svd")
"""Models that take vocabulary and shape of the encoder, not its weights."""


def encoder_digest(places: Places, model: str) -> str:
    """sha256 of what a model takes from the encoder the transformer's configuration names; its name where that is on a hub."""
    choice = read_yaml(places.config("transformer"), TransformerParams).encoder.pretrained
    if choice is None:
        return "none"
    folder, digest = places.root / choice.name, hashlib.sha256()
    if not folder.is_dir():
        return f"{choice.name}@{choice.revision}"
    for name in ("config.json", "tokenizer.json", *(() if model in FRESH else ("model.safetensors",))):
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Starts:
    """Makes unfitted models.

    Attributes:
        places: Of the profile.
        categories: The taxonomy's, in its order.
        texts: Texts of the training side, from which co-occurrence is counted where the corpus is not at hand.
        work: Takes first weights and the checkpoint of the run under way.
    """

    places: Places
    categories: tuple[str, ...]
    texts: Sequence[str]
    work: Path

    def make(self, model: str, seed: int) -> Classifier:
        """An unfitted model.

        Args:
            model: One of `MODELS`.
            seed: Of first weights, batches, dropout and solvers.

        Raises:
            TrainingError: If the transformer's configuration names no encoder to compare with.
        """
        if model == "baseline":
            config = read_yaml(self.places.config("baseline"), BaselineConfig)
            window = load_profile(self.places.root, self.places.profile).label_window_days
            return Baseline(config, categories=self.categories, label_window_days=window, seed=seed)
        params = read_yaml(self.places.config("transformer"), TransformerParams).model_copy(
            update={"refuse_absent_categories": False}  # few labels may miss a rare category; the others must still be compared
        )
        if params.encoder.pretrained is None:
            raise TrainingError("a comparison needs encoder.pretrained in models/transformer/config.yaml; it names none.")
        if model != "pretrained":
            name, (kind, _, n_layers) = params.encoder.pretrained.name, model.partition("-")
            folder = self._lowest(name, int(n_layers)) if kind == "layers" else self._fresh(name, seed, svd=model == "svd")
            choice = EncoderChoice(pretrained=PretrainedEncoder(name=str(folder.resolve()), revision=None, download=False))
            params = params.model_copy(update={"encoder": choice})
        return Transformer(params, categories=self.categories, seed=seed, root=self.places.root, work=self.work)

    def _fresh(self, name: str, seed: int, *, svd: bool) -> Path:
        """An encoder like the named one with fresh weights, in a folder."""
        folder = self.work / f"{'svd' if svd else 'random'}-{seed}"
        if (folder / "model.safetensors").exists():
            return folder
        where = self._where(name)
        tokenizer: Any = AutoTokenizer.from_pretrained(where, local_files_only=True)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network: Any = AutoModel.from_config(AutoConfig.from_pretrained(where, local_files_only=True))  # type: ignore[no-untyped-call]
        if svd:
            self._start_from_cooccurrence(network, tokenizer, seed)
        tokenizer.save_pretrained(folder)
        network.float().save_pretrained(folder)
        return folder

    def _lowest(self, name: str, n_layers: int) -> Path:
        """The named encoder without its upper layers, in a folder."""
        folder, where = self.work / f"layers-{n_layers}", self._where(name)
        config = AutoConfig.from_pretrained(where, local_files_only=True)
        if n_layers >= config.num_hidden_layers:
            raise TrainingError(
                f"encoder '{name}' has {config.num_hidden_layers} layers: leave layers-{n_layers} out of --models."
            )
        config.num_hidden_layers = n_layers
        network: Any = AutoModel.from_pretrained(where, local_files_only=True, config=config, dtype=torch.float32)
        network.save_pretrained(folder)
        AutoTokenizer.from_pretrained(where, local_files_only=True).save_pretrained(folder)
        return folder

    def _where(self, name: str) -> str:
        local = self.places.root / name
        return str(local) if local.is_dir() else name

    def _start_from_cooccurrence(self, network: Any, tokenizer: Any, seed: int) -> None:
        params = read_yaml(self.places.config("encoder"), EncoderParams)
        table = network.get_input_embeddings().weight
        tokens = self._tokens(params, tokenizer, seed)
        vectors = svd_embeddings(tokens, params.initialization, width=table.shape[1], seed=seed)
        with torch.no_grad():
            table[: len(vectors)].copy_(torch.from_numpy(vectors))

    def _tokens(self, params: EncoderParams, tokenizer: Any, seed: int) -> Tokens:
        """The pre-training corpus where it lies tokenized, else the training side's texts."""
        kept = params.work(self.places.root) / "tokens"
        if kept.is_dir():
            return load_tokens(kept)
        n_special = len(CONTROL_TOKENS) + len(params.vocabulary.placeholders)
        return tokenize(self.texts, tokenizer, n_special=n_special, seed=seed)
