"""How matters grow, and which are raised."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline import schema
from pipeline.emerging import growing
from pipeline.emerging.arrivals import arrivals
from pipeline.emerging.growth import PRIOR_WEIGHTS, fit
from pipeline.emerging.moments import AFTER_DAYS, N_FEATURES, Moments, past_moments, present_moments
from tests.builders import make_reports
from tests.emerging.builders import make_params

PARAMS = make_params()


def matter(*people, matter_id="m1"):
    """Reports of one matter from (day, person)."""
    days, who = zip(*people, strict=True)
    return make_reports(
        days, report_id=[f"{matter_id}-{n}" for n in range(len(days))], matter_id=matter_id, reporter_hash=list(who)
    )


def town(n_matters, *, seed=1, share_growing=0.05, first=date(2025, 1, 1), n_days=240):
    """Reports of made-up matters; some gather a person a day for two weeks, others hardly any."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n_matters):
        start = rng.uniform(0, n_days)
        grows = rng.random() < share_growing
        times = [start, *(start + np.cumsum(rng.exponential(1.0 if grows else 8.0, 14 if grows else rng.binomial(2, 0.1))))]
        rows += [(f"m{number:05}", time, f"p{number}-{place}") for place, time in enumerate(times) if time < n_days]
    received = [str(pd.Timestamp(first) + pd.Timedelta(days=time)) for _, time, _ in rows]
    return make_reports(
        received, matter_id=[row[0] for row in rows], reporter_hash=[row[2] for row in rows], area="东区", category="housing"
    )


@pytest.fixture(scope="module")
def moments():
    return past_moments(arrivals(town(3000)), horizon_days=14)


def test_only_a_persons_first_report_of_a_matter_counts():
    told = matter(("2025-01-01", "a"), ("2025-01-03", "a"), ("2025-01-05", "b"), (None, "c"))
    assert np.diff(arrivals(told).days).tolist() == [4.0]


def test_a_copy_that_does_not_say_who_wrote_it_is_nobody_new():
    told = matter(("2025-01-01", None), ("2025-01-02", None), ("2025-01-03", None)).assign(duplicate_group=["d", "d", "e"])
    assert arrivals(told).sizes.tolist() == [2]


def test_moments_count_the_people_who_came_within_the_horizon():
    told = matter(("2025-01-01T10:00", "a"), ("2025-01-05T10:00", "b"), ("2025-01-20T10:00", "c"))
    at = past_moments(arrivals(told), horizon_days=14)
    first = at.where(at.n_people == 1)
    assert (first.days - first.days[0]).tolist() == [0, 1, 2], "midnights until the next came"
    assert first.later.tolist() == [1, 1, 1]
    assert at.where(at.n_people == 2).later[:2].tolist() == [0, 1], "14 days after January 6 is before the 20th at 10"


def test_memory_fades_by_half_within_its_half_life():
    told = arrivals(matter(("2025-01-01", "a"), ("2025-01-01", "b")))
    start = told.days[0]
    fresh, week = (present_moments(told, at=start + days).features[0] for days in (0.0, 7.0))
    assert fresh[1:5].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert week[[1, 3]] == pytest.approx([0.5, 0.5])


def test_present_moments_are_what_past_ones_were(moments):
    reports = town(200)
    whole = past_moments(arrivals(reports), horizon_days=14)
    at = whole.days.max() - 30.0
    known = reports[reports["received_at"] < pd.Timestamp("1970-01-01", tz="UTC") + pd.Timedelta(days=at)]
    now = present_moments(arrivals(known), at=at)
    then = whole.where(whole.days == at)
    ids, all_ids = arrivals(known).matter_ids, arrivals(reports).matter_ids
    place = {matter_id: row for row, matter_id in enumerate(ids)}
    rows = np.array([place[all_ids[number]] for number in then.matters])
    np.testing.assert_allclose(now.features[rows], then.features)


