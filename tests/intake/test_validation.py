from datetime import date

import pandas as pd
import pytest

from pipeline import schema
from pipeline.intake.validation import validate
from tests.intake.builders import AS_OF, intake_params, make_source, reasons


def _raw(**columns):
    n_rows = len(next(iter(columns.values())))
    empty = {name: [None] * n_rows for name in schema.RAW_REPORTS.arrow.names}
    given = {"source": "desk", "source_row": range(1, n_rows + 1), "segmented": False}
    return pd.DataFrame(empty | given | columns).astype({"segmented": bool})


def _validate(source=None, **columns):
    columns = {"received_at": ["2024-03-01"] * len(columns["narrative"])} | columns
    return validate(_raw(**columns), source or make_source(), as_of=AS_OF, params=intake_params(max_text_characters=20))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"narrative": [None]}, "no text"),
        ({"narrative": [" \n "]}, "no text"),
        ({"narrative": ["停" * 21]}, "text too long"),
        ({"narrative": ["停水"], "title": ["停" * 21]}, "text too long"),
        ({"narrative": ["停水"], "received_at": [None]}, "no date"),
        ({"narrative": ["停水"], "received_at": ["2024-02-31"]}, "impossible date"),
        ({"narrative": ["停水"], "received_at": ["1899-12-30"]}, "impossible date"),
    ],
)
def test_a_row_that_is_no_report_is_rejected_with_its_reason(changes, reason):
    valid = _validate(**changes)
    assert valid.rows.empty
    assert reasons(valid.rejected) == [(1, reason)]


def test_reasons_never_quote_the_text():
    valid = _validate(narrative=["停" * 21], title=["secret"])
    assert "停" not in valid.rejected.to_csv()


def test_rows_received_on_or_after_as_of_are_neither_accepted_nor_rejected():
    valid = _validate(narrative=["停水", "", "停电"], received_at=["2024-06-01 08:00", "2024-06-02", "2024-06-01 07:59"])
    assert valid.rows["source_row"].tolist() == [3]  # as_of is 08:00 in Shanghai
    assert valid.rejected.empty
    assert valid.n_unseen == 2


def test_a_date_after_the_file_was_made_is_impossible():
    source = make_source(as_of_day=date(2024, 3, 1))
    valid = _validate(source, narrative=["停水", "停电"], received_at=["2024-03-01 23:00", "2024-05-01"])
    assert valid.rows["source_row"].tolist() == [1]
    assert reasons(valid.rejected) == [(2, "impossible date")]


def test_an_undated_source_needs_no_dates_and_gets_none():
    valid = _validate(make_source(dated=False), narrative=["停水", "停电"], received_at=[None, "2024-03-01"])
    assert valid.rows["received_at"].isna().tolist() == [True, True]
    assert valid.rows["received_at"].dtype == "datetime64[us, UTC]"


def test_times_without_a_zone_are_in_the_time_zone_of_the_source():
    valid = _validate(make_source(timezone="Europe/Berlin"), narrative=["noise"], received_at=["2024-03-01 12:00"])
    assert valid.rows["received_at"].tolist() == [pd.Timestamp("2024-03-01 11:00", tz="UTC")]


def test_report_ids_carry_the_source_and_fall_back_on_the_row():
    valid = _validate(narrative=["停水", "停电", "停气"], source_id=[" 17 ", None, " "])
    assert valid.rows["report_id"].tolist() == ["desk-17", "desk-row2", "desk-row3"]


def test_labels_become_taxonomy_ids_and_unknown_ones_are_counted():
    source = make_source(categories={"停水": "water"})
    valid = _validate(source, narrative=["甲", "乙", "丙"], category=["停水 ", "停电", None])
    assert valid.rows["category"].tolist() == ["water", None, None]
    assert valid.n_unknown_labels == 1
    assert valid.rejected.empty


def test_labels_of_a_source_without_a_map_are_ids_already():
    assert _validate(narrative=["甲"], category=["water"]).rows["category"].tolist() == ["water"]


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "<script>alert()", "😀", "停"])
def test_odd_texts_are_reports_like_any_other(text):
    assert _validate(narrative=[text]).rows["narrative"].tolist() == [text]
