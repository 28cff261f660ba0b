from collections import Counter

import pandas as pd

from pipeline import schema
from pipeline.intake.outcomes import read_outcomes
from pipeline.intake.sources import RawBatch
from tests.intake.builders import AS_OF, make_source, reasons

COLUMNS = {"report_id": "id", "outcome": "outcome", "recorded_at": "time"}


def _read(*rows, **changes):
    source = make_source(name="desk-outcomes", kind="outcomes", of="desk", columns=COLUMNS, **changes)
    frame = pd.DataFrame(rows, columns=["report_id", "outcome", "recorded_at"]).astype(object)
    frame.insert(0, "source_row", range(1, len(rows) + 1))
    batch = RawBatch(frame, schema.REJECTED.empty())
    return next(iter(read_outcomes([batch], source, known_outcomes=("money_lost", "property_damage"), as_of=AS_OF)))


def test_outcomes_get_the_ids_of_the_reports_they_belong_to():
    outcomes, rejected, _ = _read(("17", "money_lost", "2024-03-01 08:00"))
    assert outcomes["report_id"].tolist() == ["desk-17"]
    assert outcomes["recorded_at"].tolist() == [pd.Timestamp("2024-03-01", tz="UTC")]
    assert rejected.empty


def test_rows_that_cannot_be_outcomes_are_rejected():
    day = "2024-03-01"
    _, rejected, _ = _read(
        ("1", "angry", day), (None, "money_lost", day), ("3", "money_lost", None), ("4", "money_lost", "soon")
    )
    assert reasons(rejected) == [(1, "unknown outcome"), (2, "no report id"), (3, "no date"), (4, "impossible date")]


def test_outcomes_recorded_after_as_of_are_not_seen():
    outcomes, rejected, tally = _read(("1", "money_lost", "2024-06-01 08:00"), ("2", "money_lost", "2024-06-01 07:59"))
    assert outcomes["report_id"].tolist() == ["desk-2"]
    assert rejected.empty
    assert tally == Counter(read=1, unseen=1, accepted=1, rejected=0)


def test_labels_mapped_to_null_and_empty_cells_say_that_nothing_happened():
    labels = {"损失": "money_lost", "无": None}
    day = "2024-03-01"
    outcomes, rejected, tally = _read(
        ("1", "损失", day), ("2", "无", None), ("3", " ", None), ("4", "别的", day), outcome_labels=labels
    )
    assert outcomes["outcome"].tolist() == ["money_lost"]
    assert reasons(rejected) == [(4, "unknown outcome")]
    assert tally["none"] == 2
