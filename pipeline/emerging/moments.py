"""Matters as they stood at some moment: what is known of their growth then, and how many people came after.

Past matters are looked at some midnights after each new person, until the next came; the days in between are like one of
these. What is remembered of people fades with three half-lives. The first person is kept apart from those who followed:
that one person reports something says little, that others follow says much.
"""

from dataclasses import dataclass, fields

import numpy as np

from pipeline.emerging.arrivals import Arrivals
from pipeline.emerging.series import Integers, Reals

MEMORIES = np.array([2.0, 7.0, 28.0])
"""Half-lives in days: a burst, a week's talk, a quarrel that goes on."""
AFTER_DAYS = (0, 1, 2, 4, 8, 16)
"""Days after a new person at which past matters are looked at; a moment stands for the days until the next."""
MOST = np.array([4.0, 6.0])
"""Remembered followers beyond which their square grows no more."""
FOLLOWERS_WEEK = 3
"""Column of the features that holds followers remembered for a week."""
N_FEATURES = 7
FAR = 1e6
"""More days than any source covers, so that matter and day sort as one number."""


@dataclass(frozen=True)
class Moments:
    """Matters as they stood at some moments.

    Attributes:
        matters: Number of each one's matter, shape (n_moments,).
        days: Days since 1970, same shape.
        n_people: People so far, same shape.
        features: A constant; the first person, remembered for a week; followers, by memory; the squares of the first two of
            these; shape (n_moments, N_FEATURES), non-negative.
        spans: Days each moment stands for, shape (n_moments,).
        later: People who came within the horizon, shape (n_moments,); meaningless where it has not closed.
    """

    matters: Integers
    days: Reals
    n_people: Integers
    features: Reals
    spans: Reals
    later: Reals

    def where(self, kept: "np.ndarray") -> "Moments":
        """Some of them."""
        return Moments(*(getattr(self, one.name)[kept] for one in fields(self)))


def past_moments(arrivals: Arrivals, *, horizon_days: int) -> Moments:
    """Matters as they stood at midnights after each new person.

    Args:
        arrivals: First reports of people; a day begins where `days` is whole.
        horizon_days: Days within which later people are counted.
    """
    matters = arrivals.matters
    last = np.append(matters[1:] != matters[:-1], True) if len(matters) else np.zeros(0, dtype=bool)
    follows = np.where(last, np.inf, np.append(arrivals.days[1:], np.inf)) if len(matters) else np.zeros(0)
    midnights = np.floor(arrivals.days) + 1.0
    spans = np.diff([*AFTER_DAYS, 2 * AFTER_DAYS[-1]])
    found = [(np.flatnonzero(midnights + after <= follows), after, span) for after, span in zip(AFTER_DAYS, spans, strict=True)]
    rows = np.concatenate([places for places, _, _ in found])
    at = midnights[rows] + np.concatenate([np.full(len(places), after) for places, after, _ in found])
    span = np.concatenate([np.full(len(places), float(span)) for places, _, span in found])
    ends = np.searchsorted(matters * FAR + arrivals.days, matters[rows] * FAR + at + horizon_days)
    return _moments(arrivals, rows, at, span, (ends - rows - 1).astype(np.float64))


def present_moments(arrivals: Arrivals, *, at: float) -> Moments:
    """Every matter as it stands at one moment, after all its arrivals."""
    rows = arrivals.starts[1:] - 1
    return _moments(arrivals, rows, np.full(len(rows), at), np.ones(len(rows)), np.full(len(rows), np.nan))


def _moments(arrivals: Arrivals, rows: Integers, at: Reals, spans: Reals, later: Reals) -> Moments:
    """Moments after these arrivals."""
    matters = arrivals.matters[rows]
    remembered = _remembered(arrivals)[rows] * 2.0 ** (-(at - arrivals.days[rows])[:, None] / MEMORIES)
    first = 2.0 ** (-(at - arrivals.days[arrivals.starts[matters]])[:, None] / MEMORIES)
    followers = np.maximum(remembered - first, 0.0)
    squares = np.minimum(followers[:, :2], MOST) ** 2
    features = np.concatenate([np.ones((len(rows), 1)), first[:, 1:2], followers, squares], axis=1)
    return Moments(matters, at, arrivals.places[rows] + 1, features, spans, later)


def _remembered(arrivals: Arrivals) -> Reals:
    """Remembered people just after each arrival, shape (n_arrivals, n_memories)."""
    remembered = np.ones((len(arrivals.days), len(MEMORIES)))
    gaps = np.diff(arrivals.days, prepend=0.0)
    places = arrivals.places
    order = np.argsort(places, kind="stable")
    bounds = np.searchsorted(places[order], np.arange(1, (int(places.max()) if len(places) else 0) + 2))
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        rows = order[start:stop]
        remembered[rows] += remembered[rows - 1] * 2.0 ** (-gaps[rows, None] / MEMORIES)
    return remembered
