"""The engine in service: exported, measured and compared once a model and machine, then loaded every night.

What comes out of the trial lies in `data/scoring/<profile>/engines/<key>/`: the exports, and `choice.json` with every engine's
speed and how it compares with the exact one. The key holds the model's weights, the parameters, the processor and the versions
of the libraries, so whichever of them changes, the trial is held anew.
"""

import hashlib
import importlib.metadata
import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.classifier import Logits, NetworkClassifier, Predictor
from pipeline.errors import ArtifactError
from pipeline.evaluation.metrics import calibration_error
from pipeline.params import Params, Places, Profile, load_project
from pipeline.registry import TrainedModel
from pipeline.schema import EXAMPLES
from pipeline.scoring.choosing import Measured, candidates, fastest, measure, processor
from pipeline.scoring.engine import Engine
from pipeline.scoring.exports import Inputs, export
from pipeline.scoring.parity import Parity, compare
from pipeline.scoring.passes import MODULES, Setting, load_pass
from pipeline.scoring.priority import priority, severity_weights
from pipeline.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

CHOICE = "choice.json"


@dataclass(frozen=True)
class Weighed:
    """An ensemble whose transformer is run by an engine; a `Predictor`."""

    ensemble: Any
    fast: Predictor

    @property
    def categories(self) -> tuple[str, ...]:
        """Category ids in the order of the logits' columns."""
        return self.fast.categories

    def predict(self, reports: pd.DataFrame) -> Logits:
        """Score reports with both members."""
        combined: Logits = self.ensemble.weights_.combine((self.ensemble.baseline.predict(reports), self.fast.predict(reports)))
        return combined


@dataclass(frozen=True)
class _Trial:
    """What a trial is held with."""

    model: TrainedModel
    steps: NetworkClassifier
    params: Params
    profile: Profile
    places: Places
    folder: Path

    def with_engine(self, setting: Setting) -> TrainedModel:
        """The model, its network run as the setting says."""
        engine = Engine(self.steps, load_pass(setting, self.folder, self.steps.network), self.params.scoring.engine)
        whole = Weighed(self.model.classifier, engine) if self.model.name == "ensemble" else engine
        return replace(self.model, classifier=whole, engine=str(setting))


def accelerate(root: Path, model: TrainedModel) -> TrainedModel:
    """The same model with the fastest engine that scores alike.

    A model without a network is returned as it is. So is, with a warning, one for which no engine passed or nothing was there
    to compare on: slower, and exact.

    Args:
        root: Project folder.
        model: The champion, or a candidate for it.
    """
    steps = network_steps(model)
    if steps is None:
        return model
    params, profile, places = load_project(root)
    key = _key(model, steps, params)
    trial = _Trial(model, steps, params, profile, places, places.room("scoring") / "engines" / key)
    path = trial.folder / CHOICE
    if not path.exists():
        sample = _sample(places, params)
        if sample.empty:
            logger.warning(
                "engine: EXACT AND SLOW. There are no validation reports in %s to compare engines on; run `dvc repro`.",
                places.examples,
            )
            return model
        _write(path, _hold(trial, sample))
    chosen = json.loads(path.read_text(encoding="utf-8"))["chosen"]
    if chosen is None:
        logger.warning("engine: EXACT AND SLOW. No engine scored enough like 32 bits; %s says by how much they failed.", path)
        return model
    return trial.with_engine(Setting(**chosen))


def network_steps(model: TrainedModel) -> NetworkClassifier | None:
    """The part of a model that an engine can run, if it has a network."""
    if model.name not in ("transformer", "ensemble"):
        return None
    from pipeline.transformer.export import TransformerSteps

    classifier: Any = model.classifier
    is_member = model.name == "ensemble"
    steps: NetworkClassifier = TransformerSteps(classifier.transformer if is_member else classifier, with_history=not is_member)
    return steps


def _key(model: TrainedModel, steps: NetworkClassifier, params: Params) -> str:
    versions = {name: _version(module) for name, module in MODULES.items()}
    facts = [
        model.name,
        steps.digest,
        repr(model.calibrators),
        params.scoring.model_dump(),
        params.threads,
        processor(),
        versions,
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _sample(places: Places, params: Params) -> pd.DataFrame:
    """Real reports the network did not learn from, with labels where known."""
    if not places.examples.exists():
        return EXAMPLES.empty()
    examples = EXAMPLES.read(places.examples)
    unseen = examples[examples["split"].isin(["validation", "calibration"])]
    return unseen.sample(min(len(unseen), params.scoring.parity.n_reports), random_state=params.seed).reset_index(drop=True)


def _hold(trial: _Trial, sample: pd.DataFrame) -> dict[str, Any]:
    """Export, measure and compare; returns what `choice.json` says."""
    params = trial.params.scoring.engine
    inputs = _inputs(trial)
    measured: list[Measured] = []
    refused: dict[str, str] = {}
    for backend, precision in candidates(params):
        try:
            export(backend, precision, trial.steps, inputs, trial.folder)
            reports = sample.head(params.measured_reports)
            measured += measure(
                trial.steps, (backend, precision), reports, folder=trial.folder, n_threads=trial.params.threads, params=params
            )
        except ArtifactError as error:
            refused[f"{backend} {precision}"] = str(error)
            logger.warning("engine: %s", error)
    exact = trial.model.score(sample)
    compared: dict[str, dict[str, Any]] = {}
    chosen: Setting | None = None
    for one in fastest(measured):
        parity = _compare(trial, sample, exact, one.setting)
        compared[str(one.setting)] = asdict(parity)
        logger.log(logging.WARNING if parity.failed else logging.INFO, "engine: %s, %s", one.setting, parity)
        if not parity.failed and chosen is None:
            chosen = one.setting
    return {
        "chosen": None if chosen is None else asdict(chosen),
        "processor": processor(),
        "reports_per_second": {str(one.setting): round(one.reports_per_second, 1) for one in measured},
        "parity": compared,
        "refused": refused,
    }


def _inputs(trial: _Trial) -> Inputs:
    """The network's inputs for training reports, one report each."""
    examples = EXAMPLES.read(trial.places.examples)
    train = examples[examples["split"] == "train"]
    n_reports = min(len(train), trial.params.scoring.engine.quantized_on_reports)
    encoded = trial.steps.encode(train.sample(n_reports, random_state=trial.params.seed))
    return [encoded.batch(np.array([row]), n_tokens=int(encoded.lengths[row])) for row in range(n_reports)]


def _compare(trial: _Trial, sample: pd.DataFrame, exact: pd.DataFrame, setting: Setting) -> Parity:
    taxonomy = load_taxonomy(trial.places.taxonomy(trial.profile.taxonomy))
    weights = severity_weights(taxonomy, trial.model.categories)
    limits, n_bins = trial.params.scoring.parity, trial.params.evaluation.n_bins

    def order(scores: pd.DataFrame) -> np.ndarray:
        return priority(scores["risk"].to_numpy(), np.array(scores["category_probabilities"].tolist()), weights)

    def error(probabilities: np.ndarray, right: np.ndarray) -> float:
        return float(calibration_error(probabilities, right.astype(np.float64), np.ones((1, len(right))), n_bins)[0])

    return compare(
        exact,
        trial.with_engine(setting).score(sample),
        sample["category"],
        priority=order,
        calibration_error=error,
        n_top=max(limits.top_reports, trial.profile.capacity),
        limits=limits,
    )


def _write(path: Path, choice: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".writing")
    aside.write_text(json.dumps(choice, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    aside.replace(path)
