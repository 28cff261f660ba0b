import json
import shutil

import pytest
import yaml

from pipeline import cli
from tests.project import make_project


@pytest.fixture(autouse=True)
def _leave_logging_alone(monkeypatch):
    monkeypatch.setattr(cli.logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(cli.logging, "captureWarnings", lambda _: None)


def _triage(*arguments):
    return cli.main([str(argument) for argument in arguments])


def test_check_finds_nothing_wrong_with_a_project_in_order(tmp_path, capsys):
    root = make_project(tmp_path / "p", n_reports=20)
    assert _triage("--project", root, "check") == 0
    assert "in order" in capsys.readouterr().out


def test_check_says_all_that_is_wrong_and_writes_nothing(tmp_path, capsys):
    root = make_project(tmp_path / "p", n_reports=20)
    shutil.rmtree(root / "data" / "raw" / "desk")
    (root / "data" / "taxonomy" / "desk.yaml").write_text("name: desk\n", encoding="utf-8")
    before = sorted(path for path in root.rglob("*"))
    assert _triage("--project", root, "check") == 2
    said = capsys.readouterr().out
    assert "desk.csv" in said
    assert "taxonomy" in said
    assert sorted(path for path in root.rglob("*")) == before


def test_check_names_a_mapped_column_the_file_does_not_have(tmp_path, capsys):
    root = make_project(tmp_path / "p", n_reports=20)
    registered = root / "data" / "registry" / "desk.yaml"
    content = yaml.safe_load(registered.read_text(encoding="utf-8"))
    content["columns"]["narrative"] = "wording"
    registered.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert _triage("--project", root, "check") == 2
    assert "wording" in capsys.readouterr().out


def test_an_error_is_one_message_and_exit_code_2(tmp_path, capsys):
    assert _triage("--project", tmp_path, "run", "intake") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("triage: ")
    assert "params.yaml" in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_a_night_prints_a_table_a_person_can_read(project, capsys):
    assert _triage("--project", project, "nightly", "--as-of", "2025-08-04", "--lang", "zh", "--show", "3") == 0
    queue, alerts = capsys.readouterr().out.split("\n\n")
    assert alerts.startswith("2025-08-04 预警")
    lines = queue.splitlines()
    assert lines[0].startswith("2025-08-04")
    assert lines[1].split()[:3] == ["序", "风险", "类别"]
    assert any("抽查" in line for line in lines)
    assert len(lines) == 2 + 3 + 1 + 1


def test_a_night_speaks_json_to_machines(project, capsys):
    assert _triage("--project", project, "--json", "nightly", "--as-of", "2025-08-04") == 0
    assert json.loads(capsys.readouterr().out)["n_selected"] == 5


def test_an_impossible_day_is_refused(project, capsys):
    with pytest.raises(SystemExit) as stopped:
        _triage("--project", project, "nightly", "--as-of", "2025-02-30")
    assert stopped.value.code == 2
    assert "is not a day" in capsys.readouterr().err
