"""Counts of a simulated town without its texts: who reports where, when and of what, straight from the schedule."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from pipeline.simulator.scenarios import SURGE_DAYS, Surge, make_scenario
from pipeline.simulator.schedule import events
from tests.emerging.simulated import levels

FIRST_DAY = date(2024, 10, 1)


def town(per_day, *, seed, n_surges=60, rises=(1.5, 2.0, 3.0), history_days=180, watched_days=90, scenario="surge"):
    """Counts at all levels, and the surges put into the watched days, each in a cell of its own.

    `rise` is how much oftener matters begin; `seen` how much more reports the week brought than the four weeks before.
    """
    n_days, rng = history_days + watched_days, np.random.default_rng(seed)
    laid_out = make_scenario(scenario, seed=seed, start=FIRST_DAY, n_days=n_days)
    n_areas, n_categories = laid_out.cells.shape
    surges = tuple(
        Surge(
            *divmod(int(cell), n_categories), history_days + int(rng.integers(0, watched_days - 6)), rises[place % len(rises)]
        )
        for place, cell in enumerate(rng.permutation(n_areas * n_categories)[:n_surges])
    )
    counts = np.zeros((n_areas, n_categories, n_days), dtype=np.int64)
    for day, happened in enumerate(events(replace(laid_out, surges=surges), seed=seed, n_reports=per_day * n_days)):
        for event in happened:
            if event.place >= 0:
                counts[event.matter.area, event.matter.category, day] += 1
    days = np.arange(FIRST_DAY, FIRST_DAY + timedelta(days=n_days), dtype="datetime64[D]")
    series = levels(counts, days)
    rows = []
    for surge in surges:
        own = counts[surge.area, surge.category]
        base, week = own[surge.first_day - 28 : surge.first_day].mean(), own[surge.first_day :][:SURGE_DAYS].mean()
        row = surge.area * n_categories + surge.category
        rows.append((row, surge.first_day - history_days, SURGE_DAYS, surge.factor, base, week / max(base, 1e-9)))
    return series, pd.DataFrame(rows, columns=["series", "start", "length", "rise", "base", "seen"])
