import pandas as pd
import pytest

from pipeline.errors import SchemaError
from pipeline.schema import OUTCOMES, PROBABILITIES, QUEUE, REJECTED


def _outcomes(**changes):
    columns = {
        "report_id": ["a", "b"],
        "outcome": ["re_reported"] * 2,
        "recorded_at": pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True),
    }
    return pd.DataFrame({**columns, **changes})


def test_a_table_survives_being_written_and_read(tmp_path):
    OUTCOMES.write(_outcomes(), tmp_path / "outcomes.parquet")
    read = OUTCOMES.read(tmp_path / "outcomes.parquet")
    pd.testing.assert_frame_equal(read, OUTCOMES.check(_outcomes()))


def test_a_missing_column_is_named():
    with pytest.raises(SchemaError, match=r"OUTCOMES needs the column\(s\) recorded_at"):
        OUTCOMES.check(_outcomes().drop(columns="recorded_at"))


def test_naive_timestamps_are_refused_with_their_count_and_a_report():
    with pytest.raises(SchemaError, match=r"'recorded_at' must be timezone-aware UTC.*2 of 2 rows \(first report_id: a\)"):
        OUTCOMES.check(_outcomes(recorded_at=pd.to_datetime(["2025-01-01", "2025-01-02"])))


def test_nulls_are_refused_where_none_may_be():
    with pytest.raises(SchemaError, match=r"'outcome' must not be null, got nulls in 1 of 2 rows \(first report_id: b\)"):
        OUTCOMES.check(_outcomes(outcome=["re_reported", None]))


def test_values_outside_the_range_are_refused():
    row = {
        "report_id": "a",
        "split": "test",
        "category_probabilities": [1.0],
        "category": "x",
        "category_probability": 1.0,
        "category_set": ["x"],
        "lane": "clear",
        "risk": 1.5,
        "risk_low": 0.1,
        "risk_high": 0.9,
    }
    with pytest.raises(SchemaError, match=r"'risk' must lie in \[0.0, 1.0\]"):
        PROBABILITIES.check(pd.DataFrame([row]))


def test_a_repeated_id_is_refused():
    row = {
        "report_id": "a",
        "split": "test",
        "category_probabilities": [1.0],
        "category": "x",
        "category_probability": 1.0,
        "category_set": ["x"],
        "lane": "clear",
        "risk": 0.5,
        "risk_low": 0.4,
        "risk_high": 0.6,
    }
    with pytest.raises(SchemaError, match="'report_id' must be unique"):
        PROBABILITIES.check(pd.DataFrame([row, row]))


def test_a_value_of_another_type_is_refused_without_being_quoted():
    frame = pd.DataFrame({"source": ["s"], "source_row": ["我家的秘密"], "reason": ["no text"]})
    with pytest.raises(SchemaError) as caught:
        REJECTED.check(frame)
    assert "source_row" in str(caught.value)
    assert "秘密" not in str(caught.value)


def test_reading_what_is_not_there_says_what_to_do(tmp_path):
    with pytest.raises(SchemaError, match="Run the stage that writes it"):
        QUEUE.read(tmp_path / "queue.parquet")


def test_reading_a_damaged_file_says_what_to_do(tmp_path):
    (tmp_path / "queue.parquet").write_bytes(b"not parquet")
    with pytest.raises(SchemaError, match="not a readable Parquet file"):
        QUEUE.read(tmp_path / "queue.parquet")


def test_every_table_can_be_empty():
    for table in (OUTCOMES, PROBABILITIES, QUEUE, REJECTED):
        assert len(table.check(table.empty())) == 0
