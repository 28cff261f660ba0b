"""Models as they are kept: the artifact folder, the run it belongs to, and the champion in service.

An artifact holds everything prediction needs: the fitted classifier, its calibrators, what it is (`model.json`) and the
library versions it was made with. The same folder is loaded by the nightly job, by MLflow in a fresh process (`_load_pyfunc`)
and by tests.
"""

import importlib
import importlib.metadata
import json
import math
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline import schema, tracking
from pipeline.calibration.calibrators import Calibrators
from pipeline.classifier import Logits, Predictor
from pipeline.errors import ArtifactError
from pipeline.params import Places, Profile, load_project

CLASSIFIERS = {
    "baseline": "pipeline.baseline.model:Baseline",
    "ensemble": "pipeline.ensemble.model:Ensemble",
    "transformer": "pipeline.transformer.model:Transformer",
}
_RUNTIME = ("scikit-learn", "venn-abers", "numpy", "scipy", "pandas", "pyarrow", "pydantic", "PyYAML", "safetensors")
_NETWORK = ("torch", "transformers", "tokenizers", "datasets", "tqdm")
"""What a model needs beside `_RUNTIME` to score, if it has a network in it."""


@dataclass(frozen=True)
class TrainedModel:
    """A classifier, or an engine in its place, with its calibrators, ready to score.

    Attributes:
        learned_until: Arrival of the last report it learned from or was calibrated on, ISO 8601; empty where undated.
        engine: What makes the network's pass; `exact` is the classifier itself.
    """

    name: str
    version: str
    profile: str
    classifier: Predictor
    calibrators: Calibrators
    learned_until: str = ""
    engine: str = "exact"

    @property
    def categories(self) -> tuple[str, ...]:
        """Category ids in the order of the probabilities."""
        return self.classifier.categories

    def score(self, reports: pd.DataFrame) -> pd.DataFrame:
        """Predict category and risk.

        Args:
            reports: Redacted reports with `title`, `text` and `schema.HISTORY`; other columns are not looked at.

        Returns:
            One row a report, in order: the columns of PROBABILITIES but `report_id` and `split`.
        """
        return self.state(self.classifier.predict(reports))

    def state(self, logits: Logits) -> pd.DataFrame:
        """What `score` returns, from logits that the classifier has given."""
        return self.calibrators.apply(logits).to_frame(self.categories)


def load(folder: Path, *, version: str = "unregistered") -> TrainedModel:
    """Load an artifact folder.

    Raises:
        ArtifactError: If it is incomplete, damaged, or of a kind we do not know.
    """
    described = folder / "model.json"
    try:
        facts = json.loads(described.read_text(encoding="utf-8"))
        name, profile, until = str(facts["name"]), str(facts["profile"]), str(facts.get("learned_until", ""))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{described} should say what model this is, but cannot be read. Promote the model again, or restore the artifact."
        ) from error
    classifier = classifier_class(name).load(folder / "fitted")
    return TrainedModel(name, version, profile, classifier, Calibrators.load(folder / "calibrators.json"), until)


def classifier_class(name: str) -> Any:
    """The class of a model, imported only now.

    Raises:
        ArtifactError: If there is no model of that name.
    """
    if name not in CLASSIFIERS:
        raise ArtifactError(f"There is no model '{name}'. Known models: {', '.join(sorted(CLASSIFIERS))}.")
    module, _, member = CLASSIFIERS[name].partition(":")
    return getattr(importlib.import_module(module), member)


def assemble(root: Path, model: str, folder: Path) -> Path:
    """Put what the stages wrote for a model into one artifact folder.

    Raises:
        ArtifactError: If a stage has not run.
    """
    _, profile, places = load_project(root)
    made = places.model(model)
    for needed in (made / "fitted", made / "calibrators.json"):
        if not needed.exists():
            raise ArtifactError(f"{needed} is missing, so model '{model}' is not complete. Run `dvc repro` first.")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(made / "fitted", folder / "fitted")
    shutil.copy2(made / "calibrators.json", folder / "calibrators.json")
    facts = {
        "name": model, "profile": profile.name, "taxonomy": profile.taxonomy, "as_of": profile.as_of.isoformat(),
        "learned_until": _learned_until(places),
    }  # fmt: skip
    (folder / "model.json").write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    needed_libraries = _RUNTIME if model == "baseline" else (*_RUNTIME, *_NETWORK)
    (folder / "requirements.txt").write_text("".join(f"{_pin(name)}\n" for name in needed_libraries), encoding="utf-8")
    return folder


