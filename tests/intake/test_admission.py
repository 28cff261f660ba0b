from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from pipeline import schema
from pipeline.errors import RejectLimitError
from pipeline.intake import ordering
from pipeline.intake.admission import admit, check_reject_limit, together
from pipeline.intake.sources import RawBatch
from tests.intake.builders import AS_OF, intake_params, make_source, reasons

KEY = b"a key of this test"
TALES = ("楼上漏水，物业不管", "工资拖欠三个月了", "烧烤店油烟太大", "停车位被人占了", "楼道里堆满杂物")


def _raw(*rows, segmented=False):
    """RAW_REPORTS of (id, received, text) and any other columns as a dict."""
    tables = []
    for number, (source_id, received_at, text, *more) in enumerate(rows, start=1):
        tables.append(
            dict.fromkeys(schema.RAW_REPORTS.arrow.names)
            | {"source": "desk", "source_row": number, "segmented": segmented}
            | {"source_id": source_id, "received_at": received_at, "narrative": text}
            | (more[0] if more else {})
        )
    return pd.DataFrame(tables)


def _admit(raw, *, source=None, earlier=None, as_of=AS_OF, batch_rows=1000, n_processes=1):
    batches = [
        RawBatch(raw.iloc[start : start + batch_rows].reset_index(drop=True), schema.REJECTED.empty())
        for start in range(0, len(raw), batch_rows)
    ]
    parts = admit(
        [(source or make_source(), batches)],
        earlier=schema.REPORTS.empty() if earlier is None else earlier,
        as_of=as_of,
        params=intake_params(),
        key=KEY,
        n_processes=n_processes,
    )
    return together(parts)


def _history(n_rows=60):
    """Reports of some weeks, a few told again with small changes, in no order."""
    rng = np.random.default_rng(4)
    rows = [
        (
            f"{n:03}",
            f"2024-0{rng.integers(1, 6)}-{rng.integers(1, 28):02} {rng.integers(24):02}:00",
            f"{TALES[n % 5]}，第{n // 9}次说",
        )
        for n in range(n_rows)
    ]
    return _raw(*rows)


def test_reports_are_redacted_normalized_and_carry_a_hash_instead_of_a_reporter():
    more = {
        "title": "紧急!!!!!!",
        "reporter": "13800138000",
        "area": "东区 13800138000",
        "channel": "热线",
        "category": "wages",
    }
    report = _admit(_raw(("1", "2024-03-01 08:00", "请打１３８００１３８０００找我", more))).reports.iloc[0]
    assert report["text"] == "请打[手机号]找我"
    assert report["report_id"] == "desk-1"
    assert report["received_at"] == datetime(2024, 3, 1, tzinfo=UTC)
    assert report["area"] == "东区 [手机号]"
    assert report["category"] == "wages"
    assert len(report["reporter_hash"]) == 32
    assert "13800138000" not in report.astype(str).str.cat()


def test_a_text_of_which_normalizing_leaves_nothing_is_rejected():
    admitted = _admit(_raw(("1", "2024-03-01", "\u200b\u200b"), ("2", "2024-03-01", "停水")))
    assert admitted.reports["report_id"].tolist() == ["desk-2"]
    assert reasons(admitted.rejected) == [(1, "no text")]


def test_of_rows_with_one_id_the_earliest_is_the_report():
    admitted = _admit(_raw(("a", "2024-03-02", "停水"), ("a", "2024-03-01", "停电"), ("b", "2024-03-01", "停气")))
    assert admitted.reports["text"].tolist() == ["停电", "停气"]
    assert reasons(admitted.rejected) == [(1, "duplicate id")]


def test_reports_come_in_order_of_arrival_and_shuffled_rows_change_nothing(monkeypatch):
    monkeypatch.setattr(ordering, "BUCKET_ROWS", 7)
    raw = _history()
    once = _admit(raw).reports
    shuffled = _admit(raw.sample(frac=1, random_state=2).reset_index(drop=True), batch_rows=11).reports
    assert once["received_at"].is_monotonic_increasing
    assert once["duplicate_group"].nunique() < len(once)
    pd.testing.assert_frame_equal(once, shuffled)


