"""Which side of a boundary an example falls on."""

from datetime import date

import pandas as pd
import pytest

from pipeline.dataset.splits import assign_splits, between_splits, drop_earlier_side, split_by_date, split_by_group
from pipeline.errors import SplitError
from pipeline.params import DateSplit
from tests.builders import by_group, make_reports, make_source

ZONE = "Asia/Shanghai"
BOUNDARIES = DateSplit(rule="date", validation=date(2024, 8, 1), calibration=date(2024, 12, 1), test=date(2025, 4, 1))


def by_date(examples, *, gap_days=60, timezone="UTC"):
    return split_by_date(examples, split=BOUNDARIES, gap_days=gap_days, timezone=timezone)


def test_gap_keeps_labels_from_leaking_into_training():
    examples = make_reports(["2024-06-01", "2024-06-02", "2024-08-01"])  # 60 days before August is June 2
    split = by_date(examples)
    assert split["received_at"].dt.date.tolist() == [date(2024, 6, 1), date(2024, 8, 1)]
    assert split["split"].tolist() == ["train", "validation"]


def test_each_split_ends_a_gap_before_the_next_begins():
    examples = make_reports(["2024-08-01", "2024-10-01", "2024-10-02", "2024-12-01", "2025-01-30", "2025-01-31", "2025-04-01"])
    split = by_date(examples)
    assert split["report_id"].tolist() == ["r0", "r1", "r3", "r4", "r6"]
    assert split["split"].tolist() == ["validation", "validation", "calibration", "calibration", "test"]


def test_days_are_divided_by_midnight_of_the_profiles_time_zone():
    examples = make_reports(["2024-07-31T16:00", "2024-07-31T15:59"])
    split = by_date(examples, timezone=ZONE)
    assert split[["report_id", "split"]].to_numpy().tolist() == [["r0", "validation"]]


def test_a_later_copy_of_an_example_in_an_earlier_split_is_dropped():
    examples = make_reports(["2024-01-01", "2024-01-02", "2024-08-05", "2024-08-06"], duplicate_group=["g", "g", "g", "h"])
    assert by_date(examples)["report_id"].tolist() == ["r0", "r1", "r3"]


def test_a_copy_of_an_example_inside_a_gap_stays():
    examples = make_reports(["2024-07-15", "2024-08-05"], duplicate_group="g")
    assert by_date(examples)["report_id"].tolist() == ["r1"]


def labelled(received, **columns):
    reports = make_reports(received, category="wages", **columns)
    return reports.assign(escalated=pd.array([True] * len(reports), "boolean"), escalated_at=reports["received_at"])


def between(examples, kept):
    return between_splits(examples, kept, sources={"desk": make_source(split=BOUNDARIES)}, gap_days=60, timezone="UTC")


def test_reports_of_a_gap_follow_a_split_and_carry_no_label():
    examples = labelled(["2024-06-01", "2024-06-02", "2024-10-02", "2024-08-01", "2025-04-01"])
    found = between(examples, by_date(examples))
    assert found[["report_id", "split"]].to_numpy().tolist() == [["r1", "train"], ["r2", "validation"]]
    assert found[["category", "escalated", "escalated_at"]].isna().all(axis=None)


def test_a_report_of_a_gap_whose_copy_has_a_split_is_left_out():
    examples = labelled(["2024-07-15", "2024-08-05"], duplicate_group="g")
    assert between(examples, by_date(examples)).empty


def test_a_split_by_date_needs_dates():
    with pytest.raises(SplitError, match=r"first report_id: r1.*rule: group"):
        by_date(make_reports(["2024-01-01", None]))


def test_boundaries_must_ascend():
    backwards = DateSplit.model_construct(
        rule="date", validation=date(2024, 8, 1), calibration=date(2024, 7, 1), test=date(2025, 1, 1)
    )
    with pytest.raises(SplitError, match="must ascend"):
        split_by_date(make_reports(["2024-01-01"]), split=backwards, gap_days=1, timezone=ZONE)


def one_side_each(split):
    return not split[["duplicate_group", "split"]].drop_duplicates()["duplicate_group"].duplicated().any()


def undated(n, **columns):
    return make_reports([None] * n, **columns)


