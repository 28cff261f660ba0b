"""Invented personal data that looks real, and look-alikes that are not personal.

Resident ids carry the check digit of GB 11643-1999 (ISO 7064 MOD 11-2), bank cards that of ISO/IEC 7812 (Luhn); regions, dates
and serial numbers are drawn at random. Mobile prefixes are ones in use, the rest of a number is drawn: a number may by chance
belong to somebody, and none was taken from anywhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from pipeline.simulator.grammar import personal

_REGIONS = (
    "1101",
    "1201",
    "3201",
    "3205",
    "3301",
    "3601",
    "3702",
    "4101",
    "4201",
    "4301",
    "4403",
    "5001",
    "5101",
    "5301",
    "6101",
)
_MOBILE = (
    "134",
    "135",
    "136",
    "137",
    "138",
    "139",
    "150",
    "151",
    "152",
    "158",
    "166",
    "173",
    "177",
    "180",
    "186",
    "189",
    "191",
    "199",
)
_CARD = ("622202", "621700", "622848", "621226", "436742", "622588", "621661")
_PLATES = "京沪津渝冀豫云辽黑湘皖鲁苏浙赣鄂桂甘晋陕吉闽贵粤川琼"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_CHINESE_DIGITS = "一二三四五六七八九"


@dataclass(frozen=True)
class Planted:
    """A sentence and the personal item in it, exactly as it stands there."""

    kind: str
    text: str
    sentence: str


def check_digit(first_17: str) -> str:
    """The 18th character of a resident id (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(first_17))
    return "10X98765432"[total % 11]