def test_a_history_admitted_night_by_night_is_the_same_as_at_once():
    raw = _history()
    at_once = _admit(raw).reports
    earlier = schema.REPORTS.empty()
    for as_of in pd.date_range("2024-01-10", "2024-05-20", freq="40D", tz="UTC"):
        night = _admit(raw, earlier=earlier, as_of=as_of.to_pydatetime())
        assert not set(night.reports["report_id"]) & set(earlier["report_id"])
        earlier = pd.concat([earlier, night.reports], ignore_index=True) if len(earlier) else night.reports
    earlier = pd.concat([earlier, _admit(raw, earlier=earlier).reports], ignore_index=True)
    pd.testing.assert_frame_equal(at_once, earlier)


def test_rows_after_as_of_leave_no_trace():
    early, late = ("1", "2024-03-01", "停水三天"), ("2", "2024-07-01", "停水三天")
    with_late, without = _admit(_raw(late, early)), _admit(_raw(late, early).iloc[1:].reset_index(drop=True))
    pd.testing.assert_frame_equal(with_late.reports, without.reports)
    assert with_late.rejected.empty
    assert with_late.tallies["desk"]["unseen"] == 1
    assert with_late.tallies["desk"]["read"] == 1


def test_reports_already_known_are_neither_admitted_nor_rejected_again():
    raw = _raw(("1", "2024-03-01", "停水三天"), ("2", "2024-03-02", "停电"), ("1", "2024-03-03", "停气"))
    first = _admit(raw, as_of=datetime(2024, 3, 1, 12, tzinfo=UTC))
    second = _admit(raw, earlier=first.reports)
    assert first.reports["report_id"].tolist() == ["desk-1"]
    assert second.reports["report_id"].tolist() == ["desk-2"]
    assert reasons(second.rejected) == [(3, "duplicate id")]
    assert second.tallies["desk"] == Counter(read=3, known=1, rejected=1, accepted=1, unseen=0, duplicates=0, unknown_labels=0)


@pytest.mark.slow
def test_several_processes_give_what_one_gives():
    raw = _history()
    pd.testing.assert_frame_equal(_admit(raw, batch_rows=7).reports, _admit(raw, batch_rows=7, n_processes=2).reports)


def test_undated_reports_keep_the_order_of_their_source():
    rows = [("b", None, "停水"), ("a", None, "停电"), ("c", None, "停气")]
    assert _admit(_raw(*rows), source=make_source(dated=False)).reports["report_id"].tolist() == ["desk-b", "desk-a", "desk-c"]


def test_copies_declared_by_an_undated_source_belong_together():
    rows = [
        ("1", None, "楼上漏水，物业一直不管", {"duplicate_key": "x"}),
        ("2", None, "工资拖欠三个月了", {"duplicate_key": "y"}),
        ("3", None, "漏水物业", {"duplicate_key": "x"}),
    ]
    reports = _admit(_raw(*rows), source=make_source(dated=False)).reports
    assert reports["duplicate_of"].fillna("").tolist() == ["", "", "desk-1"]
    assert reports["duplicate_group"].iloc[2] == reports["duplicate_group"].iloc[0]
    assert reports["matter_id"].iloc[2] == reports["matter_id"].iloc[0]


def test_too_many_rejected_rows_refuse_the_source_with_its_name_and_share():
    with pytest.raises(RejectLimitError, match=r"'desk': 2 of 10 rows were rejected \(20.0%; the limit is 5.0%\)"):
        check_reject_limit({"desk": Counter(read=10, rejected=2)}, 0.05)
    check_reject_limit({"desk": Counter(read=100, rejected=5), "empty": Counter()}, 0.05)


def test_nothing_that_leaves_admission_holds_a_narrative():
    admitted = _admit(_raw(("1", "bad date", "secret"), ("2", "2024-03-01", "secret " * 9000)))
    assert admitted.reports.empty
    assert "secret" not in admitted.rejected.to_csv() + str(admitted.tallies)
