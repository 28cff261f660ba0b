"""Small inputs for the surge tests."""

from datetime import date

import numpy as np
import pandas as pd

from pipeline.emerging.baseline import Watched
from pipeline.params import load_params
from pipeline.sections import EmergingParams
from tests.conftest import ROOT
from tests.emerging.simulated import levels


def make_params(**changes) -> EmergingParams:
    """The project's own parameters, with fewer draws."""
    return load_params(ROOT).emerging.model_copy(update={"n_simulated": 400, "n_trials": 2, **changes})


def make_watched(observed, *, slow=0.0, quick=0.0) -> Watched:
    observed = np.atleast_2d(np.asarray(observed, dtype=float))
    n_series = len(observed)
    return Watched(observed, np.ones_like(observed), np.full(n_series, slow), np.full(n_series, quick))


def make_series(*, n_days=120, rate=6.0, first_day=date(2019, 3, 4), seed=1, surge=None):
    """Two areas and two categories of Poisson counts; `surge` is (area, category, first day's index, factor, days)."""
    rates = np.full((2, 2, n_days), rate)
    if surge is not None:
        area, category, start, factor, length = surge
        rates[area, category, start : start + length] *= factor
    observed = np.random.default_rng(seed).poisson(rates)
    return levels(observed, np.datetime64(first_day, "D") + np.arange(n_days))


def make_reports(*rows, recorded=False) -> pd.DataFrame:
    """Reports from (received, area, category, reporter), or (received, recorded, area, category, reporter) if recorded."""
    names = ["received_at", *(["recorded_at"] if recorded else []), "area", "category", "reporter_hash"]
    frame = pd.DataFrame(rows, columns=names)
    for name in ("received_at", "recorded_at"):
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame
