from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pipeline.intake.dates import parse_instant

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIVE_PAST_EIGHT = datetime(2019, 7, 3, 0, 5, tzinfo=UTC)  # 08:05 in Shanghai


@pytest.mark.parametrize(
    "written",
    [
        "2019-07-03 08:05", "2019-07-03 08:05:00", "2019/7/3 8:05", "2019.7.3 8:05:00", "2019年7月3日 8时5分",
        "2019年7月3日8:05", "２０１９年７月３日　８：０５", "2019年7月3日 上午8点5分", "2019-07-03T08:05:00+08:00",
        "2019-07-03T00:05:00Z", "20190703080500", "201907030805", "1562112300", "1562112300000", "43649.336805555555",
        "2019/7/3 星期三 8:05", "2019-07-03 8:05 AM", "3 Jul 2019 08:05", "Jul 3, 2019 8:05 AM",
        "Wednesday, July 3, 2019 08:05", "3-Jul-2019 08:05", "2019-07-03 08:05:00.000000", " 2019-07-03 08:05 ",
        "2019-07-03T08:05:00+0800",
    ],
)  # fmt: skip
def test_an_instant_is_read_however_it_is_written(written):
    assert parse_instant(written, zone=SHANGHAI, order=None) == FIVE_PAST_EIGHT


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2019年7月3日 下午3点", 15),
        ("2019-07-03 12:30 AM", 0),
        ("2019-07-03 12:30 PM", 12),
        ("2019/7/3 晚上8:05", 20),
        ("2019/7/3 中午12:05", 12),
    ],
)
def test_halves_of_the_day_are_understood(written, hour):
    assert parse_instant(written, zone=SHANGHAI, order=None).astimezone(SHANGHAI).hour == hour


@pytest.mark.parametrize("written", ["2019-07-03", "2019年7月3日", "2019/07/03", "20190703", "43649"])
def test_a_day_without_a_time_is_its_midnight(written):
    assert parse_instant(written, zone=SHANGHAI, order=None) == datetime(2019, 7, 2, 16, tzinfo=UTC)


@pytest.mark.parametrize(("order", "month", "day"), [("dmy", 7, 3), ("mdy", 3, 7)])
def test_a_year_at_the_end_is_read_in_the_declared_order(order, month, day):
    assert parse_instant("03/07/2019 00:00", zone=UTC, order=order) == datetime(2019, month, day, tzinfo=UTC)


def test_a_year_at_the_end_is_not_guessed():
    assert parse_instant("03/07/2019", zone=UTC, order=None) is None


@pytest.mark.parametrize(
    "written",
    [
        "2019-02-30", "2019-13-01", "2019-07-03 25:00", "2019-07-03 24:00", "1989-12-31", "2100-01-01", "0000-00-00", "19-7-3",
        "昨天", "", "99999999999999", "2019-07", "7", "1e9", "3 Foo 2019", "2019-07-03 08:05 and more", "-43649",
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused(written):
    assert parse_instant(written, zone=SHANGHAI, order=None) is None
