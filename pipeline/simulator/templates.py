"""Sentences with choices: `{slot}` is filled in, `[one|another|]` is drawn anew each time, and choices may hold either.

A few hundred sentences with choices read like many thousand, and two people say the same thing in different words. A sentence
is taken apart once and kept, so that writing one costs a few look-ups.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

from pipeline.errors import ParameterError

_MARK = re.compile(r"(\[|\]|\||\{[a-z]+\})")


@dataclass(frozen=True)
class Slot:
    """A place that is filled in."""

    name: str


@dataclass(frozen=True)
class Choice:
    """Ways to say it, each a sequence of pieces."""

    ways: tuple["Pieces", ...]


Pieces = tuple[str | Slot | Choice, ...]


@cache
def parse(template: str) -> Pieces:
    """Take a sentence apart.

    Raises:
        ParameterError: If a bracket is left open or closed without one.
    """
    levels: list[list[list[str | Slot | Choice]]] = [[[]]]
    for token in _MARK.split(template):
        if token == "[":
            levels.append([[]])
        elif token == "|" and len(levels) > 1:
            levels[-1].append([])
        elif token == "]" and len(levels) > 1:
            ways = tuple(tuple(way) for way in levels.pop())
            levels[-1][-1].append(Choice(ways))
        elif token in ("|", "]"):
            raise ParameterError(f"A grammar sentence has '{token}' outside brackets: {template}. Correct the grammar file.")
        elif token:
            levels[-1][-1].append(Slot(token[1:-1]) if token[0] == "{" else token)
    if len(levels) > 1:
        raise ParameterError(f"A grammar sentence leaves a bracket open: {template}. Correct the grammar file.")
    return tuple(levels[0][0])


def fill(template: str, slots: Mapping[str, str], random: Random) -> str:
    """Write a sentence out."""
    return _written(parse(template), slots, random.random)


def slot_names(template: str) -> frozenset[str]:
    """Every slot that a sentence may ask for."""
    return frozenset(token[1:-1] for token in _MARK.split(template) if token[:1] == "{")


def _written(pieces: Pieces, slots: Mapping[str, str], draw: Callable[[], float]) -> str:
    parts = []
    for piece in pieces:
        if type(piece) is str:
            parts.append(piece)
        elif type(piece) is Slot:
            parts.append(slots[piece.name])
        elif type(piece) is Choice:
            parts.append(_written(piece.ways[int(draw() * len(piece.ways))], slots, draw))
    return "".join(parts)
