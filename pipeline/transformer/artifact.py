"""The transformer on disk: everything prediction needs in one folder, with checksums.

The folder is itself one that `AutoModel` and `AutoTokenizer` read by path: `config.json`, `model.safetensors` and the
tokenizer's files are the encoder's. Beside them `heads.safetensors` holds the two heads, `categories.json` the order of the
logits, and `classifier.json` the configuration, how history joins and the sha256 of every other file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Literal, Self

from pydantic import ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pipeline.errors import ArtifactError, TrainingError
from pipeline.joint import N_SMALL
from pipeline.schema import HISTORY
from pipeline.settings import Section
from pipeline.transformer.checkpoints import EpochResult, write_tensors
from pipeline.transformer.encoders import Encoder, load_saved, save_encoder
from pipeline.transformer.network import Network
from pipeline.transformer.params import TransformerParams

_DESCRIPTION, _CATEGORIES, _HEADS = "classifier.json", "categories.json", "heads.safetensors"
CARD = "README.md"


class Joined(Section):
    """`history.JoinedRisk` as written, with the columns its weights are for."""

    history: tuple[str, ...] = HISTORY
    weights: tuple[float, ...]
    constant: float

    @model_validator(mode="after")
    def _is_of_our_columns(self) -> Self:
        if self.history != HISTORY or len(self.weights) != 1 + N_SMALL:
            raise ValueError("the weights are for other columns than this version's")
        return self


class Description(Section):
    """What `classifier.json` holds, the checksums aside.

    Attributes:
        params: The configuration it was fitted with.
        categories: The taxonomy's, in the order of the logits.
        learned: Those the network tells apart, in the order of its outputs.
        joined: How length and history join the text's risk; None where the risk head learned nothing.
        seed: Of the run.
        results: What each epoch came to.
    """

    format: Literal[2] = 2
    params: TransformerParams
    categories: tuple[str, ...]
    learned: tuple[str, ...]
    joined: Joined | None
    seed: int
    results: tuple[EpochResult, ...]


class _File(Section):
    description: Description
    sha256: dict[str, str]


def write(folder: Path, description: Description, encoder: Encoder, network: Network) -> None:
    """Write the artifact into an empty or new folder.

    Raises:
        TrainingError: If it cannot be written.
    """
    heads = {name: value for name, value in network.state_dict().items() if not name.startswith("encoder.")}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_encoder(encoder, folder)
        write_tensors(folder / _HEADS, heads, {})
        _write_json(folder / _CATEGORIES, list(description.categories))
        described = _File(description=description, sha256=_checksums(folder))
        _write_json(folder / _DESCRIPTION, described.model_dump(mode="json"))
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"the model could not be written to {folder} ({str(error).splitlines()[0]}). Free space on the disk and run again: "
            "the fit goes on from its last checkpoint."
        ) from error


def replace(fitted: Path, written: Path) -> None:
    """Put a newly written artifact in the place of the one before it."""
    before = fitted.with_name(fitted.name + ".before")
    shutil.rmtree(before, ignore_errors=True)
    if fitted.exists():
        fitted.rename(before)
    written.rename(fitted)
    shutil.rmtree(before, ignore_errors=True)


def describe(folder: Path) -> Description:
    """Read what an artifact is, without its weights.

    Raises:
        ArtifactError: If `classifier.json` is missing or damaged.
    """
    return _read_config(folder).description


def _read_config(folder: Path) -> _File:
    try:
        return _File.model_validate_json((folder / _DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ArtifactError(
            f"{folder / _DESCRIPTION} is missing or not as this version writes it. Run the stage that made it "
            "again, and promote it if it was promoted, or restore it."
        ) from error


def read(folder: Path) -> tuple[Description, Encoder, dict[str, Tensor]]:
    """Read an artifact.

    Returns:
        The description, the encoder, and the heads' weights by name.

    Raises:
        ArtifactError: If a file is missing, altered or damaged.
    """
    described = _read_config(folder)
    for name, digest in described.sha256.items():
        if not (folder / name).is_file() or _sha256(folder / name) != digest:
            raise ArtifactError(f"{folder / name} is missing or altered. Run the transformer stage again, or restore it.")
    try:
        encoder = load_saved(folder)
        heads = load_file(folder / _HEADS)
    except (TrainingError, OSError, SafetensorError) as error:
        raise ArtifactError(f"{folder} holds no complete transformer: {error}") from error
    return described.description, encoder, heads


def set_heads(network: Network, heads: dict[str, Tensor], folder: Path) -> None:
    """Put the heads' weights into the network.

    Raises:
        ArtifactError: If they are of another shape.
    """
    own = {name for name in network.state_dict() if not name.startswith("encoder.")}
    try:
        network.load_state_dict(heads, strict=False)
    except RuntimeError as error:
        raise ArtifactError(f"{folder / _HEADS} does not fit the configuration beside it. Restore the artifact.") from error
    if own != set(heads):
        raise ArtifactError(f"{folder / _HEADS} does not hold the heads' weights. Restore the artifact.")


def _checksums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CARD)
    return {path.relative_to(folder).as_posix(): _sha256(path) for path in files}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
