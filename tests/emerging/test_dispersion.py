"""How far series stray."""

import numpy as np
import pytest

from pipeline.emerging.baseline import windows
from pipeline.emerging.dispersion import strays
from tests.emerging.builders import make_watched

ASKED = {"baseline_steps": 56, "min_steps": 7, "n_asked": 120}
LENGTHS = (1, 7, 14)


def clustered(matters_a_day, *, n_series=60, n_days=260, more=2.0, seed=3):
    """Reports of matters that each bring `more` others, over some ten days."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((n_series, n_days + 60))
    begins = rng.poisson(matters_a_day, counts.shape)
    counts += begins
    for row, day in np.argwhere(begins):
        later = day + 1 + rng.exponential(10.0, rng.poisson(more * begins[row, day])).astype(int)
        np.add.at(counts, (row, later[later < counts.shape[1]]), 1)
    return counts[:, 60:]


def scores(observed, levels):
    """Standardized sums of every length, by the strays found."""
    watched = make_watched(observed)
    slow, quick = strays(watched, levels, **ASKED).parts()
    judged = type(watched)(watched.observed, watched.exposure, slow, quick)
    found = windows(judged, lengths=LENGTHS, **ASKED)
    return {w.length: (w.observed - w.expected) / np.sqrt(w.expected + w.dispersion * w.expected**2) for w in found}


def test_weeks_of_clustered_reports_stray_further_than_days_and_are_known_to():
    observed = clustered(4.0)
    found = strays(make_watched(observed), ["cell"] * len(observed), **ASKED)
    slow, quick = found.parts()
    assert found.seven.mean() > 1.5 * found.one.mean()
    assert quick.mean() < 0.0 < slow.mean()
    spread = {length: values.std() for length, values in scores(observed, ["cell"] * len(observed)).items()}
    assert spread == pytest.approx(dict.fromkeys(LENGTHS, 1.0), abs=0.1)


def test_small_series_stray_further_for_their_size_than_large_ones_of_their_level():
    observed = np.concatenate([clustered(0.5), clustered(12.0, seed=4)])
    found = strays(make_watched(observed), ["cell"] * len(observed), **ASKED)
    small, large = np.split(found.seven, 2)
    assert small.mean() > 5 * large.mean()
    values = scores(observed, ["cell"] * len(observed))[7]
    assert values[:60].std() == pytest.approx(1.0, abs=0.12)
    assert values[60:].std() == pytest.approx(1.0, abs=0.12)
