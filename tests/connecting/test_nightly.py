import json
import shutil
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from pipeline import nightly, schema
from pipeline.errors import RejectLimitError, TrackingError
from pipeline.intake.decided import record
from pipeline.nightly import run_night
from pipeline.nights import Replay
from pipeline.printing import queue_table
from pipeline.registry import champion
from tests.project import write_csv


@pytest.fixture(scope="module")
def model(learned_project):
    return champion(learned_project, "desk")


def _night(root, day):
    return root / "data" / "nights" / "desk" / day


def _queue(root, day):
    return schema.QUEUE.read(_night(root, day) / "queue.parquet")


def test_a_night_publishes_a_queue_within_capacity_and_drops_nothing(project, model):
    night = run_night(project, date(2025, 8, 5), model=model)
    queue = _queue(project, "2025-08-05")
    assert len(queue) == night.n_open
    assert queue["selected"].value_counts()[["ranked", "audit"]].tolist() == [4, 1]
    assert queue["rank"].tolist() == list(range(1, len(queue) + 1))
    assert queue["priority"].is_monotonic_decreasing
    assert all(len(reasons) <= 3 for reasons in queue["reasons"])


def test_every_open_report_has_a_lane_and_a_band_around_its_risk(project, model):
    run_night(project, date(2025, 8, 5), model=model)
    queue = _queue(project, "2025-08-05")
    assert set(queue["lane"]) <= set(schema.LANES)
    assert (queue["risk_low"] <= queue["risk"]).all()
    assert (queue["risk"] <= queue["risk_high"]).all()