def test_of_nothing_the_prior_is_believed():
    nothing = Moments(*(np.zeros(0, dtype=int) for _ in range(3)), np.zeros((0, N_FEATURES)), np.zeros(0), np.zeros(0))
    growth = fit(nothing, more=3)
    assert growth.weights == pytest.approx(PRIOR_WEIGHTS)
    assert growth.line == pytest.approx([0.0, 1.0])


def test_a_further_person_never_lowers_the_probability(moments):
    growth = fit(moments, more=3)
    told = [("2025-01-01", "a"), ("2025-01-08", "b"), ("2025-01-09", "c"), ("2025-01-10", "d"), ("2025-01-10", "e")]
    at = arrivals(matter(*told)).days.max() + 1.0
    rising = [growth.probability(present_moments(arrivals(matter(*told[:n])), at=at))[0] for n in range(1, 6)]
    assert all(later >= earlier for earlier, later in zip(rising[1:], rising[2:], strict=False))


def test_stated_probabilities_hold_on_later_matters(moments):
    growth = fit(moments, more=3)
    later = past_moments(arrivals(town(3000, seed=2)), horizon_days=14)
    closed = later.where(later.days <= later.days.max() - 14 - AFTER_DAYS[-1])
    stated, happened = growth.probability(closed), closed.later >= 3
    assert stated.mean() == pytest.approx(happened.mean(), rel=0.25)
    likely = stated > 0.5
    assert likely.sum() > 50
    assert happened[likely].mean() == pytest.approx(stated[likely].mean(), abs=0.15)


def test_the_threshold_keeps_false_alarms_of_the_past_to_the_declared_number(moments):
    growth = fit(moments, more=3)
    few, many = (
        growing.raising_threshold(growth, moments, PARAMS.growth.model_copy(update={"false_alarms_per_month": rate}))
        for rate in (0.2, 20.0)
    )
    assert few >= many >= PARAMS.growth.min_probability


def test_a_matter_that_gathers_people_is_raised_and_a_quiet_one_is_not():
    past = town(1500, share_growing=0.02)
    fast = matter(*((f"2025-08-{day:02}", f"f{day}") for day in range(16, 26)), matter_id="fast").assign(area="西区")
    slow = matter(("2025-08-20", "s"), matter_id="slow")
    reports = pd.concat([past, fast, slow], ignore_index=True)
    reports["day"] = reports["received_at"].dt.tz_localize(None).dt.floor("D")
    as_of = date(2025, 8, 26)
    outlook = growing.look(reports, as_of=as_of, timezone="UTC", params=PARAMS.growth)
    found = growing.growing_findings(outlook, reports, as_of=as_of, still_open=frozenset(), params=PARAMS)
    told = {one.matter_id: one for one in found}
    assert "fast" in told
    assert "slow" not in told
    one = told["fast"]
    assert (one.kind, one.area, one.n_reporters, one.window_days) == (schema.GROWING, "西区", 10, 10)
    assert one.high < 10 < one.n_reports + one.expected, "ten people are more than matters of that age usually have"


def test_an_alert_stays_at_half_the_probability_it_was_raised_at():
    reports = town(500)
    reports["day"] = reports["received_at"].dt.tz_localize(None).dt.floor("D")
    as_of = date(2025, 8, 1)
    reports = reports[reports["day"] < "2025-08-01"]
    outlook = growing.look(reports, as_of=as_of, timezone="UTC", params=PARAMS.growth)
    probability = outlook.probability * (outlook.now.n_people >= PARAMS.growth.min_reporters)
    likeliest = str(outlook.past.matter_ids[probability.argmax()])

    def told(share, still_open):
        strict = replace(outlook, threshold=probability.max() / share)
        found = growing.growing_findings(strict, reports, as_of=as_of, still_open=frozenset(still_open), params=PARAMS)
        return [one.matter_id for one in found if one.matter_id == likeliest]

    assert told(0.6, []) == []
    assert told(0.6, [likeliest]) == [likeliest]
    assert told(0.4, [likeliest]) == []
