"""The thread to MLflow: runs, registered models and the champion alias.

By default everything lies in one SQLite file and one folder in the project; `MLFLOW_TRACKING_URI` names any server instead.
Everything that imports MLflow (some seconds) is here and in `champions.py`, and only inside functions. What a server answers
wrongly or not at all becomes a `TrackingError` that says what to do.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import TrackingError

CHAMPION = "champion"
_MANNERS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # a server that is down should be noticed in seconds, not minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


_METRICS_AT_ONCE = 1000  # the most MLflow takes in one request
_SET_BY_MLFLOW = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")


@dataclass(frozen=True)
class Dataset:
    """What a run learned from: name, digest of its rows, their number, and the days they span."""

    name: str
    digest: str
    n_rows: int
    window: str


@dataclass(frozen=True)
class Run:
    """What a learning run leaves behind."""

    model: str
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    dataset: Dataset
    folders: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Logged:
    """Where MLflow keeps a run and the model it made."""

    run_id: str
    model_id: str


@dataclass(frozen=True)
class Version:
    """A registered model version."""

    name: str
    number: str
    run_id: str
    tags: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"


def tracking_uri(root: Path) -> str:
    """Where runs are tracked: `MLFLOW_TRACKING_URI`, or the project's own SQLite file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(root / 'mlflow.db').resolve()}"


def registered_name(profile: str) -> str:
    """The registered model of a profile; profiles never share one."""
    return f"dispute-triage-{profile}"


@contextmanager
def connected(root: Path) -> Iterator[Any]:
    """Give the MLflow module, set to the project's tracking place.

    Raises:
        TrackingError: If the server does not answer or refuses.
    """
    for key, value in _MANNERS.items():
        os.environ.setdefault(key, value)
    import mlflow
    from mlflow.exceptions import MlflowException

    uri = tracking_uri(root)
    before = {name: os.environ[name] for name in _SET_BY_MLFLOW if name in os.environ}
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        yield mlflow
    except MlflowException as error:
        reason = _without_password(str(error).splitlines()[0])[:200]
        raise TrackingError(
            f"MLflow at {_without_password(uri)} did not do as asked: {reason}. Start the server, correct "
            "MLFLOW_TRACKING_URI, or unset it to use the project's own file."
        ) from error
    finally:
        for name in _SET_BY_MLFLOW:  # MLflow writes its addresses into the environment; the next root must not see them
            os.environ.pop(name, None)
        os.environ.update(before)


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]+@", "//", text)


def flat(values: Any, prefix: str = "") -> dict[str, object]:
    """Nested mappings as dotted keys MLflow accepts."""
    if not isinstance(values, dict):
        return {prefix: values}
    return {
        name: leaf
        for key, value in values.items()
        for name, leaf in flat(value, f"{prefix}.{key}" if prefix else str(key)).items()
    }


def log_run(root: Path, profile: str, run: Run, *, artifact: Path, loader_module: str, example: Any, output: Any) -> Logged:
    """Log one learning run with its model.

    Args:
        root: Project folder.
        profile: The profile; runs of a profile form one experiment.
        run: Parameters, metrics, tags, dataset and folders of plots and reports.
        artifact: Folder that holds everything prediction needs.
        loader_module: Module whose `_load_pyfunc(path)` loads the folder; our code travels with the model.
        example: A few invented rows of model input.
        output: What the model answers to `example`; with it, the model's signature.

    Returns:
        Ids of the run and of its model.
    """
    with connected(root) as mlflow:
        _use_experiment(mlflow, root, profile)
        with mlflow.start_run(run_name=run.model, tags=dict(run.tags)) as active:
            mlflow.log_params({key: str(value)[:500] for key, value in run.params.items()})
            mlflow.log_metrics(dict(run.metrics))
            mlflow.log_input(_as_mlflow_dataset(run.dataset), context="training")
            for name, folder in run.folders.items():
                mlflow.log_artifacts(str(folder), artifact_path=name)
            model = mlflow.pyfunc.log_model(
                name="model",
                loader_module=loader_module,
                data_path=str(artifact),
                code_paths=[str(Path(__file__).parent)],
                signature=mlflow.models.infer_signature(example, output),
                input_example=example,
                pip_requirements=str(artifact / "requirements.txt"),
            )
            return Logged(str(active.info.run_id), str(model.model_id))


