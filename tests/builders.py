"""Tables built by hand, shared by the tests of several rooms."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from pipeline import schema
from pipeline.params import DateSplit, GroupSplit, Profile, ProfileSource


def instants(received: Sequence[str | None]) -> "pd.Series[pd.Timestamp]":
    """Instants in UTC; None stays null."""
    return pd.Series(pd.to_datetime(list(received), utc=True, format="ISO8601")).astype("datetime64[us, UTC]")


def make_reports(received: Sequence[str | None], **columns: object) -> pd.DataFrame:
    """REPORTS, one for each instant; every report its own group and matter unless told otherwise.

    Ids are r0, r1, …; other columns may be given as a list or as one value for all.
    """
    ids = [f"r{number}" for number in range(len(received))]
    given = {
        "report_id": ids, "source": "desk", "source_row": range(len(ids)), "received_at": instants(received), "title": "",
        "text": [f"第{number}件事" for number in range(len(ids))], "area": None, "channel": None, "reporter_hash": None,
        "category": None, "segmented": False, "duplicate_group": [f"d-{own}" for own in ids], "duplicate_of": None,
        "matter_id": [f"m-{own}" for own in ids],
    }  # fmt: skip
    return schema.REPORTS.check(pd.DataFrame(given | columns))


def make_outcomes(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """OUTCOMES of (report_id, outcome, recorded_at)."""
    report_ids, outcomes, recorded = zip(*rows, strict=True) if rows else ((), (), ())
    return schema.OUTCOMES.check(
        pd.DataFrame({"report_id": list(report_ids), "outcome": list(outcomes), "recorded_at": instants(recorded)})
    )


def make_source(*, supplies: Sequence[str] = ("category", "escalated"), **changes: object) -> ProfileSource:
    """A dated source with three boundaries in 2024."""
    split = DateSplit(rule="date", validation=date(2024, 4, 1), calibration=date(2024, 5, 1), test=date(2024, 6, 1))
    return ProfileSource.model_validate({"supplies": supplies, "outcomes": ("re_reported",), "split": split} | changes)


def by_group(*, validation: float = 0.1, calibration: float = 0.1, test: float = 0.2) -> GroupSplit:
    return GroupSplit(rule="group", validation=validation, calibration=calibration, test=test)


def make_profile(**changes: object) -> Profile:
    """A profile with one dated source, `desk`."""
    given = {
        "name": "desk", "taxonomy": "categories", "timezone": "Asia/Shanghai", "as_of": date(2024, 8, 1),
        "sources": {"desk": make_source()}, "nightly_sources": (), "label_window_days": 7, "gap_days": 7,
        "re_report_reporters": 1, "capacity": 10,
    }  # fmt: skip
    return Profile.model_validate(given | changes)