def _pin(name: str) -> str:
    """The installed version as a requirement; a build such as `+cpu` is left to the machine that installs it."""
    return f"{name}=={importlib.metadata.version(name).partition('+')[0]}"


def _learned_until(places: Places) -> str:
    """Arrival of the last report outside the test split; empty where none has a time."""
    examples = schema.EXAMPLES.read(places.examples)
    last = examples.loc[examples["split"] != "test", "received_at"].max()
    return "" if pd.isna(last) else str(last.isoformat())


def log_evaluated(root: Path, model: str) -> tracking.Logged:
    """Track the learning run that the stages have just finished, and note where in `run.json` beside the model."""
    params, profile, places = load_project(root)
    evaluation = places.evaluation(model)
    card = json.loads((places.room("dataset") / "card.json").read_text(encoding="utf-8"))
    run = tracking.Run(
        model=model,
        params=tracking.flat(
            {"params": params.model_dump(), "profile": profile.model_dump(mode="json"), "model": _config(places, model)}
        ),
        metrics=_numbers(_metrics(evaluation)),
        tags={"git": tracking.git_revision(root), "examples": str(card["digest"]), "model": model, "profile": profile.name},
        dataset=_dataset(profile, card),
        folders={"evaluation": evaluation, "dataset": places.room("dataset") / "card"},
    )
    example = pd.DataFrame(
        {"title": ["拖欠工资"], "text": ["工地三个月没发工资，老板不接电话。"], **dict.fromkeys(schema.HISTORY, [0.0])}
    )
    with tempfile.TemporaryDirectory() as aside:
        artifact = assemble(root, model, Path(aside) / "artifact")
        if model == "transformer":
            _renew_card(root, evaluation, artifact / "fitted")
        output = _PyfuncModel(load(artifact)).predict(example)
        logged = tracking.log_run(
            root, profile.name, run, artifact=artifact, loader_module=__name__, example=example, output=output
        )
    (places.model(model) / "run.json").write_text(json.dumps(asdict(logged)) + "\n", encoding="utf-8")
    return logged


def _renew_card(root: Path, *folders: Path) -> None:
    """Write the model card with the figures of the test split into folders."""
    from pipeline.transformer.artifact import CARD
    from pipeline.transformer.card import render_card

    card = render_card(root)
    for folder in folders:
        (folder / CARD).write_text(card, encoding="utf-8")


def _config(places: Places, model: str) -> dict[str, Any]:
    import yaml

    path = places.config(model)
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return content


def _metrics(evaluation: Path) -> dict[str, Any]:
    path = evaluation / "metrics.json"
    if not path.exists():
        raise ArtifactError(f"{path} is missing: the model was not evaluated. Run `dvc repro` first.")
    metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return metrics


def _dataset(profile: Profile, card: dict[str, Any]) -> tracking.Dataset:
    window = f"as of {profile.as_of.isoformat()}, {profile.label_window_days}-day window"
    return tracking.Dataset(profile.name, str(card["digest"]), int(card["n_examples"]), window)


def _numbers(metrics: dict[str, Any]) -> dict[str, float]:
    """The leaves that are numbers; NaN, where something could not be measured, is left out."""
    leaves = tracking.flat(metrics).items()
    return {key: float(leaf) for key, leaf in leaves if isinstance(leaf, int | float) and not math.isnan(leaf)}


def champion(root: Path, profile: str) -> TrainedModel:
    """Load the model in service.

    Raises:
        TrackingError: If there is none, or MLflow does not answer.
        ArtifactError: If its artifact is damaged.
    """
    with tempfile.TemporaryDirectory() as aside:
        version, folder = tracking.fetch_champion(root, profile, Path(aside))
        return load(folder / "data" / "artifact", version=str(version))


class _PyfuncModel:
    """The model as MLflow serves it: titles, texts and history in, categories, lanes and risk out."""

    def __init__(self, model: TrainedModel) -> None:
        self.model = model

    def predict(self, reports: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Score redacted reports; missing history counts as none."""
        del params
        known = reports.assign(**{name: 0.0 for name in schema.HISTORY if name not in reports})
        return self.model.score(known)[["category", "category_probability", "lane", "risk", "risk_low", "risk_high"]]


def _load_pyfunc(path: str) -> _PyfuncModel:
    """MLflow's entry: `path` is the artifact folder."""
    return _PyfuncModel(load(Path(path)))
