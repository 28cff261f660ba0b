"""`triage run dataset`, from intake's tables to its own."""

import json
import shutil

import pytest
import yaml

from pipeline import schema
from pipeline.dataset.stage import run
from pipeline.errors import SchemaError, SplitError
from pipeline.params import Places
from tests.builders import make_outcomes, make_profile, make_reports

RECEIVED = ["2024-01-01", "2024-01-02", "2024-04-05", "2024-05-05", "2024-06-05", "2024-07-31T16:00"]


@pytest.fixture
def root(tmp_path, project_root):
    """A project with the profile `desk` and its reports; the last is of the day we look from."""
    shutil.copytree(project_root / "data" / "taxonomy", tmp_path / "data" / "taxonomy")
    params = yaml.safe_load((project_root / "params.yaml").read_text(encoding="utf-8")) | {"profile": "desk"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    profile = tmp_path / "data" / "profiles" / "desk.yaml"
    profile.parent.mkdir()
    profile.write_text(yaml.safe_dump(make_profile().model_dump(mode="json")), encoding="utf-8")
    reports = make_reports(RECEIVED, category="wages", matter_id=["m", "m", "n", "o", "p", "p"], reporter_hash=list("abcdef"))
    schema.REPORTS.write(reports, Places(tmp_path, "desk").reports)
    schema.OUTCOMES.write(make_outcomes(), Places(tmp_path, "desk").outcomes)
    return tmp_path


def test_it_writes_examples_of_reports_received_before_the_day_we_look_from(root):
    summary = run(root)
    examples = schema.EXAMPLES.read(Places(root, "desk").examples)
    assert examples["report_id"].tolist() == ["r0", "r1", "r2", "r3", "r4"]
    assert examples["split"].tolist() == ["train", "train", "validation", "calibration", "test"]
    assert examples["n_similar_7d"].tolist() == [0, 1, 0, 0, 0]
    assert summary.n_by_split == {"train": 2, "validation": 1, "calibration": 1, "test": 1}
    assert summary.n_escalated == 1


def test_reports_between_two_splits_are_kept_apart_with_the_days_they_were_followed(root):
    places = Places(root, "desk")
    more = make_reports([*RECEIVED, "2024-03-28T16:00"], reporter_hash="a")  # three days before validation begins in Shanghai
    schema.REPORTS.write(more, places.reports)
    run(root)
    between = schema.EXAMPLES.read(places.between)
    assert between[["report_id", "split", "followed_days"]].to_numpy().tolist() == [["r6", "train", 3.0]]
    assert "r6" not in set(schema.EXAMPLES.read(places.examples)["report_id"])


def test_it_writes_a_card_for_machines_and_for_people(root):
    summary = run(root)
    room = Places(root, "desk").room("dataset")
    assert json.loads((room / "card.json").read_text(encoding="utf-8"))["digest"] == summary.digest
    assert (room / "card" / "card.md").read_text(encoding="utf-8").startswith("# Dataset card: desk")


def test_the_same_tables_give_the_same_digest(root):
    assert run(root).digest == run(root).digest


def test_it_asks_for_intake_where_there_are_no_reports(root):
    Places(root, "desk").reports.unlink()
    with pytest.raises(SchemaError, match="no such file"):
        run(root)


def test_it_refuses_to_divide_nothing(root):
    schema.REPORTS.write(make_reports(["2024-09-01"]), Places(root, "desk").reports)
    with pytest.raises(SplitError, match="no report received before 2024-08-01"):
        run(root)
    assert not Places(root, "desk").examples.exists()
