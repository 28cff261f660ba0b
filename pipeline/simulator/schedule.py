"""What happens when: matters and their reports and outcomes, in order of time, one day at a time.

The schedule is run twice with the same seed. The first run only counts how many reports there would be; the second keeps
exactly as many as were asked for, chosen as they come (selection sampling, Knuth, *The Art of Computer Programming* 2,
algorithm S). So memory holds the matters that are open and nothing else, however many reports there are.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np

from pipeline.simulator.matters import DAY, Matter, World, arise
from pipeline.simulator.scenarios import Scenario

_REPORTS_PER_MATTER = 1.15  # a low guess: too many are thinned out, too few could not be made up


@dataclass(frozen=True)
class Event:
    """A report that comes in (`place` is its number within the matter) or an outcome that is recorded (`place` is -1)."""

    time: float
    matter: Matter
    place: int


def events(scenario: Scenario, *, seed: int, n_reports: int) -> Iterator[list[Event]]:
    """One list of events a day, in order of time; exactly `n_reports` of them are reports."""
    scale, total = 1.0, 0
    while total < n_reports:
        total = sum(event.place >= 0 for day in _all_events(scenario, seed, n_reports, scale) for event in day)
        scale *= 1.0 if total >= n_reports else 1.25
    keep, wanted, left = Random(f"{seed} thinning"), n_reports, total
    for day in _all_events(scenario, seed, n_reports, scale):
        kept = []
        for event in day:
            if event.place >= 0:
                chosen = keep.random() * left < wanted
                left -= 1
                wanted -= chosen
                if not chosen:
                    continue
            kept.append(event)
        yield kept


def _all_events(scenario: Scenario, seed: int, n_reports: int, scale: float) -> Iterator[list[Event]]:
    """Every event of every day, before thinning."""
    random, rng = Random(f"{seed} matters"), np.random.default_rng((seed, 1))
    waiting: list[tuple[float, int, int, Matter]] = []
    number = 0
    per_day = scale * (1.05 * n_reports + 3 * n_reports**0.5 + 5) / _REPORTS_PER_MATTER / scenario.n_days
    for day in range(scenario.n_days):
        counts = rng.poisson(per_day * scenario.intensity(day))
        surging = scenario.surging(day)
        for area, category in zip(*(where.tolist() for where in np.nonzero(counts)), strict=True):
            world = World(day >= scenario.drift_day, (area, category) in surging, scenario.share_growing)
            for _ in range(counts[area, category]):
                matter = arise(random, number, cell=(area, category), day=day, world=world)
                number += 1
                for place, time in enumerate(matter.times):
                    heapq.heappush(waiting, (time, matter.number, place, matter))
                if matter.outcome is not None:
                    heapq.heappush(waiting, (matter.outcome_time, matter.number, -1, matter))
        today = []
        while waiting and waiting[0][0] < (day + 1) * DAY:
            time, _, place, matter = heapq.heappop(waiting)
            today.append(Event(time, matter, place))
        yield today
