import numpy as np
import pytest

from pipeline.emerging.calendar import HOLIDAY, WORKED_WEEKEND, day_types


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2019-10-14", 0),  # an ordinary Monday
        ("2019-10-20", 6),  # an ordinary Sunday
        ("2019-10-01", HOLIDAY),  # National Day
        ("2019-10-07", HOLIDAY),  # given off in exchange for a weekend day
        ("2019-10-12", WORKED_WEEKEND),  # that Saturday
        ("2020-01-25", HOLIDAY),  # Spring Festival
        ("2020-02-08", 5),
    ],
)
def test_a_day_is_its_weekday_unless_it_is_a_holiday_or_a_worked_weekend(day, kind):
    assert day_types(np.array([day], dtype="datetime64[D]"), country="CN").tolist() == [kind]


def test_a_year_not_yet_declared_still_has_its_statutory_days():
    assert day_types(np.array(["2035-01-01"], dtype="datetime64[D]"), country="CN").tolist() == [HOLIDAY]
