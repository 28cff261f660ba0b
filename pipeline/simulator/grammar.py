"""The wording, read from `grammar/*.yaml`: one file a category, one that all share, one for personal data.

Sentences are templates (`templates.py`); a category's `high`, `mid` and `low` hint at how bad a matter is, and `overlaps` are
the categories that its matters most often touch as well.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict


class _Wording(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Kind = TypeVar("Kind", bound=_Wording)


class CategoryWording(_Wording):
    """What people write about one category; slots in braces are filled from the matter or drawn anew."""

    overlaps: tuple[str, ...]
    organizations: tuple[str, ...]
    titles: tuple[str, ...]
    problems: tuple[str, ...]
    details: tuple[str, ...]
    low: tuple[str, ...]
    mid: tuple[str, ...]
    high: tuple[str, ...]
    demands: tuple[str, ...]


class Dialect(_Wording):
    """Common words and what is said instead, and particles that end a sentence."""

    words: Mapping[str, str]
    particles: tuple[str, ...]


class SharedWording(_Wording):
    """Places, names of firms, and sentences of every category."""

    areas: tuple[str, ...]
    area_weights: tuple[float, ...]
    roads: tuple[str, ...]
    estates: tuple[str, ...]
    gates: tuple[str, ...]
    words: tuple[str, ...]
    channels: tuple[str, ...]
    channel_weights: tuple[float, ...]
    whens: tuple[str, ...]
    relatives: tuple[str, ...]
    titles: tuple[str, ...]
    urgent_titles: tuple[str, ...]
    openings: tuple[str, ...]
    mentions: tuple[str, ...]
    again: tuple[str, ...]
    others: tuple[str, ...]
    fillers: tuple[str, ...]
    stories: tuple[str, ...]
    demands: tuple[str, ...]
    generic_low: tuple[str, ...]
    generic_mid: tuple[str, ...]
    generic_high: tuple[str, ...]
    sarcasm: tuple[str, ...]
    closings: tuple[str, ...]
    emoji: tuple[str, ...]
    dialects: Mapping[str, Dialect]
    typos: tuple[tuple[str, str], ...]
    new_wording: tuple[str, ...]


class LookAlike(_Wording):
    """Something that looks personal and is not: how it is made, and the sentences it stands in, as {p}."""

    made: str
    said: tuple[str, ...]


class PersonalWording(_Wording):
    """Sentences with personal data by kind, as {p}; what names are made of; and look-alikes."""

    said: Mapping[str, tuple[str, ...]]
    titles: tuple[str, ...]
    surnames: str
    compound: tuple[str, ...]
    given_first: str
    given_last: str
    given_single: str
    posts: tuple[str, ...]
    decoys: tuple[LookAlike, ...]


def _read(name: str, kind: type[Kind]) -> Kind:
    text = files("pipeline.simulator").joinpath("grammar", f"{name}.yaml").read_text(encoding="utf-8")
    return kind.model_validate(yaml.safe_load(text))


@cache
def shared() -> SharedWording:
    """The wording every category shares."""
    return _read("shared", SharedWording)


@cache
def of_category(category: str) -> CategoryWording:
    """The wording of one category."""
    return _read(category, CategoryWording)


@cache
def personal() -> PersonalWording:
    """Sentences with personal data, and what names are made of."""
    return _read("personal", PersonalWording)
