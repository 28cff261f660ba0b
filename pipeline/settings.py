"""YAML files read into frozen objects that refuse what they do not know; what parameters and models' settings stand on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ParameterError

Model = TypeVar("Model", bound=BaseModel)
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
LearningPrecision = Literal["auto", "bfloat16", "float32"]


class Section(BaseModel):
    """Base of every parameter object: unknown keys are refused, and nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """Read one YAML file into a frozen object.

    Args:
        path: The file.
        model: The pydantic class that says which keys it must have.

    Raises:
        ParameterError: If the file is missing, is not YAML, or does not hold exactly the keys and values asked for.
    """
    if not path.exists():
        raise ParameterError(f"{path} was expected, but there is no such file. Create it, or run from the project folder.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} is not readable YAML: {' '.join(str(error).split())}. Correct the file.") from error
    if not isinstance(content, Mapping):
        raise ParameterError(f"{path} must hold keys and values, got {type(content).__name__}. Correct the file.")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ParameterError(f"{path}: {_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    """Name every wrong key and what to do about it."""
    said = {"missing": "is missing: add it", "extra_forbidden": "is not a known key: remove or rename it"}
    parts = []
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(step) for step in problem["loc"]) or "the file"
        parts.append(f"'{key}' {said.get(problem['type'], problem['msg'])}")
    return "; ".join(parts) + "."
