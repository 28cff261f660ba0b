import json
import shutil

import pandas as pd
import pytest
import yaml

from pipeline import schema
from pipeline.errors import RejectLimitError, SourceError
from pipeline.intake.stage import receive, run
from pipeline.params import Places, midnight
from tests.conftest import ROOT
from tests.intake.builders import intake_params, make_source

HEADER = "id,time,title,text\n"
ROWS = "".join(f"{n},2024-03-{n + 1:02} 08:00,,第{n}户反映楼道没有灯\n" for n in range(28))
SPLIT = {"rule": "date", "validation": "2024-03-10", "calibration": "2024-03-16", "test": "2024-03-22"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose profile learns from a file of 28 reports and a file of two outcomes, one of them after `as_of`."""
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "k" * 16)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    _write(tmp_path / "params.yaml", params | {"profile": "desk", "threads": 1})
    source = {"supplies": ["escalated"], "outcomes": ["money_lost"], "outcome_sources": ["desk-outcomes"], "split": SPLIT}
    profile = {
        "name": "desk", "taxonomy": "categories", "timezone": "Asia/Shanghai", "as_of": "2024-03-26",
        "sources": {"desk": source},
        "label_window_days": 1, "gap_days": 1, "re_report_reporters": 1, "capacity": 1,
    }  # fmt: skip
    _write(tmp_path / "data" / "profiles" / "desk.yaml", profile)
    (tmp_path / "data" / "taxonomy").mkdir()
    shutil.copy(ROOT / "data" / "taxonomy" / "outcomes.yaml", tmp_path / "data" / "taxonomy")
    _write(tmp_path / "data" / "registry" / "desk.yaml", make_source().model_dump(mode="json"))
    columns = {"report_id": "id", "outcome": "outcome", "recorded_at": "time"}
    outcomes = make_source("outcomes.csv", name="desk-outcomes", kind="outcomes", of="desk", columns=columns)
    _write(tmp_path / "data" / "registry" / "desk-outcomes.yaml", outcomes.model_dump(mode="json"))
    _give(tmp_path, "desk", "desk.csv", HEADER + ROWS)
    _give(tmp_path, "desk-outcomes", "outcomes.csv", "id,outcome,time\n3,money_lost,2024-03-06\n4,money_lost,2024-03-27\n")
    return tmp_path


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def _give(root, source, name, content):
    folder = Places(root, "desk").raw(source)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(content, encoding="utf-8")


def test_the_stage_writes_reports_rejected_outcomes_and_a_summary(project):
    summary = run(project)
    places = Places(project, "desk")
    assert (summary.n_read, summary.n_accepted, summary.n_outcomes) == (25, 25, 1)  # the days before 2024-03-26
    assert len(schema.REPORTS.read(places.reports)) == 25
    assert schema.REJECTED.read(places.rejected).empty
    assert schema.OUTCOMES.read(places.outcomes)["report_id"].tolist() == ["desk-3"]
    written = json.loads(places.reports.with_name("summary.json").read_text(encoding="utf-8"))
    assert written["sources"]["desk"]["unseen"] == 3
    assert sorted(path.name for path in places.reports.parent.iterdir()) == [
        "decisions.parquet",
        "outcomes.parquet",
        "rejected.parquet",
        "reports.parquet",
        "summary.json",
    ]


def test_running_twice_writes_the_same_bytes(project):
    run(project)
    folder = Places(project, "desk").reports.parent
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    run(project)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_above_the_reject_limit_nothing_is_written(project):
    _give(project, "desk", "desk.csv", HEADER + ROWS + "90,never,,停水\n91,,,停电\n")
    with pytest.raises(RejectLimitError):
        run(project)
    assert list(Places(project, "desk").reports.parent.iterdir()) == []


def test_what_an_earlier_run_wrote_stays_when_a_later_one_fails(project):
    run(project)
    before = Places(project, "desk").reports.read_bytes()
    _give(project, "desk", "desk.csv", HEADER)
    with pytest.raises(SourceError, match="'desk' has no rows"):
        run(project)
    assert Places(project, "desk").reports.read_bytes() == before


def test_a_source_of_another_kind_is_refused(project):
    path = project / "data" / "profiles" / "desk.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("desk:", "desk-outcomes:"), encoding="utf-8")
    with pytest.raises(SourceError, match="'desk-outcomes' holds outcomes"):
        run(project)


def test_nights_take_up_where_the_last_one_stopped_and_end_where_learning_does(project):
    earlier = schema.REPORTS.empty()
    counts = []
    for day in ("2024-03-05", "2024-03-06", "2024-03-06", "2024-03-26"):
        as_of = midnight(yaml.safe_load(day), "Asia/Shanghai")
        night, checksums = receive(project, ["desk"], earlier=earlier, as_of=as_of, params=intake_params(), n_processes=1)
        counts.append(len(night.reports))
        earlier = pd.concat([part for part in (earlier, night.reports) if len(part)], ignore_index=True)
    assert counts == [4, 1, 0, 20]
    assert set(checksums["desk"]) == {"desk.csv"}
    run(project)
    learned = schema.REPORTS.read(Places(project, "desk").reports)
    assert earlier.to_dict("records") == learned.to_dict("records")
