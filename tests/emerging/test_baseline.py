import numpy as np

from pipeline.emerging.baseline import calendar_factors, present_level
from pipeline.emerging.calendar import HOLIDAY, WORKED_WEEKEND
from pipeline.emerging.dispersion import strays
from tests.emerging.builders import make_watched

WEEK = np.array([1.3, 1.2, 1.1, 1.1, 1.1, 0.7, 0.5])


def _factors(rate, *, parents=(-1,), n_weeks=30, holiday=()):
    kinds = np.tile(np.arange(7), n_weeks)
    kinds[list(holiday)] = HOLIDAY
    observed = np.random.default_rng(1).poisson(np.array(rate)[:, None] * np.append(WEEK, [0.2, 1.1])[kinds])
    return calendar_factors(observed, np.ones(len(kinds)), kinds, np.array(parents))


def test_factors_are_those_of_the_weekdays_and_average_one():
    factors, _ = _factors([500.0])
    np.testing.assert_allclose(factors[0, :7], WEEK, rtol=0.03)
    np.testing.assert_allclose(factors[:, :7].mean(axis=1), 1.0)


def test_a_holiday_is_a_sunday_until_holidays_have_been_seen():
    unseen, _ = _factors([500.0])
    np.testing.assert_allclose(unseen[0, HOLIDAY], unseen[0, 6], rtol=0.01)
    np.testing.assert_allclose(unseen[0, WORKED_WEEKEND], unseen[0, :5].mean(), rtol=0.01)
    seen, _ = _factors([500.0], holiday=range(70, 77))
    np.testing.assert_allclose(seen[0, HOLIDAY], 0.2, atol=0.05)


def test_a_series_of_few_reports_has_the_factors_of_the_wider_one():
    factors, _ = _factors([500.0, 0.02], parents=(-1, 0))
    np.testing.assert_allclose(factors[1], factors[0], atol=0.1)


def test_a_trend_is_not_taken_for_a_weekday():
    kinds = np.tile(np.arange(7), 20)
    factors, _ = calendar_factors(np.linspace(100, 300, 140)[None].astype(int), np.ones(140), kinds, np.array([-1]))
    np.testing.assert_allclose(factors[0, :7], 1.0, atol=0.03)


def _strays(observed):
    n_series = len(observed)
    return strays(
        make_watched(observed), ["cell"] * n_series, baseline_steps=56, min_steps=7, n_asked=observed.shape[1] - 60
    ).parts()


def test_poisson_counts_stray_no_further_than_poisson_counts():
    slow, quick = _strays(np.random.default_rng(2).poisson(50, (40, 200)))
    assert np.median(slow) < 0.001
    assert np.median(quick) < 0.005


def test_variance_that_averages_out_is_told_from_variance_that_does_not():
    rng = np.random.default_rng(3)
    quickly = 100 * rng.gamma(10, 0.1, (40, 300))
    wandering = np.cumsum(0.03 * rng.standard_normal((40, 300)), axis=1)
    slow, quick = _strays(rng.poisson(quickly))
    np.testing.assert_allclose(np.median(quick), 0.1, rtol=0.2)
    assert np.median(slow) < 0.01
    slow, quick = _strays(rng.poisson(100 * np.exp(wandering)))
    assert np.median(slow) > 0.008
    assert np.median(quick) < np.median(slow)


def test_the_present_level_includes_the_last_step_and_is_never_zero():
    np.testing.assert_allclose(present_level(make_watched([4, 6] * 20), baseline_steps=10), 5.05)
    assert present_level(make_watched([0] * 20), baseline_steps=10)[0] == 0.05
