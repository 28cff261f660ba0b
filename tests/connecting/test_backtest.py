"""Replayed nights; marked slow where a whole replay is run, since models are fitted anew in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline import cli, registry, schema
from pipeline.backtest import MODEL, PREVIOUS, run_backtest
from pipeline.errors import ParameterError
from pipeline.nightly import run_night
from pipeline.orders import Said, replay_order
from pipeline.params import load_profile
from pipeline.refits import as_known_on, everything_known, shadow_project
from tests.project import make_project

FIRST, LAST = date(2025, 8, 1), date(2025, 8, 8)
FOLDER = "data/backtests/desk/2025-08-01_2025-08-08"


def _project(root):
    root = make_project(root)
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    params["backtest"]["refit_days"], params["threads"] = 4, 2
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """Eight nights replayed in a project that has never learned or run a night."""
    root = _project(tmp_path_factory.mktemp("replayed"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIAGE_SECRET_KEY", "a key for tests only")
        return root, run_backtest(root, FIRST, LAST, capacity=3)


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "a key for tests only")


def _queues(root):
    return {path.parent.name: path.read_bytes() for path in (root / FOLDER / "capacity-3").rglob("queue.parquet")}


@pytest.mark.parametrize(("first", "last"), [("2025-08-05", "2025-08-01"), ("2025-08-01", "2025-09-30")])
def test_days_that_are_no_past_nights_are_refused(tmp_path, first, last):
    root = make_project(tmp_path / "p", n_reports=20)
    with pytest.raises(ParameterError, match=r"--from <= --to <= 2025-08-20"):
        run_backtest(root, date.fromisoformat(first), date.fromisoformat(last))


def test_split_days_of_an_earlier_day_lie_before_it_in_order(tmp_path):
    root = make_project(tmp_path / "p", n_reports=20)
    days = pd.date_range("2025-01-01", "2025-06-30", freq="12h", tz="UTC")
    profile = as_known_on(load_profile(root, "desk"), date(2025, 7, 1), pd.DataFrame({"received_at": days, "source": "desk"}))
    split = profile.sources["desk"].split
    assert profile.as_of == date(2025, 7, 1)
    assert split.validation < split.calibration < split.test < date(2025, 6, 20)


@pytest.mark.slow
def test_a_replay_publishes_what_separate_nights_with_the_same_models_publish(replayed, tmp_path):
    root, done = replayed
    service = shadow_project(root, tmp_path / "service", done.past.profile)
    for day in done.past.days:
        fitted = max(folder for folder in (root / FOLDER / "refits").iterdir() if folder.name <= day.isoformat())
        model = registry.load(fitted / "artifact", version=f"baseline as of {fitted.name}")
        run_night(service, day, model=model)
    apart = {path.parent.name: path.read_bytes() for path in service.rglob("queue.parquet")}
    assert apart == _queues(root)


@pytest.mark.slow
def test_a_replay_leaves_the_profiles_own_folders_alone(replayed):
    root, _ = replayed
    assert sorted(path.name for path in (root / "data").iterdir()) == [
        "backtests",
        "behaviour",
        "profiles",
        "raw",
        "registry",
        "taxonomy",
    ]
    assert not (root / "mlflow.db").exists()


@pytest.mark.slow
def test_a_refitted_model_learned_from_nothing_later_than_its_day(replayed):
    root, _ = replayed
    for folder in (root / FOLDER / "refits").iterdir():
        examples = schema.EXAMPLES.read(folder / "data" / "dataset" / "desk" / "examples.parquet")
        begins = pd.Timestamp(folder.name, tz="Asia/Shanghai")
        settled = examples[examples["escalated"].notna()]
        assert (examples["received_at"] < begins).all()
        assert (settled["received_at"] + pd.Timedelta(days=10) <= begins).all()
        assert (examples["escalated_at"].dropna() < begins).all()


@pytest.mark.slow
def test_what_a_past_day_knew_is_a_slice_of_what_is_known_now(replayed, tmp_path):
    root, _ = replayed
    day = date(2025, 8, 1)
    known = everything_known(root, root / FOLDER / "known")
    begins = pd.Timestamp(day, tz="Asia/Shanghai")
    earlier = known.reports[known.reports["received_at"] < begins]
    shadow = shadow_project(root, tmp_path / "then", as_known_on(load_profile(root, "desk"), day, earlier))
    import_module("pipeline.intake.stage").run(shadow)
    then = schema.REPORTS.read(shadow / "data" / "intake" / "desk" / "reports.parquet")
    outcomes = schema.OUTCOMES.read(shadow / "data" / "intake" / "desk" / "outcomes.parquet")
    pd.testing.assert_frame_equal(then, earlier.reset_index(drop=True))
    assert len(outcomes) == (known.outcomes["recorded_at"] < begins).sum()


@pytest.mark.slow
def test_replaying_the_models_own_priorities_gives_what_its_nights_selected(replayed):
    past = replayed[1].past
    given = replay_order(
        past.came,
        lambda night, places: Said(past.said[night].priority[places], past.said[night].unclear[places]),
        capacity=3,
        audit_share=0.1,
        unclear_share=0.1,
        renewed=frozenset(range(8)),
    )
    np.testing.assert_array_equal(given.night, past.given.night)
    np.testing.assert_array_equal(given.audit, past.given.audit)
    np.testing.assert_array_equal(given.propensity, past.given.propensity)


@pytest.mark.slow
def test_every_order_reads_as_much_of_the_same_arrivals(replayed):
    done = replayed[1]
    assert set(done.given) == {MODEL, PREVIOUS, "arrival_order", "keywords", "newest_first"}
    assert {int((order.night >= 0).sum()) for order in done.given.values()} == {24}
    assert all(
        (order.night[order.night >= 0] >= done.past.fate.first_night[order.night >= 0]).all() for order in done.given.values()
    )


@pytest.mark.slow
def test_a_replay_that_was_killed_goes_on_with_the_nights_it_had_finished(replayed, tmp_path):
    root = tmp_path / "killed"
    shutil.copytree(replayed[0], root, symlinks=True)
    shutil.rmtree(root / "data" / "backtests")
    program = (
        "import sys\nfrom datetime import date\nfrom pathlib import Path\nfrom pipeline.backtest import run_backtest\n"
        f"run_backtest(Path(sys.argv[1]), {FIRST!r}, {LAST!r}, capacity=3)\n".replace("datetime.date", "date")
    )
    with subprocess.Popen([sys.executable, "-c", program, str(root)], stderr=subprocess.DEVNULL) as process:
        nights = root / FOLDER / "capacity-3" / "data" / "nights" / "desk"
        while not (nights / "2025-08-03").exists():
            assert process.poll() is None
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    finished = {folder.name: (folder / "manifest.json").read_bytes() for folder in nights.glob("2025-*")}
    assert 3 <= len(finished) < 8
    run_backtest(root, FIRST, LAST, capacity=3)
    assert {name: (nights / name / "manifest.json").read_bytes() for name in finished} == finished
    assert _queues(root) == _queues(replayed[0])


@pytest.mark.slow
def test_changed_sources_begin_a_replay_anew(replayed, tmp_path):
    root = tmp_path / "changed"
    shutil.copytree(replayed[0], root, symlinks=True)
    noted = root / FOLDER / "made_of.json"
    (root / FOLDER / "left-over").touch()
    noted.write_text("something else", encoding="utf-8")
    run_backtest(root, FIRST, date(2025, 8, 8), capacity=3)
    assert not (root / FOLDER / "left-over").exists()
    assert _queues(root) == _queues(replayed[0])


@pytest.mark.slow
def test_the_commands_print_tables_and_write_their_pages(replayed, capsys, monkeypatch):
    monkeypatch.setattr(cli.logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(cli.logging, "captureWarnings", lambda _: None)
    root = str(replayed[0])
    asked = ["backtest", "--from", "2025-08-01", "--to", "2025-08-08", "--capacity", "3"]
    assert cli.main(["--project", root, *asked, "--lang", "zh"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("模型")
    folder = replayed[0] / FOLDER / "capacity-3"
    assert "回放" in (folder / "report.html").read_text(encoding="utf-8")
    assert len(list((folder / "plots").glob("*.png"))) == 5
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["rankings"]["model"]["n_read"] == 24
    assert set(results["alerts"]["raised_a_month"]) == set(schema.ALERT_KINDS)
    assert results["alerts"]["surges"][0]["rule"] == "surges"
    assert results["alerts"]["growing"]["n_grew"] >= results["alerts"]["growing"]["alerts"]["n_grew_told"]
    assert cli.main(["--project", root, "--json", "capacity", "--reviewers", "1", "--minutes", "100"]) == 0
    levels = json.loads(capsys.readouterr().out)["levels"]
    assert [level["capacity"] for level in levels] == [3, 6, 9, 12, 15]
    assert (folder / "capacity.svg").exists()


@pytest.mark.slow
def test_capacity_without_a_backtest_measures_the_nights_that_were_run(project, capsys):
    from pipeline.capacity import measure_reviewers

    shutil.rmtree(project / "data" / "backtests", ignore_errors=True)
    for day in (4, 5, 6):
        run_night(project, date(2025, 8, day))
    staffing, folder = measure_reviewers(project, (None, None), n_reviewers=1, minutes=60)
    assert (staffing.first_day, staffing.last_day) == ("2025-08-04", "2025-08-06")
    assert (folder / "capacity.png").exists()
    shutil.rmtree(project / "data" / "backtests")
