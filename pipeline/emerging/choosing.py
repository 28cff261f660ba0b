"""Which method watches which series: a trial on the series' own past.

Surges are put into past weeks that really happened: to each day's count is added what a rise by the design factor and by half
as much again would have brought. Every method is asked, night by night, with thresholds that raise equally few false
alarms, and is credited with the share of the surge it leaves to act in, less what it would have alarmed anyway. A series
keeps the usual method unless another does better by more than the trial's own error; the record of similar series counts as
much as its own, because a handful of trials on one series is mostly luck.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.emerging import methods
from pipeline.emerging.baseline import Watched
from pipeline.emerging.series import Integers, Reals
from pipeline.emerging.thresholds import Tail
from pipeline.sections import EmergingParams


def choose(
    watched: Watched,
    level: Reals,
    groups: Integers,
    tails: dict[tuple[str, int], Tail],
    *,
    allowed: Sequence[str],
    cut: float,
    params: EmergingParams,
    step_days: int,
    rng: np.random.Generator,
) -> list[str]:
    """Choose a method for every series.

    Args:
        watched: The series, up to the day of choosing.
        level: Expected count of a step of exposure 1, shape (n_series,).
        groups: Group of similar series each belongs to, shape (n_series,).
        tails: Of every allowed method in every group.
        allowed: Methods that history is long enough for; the usual one first.
        cut: p-value at or below which a trial counts as found.
        params: Section `emerging`; its days are steps.
        step_days: Days a step.
        rng: Source of randomness.

    Returns:
        One of `allowed` for each series.
    """
    n_steps = watched.observed.shape[1]
    n_trials = min(params.n_trials, (n_steps - params.short_history_days) // params.surge_days)
    if len(allowed) == 1 or n_trials < 2:
        return [allowed[0]] * len(level)
    credits = np.zeros((len(allowed), len(level), n_trials, 3))
    for trial in range(n_trials):
        end = n_steps - trial * params.surge_days
        for size, rise in enumerate((1.0, params.design_rise, 1.5 * params.design_rise)):
            tried = _with_surge(watched, level, end, rise, params.surge_days, rng)
            for place, method in enumerate(allowed):
                p_values = _p_values(method, tried, groups, tails, params=params, step_days=step_days)
                credits[place, :, trial, size] = _credit(p_values <= cut)
    credits = credits[..., 1:] - credits[..., :1]  # what would have alarmed anyway earns nothing
    return _best(credits.reshape(len(allowed), len(level), -1), groups, allowed)


def _with_surge(watched: Watched, level: Reals, end: int, rise: float, surge_steps: int, rng: np.random.Generator) -> Watched:
    """The series up to step `end`, with a surge in its last steps."""
    observed, exposure = watched.observed[:, :end].copy(), watched.exposure[:, :end]
    observed[:, -surge_steps:] += rng.poisson((rise - 1.0) * level[:, None] * exposure[:, -surge_steps:])
    return Watched(observed, exposure, watched.slow, watched.quick)


def _p_values(
    method: str,
    tried: Watched,
    groups: Integers,
    tails: dict[tuple[str, int], Tail],
    *,
    params: EmergingParams,
    step_days: int,
) -> Reals:
    scores, _ = methods.score(method, tried, n_asked=params.surge_days, params=params, step_days=step_days)
    p_values = np.ones_like(scores)
    for group in np.unique(groups):
        p_values[groups == group] = tails[method, int(group)].p_values(scores[groups == group])
    return p_values


def _credit(found: "np.ndarray") -> Reals:
    """Share of the surge that was still to come when it was found, today included; 0 if it was not."""
    n_steps = found.shape[1]
    first = np.where(found.any(axis=1), found.argmax(axis=1), n_steps)
    credit: Reals = 1.0 - first / n_steps
    return credit


def _best(credits: Reals, groups: Integers, allowed: Sequence[str]) -> list[str]:
    """The method of each series, from credits of shape (n_methods, n_series, n_trials)."""
    gain = credits - credits[:1]  # over the usual method, trial by trial
    n_trials = gain.shape[2]
    pooled = np.zeros(gain.shape[:2])
    for group in np.unique(groups):
        pooled[:, groups == group] = gain[:, groups == group].mean(axis=(1, 2))[:, None]
    error = np.sqrt((gain**2).sum(axis=2) + 1.0) / n_trials  # one trial won or lost is no evidence
    better = (gain.mean(axis=2) + pooled) / 2.0 - error
    better[0] = 0.0
    return [allowed[place] for place in better.argmax(axis=0)]
