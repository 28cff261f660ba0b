from pipeline.scoring.similar import find_similar
from tests.builders import make_reports


def test_the_most_alike_earlier_reports_come_first_and_nothing_from_later():
    past = make_reports(
        ["2024-01-01", "2024-01-02", "2024-01-03", "2024-02-01"],
        text=["楼上漏水泡坏地板", "楼上漏水多次无人管", "老板拖欠工资", "楼上漏水多次没人管"],
    )
    report = make_reports(["2024-01-20"], text="楼上漏水多次没人管", report_id=["new"])
    assert find_similar(report, past, n_similar=5) == {"new": ("r1", "r0")}


def test_a_report_unlike_all_others_and_an_empty_past_give_nothing():
    report = make_reports(["2024-01-20"], text="楼上漏水", report_id=["new"])
    assert find_similar(report, make_reports(["2024-01-01"], text="欠薪"), n_similar=5) == {}
    assert find_similar(report, make_reports([]), n_similar=5) == {}
