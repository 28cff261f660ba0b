import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.backtesting import fates, measure_backtest
from tests.builders import instants

MORNINGS = [pd.Timestamp(f"2025-06-0{day}", tz="UTC") for day in (1, 2, 3, 4, 5, 6, 7, 8, 9)]


def _fates(*rows):
    """Fates of (received, escalated, escalated_at, matter)."""
    received, escalated, at, matters = zip(*rows, strict=True)
    frame = pd.DataFrame({"received_at": instants(received), "matter_id": matters, "escalated_at": instants(at)})
    return fates(frame.assign(escalated=pd.array(escalated, dtype="boolean")), MORNINGS)


def _measure(fate, **read):
    read = {name: np.array(nights) for name, nights in read.items()}
    return measure_backtest(fate, read, lead_days=3, n_resamples=50, confidence=0.95, seed=1)


def test_a_report_can_first_be_read_on_the_morning_after_it_came():
    fate = _fates(("2025-06-01T00:00", False, None, "a"), ("2025-06-01T23:59", False, None, "b"))
    assert fate.first_night.tolist() == [1, 1]


def test_only_escalations_read_before_their_outcome_count():
    fate = _fates(
        ("2025-06-01T10:00", True, "2025-06-03T12:00", "a"),
        ("2025-06-01T11:00", True, "2025-06-02T12:00", "b"),
        ("2025-06-01T12:00", False, None, "c"),
    )
    result = _measure(fate, model=[1, 2, 1])
    assert result.n_in_time["model"] == 1
    assert result.rankings["model"]["recall"].point == 0.5
    assert result.rankings["model"]["precision"].point == pytest.approx(1 / 3)


def test_an_outcome_before_the_first_morning_was_not_reachable():
    fate = _fates(("2025-06-01T10:00", True, "2025-06-01T20:00", "a"), ("2025-06-01T10:00", True, "2025-06-05T20:00", "b"))
    assert _measure(fate, model=[1, 1]).n_reachable == 1


def test_reports_whose_window_is_open_count_on_neither_side():
    fate = _fates(("2025-06-01T10:00", True, "2025-06-05T00:00", "a"), ("2025-06-01T10:00", None, None, "b"))
    result = _measure(fate, model=[1, 1])
    assert result.n_settled == 1
    assert result.rankings["model"]["precision"].point == 1.0


def test_lead_is_the_time_from_the_morning_of_the_night_to_the_outcome():
    fate = _fates(
        ("2025-06-01T10:00", True, "2025-06-03T12:00", "a"),
        ("2025-06-01T10:00", True, "2025-06-06T00:00", "b"),
        ("2025-06-01T10:00", True, "2025-06-08T00:00", "c"),
    )
    result = _measure(fate, model=[1, 1, 1])
    assert result.leads["model"].tolist() == [1.5, 4.0, 6.0]
    assert result.rankings["model"]["lead_median"].point == 4.0
    assert result.rankings["model"]["lead_share"].point == pytest.approx(2 / 3)


def test_a_night_counts_the_escalations_still_to_come_that_an_order_had_open():
    fate = _fates(
        ("2025-05-31T10:00", True, "2025-06-04T12:00", "a"),
        ("2025-05-31T10:00", True, "2025-06-02T12:00", "b"),
        ("2025-06-02T10:00", True, "2025-06-08T12:00", "c"),
    )
    nights = _measure(fate, model=[2, -1, 2]).nights
    assert nights["n_open_escalated"].tolist() == [2, 2, 2, 0, 0, 0, 0, 0, 0]
    assert nights["n_in_time"].tolist() == [0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert nights["recall"].iloc[2] == 1.0


def test_gains_are_differences_to_the_first_order_with_intervals():
    rows = [
        ("2025-06-01T10:00", number % 2 == 0, "2025-06-05T00:00" if number % 2 == 0 else None, f"m{number}")
        for number in range(40)
    ]
    result = _measure(_fates(*rows), model=[1] * 40, arrival_order=[1] * 20 + [-1] * 20)
    gain = result.gains["arrival_order"]["recall"]
    assert gain.point == 0.5
    assert gain.low > 0.2


def test_without_an_escalation_nothing_is_defined_and_nothing_breaks():
    result = _measure(_fates(("2025-06-01T10:00", False, None, "a")), model=[1])
    assert not result.rankings["model"]["recall"].defined
    assert not result.rankings["model"]["lead_median"].defined
