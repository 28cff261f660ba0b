"""Which surges are told about, and with what evidence."""

from datetime import date

import pandas as pd

from pipeline.emerging.surge_alerts import examples, surge_findings
from tests.builders import instants
from tests.emerging.builders import make_params

AS_OF = date(2025, 3, 10)


def surge(area, category, level, *, observed=20, expected=8.0, last="2025-03-09", rate=0.01):
    return {
        "surge_id": f"{area}{category}", "area": area, "category": category, "level": level,
        "first_day": pd.Timestamp("2025-03-07"), "last_day": pd.Timestamp(last), "observed": observed, "expected": expected,
        "low": 3.0, "high": 13.0, "p_value": 1e-6, "false_discovery_rate": rate, "window_days": 3,
    }  # fmt: skip


def reports(*rows):
    """Reports of 2025-03-09 in 东区 about housing, from (matter, person)."""
    matters, people = zip(*rows, strict=True)
    received = instants([f"2025-03-09T0{number}:00" for number in range(len(rows))])
    return pd.DataFrame(
        {
            "report_id": [f"r{number}" for number in range(len(rows))], "received_at": received, "area": "东区",
            "day": pd.Timestamp("2025-03-09"), "category": "housing", "matter_id": matters, "reporter_hash": people,
        }
    )  # fmt: skip


MIXED = reports(("m1", "a"), ("m2", "b"), ("m3", "c"))


def found(*surges, counted=MIXED):
    return surge_findings(pd.DataFrame(list(surges)), counted, as_of=AS_OF, params=make_params())


def test_an_event_is_told_where_it_is_narrowest():
    cell = surge("东区", "housing", "area x category")
    told = found(surge("东区", None, "area", observed=60, expected=47.0), surge(None, None, "all", observed=300), cell)
    assert [(one.area, one.category) for one in told] == [("东区", "housing"), (None, None)], "the total has much more too many"


def test_a_surge_that_may_well_be_chance_among_the_series_is_not_told():
    assert found(surge("东区", "housing", "area x category", rate=0.5)) == []


def test_a_surge_that_is_over_is_not_found_again():
    assert found(surge("东区", "housing", "area x category", last="2025-03-01")) == []


def test_evidence_counts_people_and_names_the_matter_that_makes_up_most():
    counted = reports(("m1", "a"), ("m1", "b"), ("m1", "b"), ("m2", None))
    one = found(surge("东区", "housing", "area x category"), counted=counted)[0]
    assert (one.matter_id, one.n_reporters, one.confidence) == ("m1", 2, 0.99)
    assert found(surge("东区", "housing", "area x category"))[0].matter_id is None


def test_examples_are_the_newest_with_one_of_each_person_first():
    assert examples(reports(("m", "a"), ("m", "b"), ("m", "b"), ("m", None)), 3) == ("r3", "r2", "r0")
