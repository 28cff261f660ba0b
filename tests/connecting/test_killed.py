"""Promote and rollback killed (SIGKILL) at every step: the champion is the old or the new one, and the next command repairs."""

import shutil
import signal
import subprocess
import sys

import pytest

from pipeline import champions, registry
from pipeline.promotion import history, promote, rollback
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

STEPS = [
    ("pipeline.promotion.judge", "before"),
    ("pipeline.promotion.write_evidence", "before"),
    ("pipeline.evaluation.evidence._render", "after"),  # the pack is half written
    ("pipeline.champions.log_evidence", "before"),
    ("pipeline.champions.log_evidence", "after"),
    ("pipeline.champions.add_version", "after"),
    ("pipeline.champions._begin", "before"),
    ("pipeline.champions._begin", "after"),
    ("pipeline.champions._move_alias", "after"),
    ("pipeline.champions._end", "after"),
]
MOVED = {("pipeline.champions._move_alias", "after"), ("pipeline.champions._end", "after")}


@pytest.fixture
def desk(project, tmp_path):
    """Version 1 is champion; a newer run waits to be promoted."""
    root = shutil.copytree(project, tmp_path / "desk")
    registry.log_evaluated(root, "baseline")
    return root


def _kill(root, act, step):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.connecting.kill", str(root), act, *step],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[1]} {step[0].rpartition('.')[2]}")
def test_a_killed_promotion_leaves_the_old_or_the_new_champion_and_the_next_one_repairs(desk, step):
    _kill(desk, "promote", step)
    assert champions.champion_number(desk, "desk") == ("2" if step in MOVED else "1")
    assert registry.champion(desk, "desk").categories
    promote(desk, "baseline", who="tester", why="again", waivers={})
    champion, acts = history(desk)
    assert champion == "2"
    assert all(act.end for act in acts)
    assert not list((desk / "data" / "evidence" / "desk").glob(".writing-*"))
    assert rollback(desk, who="tester", why="back").act.version == "1"


@pytest.mark.parametrize("step", [step for step in STEPS if step[0].rpartition(".")[2] in ("_begin", "_move_alias", "_end")],
                         ids=lambda step: f"{step[1]} {step[0].rpartition('.')[2]}")  # fmt: skip
def test_a_killed_rollback_leaves_the_old_or_the_new_champion_and_the_next_command_repairs(desk, step):
    promote(desk, "baseline", who="tester", why="newer", waivers={})
    _kill(desk, "rollback", step)
    rolled_back = step in MOVED
    assert champions.champion_number(desk, "desk") == ("1" if rolled_back else "2")
    champions.repair(desk, "desk")
    acts = history(desk)[1]
    assert all(act.end for act in acts)
    assert champions.previous(acts, champions.champion_number(desk, "desk")) == ("" if rolled_back else "1")


def test_a_promotion_killed_after_its_intent_is_recorded_as_abandoned(desk):
    _kill(desk, "promote", ("pipeline.champions._begin", "after"))
    (ended,) = champions.repair(desk, "desk")
    assert (ended.version, ended.end, ended.why) == ("2", "abandoned", "to be killed")


def test_a_promotion_killed_after_the_champion_changed_is_recorded_as_done(desk):
    _kill(desk, "promote", ("pipeline.champions._move_alias", "after"))
    (ended,) = champions.repair(desk, "desk")
    assert (ended.version, ended.end, ended.why) == ("2", "done", "to be killed")
    assert champions.repair(desk, "desk") == []


def test_the_very_first_promotion_killed_leaves_no_champion_and_can_be_repeated(project, tmp_path):
    desk = shutil.copytree(project, tmp_path / "first", ignore=shutil.ignore_patterns("mlflow.db*", "mlartifacts", "evidence"))
    registry.log_evaluated(desk, "baseline")
    _kill(desk, "promote", ("pipeline.champions._begin", "after"))
    assert champions.champion_number(desk, "desk") == ""
    promote(desk, "baseline", who="tester", why="again", waivers={})
    assert champions.champion_number(desk, "desk") == "1"
