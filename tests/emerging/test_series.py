from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.emerging.series import counts
from pipeline.errors import SchemaError
from tests.emerging.builders import make_reports

HOW = {"timezone": "Asia/Shanghai", "max_delay_days": 3}


def _row(series, area, category):
    keys = series.keys
    same = [a == area and c == category for a, c in zip(keys["area"], keys["category"], strict=True)]
    return series.observed[same.index(True)].tolist()


def test_every_level_is_counted_and_silent_days_are_zeros():
    reports = make_reports(
        ("2019-07-01 02:00", "east", "wages", "r1"),
        ("2019-07-01 03:00", "east", "noise", "r2"),
        ("2019-07-03 02:00", "west", "wages", "r3"),
    )
    series = counts(reports, as_of=date(2019, 7, 5), **HOW)
    assert series.days.astype(str).tolist() == ["2019-07-01", "2019-07-02", "2019-07-03", "2019-07-04"]
    assert _row(series, "east", "wages") == [1, 0, 0, 0]
    assert _row(series, None, "wages") == [1, 0, 1, 0]
    assert _row(series, "east", None) == [2, 0, 0, 0]
    assert _row(series, None, None) == [2, 0, 1, 0]


def test_days_begin_at_local_midnight():
    reports = make_reports(("2019-06-30 16:30", "east", "wages", "r1"))  # half past midnight in Shanghai
    series = counts(reports, as_of=date(2019, 7, 2), **HOW)
    assert series.days.astype(str).tolist() == ["2019-07-01"]


def test_nothing_received_on_the_day_itself_is_counted():
    reports = make_reports(("2019-07-01 02:00", "east", "wages", "r1"), ("2019-07-02 02:00", "east", "wages", "r1"))
    assert _row(counts(reports, as_of=date(2019, 7, 2), **HOW), None, None) == [1]


def test_a_report_without_an_area_counts_over_all_areas_only():
    reports = make_reports(("2019-07-01 02:00", None, "wages", "r1"), ("2019-07-01 02:00", "east", "wages", "r2"))
    series = counts(reports, as_of=date(2019, 7, 2), **HOW)
    assert _row(series, "east", "wages") == [1]
    assert _row(series, None, "wages") == [2]


def test_different_reporters_are_counted_once_a_day():
    reports = make_reports(*[("2019-07-01 02:00", "east", "wages", who) for who in ("r1", "r1", "r2", None)])
    series = counts(reports, as_of=date(2019, 7, 2), **HOW)
    assert series.observed[0].tolist() == [4]
    assert series.n_reporters[0].tolist() == [2]


def test_a_report_recorded_later_is_not_known_yet_and_its_day_is_incomplete():
    old = [
        (f"2019-06-{day:02d} 02:00", f"2019-06-{day + late:02d} 03:00", "east", "wages", "r")
        for day in range(1, 20)
        for late in (0, 1)
    ]
    new = [
        ("2019-06-29 02:00", "2019-06-29 03:00", "east", "wages", "r"),
        ("2019-06-29 02:00", "2019-06-30 03:00", "east", "wages", "r"),
    ]
    series = counts(make_reports(*old, *new, recorded=True), as_of=date(2019, 6, 30), **HOW)
    assert _row(series, None, None)[-1] == 1
    assert series.completeness[-1] == 0.5  # half of what a day brings is known the same day
    assert series.completeness[-2] == 1.0


def test_shuffled_reports_give_the_same_counts():
    rows = [(f"2019-07-{1 + i % 9:02d} 02:00", f"area {i % 3}", f"category {i % 2}", f"r{i % 5}") for i in range(50)]
    one = counts(make_reports(*rows), as_of=date(2019, 7, 10), **HOW)
    other = counts(make_reports(*rows).sample(frac=1, random_state=3), as_of=date(2019, 7, 10), **HOW)
    pd.testing.assert_frame_equal(one.keys, other.keys)
    np.testing.assert_array_equal(one.observed, other.observed)
    np.testing.assert_array_equal(one.n_reporters, other.n_reporters)


def test_no_reports_give_no_days():
    series = counts(make_reports(("2019-07-01 02:00", "east", "wages", "r1")).iloc[:0], as_of=date(2019, 7, 2), **HOW)
    assert series.observed.shape == (1, 0)


def test_a_missing_column_is_named():
    with pytest.raises(SchemaError, match="category"):
        counts(make_reports(("2019-07-01", "east", "wages", "r")).drop(columns="category"), as_of=date(2019, 7, 2), **HOW)


def test_naive_instants_are_refused():
    reports = make_reports(("2019-07-01", "east", "wages", "r"))
    reports["received_at"] = reports["received_at"].dt.tz_localize(None)
    with pytest.raises(SchemaError, match="timezone-aware"):
        counts(reports, as_of=date(2019, 7, 2), **HOW)
