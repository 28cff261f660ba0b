"""Finds a font that can write Chinese, or says there is none.

A font's name promises nothing: what counts is whether it holds every character to be drawn. Without such a font the plots use
the English names, because a plot of boxes tells nobody anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

KNOWN = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Microsoft YaHei", "PingFang SC", "Heiti SC", "STHeiti", "SimHei", "Sarasa Gothic SC", "LXGW WenKai", "Droid Sans Fallback",
    "Noto Serif CJK SC", "Songti SC", "SimSun", "AR PL UMing CN", "AR PL UKai CN", "Arial Unicode MS",
)  # fmt: skip
"""Families looked for, sans-serif first."""


@dataclass(frozen=True)
class Labels:
    """How plots name categories, and the font they need for it.

    Attributes:
        names: Category id to what is written.
        family: Font families to draw with, first choice first.
    """

    names: Mapping[str, str]
    family: tuple[str, ...]


def choose_labels(chinese: Mapping[str, str], english: Mapping[str, str]) -> Labels:
    """Chinese names where a font can write all of them, English ones otherwise.

    Args:
        chinese: Category id to Chinese name.
        english: Category id to English name.
    """
    family = chinese_family("".join(chinese.values()))
    if family is None:
        return Labels(english, ("DejaVu Sans",))
    return Labels(chinese, (family, "DejaVu Sans"))


def chinese_family(characters: str) -> str | None:
    """The first known family that is installed and holds every character; None where there is none."""
    installed = {entry.name: entry.fname for entry in reversed(font_manager.fontManager.ttflist)}
    for family in KNOWN:
        if family in installed and covers(installed[family], characters):
            return family
    return None


def covers(path: str, characters: Iterable[str]) -> bool:
    """Whether a font file holds a glyph for every character; an unreadable file holds none."""
    try:
        glyphs = FT2Font(path).get_charmap()
    except (OSError, RuntimeError):
        return False
    return all(ord(character) in glyphs for character in characters)
