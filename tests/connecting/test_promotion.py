"""Promotion and rollback of a small learned project: gates, evidence, record."""

import hashlib
import json
import shutil

import pytest
import yaml

from pipeline import champions, cli, registry
from pipeline.errors import ArtifactError, ParameterError, TrackingError
from pipeline.params import Places
from pipeline.promotion import history, promote, rollback


@pytest.fixture
def desk(project, tmp_path):
    """A copy of the learned project with a registry of its own; version 1 is champion."""
    return shutil.copytree(project, tmp_path / "desk")


def _promote(root, why="a try", **waivers):
    return promote(root, "baseline", who="tester", why=why, waivers=waivers)


def _set_limit(root, **limits):
    path = root / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["evaluation"]["gates"] |= limits
    path.write_text(yaml.safe_dump(params, allow_unicode=True), encoding="utf-8")


def _packs(root):
    return sorted((root / "data" / "evidence" / "desk").iterdir())


def test_a_promotion_leaves_a_pack_whose_digest_is_recorded_everywhere(desk):
    done = _promote(desk)
    digest = hashlib.sha256((done.evidence / "evidence.json").read_bytes()).hexdigest()
    facts = json.loads((done.evidence / "evidence.json").read_text(encoding="utf-8"))
    assert digest == done.act.evidence
    assert digest in (done.evidence / "evidence.html").read_text(encoding="utf-8")
    assert (facts["decision"], facts["who"], facts["why"], facts["champion"]) == ("approved", "tester", "a try", "1")
    assert {gate["group"] for gate in facts["gates"]} >= {
        "measured", "champion", "calibration", "categories", "behaviour", "speed", "redaction"}  # fmt: skip


def test_the_pack_is_kept_with_the_run(desk):
    done = _promote(desk)
    with champions.connected(desk) as mlflow:
        kept = mlflow.MlflowClient().list_artifacts(done.version.run_id, f"evidence/{done.evidence.name}")
    assert {path.path.rpartition("/")[2] for path in kept} == {"evidence.html", "evidence.json"}


def test_the_pack_holds_no_text_of_a_report(desk):
    from pipeline.schema import EXAMPLES

    done = _promote(desk)
    texts = EXAMPLES.read(Places(desk, "desk").examples)["text"]
    for path in done.evidence.iterdir():
        content = path.read_text(encoding="utf-8")
        assert not [text for text in texts if text in content]


def test_a_refused_model_leaves_its_pack_and_the_champion_stays(desk, capsys, monkeypatch):
    monkeypatch.setattr(cli.logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(cli.logging, "captureWarnings", lambda _: None)
    _set_limit(desk, min_risk_brier_skill=1.0, night_minutes=0.000001)
    assert cli.main(["--project", str(desk), "promote", "baseline", "--why", "a try"]) == 1
    said = capsys.readouterr().err
    assert "risk Brier skill over the known base rate: wanted at least 1" in said
    assert "a night is scored in time" in said
    assert _packs(desk)[-1].name.endswith("-refused")
    assert champions.champion_number(desk, "desk") == "1"
    assert len(history(desk)[1]) == 1


def test_a_waiver_lets_a_model_through_and_is_written_in_the_pack(desk):
    _set_limit(desk, night_minutes=0.000001)
    done = _promote(desk, **{"a night is scored in time": "the new machine comes on Monday"})
    facts = json.loads((done.evidence / "evidence.json").read_text(encoding="utf-8"))
    waived = {gate["name"]: gate["waiver"] for gate in facts["gates"] if gate["waiver"]}
    assert waived == {"a night is scored in time": "the new machine comes on Monday"}


def test_calibration_is_never_waived(desk):
    _set_limit(desk, min_risk_brier_skill=1.0)
    with pytest.raises(ParameterError, match="is not waived"):
        _promote(desk, **{"risk Brier skill over the known base rate": "we are in a hurry"})


def test_a_waiver_of_an_unknown_gate_names_the_gates(desk):
    with pytest.raises(ParameterError, match="a night is scored in time"):
        _promote(desk, **{"speed": "why not"})


@pytest.mark.parametrize("act", [lambda root: _promote(root, why=" "), lambda root: rollback(root, who="", why="x")])
def test_who_and_why_must_be_given(desk, act):
    with pytest.raises(ParameterError, match="--by and --why"):
        act(desk)


def test_a_run_made_with_other_examples_is_not_judged_on_these(desk):
    card = desk / "data" / "dataset" / "desk" / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text(encoding="utf-8")) | {"digest": "0" * 64}), encoding="utf-8")
    with pytest.raises(TrackingError, match="made with other examples"):
        _promote(desk)


def test_promoting_the_same_run_again_makes_no_second_version(desk):
    assert _promote(desk).version.number == "1"


def test_a_rollback_returns_to_the_champion_before_and_is_recorded(desk):
    registry.log_evaluated(desk, "baseline")
    _promote(desk, why="newer")
    done = rollback(desk, who="night desk", why="queue looked odd")
    champion, acts = history(desk)
    assert champion == "1"
    assert [(act.kind, act.before, act.version, act.end) for act in acts] == [
        ("promote", "", "1", "done"), ("promote", "1", "2", "done"), ("rollback", "2", "1", "done")]  # fmt: skip
    assert (done.act.who, done.act.why) == ("night desk", "queue looked odd")
    assert registry.champion(desk, "desk").version == "dispute-triage-desk v1"


def test_without_an_earlier_champion_there_is_nothing_to_return_to(desk):
    with pytest.raises(TrackingError, match="no champion before the present one"):
        rollback(desk, who="tester", why="a try")


def test_a_damaged_earlier_champion_is_not_returned_to(desk, monkeypatch):
    registry.log_evaluated(desk, "baseline")
    _promote(desk, why="newer")

    def damaged(root, profile, version, folder):
        raise ArtifactError("damaged")

    monkeypatch.setattr(champions, "fetch_version", damaged)
    with pytest.raises(ArtifactError):
        rollback(desk, who="tester", why="a try")
    assert champions.champion_number(desk, "desk") == "2"


def test_the_record_is_shown_line_by_line(desk, capsys, monkeypatch):
    monkeypatch.setattr(cli.logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(cli.logging, "captureWarnings", lambda _: None)
    assert cli.main(["--project", str(desk), "champions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("promote  → v1  done  by test: for the tests")
    assert lines[-1] == "Champion: v1"
