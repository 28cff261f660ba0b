from collections import Counter

import pandas as pd
import pytest

from pipeline import schema
from pipeline.intake.judgements import read_judgements
from pipeline.intake.sources import RawBatch
from tests.intake.builders import AS_OF, make_source, reasons

COLUMNS = {"report_id": "id", "recorded_at": "time", "action": "what", "category": "category", "propensity": "p"}
DAY = "2024-03-01 08:00"


def _read(*rows):
    source = make_source(name="desk-decisions", kind="decisions", columns=COLUMNS)
    frame = pd.DataFrame(rows, columns=["report_id", "recorded_at", "action", "category", "propensity"]).astype(object)
    frame.insert(0, "source_row", range(1, len(rows) + 1))
    batch = RawBatch(frame, schema.REJECTED.empty())
    return next(iter(read_judgements([batch], source, categories=("wages", "fraud"), as_of=AS_OF)))


def test_a_decision_comes_with_its_category_and_how_likely_it_was_to_be_read():
    decisions, rejected, tally = _read(("desk-17", DAY, "confirm", "wages", "0.05"))
    assert decisions.iloc[0][["report_id", "category", "propensity"]].tolist() == ["desk-17", "wages", 0.05]
    assert rejected.empty
    assert tally == Counter(read=1, accepted=1, rejected=0)


def test_a_decision_may_say_nothing_of_the_category():
    decisions, _, _ = _read(("desk-17", DAY, "false_alarm", None, None))
    assert pd.isna(decisions["category"].iloc[0])


def test_rows_that_cannot_be_decisions_are_rejected():
    _, rejected, _ = _read(
        (None, DAY, "confirm", "wages", "1"), ("a", None, "confirm", "wages", "1"), ("b", DAY, "confirm", "theft", "1"),
        ("c", DAY, "confirm", "wages", "0"), ("d", DAY, "confirm", "wages", "often"), ("e", "soon", "confirm", "wages", "1"),
    )  # fmt: skip
    assert reasons(rejected) == [
        (1, "no report id"), (2, "no date"), (3, "unknown category"), (4, "propensity not in (0, 1]"),
        (5, "propensity not in (0, 1]"), (6, "impossible date"),
    ]  # fmt: skip


def test_decisions_made_after_as_of_are_not_seen():
    decisions, _, tally = _read(
        ("a", "2024-06-01 08:00", "confirm", "wages", "1"), ("b", "2024-06-01 07:59", "confirm", "wages", "1")
    )
    assert decisions["report_id"].tolist() == ["b"]
    assert tally["unseen"] == 1


@pytest.mark.parametrize("missing", ["category", "propensity"])
def test_a_registry_file_of_decisions_must_name_what_learning_needs(missing):
    columns = {name: column for name, column in COLUMNS.items() if name != missing}
    with pytest.raises(ValueError, match="decisions need the columns"):
        make_source(name="desk-decisions", kind="decisions", columns=columns)
