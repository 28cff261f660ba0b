"""What all reports of one matter speak of, and how differently two people say the same number.

A matter settles on its place, the other side, a sum, a duration, and a handful of things that happened; each report tells
some of them in words drawn anew. That is what makes reports of one matter resemble each other without being copies.
"""

from collections.abc import Callable
from random import Random

from pipeline.simulator.grammar import of_category, shared
from pipeline.simulator.matters import Matter
from pipeline.simulator.personal import given_name, surname
from pipeline.simulator.scenarios import CATEGORIES
from pipeline.simulator.templates import fill

_N_PROBLEMS, _N_DETAILS = 2, 3  # sentences a matter settles on
_DIGITS = "零一二三四五六七八九"
_UNITS = ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十"))


def settle(random: Random, matter: Matter) -> None:
    """Give a matter what all its reports speak of."""
    own, other, town = of_category(CATEGORIES[matter.category]), of_category(CATEGORIES[matter.second]), shared()
    road, estate = random.choice(town.roads), random.choice(town.estates)
    matter.facts = {"area": town.areas[matter.area], "road": road, "estate": estate, "word": _firm(random)}
    end = random.choice(("中段", "口", "尾", "附近", f"与{random.choice(town.roads)}交口", "菜场旁", "公交站", "加油站对面"))
    matter.facts["spot"] = random.choice((estate, road + end, estate + random.choice(town.gates)))
    matter.numbers = {"n": random.randrange(2, 30), "months": random.randrange(2, 14)}
    matter.yuan = _sum(random)
    matter.facts["org"] = fill(random.choice(own.organizations), Slots(random, matter), random)
    matter.problems = tuple(random.sample(own.problems, _N_PROBLEMS)), tuple(random.sample(other.problems, _N_PROBLEMS))
    matter.details = tuple(random.sample(own.details, _N_DETAILS)), tuple(random.sample(other.details, _N_DETAILS))


def _firm(random: Random) -> str:
    return random.choice(shared().words) + random.choice(("", "", "", given_name(random)[0]))


def _sum(random: Random) -> int:
    """Yuan, mostly round, from some hundreds to some hundred thousands."""
    yuan = int(10 ** random.uniform(2.7, 5.3))
    step = int(10 ** (len(str(yuan)) - random.choice((1, 2, 2, 3))))
    return max(100, round(yuan / step) * step)


class Slots(dict[str, str]):
    """Fills the slots of one report: from the matter, said in a way drawn anew, or invented on the spot."""

    def __init__(self, random: Random, matter: Matter) -> None:
        super().__init__(matter.facts)
        self._random, self._yuan, self._numbers = random, matter.yuan, matter.numbers
        if random.random() < 0.2:  # people remember numbers otherwise
            self._numbers = {"n": random.randrange(2, 30), "months": random.randrange(2, 14)}
        self._unresolved_days = matter.unresolved_days

    def __missing__(self, slot: str) -> str:
        return _DRAWN[slot](self, self._random)

    def amount(self, random: Random) -> str:
        """The sum that the matter is about."""
        return say_yuan(random, self._yuan)

    def number(self, random: Random, name: str) -> str:
        """A number of the matter."""
        value = self._numbers[name]
        return chinese(value) if random.random() < 0.3 else str(value)

    def long(self, random: Random) -> str:
        """For how long the matter has been going on."""
        return say_duration(random, self._unresolved_days)


_DRAWN: dict[str, Callable[[Slots, Random], str]] = {
    "amount": lambda slots, random: slots.amount(random),
    "n": lambda slots, random: slots.number(random, "n"),
    "months": lambda slots, random: slots.number(random, "months"),
    "long": lambda slots, random: slots.long(random),
    "money": lambda _, random: say_yuan(random, random.randrange(1, 60) * random.choice((10, 100, 1000))),
    "when": lambda slots, random: fill(random.choice(shared().whens), slots, random),
    "days": lambda _, random: str(random.randrange(2, 60)),
    "few": lambda _, random: random.choice(("两", "三", "四", "五", "好几", "3", "4", "5")),
    "hour": lambda _, random: str(random.randrange(1, 13)),
    "month": lambda _, random: str(random.randrange(1, 13)),
    "day": lambda _, random: str(random.randrange(1, 29)),
    "age": lambda _, random: str(random.randrange(58, 91)),
    "young": lambda _, random: str(random.randrange(3, 17)),
    "surname": lambda _, random: surname(random),
    "relative": lambda slots, random: random.choice(shared().relatives),
}
SLOTS = frozenset({"area", "road", "estate", "word", "org", "spot", *_DRAWN})
"""Every slot that a sentence of a report may ask for."""


def chinese(number: int) -> str:
    """A number below 100,000,000 in Chinese, as spoken: 2 is 两, 12 is 十二, 10500 is 一万零五百."""
    if number == 2:
        return "两"
    said = _said(number)
    return said.removeprefix("一") if 10 <= number < 20 else said


def _said(number: int) -> str:
    for unit, name in _UNITS:
        if number >= unit:
            rest = number % unit
            gap = "零" if 0 < rest < unit // 10 else ""
            return _said(number // unit) + name + gap + (_said(rest) if rest else "")
    return _DIGITS[number]


def say_yuan(random: Random, yuan: int) -> str:
    """A sum of money as somebody would write it."""
    style, unit = random.random(), random.choice(("元", "元", "块", "块钱"))
    if style < 0.4:
        return f"{yuan}{unit}"
    if style < 0.46:
        return f"{yuan:,}元"
    if yuan >= 10_000 and style < 0.66:
        return f"{yuan / 10_000:g}万{random.choice(('', '元', '块'))}"
    if style < 0.85:
        return chinese(yuan) + unit
    size, leading = next((size, name) for size, name in _UNITS if yuan >= size)
    return f"{chinese(yuan // size)}{leading}多{random.choice(('', '块', '块钱'))}"


def say_duration(random: Random, days: float) -> str:
    """A duration as somebody would write it."""
    if days < 10:
        return random.choice(("几天", "这几天", f"{max(2, int(days))}天"))
    if days < 26:
        return random.choice(("半个月", "十多天", f"{int(days)}天", "大半个月"))
    months = max(1, round(days / 30))
    if months >= 11:
        return random.choice(("快一年", "一年多", f"{months}个月", "一年了"))
    return random.choice((f"{months}个月", f"{chinese(months)}个月", f"{chinese(months)}个多月"))
