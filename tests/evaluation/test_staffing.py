import numpy as np
import pandas as pd

from pipeline.evaluation.backtesting import Fates
from pipeline.evaluation.staffing import Staffing, draw_levels, measure_levels, missed_by_category, reports_a_day, sentence

DAY = 86_400_000_000
N = 60
FATE = Fates(
    matters=np.arange(N),
    first_night=np.zeros(N, dtype=np.int64),
    settled=np.ones(N, dtype=bool),
    escalated=np.arange(N) < 20,
    outcome_at=np.where(np.arange(N) < 20, 15 * DAY, np.iinfo(np.int64).max),
    mornings=np.arange(30) * DAY,
)
READ = {1: np.where(np.arange(N) < 8, 2, -1), 2: np.where(np.arange(N) < 14, 2, -1), 3: np.where(np.arange(N) < 14, 2, -1)}
NAMES = {"wages": ("欠薪", "Wages"), "fraud": ("诈骗", "Fraud")}


def _staffing():
    levels = measure_levels(FATE, READ, {1: 10, 2: 20, 3: 30}, n_resamples=200, confidence=0.95, seed=3)
    missed = missed_by_category(FATE, READ[1], np.where(np.arange(N) % 4 == 0, "fraud", "wages"), NAMES)
    return Staffing("2025-06-01", "2025-06-30", 1, 30.0, 5.0, 20, 20, levels, missed)


def test_reports_a_day_are_hours_by_minutes_rounded_down():
    assert reports_a_day(3, minutes=7, hours_per_day=5) == 128
    assert reports_a_day(1, minutes=600, hours_per_day=5) == 1


def test_one_more_reviewer_adds_the_difference_a_month_with_an_interval_of_its_own():
    first, second, last = _staffing().levels
    assert first.n_in_time == 8
    assert first.one_more.point == 6
    assert first.one_more.low > 0
    assert second.one_more.point == 0
    assert not last.one_more.defined


def test_what_is_missed_is_counted_by_category_most_missed_first():
    missed = _staffing().missed
    assert missed[["category", "n_escalated", "n_missed"]].to_numpy().tolist() == [["wages", 15, 9], ["fraud", 5, 3]]


def test_the_answer_is_one_sentence_in_chinese_and_in_english():
    staffing = _staffing()
    assert "20 件升级件中会及时阅到 8 件" in sentence(staffing, language="zh")
    assert "欠薪 9、诈骗 3" in sentence(staffing, language="zh")
    assert "8 of 20 escalations" in sentence(staffing, language="en")


def test_results_hold_nothing_a_json_file_cannot():
    import json

    staffing = _staffing()
    again = json.loads(json.dumps(staffing.as_results(), allow_nan=False))
    assert again["levels"][2]["one_more"]["point"] is None
    assert isinstance(staffing.missed, pd.DataFrame)


def test_the_curve_shows_every_number_of_reviewers():
    (axes,) = draw_levels(_staffing()).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1\n(10)", "2\n(20)", "3\n(30)"]
