"""Instants as exports write them: ISO, 2019/7/3 8:05, 2019年7月3日 下午3点, Excel serials, unix seconds, English months.

A written instant without a zone is in the registry's time zone. Where the year comes last, 3/7/2019 has two readings, so the
registry must say which (`date_order`), or the date counts as impossible. Years before 1990 or from 2100 on are slips of the pen
or of a clock, not reports. A date without a time of day is its midnight; a time zone's repeated hour is taken as its first.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

FIRST_YEAR, END_YEAR = 1990, 2100
_EXCEL_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a serial is a local time
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = (
    r"(?:[T\s,]*(?P<half>上午|下午|凌晨|早上|中午|晚上|AM|PM)?\s*(?P<hour>\d{1,2})\s*[:时点]\s*(?P<minute>\d{1,2})?"
    r"(?:\s*[:分]\s*(?P<second>\d{1,2})(?:[.,](?P<fraction>\d{1,9}))?\s*秒?)?\s*分?\s*(?P<meridiem>AM|PM|A\.M\.|P\.M\.)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?$"
)
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})\s*[-/.年]\s*(?P<month>\d{1,2})\s*[-/.月]\s*(?P<day>\d{1,2})\s*日?" + _TIME, re.IGNORECASE
)
_YEAR_LAST = re.compile(r"(?P<first>\d{1,2})[-/.](?P<then>\d{1,2})[-/.](?P<year>\d{4})" + _TIME, re.IGNORECASE)
_DAY_NAMED = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s-]+(?P<name>[a-z]{3,9})\.?[\s,-]+(?P<year>\d{4})" + _TIME, re.IGNORECASE
)
_NAMED_DAY = re.compile(
    r"(?P<name>[a-z]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})" + _TIME, re.IGNORECASE
)
_WEEKDAY = re.compile(r"\(?(?:星期|周|礼拜)[一二三四五六日天]\)?|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b[,.]?", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)(\.\d+)?$")

DateOrder = Literal["dmy", "mdy"]


def parse_instant(written: str, *, zone: tzinfo, order: DateOrder | None) -> datetime | None:
    """Read an instant.

    Args:
        written: As the source wrote it.
        zone: Time zone of instants written without one.
        order: How dates with the year at the end are meant; None where the source has none.

    Returns:
        The instant in UTC, or None if it cannot be read, does not exist, or lies outside 1990 to 2099.
    """
    written = written.strip() if written.isascii() else unicodedata.normalize("NFKC", written).strip()
    try:
        local = _number(written, zone) if _NUMBER.match(written) else _words(written, zone, order)
    except (ValueError, OverflowError):
        return None
    if local is None or not FIRST_YEAR <= local.year < END_YEAR:
        return None
    return local.astimezone(UTC)


def _number(written: str, zone: tzinfo) -> datetime | None:
    """Digits alone: a compact date, unix seconds or milliseconds, or days since 1899-12-30 as Excel counts."""
    whole, _, fraction = written.partition(".")
    match len(whole):
        case 14 | 12 | 8 if not fraction:
            return datetime.strptime(whole, {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M", 8: "%Y%m%d"}[len(whole)]).replace(
                tzinfo=zone
            )
        case 13 if not fraction:
            return datetime.fromtimestamp(int(whole) / 1000, UTC)
        case 10:
            return datetime.fromtimestamp(float(written), UTC)
        case 5:
            seconds = round(float(written) * 86400)  # a serial's binary fraction misses whole seconds by microseconds
            return (_EXCEL_DAY_ZERO + timedelta(seconds=seconds)).replace(tzinfo=zone)
    return None


def _words(written: str, zone: tzinfo, order: DateOrder | None) -> datetime | None:
    """A date with separators, month names or 年月日, and perhaps a time."""
    found = _YEAR_FIRST.match(written)
    if found is None:
        written = " ".join(_WEEKDAY.sub(" ", written).split())
        found = next(
            (match for form in (_YEAR_FIRST, _YEAR_LAST, _DAY_NAMED, _NAMED_DAY) if (match := form.match(written))), None
        )
    if found is None:
        return None
    part = found.groupdict()
    if "first" in part:
        if order is None:
            return None
        month, day = (part["then"], part["first"]) if order == "dmy" else (part["first"], part["then"])
    elif "name" in part:
        month, day = str(_MONTHS.index(part["name"][:3].lower()) + 1), part["day"]
    else:
        month, day = part["month"], part["day"]
    microsecond = int((part["fraction"] or "0").ljust(6, "0")[:6])
    return datetime(
        int(part["year"]), int(month), int(day), _hour(part), int(part["minute"] or 0), int(part["second"] or 0), microsecond,
        tzinfo=_offset(part["zone"], zone),
    )  # fmt: skip


def _hour(part: dict[str, str | None]) -> int:
    """The hour of the day in [0, 24), from a 12- or 24-hour clock."""
    hour = int(part["hour"] or 0)
    half = (part["half"] or part["meridiem"] or "").upper().replace(".", "")
    if half in ("下午", "晚上", "PM") and hour < 12 or (half == "中午" and hour < 3):
        return hour + 12
    return 0 if half in ("上午", "凌晨", "AM") and hour == 12 else hour


def _offset(written: str | None, zone: tzinfo) -> tzinfo:
    if written is None:
        return zone
    if written.upper() in ("Z", "UTC", "GMT"):
        return UTC
    aware = datetime.strptime(written.replace(":", ""), "%z").tzinfo
    return UTC if aware is None else aware
