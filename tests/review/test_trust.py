"""What the pages say of the model: its evaluation as published, and whether a night's reports are of the usual kinds."""

from datetime import date, timedelta

import pytest

from pipeline.casework import NightRecord
from pipeline.review.trust import card, mix_probability
from pipeline.store.publishing import publish
from tests.casework import NOON, make_night, make_queue

EVALUATION = {
    "category": {"macro_f1": 0.91, "macro_f1_low": 0.88, "macro_f1_high": 0.94},
    "risk": {"average_precision": 0.3, "calibration_error": float("nan")},
    "reliability": [[0.1, 0.05, 40], [0.4, 0.5, 10]],
}


def make_record(days_ago=0, **manifest):
    return NightRecord(date(2024, 8, 1) - timedelta(days=days_ago), "desk v1", NOON, "a", manifest)


def test_the_card_holds_figures_that_are_numbers_and_bins_to_scale():
    shown = card(make_record(evaluation=EVALUATION))
    assert [(one.name, one.value, one.low) for one in shown.figures] == [
        ("macro_f1", 0.91, 0.88), ("average_precision", 0.3, None),
    ]  # fmt: skip
    assert [(round(point.x), round(point.y)) for point in shown.points] == [(20, 10), (80, 100)]


@pytest.mark.parametrize("evaluation", [None, "good", {}, {"risk": "good", "reliability": ["x"]}])
def test_a_night_without_an_evaluation_has_no_card_or_an_empty_one(evaluation):
    shown = card(make_record(evaluation=evaluation))
    assert shown is None or (shown.figures, shown.points) == ((), ())
    assert card(None) is None


def test_a_usual_mix_is_likely_and_a_strange_one_is_not():
    earlier = [make_record(days, mix={"wages": 20, "neighbours": 20}) for days in range(1, 20)]
    assert mix_probability(make_record(mix={"wages": 19, "neighbours": 21}), earlier) > 0.5
    assert mix_probability(make_record(mix={"wages": 39, "neighbours": 1}), earlier) < 0.001
    assert mix_probability(make_record(mix={"wages": 5}), earlier) is None
    assert mix_probability(make_record(mix={"wages": 39}), []) is None


def test_the_pages_show_the_evaluation_and_that_a_night_is_missing(store, visitors, clock):
    night = make_night(make_queue("a"))
    publish(store.database, make_night(make_queue("a"), manifest={**night.manifest, "evaluation": EVALUATION}), now=NOON)
    wang = visitors("王")
    text = wang.get("/model").text
    assert "0.910" in text
    assert 'class="calibration"' in text
    assert "not published yet" not in wang.get("/nights").text
    clock.now += timedelta(days=1)
    assert "not published yet" in visitors("李").get("/nights").text
