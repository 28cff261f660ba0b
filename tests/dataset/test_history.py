"""What was known of a matter when a report arrived."""

import pandas as pd
import pytest

from pipeline.dataset.history import add_history
from pipeline.schema import HISTORY
from tests.builders import make_reports

NONE = make_reports([])


def one_matter(received, reporters=None, **columns):
    return make_reports(received, matter_id="m", reporter_hash=reporters or ["a"] * len(received), **columns)


def test_the_first_report_of_a_matter_has_no_history():
    added = add_history(one_matter(["2024-01-01"]), earlier=NONE)
    assert added[list(HISTORY)].to_numpy().tolist() == [[0, 0, 0, 0, 0, 0, 0.0]]


def test_reports_are_counted_in_the_windows_before_arrival():
    reports = one_matter(["2024-01-01", "2024-03-01", "2024-03-20", "2024-03-25T12:00"], ["a", "b", "b", "a"])
    last = add_history(reports, earlier=NONE).iloc[3]
    assert [last[name] for name in HISTORY[:3]] == [1, 2, 3]
    assert [last[name] for name in HISTORY[3:6]] == [1, 1, 2], "b reported twice"
    assert last["days_since_first_seen"] == pytest.approx(84.5)


def test_a_report_exactly_one_window_earlier_still_counts():
    added = add_history(one_matter(["2024-01-01", "2024-01-08"]), earlier=NONE)
    assert added["n_similar_7d"].tolist() == [0, 1]


def test_reports_of_the_same_instant_do_not_see_each_other():
    added = add_history(one_matter(["2024-01-01", "2024-01-01"]), earlier=NONE)
    assert added["n_similar_7d"].tolist() == [0, 0]


def test_reports_without_a_reporter_count_as_reports_only():
    added = add_history(one_matter(["2024-01-01", "2024-01-02", "2024-01-03"], [None, None, "a"]), earlier=NONE)
    assert added["n_similar_7d"].tolist() == [0, 1, 2]
    assert added["n_reporters_7d"].tolist() == [0, 0, 0]


def test_undated_reports_have_no_history():
    added = add_history(one_matter([None, None, "2024-01-03"]), earlier=NONE)
    assert added[list(HISTORY)].to_numpy().sum() == 0


def test_other_matters_play_no_part():
    reports = make_reports(["2024-01-01", "2024-01-02"], matter_id=["m", "n"])
    assert add_history(reports, earlier=NONE)["n_similar_90d"].tolist() == [0, 0]


def many():
    days = pd.date_range("2024-01-01", periods=40, freq="37h")
    return make_reports(
        [str(day) for day in days],
        matter_id=[f"m{number % 3}" for number in range(40)],
        reporter_hash=["abcde"[number * number % 5] for number in range(40)],
    )


def test_what_is_admitted_earlier_counts_like_what_is_in_the_table():
    reports = many()
    at_once = add_history(reports, earlier=NONE).iloc[25:].reset_index(drop=True)
    by_night = add_history(reports.iloc[25:].reset_index(drop=True), earlier=reports.iloc[:25])
    pd.testing.assert_frame_equal(at_once, by_night)


def test_later_reports_change_no_earlier_history():
    reports = many()
    fewer = add_history(reports.iloc[:25], earlier=NONE)
    pd.testing.assert_frame_equal(add_history(reports, earlier=NONE).iloc[:25], fewer)


def test_shuffled_input_gives_the_same_history():
    reports = many()
    shuffled = reports.sample(frac=1.0, random_state=5)
    restored = add_history(shuffled, earlier=NONE).sort_index()
    pd.testing.assert_frame_equal(restored, add_history(reports, earlier=NONE))


def test_shifting_all_dates_shifts_nothing_else():
    reports = many()
    later = reports.assign(received_at=reports["received_at"] + pd.Timedelta(days=500))
    columns = list(HISTORY)
    pd.testing.assert_frame_equal(add_history(later, earlier=NONE)[columns], add_history(reports, earlier=NONE)[columns])


def test_the_index_of_the_tables_plays_no_part():
    reports = many()
    odd = reports.set_index(pd.Index([7] * len(reports)))
    assert add_history(odd, earlier=odd.iloc[:0])["n_similar_30d"].tolist() == (
        add_history(reports, earlier=NONE)["n_similar_30d"].tolist()
    )
