"""Escalated, not escalated, or not known yet."""

import pandas as pd

from pipeline.dataset.labels import add_labels, censor_at_next_split
from tests.builders import by_group, make_outcomes, make_reports, make_source

INJURY = "injury_or_threat_to_life"


def label(reports, *recorded, as_of="2024-08-01", others=1, follow_up_days=30, **sources):
    """Labels with a seven-day window, of the source `desk` unless told otherwise."""
    return add_labels(
        reports,
        make_outcomes(*recorded),
        sources=sources or {"desk": make_source()},
        as_of=pd.Timestamp(as_of, tz="UTC"),
        label_window_days=7,
        follow_up_days=follow_up_days,
        re_report_reporters=others,
    )


def values(column):
    return [None if pd.isna(value) else value for value in column]


def test_a_report_that_another_reporter_repeats_within_the_window_escalated():
    labelled = label(make_reports(["2024-01-01", "2024-01-03"], matter_id="m", reporter_hash=["a", "b"]))
    assert values(labelled["escalated"]) == [True, False]
    assert values(labelled["escalated_at"]) == [pd.Timestamp("2024-01-03", tz="UTC"), None]


def test_the_same_reporter_again_is_no_re_report():
    labelled = label(make_reports(["2024-01-01", "2024-01-03"], matter_id="m", reporter_hash=["a", "a"]))
    assert values(labelled["escalated"]) == [False, False]


def test_a_report_without_a_reporter_is_no_re_report():
    labelled = label(make_reports(["2024-01-01", "2024-01-03"], matter_id="m", reporter_hash=["a", None]))
    assert values(labelled["escalated"]) == [False, False]


def test_a_re_report_at_the_end_of_the_window_comes_too_late():
    labelled = label(make_reports(["2024-01-01", "2024-01-08"], matter_id="m", reporter_hash=["a", "b"]))
    assert values(labelled["escalated"]) == [False, False]


def test_two_reports_of_one_instant_do_not_repeat_each_other():
    labelled = label(make_reports(["2024-01-01", "2024-01-01"], matter_id="m", reporter_hash=["a", "b"]))
    assert values(labelled["escalated"]) == [False, False]


def test_k_others_are_counted_once_each_and_the_last_of_them_dates_the_escalation():
    reports = make_reports(
        ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"],
        matter_id="m",
        reporter_hash=["a", "b", "b", "a", "c"],
    )
    labelled = label(reports, others=2)
    assert values(labelled["escalated_at"])[0] == pd.Timestamp("2024-01-05", tz="UTC")
    assert values(labelled["escalated"]) == [True, True, True, False, False], "from b's reports on: a and c"


def test_re_reports_count_only_where_the_source_declares_them():
    reports = make_reports(["2024-01-01", "2024-01-03"], matter_id="m", reporter_hash=["a", "b"])
    assert values(label(reports, desk=make_source(outcomes=(INJURY,)))["escalated"]) == [False, False]


def declared(reports, *recorded, as_of="2024-08-01"):
    return label(reports, *recorded, as_of=as_of, desk=make_source(outcomes=(INJURY,)))


def test_an_outcome_of_one_report_counts_for_all_earlier_reports_of_its_matter():
    reports = make_reports(["2024-01-01", "2024-01-03", "2024-01-06"], matter_id="m")
    labelled = declared(reports, ("r1", INJURY, "2024-01-05"))
    assert values(labelled["escalated"]) == [True, True, False], "the third came after it"


def test_the_first_outcome_from_arrival_on_dates_the_escalation():
    labelled = declared(make_reports(["2024-01-02"]), *(("r0", INJURY, f"2024-01-{day:02}") for day in (5, 1, 4)))
    assert values(labelled["escalated_at"]) == [pd.Timestamp("2024-01-04", tz="UTC")]


def test_an_outcome_at_the_instant_of_arrival_counts_and_one_at_the_end_of_the_window_does_not():
    reports = make_reports(["2024-01-01", "2024-01-01"])
    labelled = declared(reports, ("r0", INJURY, "2024-01-01"), ("r1", INJURY, "2024-01-08"))
    assert values(labelled["escalated"]) == [True, False]


def test_an_outcome_the_source_does_not_declare_plays_no_part():
    assert values(declared(make_reports(["2024-01-01"]), ("r0", "money_lost", "2024-01-02"))["escalated"]) == [False]


