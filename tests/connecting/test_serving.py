"""The review pages on a project: the demo on its own clock, the bulletin from the command line, the provider's settings."""

import csv
import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.cli import main
from pipeline.errors import ParameterError, StoreError
from pipeline.nightly import run_night
from pipeline.publishing import read_alerts
from pipeline.registry import champion
from pipeline.serving import prepare_demo, review_app


@pytest.fixture
def night(project, monkeypatch, tmp_path):
    """The project with one night run and its store in a folder of its own."""
    monkeypatch.setenv("TRIAGE_STORE", f"sqlite:///{tmp_path}/store.sqlite")
    run_night(project, date(2025, 8, 5), model=champion(project, "desk"))
    return project


def test_the_demo_shows_the_night_on_the_morning_it_was_made_for(night):
    demo = prepare_demo(night)
    assert demo.clock().isoformat().startswith("2025-08-05T01:0")  # nine in Shanghai
    with TestClient(review_app(night, secure=False, clock=demo.clock)) as client:
        page = client.post("/sign-in", data={"name": "reviewer", "password": demo.password})
        assert page.url.path == "/queue"
        assert page.text.count("/report?id=") == 5
        assert client.get("/bulletin").status_code == 200
        assert "dispute-triage-desk" in client.get("/model").text


def test_a_demo_needs_a_night(project):
    with pytest.raises(StoreError, match="triage nightly"):
        prepare_demo(project)


def test_the_bulletin_is_written_in_three_forms(night, tmp_path, capsys):
    prepare_demo(night)
    folder = str(tmp_path / "bulletins")
    arguments = ("bulletin", "--from", "2025-07-01", "--to", "2025-07-31", "--lang", "en", "--folder", folder)
    assert main(["--project", str(night), "--json", *arguments]) == 0
    written = json.loads(capsys.readouterr().out)["files"]
    assert [name.rsplit(".", 1)[1] for name in written] == ["html", "xlsx", "csv"]
    with Path(written[2]).open(encoding="utf-8-sig", newline="") as file:
        [collected] = [row for row in csv.reader(file) if row[:1] == ["Collected"]][:1]
    assert int(collected[1]) > 0
    assert main(["--project", str(night), "bulletin", "--from", "2025-08-01", "--to", "2025-07-01", "--folder", folder]) == 2
    shutil.rmtree(folder)


def test_half_a_provider_is_refused(night, monkeypatch):
    prepare_demo(night)
    monkeypatch.setenv("TRIAGE_OIDC_ISSUER", "https://identity.example")
    with pytest.raises(ParameterError, match="TRIAGE_OIDC_CLIENT_SECRET"):
        review_app(night, secure=False)


def test_alerts_of_a_night_are_read_whatever_else_they_say(tmp_path):
    import pandas as pd

    file = tmp_path / "alerts.parquet"
    assert read_alerts(file) == []
    row = {
        "alert_id": "surge-1", "kind": "surge", "area": "东区", "category": None, "matter_id": None, "state": "closed",
        "first_seen": date(2025, 8, 1), "last_seen": date(2025, 8, 4), "raised_on": date(2025, 8, 2), "n_reports": 7,
        "expected": float("nan"), "report_ids": ["a", "b"],
    }  # fmt: skip
    pd.DataFrame([row]).to_parquet(file)
    [alert] = read_alerts(file)
    assert (alert["status"], alert["first_day"], alert["unit"]) == ("closed", date(2025, 8, 1), None)
    assert alert["evidence"] == {"raised_on": "2025-08-02", "n_reports": 7, "expected": None, "report_ids": ["a", "b"]}
