"""Other reading orders of the same nights: what would have been read by arrival, by keywords, or by another model.

Each order is replayed with the night's own selection (`scoring/ranking.py`), the same capacity, audit share and seeds, over the
same arrivals, and keeps its own open reports. Replaying the model's own priorities gives back what its nights selected; a test
holds it to that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.schema import CLEAR, UNCLEAR
from pipeline.scoring.ranking import rank

_READ = ["report_id", "selected", "lane", "priority", "propensity"]


@dataclass(frozen=True)
class Said:
    """What an order says of reports.

    Attributes:
        priority: Higher is read first, shape (n_reports,).
        unclear: Whether the lane is unclear, shape (n_reports,), bool; never for an order that knows no categories.
    """

    priority: np.ndarray
    unclear: np.ndarray


Order = Callable[[int, np.ndarray], Said]
"""Number of a night and positions of reports to what is said of them."""


@dataclass(frozen=True)
class Arrivals:
    """The reports that the nights of a replay could give out, and when each first could be.

    Attributes:
        tie: What decides between equal priorities after arrival: the order of `report_id`, shape (n_reports,).
        received: Microseconds since 1970, shape (n_reports,).
        first_night: Number of the first night that could give each out, shape (n_reports,).
        seeds: Seed of each night's audit draw.
    """

    tie: np.ndarray
    received: np.ndarray
    first_night: np.ndarray
    seeds: Sequence[int]


@dataclass(frozen=True)
class Given:
    """What the nights gave somebody to read.

    Attributes:
        night: Number of the night that gave each report out, -1 for none, shape (n_reports,).
        audit: Whether it was by the audit draw, shape (n_reports,).
        propensity: Probability with which that night's draw reached it, 1 above the line, NaN where not given out.
    """

    night: np.ndarray
    audit: np.ndarray
    propensity: np.ndarray


def _nothing_given(n_reports: int) -> Given:
    return Given(np.full(n_reports, -1), np.zeros(n_reports, dtype=bool), np.full(n_reports, np.nan))


def arrivals(reports: pd.DataFrame, first_night: np.ndarray, seeds: Sequence[int]) -> Arrivals:
    """What a replay needs to know of reports.

    Args:
        reports: `report_id` and `received_at`.
        first_night: As in `Arrivals`.
        seeds: As in `Arrivals`.
    """
    tie = reports["report_id"].rank(method="first").to_numpy(dtype=np.int64)
    received = reports["received_at"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    return Arrivals(tie, received, first_night, seeds)


def replay_order(
    came: Arrivals,
    order: Order,
    *,
    capacity: int,
    audit_share: float,
    unclear_share: float,
    renewed: frozenset[int] = frozenset(),
) -> Given:
    """Replay the nights with another order.

    Args:
        came: The reports.
        order: What orders them; asked once for each report, and anew for all that are open on `renewed` nights.
        capacity: Reports read in a night.
        audit_share: Share of it drawn from below the line.
        unclear_share: Share of it kept for unclear reports below the line.
        renewed: Nights on which another model begins to serve.
    """
    given = _nothing_given(len(came.tie))
    said = _nothing_said(len(came.tie))
    for number, seed in enumerate(came.seeds):
        is_open = (came.first_night <= number) & (given.night < 0)
        asked = np.flatnonzero(is_open & ((came.first_night == number) | (number in renewed)))
        if len(asked):
            answer = order(number, asked)
            said.priority[asked], said.unclear[asked] = answer.priority, answer.unclear
        places = np.flatnonzero(is_open)
        slim = pd.DataFrame(
            {
                "report_id": came.tie[places],
                "received_at": came.received[places],
                "lane": np.where(said.unclear[places], UNCLEAR, CLEAR),
                "priority": said.priority[places],
                "place": places,
            }
        )
        queue = rank(slim, capacity=capacity, audit_share=audit_share, unclear_share=unclear_share, seed=seed)
        _note(given, number, queue["place"].to_numpy(), queue)
    return given


def _note(given: Given, number: int, places: np.ndarray, queue: pd.DataFrame) -> None:
    """Note what a night gave out; `places` are the positions of the queue's reports."""
    chosen = (queue["selected"] != "waiting").to_numpy()
    given.night[places[chosen]] = number
    given.audit[places[chosen]] = (queue["selected"] == "audit").to_numpy()[chosen]
    given.propensity[places[chosen]] = queue["propensity"].to_numpy()[chosen]


def _nothing_said(n_reports: int) -> Said:
    return Said(np.full(n_reports, np.nan), np.zeros(n_reports, dtype=bool))


def given_by(nights: Path, days: Sequence[date], ids: pd.Index) -> tuple[Given, list[Said]]:
    """What published nights gave out, and what they went by.

    Args:
        nights: Folder with one folder a published night.
        days: The nights, ascending.
        ids: `report_id` of every report that was open on one of them.

    Returns:
        What was given out; and for each night what was last said of every report, NaN and not unclear where nothing was
        known yet.
    """
    given = _nothing_given(len(ids))
    known, said = _nothing_said(len(ids)), []
    for number, day in enumerate(days):
        queue = pd.read_parquet(nights / day.isoformat() / "queue.parquet", columns=_READ)
        places = ids.get_indexer(pd.Index(queue["report_id"]))
        inside = places >= 0
        places, queue = places[inside], queue[inside]
        known.priority[places] = queue["priority"].to_numpy()
        known.unclear[places] = (queue["lane"] == UNCLEAR).to_numpy()
        said.append(Said(known.priority.copy(), known.unclear.copy()))
        _note(given, number, places, queue)
    return given, said
