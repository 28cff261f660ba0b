from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from pipeline.emerging.calibration import calibrate, calibration_day
from pipeline.emerging.replay import replay, sweep
from pipeline.emerging.series import CountSeries
from pipeline.emerging.surges import BANDS, SURGES, detect
from tests.emerging.builders import make_params, make_series

FIRST = date(2019, 3, 4)
SURGE = (0, 1, 110, 4.0, 5)  # area 00, category 01, from the 111th day on, four times as many, five days


def _detect(series, day, *, params=None):
    return detect(series, as_of=FIRST + timedelta(days=day), params=params or make_params(), seed=7)


def _of_cell(surges):
    return surges[(surges["area"] == "area 00") & (surges["category"] == "category 01")]


def test_a_surge_is_raised_in_its_series_with_its_evidence():
    found = _detect(make_series(surge=SURGE), 115)
    (surge,) = _of_cell(found.surges).to_dict("records")
    assert surge["level"] == "area x category"
    assert surge["ongoing"]
    assert surge["observed"] > 2 * surge["expected"]
    assert surge["p_value"] < 1e-4
    assert pd.Timestamp("2019-06-22") <= surge["first_day"] <= pd.Timestamp("2019-06-24")


def test_a_surge_keeps_its_identity_from_night_to_night_and_ends():
    series = make_series(n_days=130, surge=SURGE)
    nights = [_of_cell(_detect(series, day).surges) for day in range(113, 128)]
    assert {name for night in nights for name in night["surge_id"]} == set(nights[-1]["surge_id"])
    assert nights[0]["ongoing"].tolist() == [True]
    assert nights[-1]["ongoing"].tolist() == [False]


def test_a_surge_whose_first_day_is_no_longer_shown_keeps_its_identity_until_it_leaves():
    series = make_series(n_days=160, surge=(0, 1, 110, 4.0, 8))
    nights = [_of_cell(_detect(series, day).surges) for day in (118, 148, 150, 159)]
    names = nights[0]["surge_id"].tolist()
    assert [set(names) <= set(night["surge_id"]) for night in nights] == [True, True, True, False]
    assert not {name for night in nights for name in night[night["first_day"] < "2019-07-01"]["surge_id"]} - set(names)


def test_nothing_after_as_of_changes_what_a_night_says():
    series = make_series(n_days=130, surge=SURGE)
    later = CountSeries(series.keys, series.days, series.observed.copy(), None, series.completeness)
    later.observed[:, 112:] = 999
    one, other = _detect(series, 112), _detect(later, 112)
    pd.testing.assert_frame_equal(one.bands, other.bands)
    pd.testing.assert_frame_equal(one.surges, other.surges)


def test_what_a_night_says_of_a_day_does_not_depend_on_the_night():
    series = make_series(n_days=130, surge=SURGE)
    columns = ["area", "category", "day", "expected", "p_value", "alarm"]
    early, late = _detect(series, 115).bands[columns], _detect(series, 125).bands[columns]
    shared = early[early["day"] >= late["day"].min()]
    same = late[late["day"] <= early["day"].max()]
    pd.testing.assert_frame_equal(shared.reset_index(drop=True), same.reset_index(drop=True))


def test_the_same_night_again_gives_the_same_surges():
    series = make_series(surge=SURGE)
    pd.testing.assert_frame_equal(_detect(series, 115).surges, _detect(series, 115).surges)


def test_shifting_all_dates_by_years_of_whole_weeks_shifts_nothing_else():
    plain = make_series(n_days=60, rate=8.0, first_day=date(2019, 7, 1), seed=2)
    params = make_params(country="CN")
    later = CountSeries(plain.keys, plain.days + 7 * 52 * 2, plain.observed, None, plain.completeness)
    one = detect(plain, as_of=date(2019, 8, 20), params=params, seed=7).bands
    other = detect(later, as_of=date(2019, 8, 20) + timedelta(days=7 * 52 * 2), params=params, seed=7).bands
    assert one["observed"].tolist() == other["observed"].tolist()
    np.testing.assert_allclose(one["expected"], other["expected"], rtol=0.1)


def test_bands_cover_every_series_and_day_looked_at():
    found = _detect(make_series(), 100)
    assert tuple(found.bands.columns) == BANDS
    assert len(found.bands) == 9 * make_params().watched_days
    assert (found.bands["upper"] > found.bands["expected"]).all()
    assert found.bands["p_value"].between(0, 1).all()


