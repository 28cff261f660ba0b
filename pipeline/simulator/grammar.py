"""The wording, read from `grammar/*.yaml`: one file a category, one that all share, one for personal data."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict


class CategoryWording(BaseModel):
    """What people write about one category; slots in braces are filled from the matter or drawn anew."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organizations: tuple[str, ...]
    titles: tuple[str, ...]
    problems: tuple[str, ...]
    details: tuple[str, ...]
    low: tuple[str, ...]
    mid: tuple[str, ...]
    high: tuple[str, ...]
    demands: tuple[str, ...]


class SharedWording(BaseModel):
    """Places, names of firms, and sentences of every category."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    areas: tuple[str, ...]
    area_weights: tuple[float, ...]
    roads: tuple[str, ...]
    estates: tuple[str, ...]
    words: tuple[str, ...]
    channels: tuple[str, ...]
    channel_weights: tuple[float, ...]
    openings: tuple[str, ...]
    mentions: tuple[str, ...]
    again: tuple[str, ...]
    others: tuple[str, ...]
    fillers: tuple[str, ...]
    generic_low: tuple[str, ...]
    generic_mid: tuple[str, ...]
    generic_high: tuple[str, ...]
    sarcasm: tuple[str, ...]
    closings: tuple[str, ...]
    emoji: tuple[str, ...]
    dialects: Mapping[str, Mapping[str, str]]
    typos: Mapping[str, str]
    new_wording: tuple[str, ...]


def _read(name: str) -> object:
    return yaml.safe_load(files("pipeline.simulator").joinpath("grammar", f"{name}.yaml").read_text(encoding="utf-8"))


@cache
def shared() -> SharedWording:
    """The wording every category shares."""
    return SharedWording.model_validate(_read("shared"))


@cache
def of_category(category: str) -> CategoryWording:
    """The wording of one category."""
    return CategoryWording.model_validate(_read(category))


@cache
def personal() -> Mapping[str, tuple[str, ...] | str]:
    """Sentences with personal data, and what names are made of."""
    content = _read("personal")
    if not isinstance(content, dict):
        raise TypeError("grammar/personal.yaml must be a mapping")
    return {key: value if isinstance(value, str) else tuple(value) for key, value in content.items()}
