"""Planted personal data: names and exact addresses of many forms, numbers from `numbers.py`, and look-alikes.

Names are a common surname and characters that occur in given names, put together at random.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from pipeline.simulator import numbers
from pipeline.simulator.grammar import personal

_CHINESE_DIGITS = "一二三四五六七八九"
_REPEATED = 0.5  # chance that a report of a matter repeats the item of that kind which an earlier one named
_NAMES = frozenset({"name_cued", "name_titled", "name_bare"})


@dataclass(frozen=True)
class Planted:
    """A sentence and the personal item in it, exactly as it stands there."""

    kind: str
    text: str
    sentence: str


@dataclass(frozen=True)
class Wording:
    """A report's title and body, with what was planted and where."""

    title: str
    body: str
    planted: tuple[tuple[str, Planted], ...]
    decoys: tuple[tuple[str, str], ...]


def given_name(random: Random) -> str:
    """One or two characters that occur in given names."""
    made = personal()
    if random.random() < 0.28:
        return random.choice(made.given_single)
    return random.choice(made.given_first) + random.choice(made.given_last)


def surname(random: Random) -> str:
    """A surname, common ones more often; now and then one of two characters."""
    return random.choice(personal().compound) if random.random() < 0.02 else random.choice(personal().surnames)


def full_name(random: Random) -> str:
    """A surname and a given name."""
    return surname(random) + given_name(random)


def _surname_titled(random: Random) -> str:
    return surname(random) + random.choice(personal().posts)


def _mou(random: Random) -> str:
    return surname(random) + random.choice(("某", "某某", "某军", "某华", "某伟", "某芳"))


def _address(random: Random) -> str:
    """The exact part of an address; estate and road are left to the sentence around it."""
    number, building, unit = random.randrange(1, 400), random.randrange(1, 30), random.randrange(1, 5)
    room = random.randrange(1, 30) * 100 + random.randrange(1, 7)
    return random.choice(
        (
            f"{building}栋{unit}单元{room}室",
            f"{building}栋{unit}单元{room}",
            f"{number}号{building}栋{room}",
            f"{building}幢{unit}单元{room}",
            f"{number}号{building}号楼{unit}单元{room}室",
            f"{random.choice(_CHINESE_DIGITS)}栋{random.choice('一二三')}单元{room}室",
            f"{number}号{room}室",
            f"{building}号楼{room}室",
            f"{building}号楼{unit}门{room}",
            f"{building}座{room}房",
            f"{number}弄{building}号{room}室",
            f"{number}号附{unit}号",
            f"{building}栋{room}房",
        )
    )


_MAKERS: dict[str, tuple[float, Callable[[Random], str]]] = {
    "mobile": (14, numbers.mobile), "landline": (6, numbers.landline), "id18": (7, numbers.id18), "id15": (2, numbers.id15),
    "passport": (2, numbers.passport), "bank_card": (5, numbers.bank_card), "plate": (6, numbers.plate),
    "email": (4, numbers.email), "wechat": (6, numbers.handle), "qq": (4, numbers.qq), "url": (4, numbers.url),
    "address": (12, _address), "name_cued": (14, full_name), "name_titled": (4, full_name),
    "surname_titled": (4, _surname_titled), "name_bare": (8, full_name), "name_mou": (5, _mou),
}  # fmt: skip
KINDS = tuple(_MAKERS)
_SHARES = tuple(weight for weight, _ in _MAKERS.values())


def plant(random: Random, *, place: str, known: dict[str, str]) -> Planted:
    """Invent one personal item in a sentence of its own, or repeat one that an earlier report named.

    Args:
        random: Source of randomness.
        place: Estate or road before an exact address.
        known: Items that reports of the matter have named, by kind; a new one is added.
    """
    kind = random.choices(KINDS, _SHARES)[0]
    text = _item(random, kind, known)
    shown = place + text if kind == "address" else text
    if kind == "name_titled":  # the post stays readable, the name is what is personal
        shown = text + random.choice(personal().posts)
    return Planted(kind, text, random.choice(personal().said[kind]).replace("{p}", shown))


def plant_in_title(random: Random, *, known: dict[str, str]) -> Planted:
    """A heading with a person's full name."""
    text = _item(random, "name_bare", known)
    return Planted("name_bare", text, random.choice(personal().titles).replace("{p}", text))


def _item(random: Random, kind: str, known: dict[str, str]) -> str:
    shelf = "name" if kind in _NAMES else kind
    if shelf in known and random.random() < _REPEATED:
        return known[shelf]
    known[shelf] = _MAKERS[kind][1](random)
    return known[shelf]


def decoy(random: Random) -> tuple[str, str]:
    """A sentence with something that looks personal and is not, and that something."""
    year, month, day = random.randrange(2015, 2026), random.randrange(1, 13), random.randrange(1, 29)
    slots = {
        "order": f"2025{month:02d}{day:02d}{numbers.digits(random, random.choice((4, 10)))}",
        "ticket": f"GD{numbers.digits(random, 10)}", "year": str(year), "month": str(month), "day": str(day),
        "small": str(random.randrange(2, 600)), "digit": str(random.randrange(10)), "hour": str(random.randrange(1, 13)),
        "money": str(random.randrange(100, 200000)), "express": f"SF{numbers.digits(random, 12)}",
        "model": f"{random.choice('ABCHKMTX')}{random.choice('ABDLPRS')}-{numbers.digits(random, 3)}",
        "licence": f"No.{numbers.digits(random, 8)}",
    }  # fmt: skip
    chosen = random.choice(personal().decoys)
    text = chosen.made.format(**slots)
    return random.choice(chosen.said).replace("{p}", text), text
