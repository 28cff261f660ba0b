import numpy as np
import pytest
from scipy.stats import nbinom

from pipeline.emerging import cusum, ears, farrington, methods
from pipeline.emerging.baseline import windows
from tests.emerging.builders import make_params, make_watched

LOOK = {"baseline_steps": 14, "min_steps": 7}


def test_c1_is_the_distance_from_the_seven_days_before_in_their_deviations():
    week = [4, 6, 5, 5, 4, 6, 5]
    scores = ears.c1(make_watched([*week, 9]), n_asked=1)
    np.testing.assert_allclose(scores, np.log1p((9 - 5) / np.std(week, ddof=1)))


def test_c2_leaves_two_days_between():
    week = [4, 6, 5, 5, 4, 6, 5]
    scores = ears.c2(make_watched([*week, 100, 100, 9]), n_asked=1)
    np.testing.assert_allclose(scores, np.log1p((9 - 5) / np.std(week, ddof=1)))


def test_c3_adds_up_what_three_days_of_c2_exceed_one():
    counts = [4, 6, 5, 5, 4, 6, 5, 7, 8, 9, 10]
    three = np.expm1(ears.c2(make_watched(counts), n_asked=3))[0]
    np.testing.assert_allclose(np.expm1(ears.c3(make_watched(counts), n_asked=1)), np.maximum(three - 1, 0).sum())


def test_ears_says_nothing_without_seven_days_before():
    assert ears.c1(make_watched([1, 2, 3, 50]), n_asked=4).tolist() == [[0, 0, 0, 0]]


def test_the_log_ratio_is_that_of_two_negative_binomial_likelihoods():
    size, mean, rise, observed = 5.0, 8.0, 1.7, 15
    upper = nbinom.logpmf(observed, size, size / (size + mean * rise))
    usual = nbinom.logpmf(observed, size, size / (size + mean))
    np.testing.assert_allclose(cusum.log_ratio(observed, mean, 1 / size, rise), upper - usual)


def test_the_glr_takes_the_window_the_surge_began_in():
    watched = make_watched([5] * 30 + [15] * 4, quick=0.01)
    scores, lengths = cusum.glr(windows(watched, lengths=(1, 2, 4, 7), n_asked=1, **LOOK))
    assert lengths.tolist() == [[4]]
    assert scores[0, 0] > 10


def test_the_cusum_for_a_rise_never_exceeds_the_glr():
    watched = make_watched(np.random.default_rng(1).poisson(4, (5, 60)))
    sums = list(windows(watched, lengths=(1, 3, 7), n_asked=20, **LOOK))
    assert (cusum.cusum(sums, rise=2.0)[0] <= cusum.glr(sums)[0] + 1e-9).all()


def test_fewer_reports_than_expected_score_zero():
    watched = make_watched([5] * 30 + [1])
    assert cusum.glr(windows(watched, lengths=(1, 7), n_asked=1, **LOOK))[0].tolist() == [[0.0]]


def test_a_surge_that_is_over_no_longer_speaks():
    watched = make_watched([5] * 30 + [30, 30, 2])
    assert cusum.glr(windows(watched, lengths=(1, 3, 7), n_asked=1, **LOOK))[0].tolist() == [[0.0]]


def test_a_window_does_not_raise_its_own_expectation():
    (window,) = windows(make_watched([5] * 30 + [50] * 3), lengths=(3,), n_asked=1, **LOOK)
    assert window.observed.tolist() == [[150.0]]
    np.testing.assert_allclose(window.expected, 15.0, rtol=0.02)


def test_an_earlier_surge_is_cut_in_the_baseline_of_later_days():
    (window,) = windows(make_watched([5] * 30 + [500] + [5] * 5), lengths=(1,), n_asked=1, **LOOK)
    assert window.expected[0, 0] < 7


def test_nothing_is_expected_before_the_baseline_is_long_enough():
    (window,) = windows(make_watched([5] * 8), lengths=(1,), n_asked=8, **LOOK)
    assert np.isnan(window.expected[0, :7]).all()
    assert np.isfinite(window.expected[0, 7])


def _weekly(n_years=5, bump=1.0):
    week = np.arange(n_years * 52 + 1)
    expected = 40 * (1 + 0.5 * np.cos(2 * np.pi * week / 52))
    counts = np.random.default_rng(2).poisson(expected)
    counts[-1] = round(expected[-1] * bump)
    return make_watched(counts)


def _surprise(watched):
    return float(farrington.exceedance(watched, n_asked=1, block_steps=1, min_years=3)[0, 0])


def test_farrington_knows_the_season():
    assert _surprise(_weekly(bump=1.0)) < 1.5  # the yearly peak is what it always is
    assert _surprise(_weekly(bump=1.8)) > 6.0


def test_farrington_weighs_an_outbreak_of_an_earlier_year_down():
    quiet, stirred = _weekly(bump=1.8), _weekly(bump=1.8)
    stirred.observed[0, -53] *= 8
    assert _surprise(stirred) > 0.5 * _surprise(quiet)


def test_farrington_needs_its_years_and_five_reports():
    assert _surprise(_weekly(n_years=2, bump=5.0)) == 0.0
    assert _surprise(make_watched([0] * 260 + [4])) == 0.0


def test_farrington_on_days_sums_them_to_weeks_that_end_on_the_day():
    weekly = _weekly()
    daily = make_watched(np.kron(weekly.observed, [0, 0, 0, 1, 0, 0, 0]))
    shifted = farrington.exceedance(daily, n_asked=1, block_steps=7, min_years=3)
    plain = farrington.exceedance(make_watched(weekly.observed * 1.0), n_asked=1, block_steps=1, min_years=3)
    np.testing.assert_allclose(shifted, plain, rtol=0.02)


@pytest.mark.parametrize("method", methods.METHODS)
def test_every_method_scores_a_day_from_that_day_and_earlier_ones_only(method):
    counts = np.random.default_rng(3).poisson(6, (4, 400))
    changed = counts.copy()
    changed[:, -5:] = 99
    params = make_params(long_history_years=1)
    one, _ = methods.score(method, make_watched(counts, quick=0.05), n_asked=15, params=params, step_days=1)
    other, _ = methods.score(method, make_watched(changed, quick=0.05), n_asked=15, params=params, step_days=1)
    np.testing.assert_allclose(one[:, :-5], other[:, :-5])


@pytest.mark.parametrize("method", methods.METHODS)
def test_every_method_scores_a_step_alike_however_many_are_asked(method):
    watched = make_watched(np.random.default_rng(4).poisson(2, (4, 400)), quick=0.05)
    params = make_params(long_history_years=1)
    many, _ = methods.score(method, watched, n_asked=30, params=params, step_days=1)
    few, _ = methods.score(method, watched, n_asked=3, params=params, step_days=1)
    np.testing.assert_allclose(many[:, -3:], few)


@pytest.mark.parametrize("method", methods.METHODS)
def test_every_method_uses_no_more_history_than_it_says(method):
    watched = make_watched(np.random.default_rng(5).poisson(2, (3, 2200)), quick=0.05)
    params = make_params()
    whole, _ = methods.score(method, watched, n_asked=5, params=params, step_days=1)
    needed = methods.reach(method, n_asked=5, params=params)
    cut, _ = methods.score(method, watched.last(needed), n_asked=5, params=params, step_days=1)
    np.testing.assert_allclose(whole, cut)
