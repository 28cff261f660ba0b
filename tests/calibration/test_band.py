"""How sure a stated risk is."""

import numpy as np
import pytest
from scipy.special import expit

from pipeline.calibration.band import fit_band
from pipeline.calibration.risk import fit_risk_map

PROBE = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


def _truth(logits):
    return expit(0.8 * logits - 1.5)


def _band(seed, method, *, n_matters=600, copies=1):
    rng = np.random.default_rng(seed)
    matter_logits = rng.normal(0, 1.5, size=n_matters)
    happened = rng.random(n_matters) < _truth(matter_logits)
    logits, escalated = (np.repeat(values, copies) for values in (matter_logits, happened))
    matters = np.repeat(np.arange(n_matters), copies).astype(str)
    how = {"min_positives": 20, "n_bootstrap": 60, "confidence": 0.9, "seed": seed}
    risk = fit_risk_map(logits, escalated, method, min_positives=20).apply(PROBE)
    return risk, *fit_band(logits, escalated, matters, method, **how).apply(PROBE, risk)


@pytest.mark.parametrize(("method", "least"), [("platt", 0.82), ("isotonic", 0.75), ("venn_abers", 0.75)])
def test_the_band_holds_the_true_risk_about_as_often_as_declared(method, least):
    held = []
    for seed in range(30):
        _, low, high = _band(seed, method)
        held.append((low <= _truth(PROBE)) & (_truth(PROBE) <= high))
    assert np.mean(held) >= least  # 0.9 declared, of 150 tries


def test_the_stated_risk_lies_inside():
    risk, low, high = _band(1, "venn_abers")
    assert (low <= risk).all()
    assert (risk <= high).all()


def test_copies_of_a_matter_do_not_narrow_the_band():
    _, low, high = _band(3, "platt")
    _, low_of_copies, high_of_copies = _band(3, "platt", copies=10)
    assert (high_of_copies - low_of_copies).mean() > 0.8 * (high - low).mean()


def test_more_matters_narrow_the_band():
    _, low, high = _band(3, "platt")
    _, low_of_many, high_of_many = _band(3, "platt", n_matters=6000)
    assert (high_of_many - low_of_many).mean() < 0.6 * (high - low).mean()


def test_without_outcomes_everything_is_possible():
    nothing = np.zeros(0)
    how = {"min_positives": 20, "n_bootstrap": 60, "confidence": 0.9, "seed": 1}
    band = fit_band(nothing, nothing.astype(bool), nothing.astype(str), "none", **how)
    low, high = band.apply(PROBE, np.full(5, 0.3))
    assert (low == 0).all()
    assert (high == 1).all()
