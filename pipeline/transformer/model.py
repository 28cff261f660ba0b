"""The transformer classifier: an encoder fine-tuned on reports, with a category head and a risk head.

It reads `title`, `text` and `schema.HISTORY`, and nothing else: the network reads the text, `history.py` joins the rest. A
category of the taxonomy that no training report has gets a logit far below the others, so that it is never predicted. Where no
training report escalated, or none is settled, the risk logits are zero throughout. Scoring is done in 32 bits, so that a report
gets the same logits on every machine to rounding.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from pipeline.classifier import Logits
from pipeline.joint import small_features
from pipeline.transformer import artifact
from pipeline.transformer.batches import Reports, make_reports
from pipeline.transformer.checkpoints import EpochResult
from pipeline.transformer.encoders import Encoder, bring_encoder, mask_id, pad_id
from pipeline.transformer.history import JoinedRisk, fit_joined_risk
from pipeline.transformer.labels import escalated_values, has_both_outcomes, learned_categories, number_categories, widen
from pipeline.transformer.network import Network, Objective, log_shares, set_dropout
from pipeline.transformer.optimization import best_device
from pipeline.transformer.params import TransformerParams, WideParams
from pipeline.transformer.tokens import as_dataset, special_tokens, tokenize, tokenized_once
from pipeline.transformer.training import Task, learn, score
from pipeline.transformer.wide import WideFeatures

logger = logging.getLogger(__name__)

_SCORING_REPORTS = 4096
CHECKPOINT = "checkpoint.safetensors"


@dataclass(frozen=True)
class Reading:
    """How reports become what the network reads.

    Attributes:
        encoder: Vocabulary and encoder.
        learned: Categories the network tells apart, in the order of its outputs.
        wide: Weighs n-grams for the wide part; None without one.
    """

    encoder: Encoder
    learned: tuple[str, ...]
    wide: WideFeatures | None


@dataclass(frozen=True)
class Fitted(Reading):
    """What `fit` learned.

    Attributes:
        network: The encoder with its heads.
        joined: How length and history join the text's risk; None unless train has both outcomes, then risk logits are zero.
        results: What each epoch came to.
    """

    network: Network
    joined: JoinedRisk | None
    results: tuple[EpochResult, ...]


class Transformer:
    """Any Hugging Face encoder with two heads; a `Classifier`.

    Args:
        params: The model's configuration.
        categories: Category ids of the taxonomy, in its order; the columns of the category logits.
        seed: Of first weights, batches and dropout.
        root: Project folder, against which the encoder's folder is read.
        work: Folder for tokenized reports and the run's checkpoint; None keeps both in memory, and a killed run is lost.
    """

    fitted_: Fitted

    def __init__(
        self,
        params: TransformerParams,
        *,
        categories: Sequence[str],
        seed: int,
        root: Path,
        work: Path | None = None,
    ) -> None:
        self.params = params
        self._categories = tuple(categories)
        self.seed = seed
        self.root = root
        self.work = work

    @property
    def categories(self) -> tuple[str, ...]:
        """Category ids in the order of the logits' columns."""
        return self._categories

    def fit(self, train: pd.DataFrame, validation: pd.DataFrame) -> Self:
        """Learn from train; stop on validation, and learn there how history joins the risk.

        Args:
            train: EXAMPLES of the training split. Rows with a null `category` teach the risk head only, rows with a null
                `escalated` the category head only.
            validation: EXAMPLES of the validation split; without any, all epochs are gone through, the last one
                counts, and history joins as train alone says.

        Raises:
            TrainingError: If there is nothing to learn, the encoder cannot serve, the loss is no longer a
                number, or the disk is full.
        """
        learned = learned_categories(train, validation, self._categories, strict=self.params.refuse_absent_categories)
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            texts = [*train["title"], *train["text"]]
            encoder = bring_encoder(self.params.encoder, root=self.root, texts=texts, max_tokens=self.params.input.max_tokens)
            network = self._network(encoder, n_categories=len(learned))
            reading = Reading(encoder, learned, self._fit_wide(network, train))
            has_risk = has_both_outcomes(train)
            task = self._task(train, validation, reading, network, has_risk=has_risk)
            results = learn(network, task)
            joined = self._join(network, task, train, validation) if has_risk else None
        self.fitted_ = Fitted(**vars(reading), network=network, joined=joined, results=results)
        return self

    def _join(self, network: Network, task: Task, train: pd.DataFrame, validation: pd.DataFrame) -> JoinedRisk:
        _, text = score(network, task.judged, task.optimization, task.pad_id, task.second_type, task.device)
        return fit_joined_risk(train, validation, text, penalty=self.params.history.penalty)

    def _network(self, encoder: Encoder, *, n_categories: int) -> Network:
        set_dropout(encoder.network, self.params.network)
        switched: Any = encoder.network
        if self.params.optimization.gradient_checkpointing:
            if hasattr(switched, "activation_checkpointing_enable"):
                switched.activation_checkpointing_enable()
            else:  # the name before transformers renamed it
                switched.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        network = make_network(encoder, n_categories, self.params)
        return network.to(best_device())

    def _fit_wide(self, network: Network, train: pd.DataFrame) -> WideFeatures | None:
        if self.params.wide.buckets == 0:
            return None
        wide = WideFeatures.fit(train, self.params.wide)
        network.get_buffer("wide_idf").copy_(torch.from_numpy(wide.idf))
        return wide

    def _task(
        self, train: pd.DataFrame, validation: pd.DataFrame, reading: Reading, network: Network, *, has_risk: bool
    ) -> Task:
        """Reports, loss and everything else the loop needs."""
        reports = [self._reports(examples, reading) for examples in (train, validation)]
        objective = self._objective(reports[0], len(reading.learned), has_risk=has_risk, device=best_device())
        return Task(
            learned=reports[0],
            judged=reports[1],
            objective=objective,
            optimization=self.params.optimization,
            regularization=self.params.regularization,
            pad_id=pad_id(reading.encoder),
            second_type=special_tokens(reading.encoder.tokenizer, self.params.input.joining).second_type,
            mask_id=mask_id(reading.encoder, self.params.regularization.token_dropout),
            special_ids=tuple(reading.encoder.tokenizer.all_special_ids),
            seed=self.seed,
            device=best_device(),
            checkpoint=None if self.work is None else self.work / CHECKPOINT,
            fingerprint=self._fingerprint(reports, network),
        )

    def _reports(self, examples: pd.DataFrame, reading: Reading) -> Reports:
        folder = None if self.work is None else self.work / "tokens"
        return make_reports(
            tokenized_once(examples, reading.encoder.tokenizer, self.params.input, folder),
            number_categories(examples, reading.learned),
            escalated_values(examples),
            None if reading.wide is None else reading.wide.transform(examples),
        )

    def _objective(self, reports: Reports, n_categories: int, *, has_risk: bool, device: torch.device) -> Objective:
        optimization = self.params.optimization
        n_reports = len(reports.lengths)
        mean_rows = min(
            optimization.max_reports_per_batch,
            optimization.tokens_per_batch / max(float(reports.lengths.mean()), 1.0),
            n_reports,
        )
        share_labelled = float((reports.category >= 0).mean())
        share_settled = float((~np.isnan(reports.escalated)).mean()) if has_risk else 0.0
        return Objective(
            params=self.params.loss,
            r_drop=self.params.regularization.r_drop,
            log_shares=log_shares(reports.category, n_categories).to(device),
            labels_per_batch=(share_labelled * mean_rows, share_settled * mean_rows),
        )

    def _fingerprint(self, reports: list[Reports], network: Network) -> str:
        """Digest of configuration, seed, data and first weights."""
        digest = hashlib.sha256(f"{self.params.model_dump_json()} {self.seed} {torch.__version__}".encode())
        for part in reports:
            table = part.tokens[:]
            for values in (np.asarray(table["input_ids"].combine_chunks().flatten()), part.lengths):
                digest.update(np.ascontiguousarray(values).tobytes())
            digest.update(part.category.tobytes() + part.escalated.tobytes())
        for value in network.state_dict().values():
            digest.update(value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes() if value.ndim else b"")
        return digest.hexdigest()

    def predict(self, reports: pd.DataFrame) -> Logits:
        """Score reports with `title`, `text` and `schema.HISTORY`; empty and very long texts like any other."""
        logits = self.predict_by_text(reports)
        joined = self.fitted_.joined
        return logits if joined is None else Logits(logits.category, joined.risk(logits.risk, small_features(reports)))

    def predict_by_text(self, reports: pd.DataFrame) -> Logits:
        """The same with the risk by the text alone: validation chose its epoch, but taught it nothing."""
        fitted = self.fitted_
        category = np.zeros((len(reports), len(fitted.learned)), dtype=np.float32)
        risk = np.zeros(len(reports), dtype=np.float32)
        for start in range(0, len(reports), _SCORING_REPORTS):
            chunk = slice(start, start + _SCORING_REPORTS)
            category[chunk], risk[chunk] = self._score(reports.iloc[chunk])
        return widen(category, risk, self._categories, fitted.learned, has_risk=fitted.joined is not None)

    def _score(self, reports: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        fitted, params = self.fitted_, self.params
        table = tokenize(reports["title"].tolist(), reports["text"].tolist(), fitted.encoder.tokenizer, params.input)
        return score(
            fitted.network,
            make_reports(
                as_dataset(table),
                wide=None if fitted.wide is None else fitted.wide.transform(reports),
            ),
            params.optimization,
            pad_id(fitted.encoder),
            special_tokens(fitted.encoder.tokenizer, params.input.joining).second_type,
            best_device(),
        )

    def save(self, folder: Path) -> None:
        """Write encoder, vocabulary, heads, categories and configuration into an empty or new folder.

        Raises:
            TrainingError: If it cannot be written.
        """
        fitted = self.fitted_
        description = artifact.Description(
            params=self.params,
            categories=self._categories,
            learned=fitted.learned,
            joined=None if fitted.joined is None else artifact.Joined(**vars(fitted.joined)),
            seed=self.seed,
            results=tuple(fitted.results),
        )
        artifact.write(folder, description, fitted.encoder, fitted.network)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the same reports then get equal logits.

        Raises:
            ArtifactError: If the folder is incomplete or damaged.
        """
        description, encoder, heads = artifact.read(folder)
        model = cls(description.params, categories=description.categories, seed=description.seed, root=folder)
        network = make_network(encoder, len(description.learned), description.params)
        artifact.set_heads(network, heads, folder)
        model.fitted_ = Fitted(
            encoder=encoder,
            network=network.to(best_device()).eval(),
            learned=description.learned,
            wide=_saved_wide(network, description.params.wide),
            joined=None if description.joined is None else JoinedRisk(description.joined.weights, description.joined.constant),
            results=description.results,
        )
        return model


def make_network(encoder: Encoder, n_categories: int, params: TransformerParams) -> Network:
    """Set fresh heads on an encoder."""
    return Network(encoder.network, n_categories=n_categories, params=params.network, n_buckets=params.wide.buckets)


def _saved_wide(network: Network, params: WideParams) -> WideFeatures | None:
    return WideFeatures(params, network.get_buffer("wide_idf").cpu().numpy()) if params.buckets else None
