"""Reports that fit no category, grouped from night to night."""

import pandas as pd

from pipeline import schema
from pipeline.emerging import novelty
from tests.builders import make_reports
from tests.emerging.builders import make_params

PARAMS = make_params().novelty
DRONES = (
    "无人机每晚在阳台外面飞",
    "小区里无人机乱飞拍窗户",
    "无人机夜里飞到窗户边",
    "有人用无人机拍阳台",
    "无人机又在窗户外面飞",
)
USUAL = make_reports(
    [f"2025-03-{day:02}" for day in range(1, 21)],
    text=["物业不退押金，电梯也不修，请有关部门处理", "工地拖欠工资三个月，老板不接电话，请有关部门处理"] * 10,
)


def unclear(*written, start=1, people=None):
    days = [f"2025-04-{start + number:02}T08:00" for number in range(len(written))]
    ids = [f"u{start + number}" for number in range(len(written))]
    return make_reports(days, report_id=ids, text=list(written), reporter_hash=people or ids)


def night_by_night(reports, *, params=PARAMS):
    grouped = schema.CANDIDATES.empty()
    for place in range(len(reports)):
        grouped = novelty.group(grouped, reports.iloc[[place]], reports.iloc[:place], USUAL, params)
    return grouped


def test_a_report_fits_no_category_if_its_likeliest_is_unlikely():
    counted = pd.DataFrame({"category_probability": [0.2, 0.9, None]})
    assert novelty.fits_no_category(counted, PARAMS).tolist() == [True, False, False]


def test_reports_about_one_new_thing_gather_under_the_first():
    grouped = night_by_night(unclear(*DRONES, "共享单车堆满了人行道"))
    assert grouped["candidate_id"].tolist() == ["n-u1"] * 5 + ["n-u6"]


def test_what_was_grouped_stays_grouped():
    reports = unclear(*DRONES)
    early = night_by_night(reports.iloc[:3])
    late = novelty.group(early, reports.iloc[3:], reports.iloc[:3], USUAL, PARAMS)
    assert late["candidate_id"].head(3).tolist() == early["candidate_id"].tolist()


def test_words_of_known_troubles_join_nothing():
    grouped = night_by_night(unclear("请有关部门处理", "请有关部门处理一下", "请有关部门尽快处理"))
    assert grouped["candidate_id"].nunique() >= 2


def test_a_group_without_a_new_report_for_the_window_is_over():
    reports = unclear(*DRONES[:2])
    later = make_reports(["2025-06-01"], report_id="late", text=DRONES[2])
    grouped = novelty.group(night_by_night(reports), later, reports, USUAL, PARAMS)
    assert grouped["candidate_id"].tolist() == ["n-late"]


def test_a_group_is_a_candidate_once_enough_people_wrote_on_enough_days():
    reports = unclear(*DRONES)
    found = novelty.candidates(night_by_night(reports), reports, USUAL, PARAMS, timezone="UTC")
    assert [(one.candidate_id, len(one.reports)) for one in found] == [("n-u1", 5)]
    assert any("无人机" in term for term in found[0].terms)
    one_person = unclear(*DRONES, people=["a"] * 5)
    assert novelty.candidates(night_by_night(one_person), one_person, USUAL, PARAMS, timezone="UTC") == []


def test_no_more_are_told_about_a_month_than_declared_unless_one_is_larger_than_those():
    reports = unclear(*DRONES)
    grouped = night_by_night(reports)

    def found(told):
        given = novelty.candidates(
            grouped, reports, USUAL, PARAMS.model_copy(update={"told_a_month": 1}), timezone="UTC", told=told
        )
        return [one.candidate_id for one in given]

    long_ago, late = pd.Timestamp("2025-01-01", tz="UTC"), pd.Timestamp("2025-04-09", tz="UTC")
    assert found(novelty.Told(frozenset(), (5,), long_ago)) == [], "as many reports as the one told about"
    assert found(novelty.Told(frozenset(), (4,), long_ago)) == ["n-u1"]
    assert found(novelty.Told(frozenset({"n-u1"}), (9,), late)) == ["n-u1"], "told about before, so kept up"
    assert found(novelty.Told(frozenset(), (), late)) == [], "quiet since; its alert has closed"


def test_terms_are_not_parts_of_each_other_and_hold_no_placeholder():
    (said,) = novelty.terms([["[手机号]无人机拍照", "[手机号]无人机拍照"]], ["物业不退押金"] * 5, 4)
    assert not any(one in other for one in said for other in said if one != other)
    assert not any("手机号" in term for term in said)


def test_nothing_new_leaves_no_groups():
    nothing = unclear("x").iloc[:0]
    assert novelty.group(schema.CANDIDATES.empty(), nothing, nothing, USUAL, PARAMS).empty
