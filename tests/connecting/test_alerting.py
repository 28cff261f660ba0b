"""Alerts as nights raise, print and keep them."""

import json
from datetime import date
from xml.etree import ElementTree

import pandas as pd
import pytest

from pipeline import schema
from pipeline.cli import main
from pipeline.nightly import run_night
from pipeline.registry import champion
from tests.project import write_csv

BURST_DAYS = (5, 6, 7)


@pytest.fixture
def model(learned_project):
    return champion(learned_project, "desk")


@pytest.fixture
def burst(project):
    """The project with ten more people a day about one stolen thing in one area for three days of August."""
    file = project / "data" / "raw" / "desk" / "desk.csv"
    quiet = file.read_bytes()
    rows = pd.read_csv(file, dtype=str).to_dict("records")
    place = "枫桥花园三号地下车库电瓶被盗"
    rows += [
        {
            "id": f"b{day}{number}", "time": f"2025-08-{day:02} 1{number}:00:00", "title": place, "who": f"b{day}{number}",
            "text": f"{place}，第{day}天又少了{number}个，保安说没有看见。", "area": "第1区", "category": rows[0]["category"],
        }
        for day in BURST_DAYS
        for number in range(10)
    ]  # fmt: skip
    write_csv(file, rows)
    yield project
    file.write_bytes(quiet)


def night(root, day, model):
    run_night(root, date(2025, 8, day), model=model)
    return root / "data" / "nights" / "desk" / f"2025-08-{day:02}"


def test_a_quiet_night_publishes_tables_without_alerts(project, model):
    folder = night(project, 4, model)
    assert schema.ALERTS.read(folder / "alerts.parquet").query("kind == 'surge'").empty
    counted = schema.COUNTED.read(folder / "counted.parquet")
    assert counted["category"].notna().all()
    assert len(counted) == len(schema.REPORTS.read(folder / "reports.parquet"))


def test_a_burst_is_raised_once_drawn_and_kept_after_it_is_over(burst, model):
    raised = [schema.ALERTS.read(night(burst, day, model) / "alerts.parquet") for day in (5, 8, 9, 28)]
    before, first, second, last = (table[table["kind"] == schema.SURGE] for table in raised)
    assert before.empty
    assert "第1区" in first["area"].tolist()
    assert set(first["alert_id"]) <= set(second["alert_id"]) <= set(last["alert_id"])
    assert set(first["state"]) == {schema.OPEN}
    assert set(last.loc[last["alert_id"].isin(first["alert_id"]), "state"]) == {schema.CLOSED}
    one = first.iloc[0]
    assert one["high"] < one["n_reports"] <= 45
    assert one["matter_id"] is not None, "one matter makes up most of it"
    chart = burst / "data" / "nights" / "desk" / "2025-08-08" / "charts" / f"{one['alert_id']}.svg"
    assert ElementTree.fromstring(chart.read_text(encoding="utf-8")).tag.endswith("svg")


def test_the_same_night_twice_gives_the_same_alerts_byte_for_byte(burst, model):
    night(burst, 7, model)
    tables = ("alerts", "counted", "candidates")
    once, again = ([(night(burst, 8, model) / f"{name}.parquet").read_bytes() for name in tables] for _ in range(2))
    assert once == again


def test_reports_that_came_late_are_told_from_those_that_did_not(project, model):
    night(project, 4, model)
    file = project / "data" / "raw" / "desk" / "desk.csv"
    before = file.read_bytes()
    rows = pd.read_csv(file, dtype=str).to_dict("records")
    try:
        write_csv(file, [*rows, {**rows[0], "id": "late", "time": "2025-08-02 10:00:00", "text": "一件晚到的事"}])
        counted = schema.COUNTED.read(night(project, 5, model) / "counted.parquet").set_index("report_id")
    finally:
        file.write_bytes(before)
    recorded = counted["recorded_at"].dt.tz_convert("Asia/Shanghai").dt.date
    assert recorded["desk-late"] == date(2025, 8, 4)
    assert (recorded == date(2025, 8, 4)).all()


def test_alerts_are_listed_in_both_languages_and_as_json(burst, model, capsys):
    night(burst, 8, model)
    assert main(["--project", str(burst), "alerts", "--lang", "zh"]) == 0
    assert "数量突增" in capsys.readouterr().out
    assert main(["--project", str(burst), "alerts", "--lang", "en"]) == 0
    assert "surge" in capsys.readouterr().out
    assert main(["--project", str(burst), "--json", "alerts", "--as-of", "2025-08-08"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["as_of"] == "2025-08-08"
    assert told["alerts"][0]["report_ids"]


def test_asking_for_a_night_that_was_not_run_says_what_to_do(project, capsys):
    assert main(["--project", str(project), "alerts", "--as-of", "2025-08-08"]) == 2
    assert "triage nightly" in capsys.readouterr().err