def test_undated_examples_are_divided_by_share():
    split = split_by_group(undated(4000), split=by_group(validation=0.1, calibration=0.1, test=0.2), seed=7)
    shares = split["split"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx({"train": 0.6, "test": 0.2, "validation": 0.1, "calibration": 0.1}, abs=0.03)


def test_copies_stay_together():
    split = split_by_group(
        undated(300, duplicate_group=[f"g{number % 100}" for number in range(300)]), split=by_group(), seed=7
    )
    assert one_side_each(split)


def test_segmented_texts_are_only_learned_from():
    examples = undated(400, segmented=[number % 2 == 1 for number in range(400)])
    split = split_by_group(examples, split=by_group(test=0.5), seed=7)
    assert set(split.loc[split["segmented"], "split"]) == {"train"}
    assert split["segmented"].sum() == 200


def test_a_segmented_copy_of_a_held_out_report_is_dropped():
    examples = undated(200, duplicate_group=[f"g{number // 2}" for number in range(200)], segmented=[False, True] * 100)
    split = split_by_group(examples, split=by_group(test=0.5), seed=7)
    held_out = split.loc[split["split"] != "train", "duplicate_group"]
    assert len(held_out) > 30
    assert held_out.is_unique


def test_more_reports_move_no_group_to_another_side():
    few, many = undated(50), undated(500)
    before = split_by_group(few, split=by_group(), seed=7).set_index("report_id")["split"]
    after = split_by_group(many, split=by_group(), seed=7).set_index("report_id")["split"]
    assert after[before.index].tolist() == before.tolist()


def test_another_seed_holds_out_other_groups():
    examples = undated(500)
    sides = [split_by_group(examples, split=by_group(), seed=seed)["split"].tolist() for seed in (1, 1, 2)]
    assert sides[0] == sides[1] != sides[2]


def dated_desk(received=("2024-01-01", "2024-04-05", "2024-05-05", "2024-06-05"), **columns):
    return make_reports(list(received), **columns)


def assign(examples, gap_days=7, **sources):
    return assign_splits(examples, sources=sources or {"desk": make_source()}, gap_days=gap_days, timezone=ZONE, seed=7)


def test_a_copy_that_another_source_holds_out_is_not_learned_from():
    examples = make_reports(
        ["2024-06-05", None, None, "2024-01-01"],
        source=["desk", "sheet", "sheet", "desk"],
        duplicate_group=["a", "a", "b", "b"],
    )
    kept = drop_earlier_side(examples.assign(split=["test", "train", "validation", "train"]))
    assert kept["report_id"].tolist() == ["r0", "r2"]


def test_no_text_is_on_two_sides_of_several_sources():
    dated = make_reports([str(day) for day in pd.date_range("2024-01-01", periods=200, freq="D")])
    names = [f"s{number}" for number in range(400)]
    sheet = undated(400, source="sheet", report_id=names, duplicate_group=[f"d-r{number}" for number in range(400)])
    split = assign(pd.concat([dated, sheet]), desk=make_source(), sheet=make_source(split=by_group()))
    assert one_side_each(split)


def test_an_empty_split_is_refused_by_name():
    with pytest.raises(SplitError, match=r"'desk' leaves calibration empty \(train 1, validation 1, calibration 0, test 1\)"):
        assign(dated_desk(["2024-01-01", "2024-04-05", "2024-06-05"]))


def test_a_share_of_nothing_may_be_empty():
    split = assign(undated(100), desk=make_source(split=by_group(validation=0.0, calibration=0.0, test=0.3)))
    assert set(split["split"]) == {"train", "test"}


def test_the_result_is_in_order_of_arrival_whatever_the_order_of_the_input():
    examples = dated_desk()
    shuffled = assign(examples.sample(frac=1.0, random_state=3))
    pd.testing.assert_frame_equal(shuffled, assign(examples))
    assert shuffled["split"].tolist() == ["train", "validation", "calibration", "test"]


def test_shifting_dates_and_boundaries_shifts_nothing_else():
    examples = make_reports([str(day) for day in pd.date_range("2024-03-01", periods=400, freq="D")])
    shift = pd.Timedelta(days=365)
    moved = DateSplit(
        rule="date",
        validation=BOUNDARIES.validation + shift,
        calibration=BOUNDARIES.calibration + shift,
        test=BOUNDARIES.test + shift,
    )
    later = split_by_date(
        examples.assign(received_at=examples["received_at"] + shift), split=moved, gap_days=60, timezone="UTC"
    )
    pd.testing.assert_frame_equal(later[["report_id", "split"]], by_date(examples)[["report_id", "split"]])