def test_too_short_a_history_says_nothing_and_keeps_the_columns():
    found = _detect(make_series(n_days=5), 5)
    assert found.bands.empty
    assert tuple(found.surges.columns) == SURGES


def test_a_short_history_is_watched_by_ears():
    found = _detect(make_series(n_days=20), 20)
    assert set(found.bands["method"]) <= {"ears_c1", "ears_c2"}
    assert len(found.bands)


def test_in_the_second_week_p_values_are_spread_and_not_all_or_nothing():
    values = _detect(make_series(n_days=20), 13).bands["p_value"]
    assert ((values > 0.05) & (values < 0.5)).mean() > 0.2


def test_a_flood_in_the_second_week_of_a_series_is_raised():
    found = _detect(make_series(n_days=20, surge=(0, 1, 12, 10.0, 2)), 13)
    assert len(_of_cell(found.surges)) == 1


def test_series_of_zeros_raise_nothing():
    series = make_series(rate=0.0)
    found = _detect(series, 110)
    assert found.surges.empty
    assert np.isfinite(found.bands["expected"]).all()


def test_a_day_that_is_only_half_known_is_expected_to_be_half():
    series = make_series(rate=50.0)
    late = series.completeness.copy()
    late[99] = 0.5
    observed = series.observed.copy()
    observed[:, 99] = observed[:, 99] // 2
    half = CountSeries(series.keys, series.days, observed, None, late)
    newest = [_detect(these, 100).bands.query("day == day.max()")["expected"].to_numpy() for these in (series, half)]
    np.testing.assert_allclose(newest[1], newest[0] / 2)


def test_different_reporters_are_carried_to_the_bands_and_surges():
    series = make_series(surge=SURGE)
    known = CountSeries(series.keys, series.days, series.observed, series.observed // 2, series.completeness)
    found = _detect(known, 115)
    assert found.bands["n_reporters"].tolist() == (found.bands["observed"] // 2).tolist()
    assert _of_cell(found.surges)["n_reporters"].iloc[0] > 5


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2019, 3, 8), date(2019, 3, 11)),  # not yet a week of history: nothing can be said before the 11th
        (date(2019, 3, 20), date(2019, 3, 18)),  # a young series is calibrated every week
        (date(2019, 4, 10), date(2019, 4, 1)),  # 28 days before April
        (date(2019, 6, 22), date(2019, 6, 1)),
    ],
)
def test_a_series_is_calibrated_weekly_while_young_and_monthly_later(day, expected):
    assert calibration_day(day, make_series(), params=make_params()) == expected


def test_a_calibration_looks_at_nothing_from_its_day_on():
    series = make_series(n_days=130)
    changed = CountSeries(series.keys, series.days, series.observed.copy(), None, series.completeness)
    day = FIRST + timedelta(days=90)
    changed.observed[:, 90:] = 500
    one, other = (calibrate(these, day, params=make_params(), seed=7) for these in (series, changed))
    assert one.cut == other.cut
    assert one.method == other.method
    np.testing.assert_array_equal(one.factors, other.factors)


def test_more_false_alarms_declared_means_a_wider_door():
    series, day = make_series(), FIRST + timedelta(days=100)
    few, many = (calibrate(series, day, params=make_params(false_alarms_per_month=n), seed=7).cut for n in (0.5, 5.0))
    assert few < many


def test_a_replay_raises_each_surge_once_on_the_night_that_first_saw_it():
    bands, surges = replay(
        make_series(n_days=125, surge=SURGE),
        first=FIRST + timedelta(days=108),
        last=FIRST + timedelta(days=124),
        params=make_params(),
        seed=7,
    )
    assert len(bands) == 9 * 17
    assert surges["surge_id"].is_unique
    cell = _of_cell(surges).iloc[0]
    assert cell["raised_on"] == (cell["first_day"] + pd.Timedelta(days=1)).date()


def test_a_sweep_judges_every_day_as_its_night_does():
    series, params = make_series(n_days=45, surge=(0, 1, 30, 4.0, 5)), make_params(n_simulated=100)
    bands, _ = replay(series, first=FIRST + timedelta(days=1), last=FIRST + timedelta(days=45), params=params, seed=7)
    swept = sweep(series, params=params, seed=7)
    days = np.isin(series.days, bands["day"].to_numpy().astype("datetime64[D]"))
    np.testing.assert_allclose(swept.p_values[:, days].T.ravel(), bands["p_value"])
    assert (swept.p_values[:, ~days] == 1.0).all()
    assert days.sum() == 45 - params.min_history_days
