"""Brings the log of a pre-training run into MLflow, once or as it grows.

Pre-training writes its own log, so that it depends on no server for days; here its lines become the metrics of one MLflow run.
A log that was brought before is recognised by its first line, and only what is new in it is added.
"""

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from pipeline import tracking
from pipeline.encoder.params import LOG, EncoderParams
from pipeline.errors import ArtifactError
from pipeline.settings import read_yaml

logger = logging.getLogger(__name__)

_EXPERIMENT = "encoder"


def track(root: Path, *, log: Path | None = None) -> str:
    """Bring the log of the encoder that `models/encoder/config.yaml` names into MLflow.

    Args:
        root: The project's folder.
        log: Another log than the one of the run at work or, where that is gone, the one beside the shipped encoder.

    Returns:
        Id of the MLflow run.

    Raises:
        ArtifactError: If there is no log, or a line of it cannot be read.
        TrackingError: If MLflow does not answer.
    """
    params = read_yaml(root / "models" / "encoder" / "config.yaml", EncoderParams)
    path = _find(root, params) if log is None else log
    lines = _read(path)
    first = hashlib.sha256(json.dumps(lines[0], sort_keys=True).encode()).hexdigest()
    steps = [
        (int(line["step"]), {key: float(value) for key, value in line.items() if key != "step" and value is not None})
        for line in lines
    ]
    settings = tracking.flat(params.model_dump(mode="json", exclude={"name"}))
    run_id, n_new = tracking.log_curve(root, _EXPERIMENT, name=params.name, identity=first, params=settings, steps=steps)
    logger.info("encoder: %d of %d lines of the log are new to run %s", n_new, len(lines), run_id)
    return run_id


def _find(root: Path, params: EncoderParams) -> Path:
    at_work, shipped = params.work(root) / LOG, params.exported(root) / "training.jsonl"
    for path in (at_work, shipped):
        if path.is_file():
            return path
    raise ArtifactError(
        f"There is no log of a pre-training run at {at_work} nor {shipped}. Run `triage run encoder`, or name one."
    )


def _read(path: Path) -> list[dict[str, Any]]:
    """The lines; a last one that was cut off by a kill is left out."""
    try:
        texts = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read. Name the log that `triage run encoder` writes.") from error
    lines: list[dict[str, Any]] = []
    for number, text in enumerate(texts[:-1], start=1):
        try:
            line = json.loads(text)
            lines.append({"step": int(line["step"]), **line})
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"{path} line {number} is not a line of a pre-training log. Delete it.") from error
    if not lines:
        raise ArtifactError(f"{path} has no complete line yet. Wait for the first, or name another log.")
    return lines