def test_a_report_whose_window_is_open_has_no_label_even_if_it_has_escalated():
    reports = make_reports(["2024-01-01", "2024-01-02"])
    labelled = declared(reports, ("r0", INJURY, "2024-01-03"), ("r1", INJURY, "2024-01-03"), as_of="2024-01-08")
    assert values(labelled["escalated"]) == [True, None], "the first window closes with the day we look from"
    assert values(labelled["escalated_at"]) == [pd.Timestamp("2024-01-03", tz="UTC"), None]


def test_nothing_recorded_on_or_after_the_day_we_look_from_changes_a_label():
    reports = make_reports(["2024-01-01", "2024-01-06"])
    rows = [("r0", INJURY, "2024-01-03"), ("r1", INJURY, "2024-01-08"), ("r1", INJURY, "2024-02-08")]
    known = declared(reports, rows[0], as_of="2024-01-08")
    pd.testing.assert_frame_equal(declared(reports, *rows, as_of="2024-01-08"), known)


def test_every_report_is_followed_until_the_day_we_look_from_and_no_longer_than_asked():
    labelled = declared(make_reports(["2024-01-01", "2024-03-01T12:00"]), as_of="2024-03-05")
    assert values(labelled["followed_days"]) == [30.0, 3.5]


def test_a_label_window_longer_than_the_follow_up_is_followed_to_its_end():
    labelled = label(make_reports(["2024-01-01"]), follow_up_days=2)
    assert values(labelled["followed_days"]) == [7.0]


def test_an_outcome_is_dated_from_arrival_though_the_window_is_open_or_has_closed_before():
    reports = make_reports(["2024-01-01", "2024-02-28"])
    labelled = declared(reports, ("r0", INJURY, "2024-01-21"), ("r1", INJURY, "2024-03-01T12:00"), as_of="2024-03-03")
    assert values(labelled["outcome_days"]) == [20.0, 2.5]
    assert values(labelled["escalated"]) == [False, None]


def test_an_outcome_after_the_follow_up_is_not_known():
    labelled = declared(make_reports(["2024-01-01"]), ("r0", INJURY, "2024-01-31"))
    assert values(labelled["outcome_days"]) == [None]


def test_what_a_split_teaches_was_known_when_the_next_began():
    reports = make_reports(["2024-03-12", "2024-03-22", "2024-04-02"])
    rows = ("r0", INJURY, "2024-03-20"), ("r1", INJURY, "2024-04-05"), ("r2", INJURY, "2024-04-05")
    examples = declared(reports, *rows).assign(split=["train", "train", "validation"])
    source = {"desk": make_source(outcomes=(INJURY,))}  # validation begins on 1 April, calibration on 1 May
    cut = censor_at_next_split(examples, sources=source, timezone="UTC")
    assert values(cut["followed_days"]) == [20.0, 10.0, 29.0]
    assert values(cut["outcome_days"]) == [8.0, None, 3.0]


def test_reports_divided_by_group_have_no_next_split_in_time():
    examples = declared(make_reports(["2024-03-22"])).assign(split="train")
    cut = censor_at_next_split(examples, sources={"desk": make_source(split=by_group())}, timezone="UTC")
    pd.testing.assert_frame_equal(cut, examples)


def test_undated_reports_and_sources_that_supply_no_escalation_have_no_label():
    reports = make_reports(["2024-01-01", "2024-01-02", None], source=["desk", "other", "desk"])
    labelled = label(reports, desk=make_source(), other=make_source(supplies=("category",)))
    assert values(labelled["escalated"]) == [False, None, None]
    assert values(labelled["followed_days"]) == [30.0, None, None]


def test_a_category_is_taken_only_from_sources_that_supply_it():
    reports = make_reports(["2024-01-01", "2024-01-02"], category="wages", source=["desk", "other"])
    labelled = label(reports, desk=make_source(), other=make_source(supplies=("escalated",)))
    assert values(labelled["category"]) == ["wages", None]


def test_shuffled_input_gives_the_same_labels():
    reports = make_reports(
        [f"2024-01-{day:02}" for day in range(1, 21)], matter_id=[f"m{day % 4}" for day in range(20)],
        reporter_hash=["abc"[day * day % 3] for day in range(20)],
    )  # fmt: skip
    shuffled = label(reports.sample(frac=1.0, random_state=1)).sort_index()
    pd.testing.assert_frame_equal(shuffled, label(reports))