def test_the_table_says_in_words_what_a_category_may_be(project, model):
    night = run_night(project, date(2025, 8, 5), model=model)
    path = _night(project, "2025-08-05") / "queue.parquet"
    queue = schema.QUEUE.read(path)
    queue["lane"] = ["choose", "unclear"] * (len(queue) // 2) + ["clear"] * (len(queue) % 2)
    queue["category"] = "wages"
    queue["category_set"] = [["wages", "fraud"]] * len(queue)
    schema.QUEUE.write(queue, path)
    assert "or fraud?" in queue_table(project, night, n_rows=4, language="en")
    chinese = queue_table(project, night, n_rows=4, language="zh")
    assert "或为 fraud？" in chinese
    assert "新情况或不明，先由人定" in chinese


def test_a_night_sees_nothing_received_on_its_own_day_or_later(project, model):
    run_night(project, date(2025, 8, 5), model=model)
    midnight = pd.Timestamp("2025-08-05", tz="Asia/Shanghai")
    for name in ("queue", "reports"):
        assert (pd.read_parquet(_night(project, "2025-08-05") / f"{name}.parquet")["received_at"] < midnight).all()


def test_the_same_night_twice_gives_the_same_queue_byte_for_byte(project, model):
    run_night(project, date(2025, 8, 4), model=model)
    run_night(project, date(2025, 8, 5), model=model)
    once = (_night(project, "2025-08-05") / "queue.parquet").read_bytes()
    run_night(project, date(2025, 8, 5), model=model)
    assert (_night(project, "2025-08-05") / "queue.parquet").read_bytes() == once


def test_what_was_not_read_waits_and_what_was_read_does_not_come_back(project, model):
    run_night(project, date(2025, 8, 4), model=model)
    run_night(project, date(2025, 8, 5), model=model)
    first, second = _queue(project, "2025-08-04"), _queue(project, "2025-08-05")
    waiting = set(first.loc[first["selected"] == "waiting", "report_id"])
    assert waiting <= set(second["report_id"])
    assert not set(first.loc[first["selected"] != "waiting", "report_id"]) & set(second["report_id"])


def test_scores_carried_over_equal_scores_made_anew(project, model, monkeypatch):
    for day in (4, 5, 6):
        run_night(project, date(2025, 8, day), model=model)
    carried = _queue(project, "2025-08-06")
    monkeypatch.setattr(nightly._Open, "carried", property(lambda self: self.earlier.last_queue.iloc[:0]))
    run_night(project, date(2025, 8, 6), model=model)
    pd.testing.assert_frame_equal(carried, _queue(project, "2025-08-06"))


def test_nights_give_reports_the_matters_that_learning_gives_them(project, model):
    for day in (4, 5, 6):
        run_night(project, date(2025, 8, day), model=model)
    parts = [pd.read_parquet(_night(project, f"2025-08-0{day}") / "reports.parquet") for day in (4, 5, 6)]
    nightly_ids = pd.concat(parts).set_index("report_id")[["matter_id", "duplicate_group"]]
    learned = schema.REPORTS.read(project / "data" / "intake" / "desk" / "reports.parquet").set_index("report_id")
    pd.testing.assert_frame_equal(nightly_ids, learned.loc[nightly_ids.index, ["matter_id", "duplicate_group"]])


def test_what_people_decide_about_matters_holds_from_the_next_night_on(project, model):
    run_night(project, date(2025, 8, 4), model=model)
    waiting = _queue(project, "2025-08-04").query("selected == 'waiting'")
    moved = waiting["report_id"].iloc[0]
    path = project / "data" / "decisions" / "desk" / "matters.parquet"
    when = datetime(2025, 8, 4, 3, tzinfo=UTC)
    record(path, action="move", subject=moved, into="m-else", by="li", why="test", now=when)
    try:
        run_night(project, date(2025, 8, 5), model=model)
    finally:
        path.unlink()
    assert _queue(project, "2025-08-05").set_index("report_id").loc[moved, "matter_id"] == "m-else"


def test_a_night_with_too_many_bad_rows_leaves_the_last_queue_in_place(project, model):
    run_night(project, date(2025, 8, 4), model=model)
    before = sorted(path.name for path in (project / "data" / "nights" / "desk").iterdir())
    file = project / "data" / "raw" / "desk" / "desk.csv"
    good = file.read_bytes()
    try:
        broken = [
            {"id": f"x{n}", "time": "someday", "title": "", "text": "灯坏了", "area": "", "who": "", "category": ""}
            for n in range(99)
        ]
        write_csv(file, broken)
        with pytest.raises(RejectLimitError, match="99 of 99 rows were rejected"):
            run_night(project, date(2025, 8, 5), model=model)
    finally:
        file.write_bytes(good)
    assert sorted(path.name for path in (project / "data" / "nights" / "desk").iterdir()) == before


def test_a_night_cut_off_between_two_renames_is_put_back(project, model):
    run_night(project, date(2025, 8, 4), model=model)
    folder = _night(project, "2025-08-04")
    folder.rename(folder.with_name(".replaced-2025-08-04"))
    run_night(project, date(2025, 8, 5), model=model)
    assert (folder / "queue.parquet").exists()
    assert not list(folder.parent.glob(".*"))


def test_a_night_cut_off_while_writing_leaves_no_queue_and_can_be_run_again(project, model, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(schema.Table, "write", fail)
    with pytest.raises(KeyboardInterrupt):
        run_night(project, date(2025, 8, 4), model=model)
    assert not _night(project, "2025-08-04").exists()
    monkeypatch.undo()
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "a key for tests only")
    run_night(project, date(2025, 8, 4), model=model)
    assert _night(project, "2025-08-04").exists()


def test_the_manifest_names_inputs_model_parameters_and_counts(project, model):
    run_night(project, date(2025, 8, 4), model=model)
    manifest = json.loads((_night(project, "2025-08-04") / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["inputs"]) == {"desk"}
    assert manifest["model"] == "dispute-triage-desk v1"
    assert manifest["n_new"] > manifest["n_open"] > manifest["n_selected"] == 5
    assert set(manifest["seconds"]) == {"champion", "intake", "scoring", "alerts"}


def test_without_a_champion_a_night_says_what_to_do(project, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(TrackingError, match=r"no champion yet.*triage promote baseline"):
        run_night(project, date(2025, 8, 4))


def test_nights_in_one_process_publish_what_separate_nights_publish_byte_for_byte(project, model):
    days = [date(2025, 8, day) for day in (4, 5, 6, 7)]
    for day in days:
        run_night(project, day, model=model)
    nights = project / "data" / "nights" / "desk"
    apart = {day: [(nights / f"{day}" / f"{name}.parquet").read_bytes() for name in ("queue", "reports")] for day in days}
    shutil.rmtree(nights)
    replay = Replay(schema.REPORTS.read(project / "data" / "intake" / "desk" / "reports.parquet"), {})
    for day in days:
        run_night(project, day, model=model, replay=replay)
    assert apart == {
        day: [(nights / f"{day}" / f"{name}.parquet").read_bytes() for name in ("queue", "reports")] for day in days
    }


def test_a_replay_that_begins_anew_goes_on_from_what_is_published(project, model):
    admitted = schema.REPORTS.read(project / "data" / "intake" / "desk" / "reports.parquet")
    replay = Replay(admitted, {})
    for day in (4, 5, 6):
        run_night(project, date(2025, 8, day), model=model, replay=replay)
    at_once = (_night(project, "2025-08-06") / "queue.parquet").read_bytes()
    shutil.rmtree(_night(project, "2025-08-06"))
    run_night(project, date(2025, 8, 6), model=model, replay=Replay(admitted, {}))
    assert (_night(project, "2025-08-06") / "queue.parquet").read_bytes() == at_once
