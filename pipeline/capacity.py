"""`triage capacity`: what a number of reviewers would have read in time on past nights, replayed or real.

The nights of the last finished backtest are taken, because their models knew only what was known; without one, the nights that
were really run. The order is the one the nights went by; each number of reviewers keeps its own open reports.
"""

import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.errors import ParameterError
from pipeline.evaluation.report import png
from pipeline.evaluation.staffing import Staffing, draw_levels, measure_levels, missed_by_category, reports_a_day
from pipeline.nights import published
from pipeline.orders import Said, replay_order
from pipeline.params import Places, load_params, load_project
from pipeline.past import Past, look_back
from pipeline.refits import everything_known
from pipeline.taxonomy import load_taxonomy

Days = tuple[date | None, date | None]


def measure_reviewers(root: Path, days: Days, *, n_reviewers: int, minutes: float) -> tuple[Staffing, Path]:
    """Measure a number of reviewers on past nights and write `capacity.json`, `capacity.png` and `capacity.svg`.

    Args:
        root: Project folder.
        days: First and last night; None for no bound.
        n_reviewers: Reviewers asked about, at least 1.
        minutes: Minutes a report takes, above 0.

    Returns:
        What was measured, and the folder that was written.

    Raises:
        ParameterError: If there are no such nights.
    """
    past, folder = _past(root, days)
    params = past.params.backtest
    numbers = range(1, n_reviewers + params.more_reviewers + 1)
    capacities = {number: reports_a_day(number, minutes=minutes, hours_per_day=params.hours_per_day) for number in numbers}
    read = {number: _read_by(past, capacity) for number, capacity in capacities.items()}
    measured = past.params.evaluation
    how = {"confidence": measured.confidence}
    levels = measure_levels(past.fate, read, capacities, n_resamples=measured.n_bootstrap, seed=past.params.seed, **how)
    taxonomy = load_taxonomy(Places(root, past.profile.name).taxonomy(past.profile.taxonomy))
    names = {category.id: (category.zh, category.en) for category in taxonomy.categories}
    staffing = Staffing(
        first_day=past.days[0].isoformat(),
        last_day=past.days[-1].isoformat(),
        n_reviewers=n_reviewers,
        minutes=minutes,
        hours_per_day=params.hours_per_day,
        n_escalated=int(past.fate.escalated.sum()),
        n_reachable=int((past.fate.escalated & (past.fate.first_night <= past.fate.last_night)).sum()),
        levels=levels,
        missed=missed_by_category(past.fate, read[n_reviewers], _categories(past), names),
    )
    _write(staffing, folder)
    return staffing, folder


def _past(root: Path, days: Days) -> tuple[Past, Path]:
    """The nights asked for, and the folder their results go to."""
    params = load_params(root)
    replayed = sorted(
        (root / "data" / "backtests" / params.profile).glob("*_*/capacity-*/results.json"),
        key=lambda path: path.stat().st_mtime,
    )
    for results in reversed(replayed):
        service = results.parent
        bounds = tuple(date.fromisoformat(day) for day in service.parent.name.split("_"))
        if all(wanted is None or wanted == bound for wanted, bound in zip(days, bounds, strict=True)):
            return _look_back(service, root, service.parent / "known", (None, None)), service
    folder = root / "data" / "backtests" / params.profile / "real"
    shutil.rmtree(folder / "known", ignore_errors=True)  # sources grow from day to day
    return _look_back(root, root, folder / "known", days), folder


def _look_back(project: Path, root: Path, known: Path, days: Days) -> Past:
    params, profile, places = load_project(project)
    nights = places.nights
    first, last = days
    chosen = [day for day in published(nights) if (first is None or day >= first) and (last is None or day <= last)]
    if not chosen:
        raise ParameterError(
            f"There are no nights to measure in {nights}. Run `triage backtest --from --to` first, or name days with nights."
        )
    return look_back(nights, chosen, everything_known(root, known), params, profile)


def _read_by(past: Past, capacity: int) -> np.ndarray:
    """Night that gives each report to somebody if so many are read; what was said of it is looked at anew every night."""

    def order(night: int, places: np.ndarray) -> Said:
        return Said(past.said[night].priority[places], past.said[night].unclear[places])

    scoring, every_night = past.params.scoring, frozenset(range(len(past.days)))
    return replay_order(
        past.came, order, capacity=capacity, audit_share=scoring.audit_share, unclear_share=scoring.unclear_share,
        renewed=every_night,
    ).night  # fmt: skip


def _categories(past: Past) -> np.ndarray:
    """The category each report was last said to have, shape (n_reports,)."""
    ids, said = pd.Index(past.reports["report_id"]), np.full(len(past.reports), "", dtype=object)
    for day in past.days:
        queue = pd.read_parquet(past.nights / day.isoformat() / "queue.parquet", columns=["report_id", "category"])
        places = ids.get_indexer(pd.Index(queue["report_id"]))
        said[places[places >= 0]] = queue["category"].to_numpy()[places >= 0]
    return said


def _write(staffing: Staffing, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    results = json.dumps(staffing.as_results(), ensure_ascii=False, indent=2, allow_nan=False)
    (folder / "capacity.json").write_text(results + "\n", encoding="utf-8")
    figure = draw_levels(staffing)
    (folder / "capacity.png").write_bytes(png(figure))
    figure.savefig(folder / "capacity.svg", metadata={"Date": None})
