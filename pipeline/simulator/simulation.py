"""From a scenario to files: every report is written down as it comes in, and what nobody knows is written beside it."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

from tqdm import tqdm

from pipeline.errors import ParameterError
from pipeline.simulator.grammar import shared
from pipeline.simulator.scenarios import CATEGORIES, SURGE_DAYS, make_scenario
from pipeline.simulator.schedule import events
from pipeline.simulator.town import Town
from pipeline.simulator.writing import Files


@dataclass(frozen=True)
class SimulationSummary:
    """What was written.

    Attributes:
        folder: Where.
        n_reports: Rows of `reports.csv`, spoilt ones included.
        n_outcomes: Rows of `outcomes.csv`.
        n_matters: Matters with at least one report.
        n_surges: Injected surges.
        n_planted: Planted personal items.
        n_dirty: Spoilt rows.
    """

    folder: Path
    n_reports: int
    n_outcomes: int
    n_matters: int
    n_surges: int
    n_planted: int
    n_dirty: int

    def __str__(self) -> str:
        return (
            f"{self.n_reports} reports of {self.n_matters} matters, {self.n_outcomes} outcomes, {self.n_surges} surges, "
            f"{self.n_planted} personal items, {self.n_dirty} spoilt rows in {self.folder}"
        )


def simulate(folder: Path, *, n_reports: int, seed: int, scenario: str, start: date, days: int) -> SimulationSummary:
    """Write simulated source files and their truth.

    Args:
        folder: Takes `reports.csv`, `outcomes.csv` and `truth/`; files of those names are replaced.
        n_reports: Rows of `reports.csv`, at least 1.
        seed: The same seed gives the same bytes.
        scenario: `plain`, `surge`, `drift` or `dirty`.
        start: First day.
        days: Days, at least 1.

    Raises:
        ParameterError: If the scenario is unknown or a number is below 1.
    """
    if n_reports < 1:
        raise ParameterError(f"A simulation needs at least 1 report, got {n_reports}. Give --reports a larger number.")
    laid_out = make_scenario(scenario, seed=seed, start=start, n_days=days)
    with Files(folder) as files:
        town = Town(laid_out, Random(f"{seed} words"), files)
        for today in tqdm(events(laid_out, seed=seed, n_reports=n_reports), total=days, unit="day", disable=None, leave=False):
            for event in today:
                town.take(event)
        for surge in laid_out.surges:
            names = shared().areas[surge.area], CATEGORIES[surge.category]
            files.row("truth/surges.csv", *names, start + timedelta(days=surge.first_day), SURGE_DAYS, surge.factor)
        rows = files.n_rows
    return SimulationSummary(
        folder=folder,
        n_reports=rows["reports.csv"],
        n_outcomes=rows["outcomes.csv"],
        n_matters=rows["truth/matters.csv"],
        n_surges=rows["truth/surges.csv"],
        n_planted=rows["truth/planted.csv"],
        n_dirty=rows["truth/dirty.csv"],
    )
