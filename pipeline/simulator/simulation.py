"""From a scenario to files: every report is written down as it comes in, and what nobody knows is written beside it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from tqdm import tqdm

from pipeline.errors import ParameterError
from pipeline.simulator import dirty
from pipeline.simulator.grammar import shared
from pipeline.simulator.matters import Matter, settle_facts
from pipeline.simulator.personal import mobile
from pipeline.simulator.scenarios import CATEGORIES, SURGE_DAYS, Scenario, make_scenario
from pipeline.simulator.schedule import Event, events
from pipeline.simulator.wording import Wording, write
from pipeline.simulator.writing import COLUMNS, Files, as_line

_SHARE_COPIED = 0.12  # of the later reports of a matter: about 3 % of all
_SHARE_UNLABELLED, _SHARE_MISLABELLED = 0.10, 0.02
_SHARE_WITHOUT_AREA = 0.03


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
        town = _Town(laid_out, Random(f"{seed} words"), files)
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


class _Town:
    """Writes down what happens, event by event."""

    def __init__(self, scenario: Scenario, random: Random, files: Files) -> None:
        self._scenario, self._random, self._files = scenario, random, files
        self._midnight = datetime.combine(scenario.start, time.min)
        self._n_reports = 0
        self._previous_id = ""

    def take(self, event: Event) -> None:
        """Write down a report or an outcome; an outcome of a matter that nobody reported leaves no trace."""
        if event.place >= 0:
            self._report(event)
        elif event.matter.last_report_id:
            self._files.row("outcomes.csv", event.matter.last_report_id, event.matter.outcome, self._clock(event.time))

    def _clock(self, seconds: float) -> str:
        return (self._midnight + timedelta(seconds=int(seconds))).isoformat(sep=" ")

    def _report(self, event: Event) -> None:
        matter, random = event.matter, self._random
        if not matter.facts:
            settle_facts(random, matter)
            self._write_matter(matter)
        self._n_reports += 1
        report_id = f"S{self._n_reports:07d}"
        is_copy = bool(matter.last_report_id) and random.random() < _SHARE_COPIED
        written = write(random, matter, event.place)
        title, body = matter.last_text if is_copy else (written.title, written.body)
        row = {
            "report_id": report_id,
            "received_at": self._clock(event.time),
            "title": title,
            "body": body,
            "area": "" if random.random() < _SHARE_WITHOUT_AREA else matter.facts["area"],
            "channel": random.choices(shared().channels, shared().channel_weights)[0],
            "reporter": self._reporter(matter, matter.reporters[event.place]),
            "category": self._label(CATEGORIES[matter.category]),
        }
        is_spoilt = self._write_row(row)
        self._write_truth(report_id, matter, None if is_copy or is_spoilt else written)
        matter.last_report_id, matter.last_text = report_id, (title, body)
        self._previous_id = report_id

    def _write_row(self, row: dict[str, str]) -> bool:
        """Write the row, spoilt now and then; returns whether it is."""
        random = self._random
        if random.random() >= self._scenario.share_dirty:
            self._files.row("reports.csv", *row.values())
            return False
        kind = dirty.choose(random)
        spoilt = dirty.spoil_fields(random, kind, row, self._previous_id)
        line = as_line([spoilt[name] for name in COLUMNS["reports.csv"]])
        self._files.raw("reports.csv", dirty.spoil_bytes(kind, line, spoilt["body"]))
        self._files.row("truth/dirty.csv", self._files.n_rows["reports.csv"], kind, int(dirty.KINDS[kind]))
        return True

    def _write_matter(self, matter: Matter) -> None:
        self._files.row(
            "truth/matters.csv", matter.number, matter.facts["area"], CATEGORIES[matter.category], f"{matter.severity:.4f}",
            self._clock(matter.times[0]), int(matter.growing), int(matter.drifted), matter.outcome or "",
        )  # fmt: skip

    def _write_truth(self, report_id: str, matter: Matter, written: Wording | None) -> None:
        happened = self._clock(matter.outcome_time) if matter.outcome is not None else ""
        severity = f"{matter.severity:.4f}"
        category = CATEGORIES[matter.category]
        self._files.row("truth/reports.csv", report_id, matter.number, category, severity, matter.outcome or "", happened)
        if written is None:
            return
        for place, item in written.planted:
            self._files.row("truth/planted.csv", report_id, place, item.kind, item.text)
        for place, text in written.decoys:
            self._files.row("truth/decoys.csv", report_id, place, text)

    def _reporter(self, matter: Matter, person: int) -> str:
        """The id under which the export knows a person; the same person keeps it."""
        if person not in matter.people:
            matter.people[person] = (
                mobile(self._random)[-11:] if self._random.random() < 0.7 else f"u{self._random.randrange(10**8):08d}"
            )
        return matter.people[person]

    def _label(self, category: str) -> str:
        """The category as the desk noted it: sometimes missing, sometimes wrong."""
        drawn = self._random.random()
        if drawn < _SHARE_UNLABELLED:
            return ""
        return self._random.choice(CATEGORIES) if drawn < _SHARE_UNLABELLED + _SHARE_MISLABELLED else category