def log_curve(
    root: Path,
    experiment: str,
    *,
    name: str,
    identity: str,
    params: Mapping[str, object],
    steps: Sequence[tuple[int, Mapping[str, float]]],
) -> tuple[str, int]:
    """Log the curve of a long run that keeps its own log; brought again, only later steps are added.

    Args:
        root: Project folder.
        experiment: Stands in the place of a profile's name.
        name: Of the run.
        identity: By which the same curve is recognised when it is brought again.
        params: What the run was told.
        steps: Step and its metrics, ascending.

    Returns:
        Id of the run, and how many steps were new.
    """
    with connected(root) as mlflow:
        _use_experiment(mlflow, root, experiment)
        known = mlflow.search_runs(filter_string=f"tags.identity = '{identity}'", output_format="list")
        client = mlflow.MlflowClient()
        if known:
            run_id, last = known[0].info.run_id, int(known[0].data.tags.get("last_step", "-1"))
        else:
            with mlflow.start_run(run_name=name, tags={"identity": identity}) as active:
                mlflow.log_params({key: str(value)[:500] for key, value in params.items()})
                run_id, last = active.info.run_id, -1
        new = [(step, metrics) for step, metrics in steps if step > last]
        points = [mlflow.entities.Metric(key, value, 0, step) for step, metrics in new for key, value in metrics.items()]
        for start in range(0, len(points), _METRICS_AT_ONCE):
            client.log_batch(run_id, metrics=points[start : start + _METRICS_AT_ONCE])
        if new:
            client.set_tag(run_id, "last_step", str(new[-1][0]))
        return str(run_id), len(new)


def _use_experiment(mlflow: Any, root: Path, profile: str) -> None:
    name = registered_name(profile)
    if mlflow.get_experiment_by_name(name) is None:
        local = tracking_uri(root).startswith("sqlite:")
        mlflow.create_experiment(name, artifact_location=(root / "mlartifacts" / profile).resolve().as_uri() if local else None)
    mlflow.set_experiment(name)


def _as_mlflow_dataset(dataset: Dataset) -> Any:
    """The dataset's identity; its rows are reports and stay where they are."""
    from mlflow.data import meta_dataset, sources

    made: Any = meta_dataset.MetaDataset
    source_class: Any = vars(sources)["LocalArtifactDatasetSource"]  # MLflow makes this class when imported
    source = source_class(f"data/dataset/{dataset.name}/examples.parquet")
    return made(source, name=f"{dataset.name} {dataset.window}, {dataset.n_rows} rows", digest=dataset.digest[:32])


def fetch_champion(root: Path, profile: str, folder: Path) -> tuple[Version, Path]:
    """Bring the champion's artifact folder here.

    Args:
        root: Project folder.
        profile: The profile.
        folder: An empty folder for files of a remote server; local files are used where they lie.

    Returns:
        The champion's version and the folder that holds its model.

    Raises:
        TrackingError: If there is no champion, or MLflow does not answer.
    """
    from mlflow import MlflowClient

    name = registered_name(profile)
    with connected(root) as mlflow:
        if not list(MlflowClient().search_registered_models(filter_string=f"name = '{name}'")):
            raise TrackingError(_no_champion(profile))
        if CHAMPION not in MlflowClient().get_registered_model(name).aliases:
            raise TrackingError(_no_champion(profile))
        found = MlflowClient().get_model_version_by_alias(name, CHAMPION)
        where = mlflow.artifacts.download_artifacts(f"models:/{name}@{CHAMPION}", dst_path=str(folder))
        return Version(name, str(found.version), str(found.run_id), dict(found.tags)), Path(where)


def _no_champion(profile: str) -> str:
    return (
        f"Profile '{profile}' has no champion yet. Train and evaluate a model (`dvc repro`), then promote it: "
        "`triage promote baseline`."
    )


def git_revision(root: Path) -> str:
    """The commit the project stands at, with `+changes` if files differ from it; `unknown` outside a repository."""
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
        status = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.strip() + ("+changes" if status.stdout.strip() else "")
