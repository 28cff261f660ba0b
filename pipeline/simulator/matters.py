"""Matters: how they arise, who reports them when, and what becomes of them.

A matter is open from its first report until somebody resolves it. While it is open, more reporters may come, and harm may
follow. The hazard is proportional in severity, in how long the matter had been going on, and in the number of reports, and
grows with the time since the first report as `days ** (SHAPE - 1)` (Weibull). Times are drawn by inverting the cumulative
hazard (Bender, Augustin and Blettner, *Statistics in Medicine* 24, 2005). In the changed world of the scenario `drift`
severity says half as much, and new schemes are dangerous whatever they sound like.
"""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from pipeline.simulator.grammar import of_category
from pipeline.simulator.personal import Wording
from pipeline.simulator.scenarios import CATEGORIES

DAY = 86_400.0
BASE, SLOPE, PER_REPORT, SHAPE = 0.00017, 8.0, 0.3, 1.05
_DAYS_OPEN = 20.0
_DAYS_BEFORE, _DOUBLES_AFTER_DAYS = 60.0, 180.0  # a matter has been going on for two months; after six the hazard is double
_SHARE_AGAIN = 0.28  # of later reports: by somebody who reported it before
_SHARE_NEW, _SEVERITY_OF_NEW = 0.45, 0.55  # new schemes among matters of the changed world, and how bad they turn out
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


@dataclass(frozen=True)
class World:
    """What the time and place say of a new matter.

    Attributes:
        changed: Whether the world of the scenario `drift` has changed.
        surging: Whether the cell surges.
        share_growing: Share of matters that grow fast.
    """

    changed: bool
    surging: bool
    share_growing: float


@dataclass
class Matter:
    """Something that goes wrong between people, or a danger, at one place.

    Attributes:
        number: From 0, in the order of arising.
        area: Index of its area.
        category: Index of its category.
        severity: How bad it is, in [0, 1]; nobody sees it, the words only hint at it.
        changed: Whether it began in the changed world of the scenario `drift`.
        drifted: Whether it is one of the new schemes of that world.
        in_surge: Whether it began in a cell while that surged.
        growing: Whether it gathers reporters fast.
        second: Index of another category that it also touches; its own where there is none.
        unresolved_days: For how long it had been going on when the first report came.
        times: Seconds from the first day at which reports come, ascending.
        reporters: Index of the reporter of each of them; equal numbers are one person.
        outcome: What becomes of it, or None.
        outcome_time: When, in seconds from the first day.
        facts, numbers, yuan: What its reports speak of: slots, counts, a sum; settled with the first report.
        problems, details: Sentences it settles on, of its own category and of the second.
        hints: Sentences by which its reports hinted at how bad it is.
        people: Export id of each reporter.
        items: Personal items of the other side that reports repeat, by kind.
        last_report_id, last_wording: The latest report that intake may take: its id, and its words.
    """

    number: int
    area: int
    category: int
    severity: float
    changed: bool
    drifted: bool
    in_surge: bool
    growing: bool
    second: int
    unresolved_days: float
    times: list[float]
    reporters: list[int]
    outcome: str | None = None
    outcome_time: float = math.inf
    facts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    yuan: int = 0
    problems: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    details: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    hints: list[str] = field(default_factory=list)
    people: dict[int, str] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)
    last_report_id: str = ""
    last_wording: Wording = Wording("", "", (), ())


def arise(random: Random, number: int, *, cell: tuple[int, int], day: int, world: World) -> Matter:
    """Draw a matter that begins on a day in a cell of area and category."""
    area, category = cell
    name = CATEGORIES[category]
    severity = min(1.0, max(0.0, random.betavariate(1.2, 3.4) + _SEVERITY.get(name, 0.0)))
    growing = random.random() < world.share_growing
    start = day * DAY + _second_of_day(random)
    open_until = start + random.expovariate(1 / _DAYS_OPEN) * DAY
    times, reporters = _gather(random, name, severity, growing, start, open_until)
    matter = Matter(
        number=number,
        area=area,
        category=category,
        severity=severity,
        changed=world.changed,
        drifted=world.changed and random.random() < _SHARE_NEW,
        in_surge=world.surging,
        growing=growing,
        second=_second(random, category),
        unresolved_days=random.expovariate(1 / _DAYS_BEFORE),
        times=times,
        reporters=reporters,
    )
    _become(random, matter, open_until)
    return matter


def _gather(
    random: Random, name: str, severity: float, growing: bool, start: float, open_until: float
) -> tuple[list[float], list[int]]:
    """Draw who reports a matter when, as long as it is open."""
    times, reporters, people, time = [start], [0], 1, start
    expected = random.randrange(6, 24) if growing else 0.28 * _JOINED.get(name, 0.8) * (0.5 + 1.6 * severity)
    mean_gap = (1.2 if growing else 6.0) * DAY
    while random.random() < expected / (1 + expected):
        time = _at_a_waking_hour(random, time + random.expovariate(1 / mean_gap))
        if time > open_until:
            break
        again = random.random() < _SHARE_AGAIN
        times.append(time)
        reporters.append(random.randrange(people) if again else people)
        people += not again
    return times, reporters


def _second(random: Random, category: int) -> int:
    """The other category that a matter touches; a wage quarrel that came to blows, a lease that ended in a theft."""
    drawn = random.random()
    if drawn > _SHARE_MIXED:
        return category
    if drawn > 0.3 * _SHARE_MIXED:
        return CATEGORIES.index(random.choice(of_category(CATEGORIES[category]).overlaps))
    return random.randrange(len(CATEGORIES))


def _second_of_day(random: Random) -> float:
    """Seconds after midnight: mornings and evenings more than nights."""
    return min(DAY - 1.0, max(0.0, random.choice((9.5, 11.0, 15.5, 20.0)) * 3600 + random.gauss(0, 5400)))


def _at_a_waking_hour(random: Random, time: float) -> float:
    return max(time, math.floor(time / DAY) * DAY + _second_of_day(random))


def hazard(matter: Matter) -> float:
    """Scale of the daily hazard of harm, with one reporter: bad and long unresolved matters more."""
    severity, slope, base = matter.severity, SLOPE, BASE
    if matter.drifted:
        severity = _SEVERITY_OF_NEW
    elif matter.changed:
        slope, base = 0.5 * SLOPE, BASE * math.exp(0.13 * SLOPE)
    return base * math.exp(slope * severity) * (1 + matter.unresolved_days / _DOUBLES_AFTER_DAYS)


def _become(random: Random, matter: Matter, open_until: float) -> None:
    """Draw whether and when harm follows, while the matter is open, by inverting the cumulative hazard piece by piece."""
    left, start, scale = random.expovariate(1.0), matter.times[0], hazard(matter)
    for place, (begin, end) in enumerate(pairwise([*matter.times, open_until])):
        rate = scale * (1 + PER_REPORT * min(place, 8))
        since, until = ((begin - start) / DAY) ** SHAPE, ((max(begin, end) - start) / DAY) ** SHAPE
        if left < rate * (until - since):
            names, weights = _OUTCOMES[_OUTCOME_OF.get(CATEGORIES[matter.category], "injury")]
            matter.outcome = random.choices(names, weights)[0]
            matter.outcome_time = start + DAY * (since + left / rate) ** (1 / SHAPE)
            return
        left -= rate * (until - since)
