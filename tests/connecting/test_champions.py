"""Which champion was there before: the record read as a pile of promotions."""

import pytest

from pipeline.champions import Act, previous


def _history(*steps, end="done"):
    """Acts from words such as "promote 2"; each starts from the version the one before left."""
    acts, before = [], ""
    for number, step in enumerate(steps):
        kind, version = step.split()
        acts.append(Act(kind, version, before, "test", "why", f"2025-09-15T07:30:{number:02d}.000000+00:00", "", end))
        before = version
    return acts


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], ""),
        (["promote 1"], ""),
        (["promote 1", "promote 2"], "1"),
        (["promote 1", "promote 2", "promote 3"], "2"),
        (["promote 1", "promote 2", "promote 3", "rollback 2"], "1"),  # a second rollback goes further back
        (["promote 1", "promote 2", "rollback 1"], ""),
        (["promote 1", "promote 2", "rollback 1", "promote 3"], "1"),
        (["promote 1", "promote 2", "promote 1"], "2"),
        (["promote 1", "promote 2", "promote 1", "rollback 2"], "1"),
        (["promote 1", "promote 1"], ""),  # the champion promoted again is no earlier champion
    ],
)
def test_a_rollback_takes_the_last_promotion_away(steps, expected):
    champion = steps[-1].split()[1] if steps else ""
    assert previous(_history(*steps), champion) == expected


def test_an_abandoned_act_counts_for_nothing():
    history = [*_history("promote 1", "promote 2"), *_history("promote 3", end="abandoned")]
    assert previous(history, "2") == "1"


def test_a_champion_from_before_the_record_can_be_returned_to():
    (act,) = _history("promote 8")
    assert previous([Act("promote", "8", "7", act.who, act.why, act.when, "", "done")], "8") == "7"


def test_a_champion_set_by_other_means_is_left_for_the_last_recorded_one():
    assert previous(_history("promote 1", "promote 2"), "5") == "2"


def test_keys_of_acts_are_in_the_order_of_time():
    keys = [act.key for act in _history("promote 1", "promote 2", "rollback 1")]
    assert keys == sorted(keys)
    assert keys[0] == "act.2025-09-15T073000.000000Z"
