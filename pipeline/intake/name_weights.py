"""The weights of surnames, given names and neighbouring characters, and the words that are no names, as read from names.txt."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pipeline.intake.name_context import TITLE_STARTS, group_by


@dataclass(frozen=True)
class NameWeights:
    """What names.txt says, in tenths of a natural logarithm.

    Attributes:
        surnames: How much more often a surname stands in names than in running text.
        given: The same of characters in given names.
        pairs: How strongly two neighbouring characters make an ordinary word.
        words: What begins like a name and is none, under its first character.
        candidate: Matches every place where a name may begin.
    """

    surnames: dict[str, int]
    given: dict[str, int]
    pairs: dict[str, int]
    words: dict[str, tuple[str, ...]]
    candidate: re.Pattern[str]


@cache
def name_weights() -> NameWeights:
    """Read names.txt once."""
    tables: dict[str, dict[str, int]] = {"surname": {}, "compound": {}, "given": {}, "pair": {}, "word": {}}
    for line in (files("pipeline.intake") / "names.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, weight, entries = line.split("\t")
            names = entries.split() if kind in ("compound", "pair", "word") else list(entries)
            tables[kind].update(dict.fromkeys(names, int(weight)))
    compounds, singles = "|".join(tables["compound"]), "".join(tables["surname"])
    followers = "".join(tables["given"]) + "".join(TITLE_STARTS)
    candidate = re.compile(
        f"(?:{compounds})(?=[\u4e00-\u9fff])|[{singles}](?=[{followers}])|(?<=[小老阿姓叫:人名主])[{singles}](?=.?)"
    )
    words = group_by(0, tuple(tables["word"]))
    return NameWeights(tables["surname"] | tables["compound"], tables["given"], tables["pair"], words, candidate)