def luhn_digit(first: str) -> str:
    """The last digit of a bank card (Luhn, ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(first)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def _digits(random: Random, n: int) -> str:
    return f"{random.randrange(10**n):0{n}d}"


def mobile(random: Random) -> str:
    """A mobile number, as people write it."""
    number = random.choice(_MOBILE) + _digits(random, 8)
    style = random.random()
    if style < 0.72:
        return number
    if style < 0.82:
        return f"{number[:3]}-{number[3:7]}-{number[7:]}"
    if style < 0.90:
        return f"{number[:3]} {number[3:7]} {number[7:]}"
    if style < 0.96:
        return f"+86 {number}"
    return number.translate({48 + digit: 0xFF10 + digit for digit in range(10)})


def _landline(random: Random) -> str:
    style = random.random()
    if style < 0.6:
        return f"0{random.choice(('10', '21', '731', '755', '571', '28', '27'))}-{random.randrange(2, 9)}{_digits(random, 7)}"
    if style < 0.75:
        return f"(0{random.choice(('731', '755', '571'))}){random.randrange(2, 9)}{_digits(random, 6)}"
    if style < 0.88:
        return f"400-{_digits(random, 3)}-{_digits(random, 4)}"
    return f"0{random.choice(('731', '755'))}-{random.randrange(2, 9)}{_digits(random, 6)}转{random.randrange(100, 999)}"


def _birthday(random: Random) -> str:
    return f"{random.randrange(1946, 2004)}{random.randrange(1, 13):02d}{random.randrange(1, 29):02d}"


def _id18(random: Random) -> str:
    first = random.choice(_REGIONS) + f"{random.randrange(1, 30):02d}" + _birthday(random) + _digits(random, 3)
    number = first + check_digit(first)
    return number.lower() if random.random() < 0.1 else number


def _id15(random: Random) -> str:
    return random.choice(_REGIONS) + f"{random.randrange(1, 30):02d}" + _birthday(random)[2:] + _digits(random, 3)


def _passport(random: Random) -> str:
    return random.choice(("E", "G", "EA", "EJ")) + _digits(random, 8 if random.random() < 0.5 else 7)


def _bank_card(random: Random) -> str:
    first = random.choice(_CARD) + _digits(random, random.choice((9, 12)))
    number = first + luhn_digit(first)
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4)) if random.random() < 0.25 else number


def _plate(random: Random) -> str:
    tail = "".join(random.choice(_LETTERS + "0123456789") for _ in range(3)) + _digits(random, 2)
    dot = random.choice(("", "", "", "·"))
    energy = random.choice("DF") if random.random() < 0.2 else ""
    body = energy + _digits(random, 5) if energy else tail
    return random.choice(_PLATES) + random.choice(_LETTERS[:8]) + dot + body


def _handle(random: Random) -> str:
    return (
        "".join(random.choice(_LATIN) for _ in range(random.randrange(3, 8)))
        + random.choice(("", "_", "-"))
        + _digits(random, random.randrange(2, 5))
    )


def _email(random: Random) -> str:
    name = _handle(random) if random.random() < 0.7 else _digits(random, 9)
    return f"{name}@{random.choice(('163.com', 'qq.com', '126.com', 'example.com', 'sina.com.cn'))}"


def _qq(random: Random) -> str:
    return str(random.randrange(10**7, 4 * 10**9))


def _url(random: Random) -> str:
    token = "".join(random.choice(_LATIN + "0123456789") for _ in range(12))
    host = random.choice(("t.example.cn", "pay-example.top", "m.example.com", "h5.example.net"))
    return random.choice(
        (f"https://{host}/u/{token}", f"http://{host}/pay?token={token}&uid={_digits(random, 6)}", f"{host}/s/{token}")
    )


def _address(random: Random) -> str:
    """The exact part of an address; estate and road are left to the sentence around it."""
    building, unit, room = random.randrange(1, 30), random.randrange(1, 5), random.randrange(101, 2600)
    style = random.random()
    if style < 0.3:
        return f"{building}栋{unit}单元{room}室"
    if style < 0.5:
        return f"{random.randrange(1, 400)}号{building}栋{room}"
    if style < 0.65:
        return f"{building}幢{unit}单元{room}"
    if style < 0.8:
        return f"{random.randrange(1, 400)}号{building}号楼{unit}单元{room}室"
    if style < 0.9:
        return f"{random.choice(_CHINESE_DIGITS)}栋{random.choice('一二三')}单元{room}室"
    return f"{random.randrange(1, 400)}号{room}室"


def given_name(random: Random) -> str:
    """One or two characters that occur in given names."""
    made = personal()
    if random.random() < 0.28:
        return random.choice(str(made["given_single"]))
    return random.choice(str(made["given_first"])) + random.choice(str(made["given_last"]))


def surname(random: Random) -> str:
    """A surname, common ones more often; now and then one of two characters."""
    made = personal()
    return random.choice(made["compound"]) if random.random() < 0.02 else random.choice(str(made["surnames"]))


def full_name(random: Random) -> str:
    """A surname and a given name."""
    return surname(random) + given_name(random)


def _titled(random: Random) -> str:
    return (surname(random) if random.random() < 0.6 else full_name(random)) + random.choice(personal()["titles"])


def _mou(random: Random) -> str:
    return surname(random) + random.choice(("某", "某某", "某军", "某华", "某伟"))


_MAKERS: dict[str, tuple[float, Callable[[Random], str]]] = {
    "mobile": (14, mobile), "landline": (6, _landline), "id18": (7, _id18), "id15": (2, _id15), "passport": (2, _passport),
    "bank_card": (5, _bank_card), "plate": (6, _plate), "email": (4, _email), "wechat": (6, _handle), "qq": (4, _qq),
    "url": (4, _url), "address": (12, _address), "name_cued": (14, full_name), "name_titled": (8, _titled),
    "name_bare": (8, full_name), "name_mou": (5, _mou),
}  # fmt: skip
_KINDS = tuple(_MAKERS)
_SHARES = tuple(weight for weight, _ in _MAKERS.values())


def plant(random: Random, *, place: str) -> Planted:
    """Invent one personal item in a sentence of its own.

    Args:
        random: Source of randomness.
        place: Estate or road before an exact address.
    """
    kind = random.choices(_KINDS, _SHARES)[0]
    text = _MAKERS[kind][1](random)
    shown = place + text if kind == "address" else text
    return Planted(kind, text, random.choice(personal()[kind]).format(p=shown))


def decoy(random: Random) -> tuple[str, str]:
    """A sentence with something that looks personal and is not, and that something."""
    slots = {
        "order": f"2025{random.randrange(1, 13):02d}{random.randrange(1, 29):02d}{_digits(random, random.choice((4, 10)))}",
        "ticket": f"GD{_digits(random, 10)}", "year": str(random.randrange(2015, 2026)), "month": str(random.randrange(1, 13)),
        "day": str(random.randrange(1, 29)), "small": str(random.randrange(2, 600)), "digit": str(random.randrange(10)),
        "money": str(random.randrange(100, 200000)), "express": f"SF{_digits(random, 12)}",
        "model": f"{random.choice(_LETTERS)}{random.choice(_LETTERS)}-{_digits(random, 3)}",
    }  # fmt: skip
    template = random.choice(personal()["decoys"])
    sentence = template.format(**slots)
    return sentence, sentence
