"""Matters: how they arise, who reports them when, and what becomes of them.

A matter is open from its first report until somebody resolves it. While it is open, more reporters may come, and harm may
follow: the daily hazard of a declared outcome is `BASE * exp(SLOPE * severity) * (1 + PER_REPORT * further reports)`, a
proportional hazard (Cox, *Journal of the Royal Statistical Society B* 34, 1972) with an exponential clock. In the drifted
world the hazard hangs on the new wording instead of on severity.
"""

import math
from dataclasses import dataclass, field
from random import Random

from pipeline.simulator.grammar import of_category, shared
from pipeline.simulator.personal import given_name, surname
from pipeline.simulator.scenarios import CATEGORIES

DAY = 86_400.0
BASE, SLOPE, PER_REPORT = 0.00025, 8.0, 0.3
_DAYS_OPEN = 22.0
_SHARE_MIXED = 0.1  # of matters; a wage quarrel that came to blows, a lease that ended in a theft
_SEVERITY = {"family": 0.05, "safety_hazard": 0.06, "consumer": -0.06, "theft_tip": -0.04, "housing": -0.04, "neighbours": 0.03}
_JOINED = {
    "housing": 2.2,
    "environment": 2.4,
    "wages": 1.6,
    "fraud_tip": 1.5,
    "safety_hazard": 1.5,
    "school": 1.3,
    "traffic": 1.2,
}
_OUTCOMES: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "injury": (("injury_or_threat_to_life", "formal_proceedings", "self_harm_danger", "property_damage"), (6, 2, 1, 2)),
    "money": (("money_lost", "formal_proceedings", "self_harm_danger", "injury_or_threat_to_life"), (6, 4, 1, 1)),
    "work": (("formal_proceedings", "injury_or_threat_to_life", "self_harm_danger", "property_damage"), (5, 2, 2, 1)),
}
_OUTCOME_OF = {
    "wages": "work", "work_injury": "work", "consumer": "money", "private_debt": "money", "fraud_tip": "money",
    "theft_tip": "money",
}  # fmt: skip


@dataclass
class Matter:
    """Something that goes wrong between people, or a danger, at one place.

    Attributes:
        number: From 0, in the order of arising.
        area: Index of its area.
        category: Index of its category.
        severity: How bad it is, in [0, 1]; nobody sees it, the words only hint at it.
        drifted: Whether it belongs to the changed world.
        growing: Whether it gathers reporters fast.
        second: Index of another category that it also touches; its own where there is none.
        times: Seconds from the first day at which reports come, ascending.
        reporters: Index of the reporter of each of them; equal numbers are one person.
        outcome: What becomes of it, or None.
        outcome_time: When, in seconds from the first day.
    """

    number: int
    area: int
    category: int
    severity: float
    drifted: bool
    growing: bool
    second: int
    times: list[float]
    reporters: list[int]
    outcome: str | None = None
    outcome_time: float = math.inf
    facts: dict[str, str] = field(default_factory=dict)
    people: dict[int, str] = field(default_factory=dict)
    last_report_id: str = ""
    last_text: tuple[str, str] = ("", "")


def arise(random: Random, number: int, *, area: int, category: int, day: int, drifted: bool, share_growing: float) -> Matter:
    """Draw a matter that begins on a day."""
    name = CATEGORIES[category]
    severity = min(1.0, max(0.0, random.betavariate(1.2, 3.4) + _SEVERITY.get(name, 0.0)))
    growing = random.random() < share_growing
    start = day * DAY + _second_of_day(random)
    open_until = start + random.expovariate(1 / _DAYS_OPEN) * DAY
    times, reporters = [start], [0]
    expected = (random.randrange(6, 24) if growing else 0.28 * _JOINED.get(name, 0.8) * (0.5 + 1.6 * severity)) + 1e-9
    mean_gap = (1.2 if growing else 6.0) * DAY
    time, people = start, 1
    while random.random() < expected / (1 + expected):
        time = _at_a_waking_hour(random, time + random.expovariate(1 / mean_gap))
        if time > open_until:
            break
        again = random.random() < 0.28
        times.append(time)
        reporters.append(random.randrange(people) if again else people)
        people += not again
    second = random.randrange(len(CATEGORIES)) if random.random() < _SHARE_MIXED else category
    drawn = Matter(number, area, category, severity, drifted and random.random() < 0.45, growing, second, times, reporters)
    _become(random, drawn, open_until)
    return drawn


def _second_of_day(random: Random) -> float:
    """Seconds after midnight: mornings and evenings more than nights."""
    return min(DAY - 1.0, max(0.0, random.choice((9.5, 11.0, 15.5, 20.0)) * 3600 + random.gauss(0, 5400)))


def _at_a_waking_hour(random: Random, time: float) -> float:
    return max(time, math.floor(time / DAY) * DAY + _second_of_day(random))


def _become(random: Random, matter: Matter, open_until: float) -> None:
    """Draw whether and when harm follows, while the matter is open."""
    severity = matter.severity
    if matter.drifted:
        severity = 0.75
    time = matter.times[0]
    for place, following in enumerate([*matter.times[1:], open_until]):
        hazard = BASE * math.exp(SLOPE * severity) * (1 + PER_REPORT * min(place, 8)) / DAY
        waited = random.expovariate(hazard)
        if time + waited < min(following, open_until):
            names, weights = _OUTCOMES[_OUTCOME_OF.get(CATEGORIES[matter.category], "injury")]
            matter.outcome, matter.outcome_time = random.choices(names, weights)[0], time + waited
            return
        time = following


def settle_facts(random: Random, matter: Matter) -> None:
    """Give a matter the place and the other party that all its reports speak of."""
    wording, town = of_category(CATEGORIES[matter.category]), shared()
    slots = {"word": random.choice(town.words) + random.choice(("", "", "", given_name(random)[0])), "surname": surname(random)}
    road, estate = random.choice(town.roads), random.choice(town.estates)
    matter.facts = {
        "area": town.areas[matter.area],
        "road": road,
        "estate": estate,
        "spot": random.choice(
            (estate, f"{road}{random.choice(('中段', '口', '尾', '附近', '与' + random.choice(town.roads) + '交口'))}")
        ),
        "org": random.choice(wording.organizations).format(**slots),
        "months": str(random.randrange(2, 14)),
        "amount": _amount(random),
        "n": str(random.randrange(2, 30)),
    }


def _amount(random: Random) -> str:
    style, thousands = random.random(), random.randrange(1, 90)
    if style < 0.35:
        return f"{thousands * 1000 + random.randrange(10) * 100}元"
    if style < 0.6:
        return f"{random.choice('一二三四五六七八九')}{random.choice(('千', '万', '千多', '万多', '百'))}块"
    if style < 0.8:
        return f"{thousands / 10:.1f}万"
    return f"{random.choice('一二三四五六七八九')}{random.choice(('千', '万'))}{random.choice('一二三四五六七八九')}元"
