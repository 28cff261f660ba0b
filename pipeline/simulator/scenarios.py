"""What happens in the made-up town: how much, where, when, and what changes.

`plain` is a town in its usual seasons. `surge` adds cells of area and category in which matters begin 1.5, 2 or 3 times as
often for a week, and more matters that grow fast. Since a matter is reported for weeks, the reports of that week rise by less:
to about 1.4, 1.75 and 2.65 times. `drift` changes wording, mix and what leads to harm in the last third. `dirty` spoils
rows.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from pipeline.errors import ParameterError
from pipeline.simulator.grammar import shared

CATEGORIES = (
    "wages", "work_injury", "neighbours", "housing", "consumer", "family", "private_debt", "school", "clinic", "traffic",
    "fraud_tip", "theft_tip", "safety_hazard", "environment",
)  # fmt: skip
_SHARES = np.array([13, 4, 9, 12, 12, 7, 6, 6, 5, 7, 8, 5, 4, 10], dtype=float)
_PEAK_DAY = np.array([15, 150, 120, 60, 320, 40, 20, 250, 340, 280, 160, 350, 200, 200])  # day of the year of most reports
_SWING = np.array([0.5, 0.1, 0.1, 0.1, 0.15, 0.1, 0.3, 0.3, 0.15, 0.1, 0.1, 0.2, 0.25, 0.35])
_WEEKDAY = np.array([1.22, 1.12, 1.06, 1.04, 1.02, 0.82, 0.72])
SURGE_DAYS = 7
_FACTORS = (1.5, 2.0, 3.0)
NAMES = ("plain", "surge", "drift", "dirty")


@dataclass(frozen=True)
class Surge:
    """A cell in which more matters than usual begin for a week."""

    area: int
    category: int
    first_day: int
    factor: float


@dataclass(frozen=True)
class Scenario:
    """What the schedule is drawn from.

    Attributes:
        name: One of `NAMES`.
        start: First day.
        n_days: Days.
        cells: Usual share of each area and category, shape (n_areas, n_categories), sums to 1.
        surges: Injected surges.
        share_growing: Share of matters that grow fast.
        drift_day: First day of the changed world; `n_days` where nothing changes.
        share_dirty: Share of rows that are spoilt.
    """

    name: str
    start: date
    n_days: int
    cells: np.ndarray
    surges: tuple[Surge, ...]
    share_growing: float
    drift_day: int
    share_dirty: float

    def intensity(self, day: int) -> np.ndarray:
        """How much each cell reports on a day, relative to its usual share; shape (n_areas, n_categories)."""
        when = self.start + timedelta(days=day)
        season = 1 + _SWING * np.cos(2 * np.pi * (when.timetuple().tm_yday - _PEAK_DAY) / 365)
        cells: np.ndarray = self.cells * season * _WEEKDAY[when.weekday()]
        if day >= self.drift_day:
            cells = cells * _DRIFTED_MIX
        for surge in self._on(day):
            cells[surge.area, surge.category] *= surge.factor
        return cells

    def surging(self, day: int) -> frozenset[tuple[int, int]]:
        """The cells that surge on a day."""
        return frozenset((surge.area, surge.category) for surge in self._on(day))

    def _on(self, day: int) -> list[Surge]:
        return [surge for surge in self.surges if surge.first_day <= day < surge.first_day + SURGE_DAYS]


_DRIFTED_MIX = np.array([0.6, 1.0, 1.0, 0.8, 1.5, 1.0, 1.2, 1.0, 1.0, 1.0, 2.4, 1.0, 1.0, 0.8])


def make_scenario(name: str, *, seed: int, start: date, n_days: int) -> Scenario:
    """Lay out a scenario.

    Raises:
        ParameterError: If there is none of that name, or it has no days.
    """
    if name not in NAMES:
        raise ParameterError(f"There is no scenario '{name}'; there are {', '.join(NAMES)}.")
    if n_days < 1:
        raise ParameterError(f"A simulation needs at least 1 day, got {n_days}. Give --days a larger number.")
    rng = np.random.default_rng((seed, 0))
    areas = np.array(shared().area_weights)
    cells = np.outer(areas / areas.sum(), _SHARES / _SHARES.sum()) * rng.lognormal(0.0, 0.35, (len(areas), len(CATEGORIES)))
    return Scenario(
        name=name,
        start=start,
        n_days=n_days,
        cells=cells / cells.sum(),
        surges=_surges(rng, n_days) if name == "surge" else (),
        share_growing=0.02 if name == "surge" else 0.008,
        drift_day=n_days * 2 // 3 if name == "drift" else n_days,
        share_dirty=0.05 if name == "dirty" else 0.0,
    )


def _surges(rng: np.random.Generator, n_days: int) -> tuple[Surge, ...]:
    """About two surges every nine days, of each size equally often, never two in one cell at a time."""
    found: list[Surge] = []
    n_wanted = max(1, n_days * 2 // 9)
    while len(found) < n_wanted:
        surge = Surge(
            int(rng.integers(len(shared().areas))),
            int(rng.integers(len(CATEGORIES))),
            int(rng.integers(max(1, n_days - SURGE_DAYS))),
            _FACTORS[len(found) % 3],
        )
        near = [o for o in found if (o.area, o.category) == (surge.area, surge.category)]
        if all(abs(o.first_day - surge.first_day) > 3 * SURGE_DAYS for o in near):
            found.append(surge)
        elif n_days < 4 * SURGE_DAYS:
            break
    return tuple(sorted(found, key=lambda surge: (surge.first_day, surge.area, surge.category)))
