"""The evidence pack."""

import hashlib
import json

import pytest

from pipeline.evaluation.evidence import Evidence, Judged, write_evidence
from pipeline.evaluation.gates import Gate

PASSED = Judged("measured", Gate("something was measured", True, "a label", "12"))
WAIVED = Judged("slices", Gate("equal care", False, "at most 0.1", "0.2"), "west has 31 reports")
FAILED = Judged("calibration", Gate("risk is calibrated", False, "at most 0.04", "<b>0.3</b>"))


@pytest.fixture
def evidence():
    return Evidence(
        decision="refused", model="baseline", profile="desk", who="张三", why="a try", when="2025-09-15T07:30:00+00:00",
        run_id="r1", git="abc", git_now="def", data="0123", tested="12 reports", champion="3", judged=(PASSED, WAIVED, FAILED),
    )  # fmt: skip


def test_the_page_names_the_digest_of_the_json(evidence, tmp_path):
    digest = write_evidence(evidence, tmp_path / "pack")
    assert digest == hashlib.sha256((tmp_path / "pack" / "evidence.json").read_bytes()).hexdigest()
    assert digest in (tmp_path / "pack" / "evidence.html").read_text(encoding="utf-8")


def test_the_json_holds_every_gate_with_what_was_wanted_and_what_came(evidence, tmp_path):
    write_evidence(evidence, tmp_path / "pack")
    facts = json.loads((tmp_path / "pack" / "evidence.json").read_text(encoding="utf-8"))
    assert (facts["who"], facts["why"], facts["git"], facts["data"]) == ("张三", "a try", "abc", "0123")
    assert [(gate["group"], gate["passed"], gate["waiver"]) for gate in facts["gates"]] == [
        ("measured", True, ""), ("slices", False, "west has 31 reports"), ("calibration", False, "")]  # fmt: skip


def test_the_page_shows_failures_waivers_and_escapes_everything(evidence, tmp_path):
    write_evidence(evidence, tmp_path / "pack")
    page = (tmp_path / "pack" / "evidence.html").read_text(encoding="utf-8")
    assert "Refused 不予上线" in page
    assert "west has 31 reports" in page
    assert "&lt;b&gt;0.3&lt;/b&gt;" in page


def test_what_a_killed_process_left_aside_is_removed(evidence, tmp_path):
    (tmp_path / ".writing-earlier").mkdir()
    write_evidence(evidence, tmp_path / "pack")
    assert [path.name for path in tmp_path.iterdir()] == ["pack"]


def test_a_waived_gate_holds_and_a_failed_one_does_not():
    assert [one.holds for one in (PASSED, WAIVED, FAILED)] == [True, True, False]
