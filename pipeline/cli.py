"""The `triage` command: parse, call one function, print.

Results go to stdout (`--json` for machines), logs to stderr. Exit 0: done; 1: a gate or the reject limit failed; 2: cannot
run as asked. Everything heavy is imported inside the command that needs it, so that `triage --help` is instant.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline.champion_commands import add_acts
from pipeline.commands import Result, language
from pipeline.desk import add_commands as add_desk_commands
from pipeline.errors import PipelineError, StoreError
from pipeline.matter_commands import add_matters

STAGES = ("intake", "dataset", "encoder", "baseline", "transformer", "ensemble", "calibration", "evaluation")
COMPARED = ("baseline", "random", "svd", "layers-1", "layers-2", "pretrained")
_MINUTES_A_DAY = 1440


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.INFO, stream=sys.stderr, format="%(message)s")
    logging.captureWarnings(True)
    _quieten_libraries()
    command: Callable[[argparse.Namespace], Result] = options.command
    try:
        text, facts = command(options)
    except PipelineError as error:
        print(f"triage: {error}", file=sys.stderr)
        return error.exit_code
    print(json.dumps(facts, ensure_ascii=False, indent=2, default=str) if options.json else text)
    return int(facts.get("exit_code", 0))


def _quieten_libraries() -> None:
    """Only our own lines at INFO; libraries speak when something is wrong."""
    for name in ("mlflow", "alembic", "sqlalchemy", "matplotlib", "fontTools", "transformers", "py.warnings"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day such as 2019-07-15") from error


def _count(text: str) -> int:
    """A number of labels; `all` is 0."""
    if text == "all":
        return 0
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of labels such as 500, nor 'all'")
    return int(text)


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0.0 < minutes <= _MINUTES_A_DAY:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of minutes between 0 and {_MINUTES_A_DAY}")
    return minutes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="triage", description="Rank reports of disputes and tips, so that the right ones are read first."
    )
    parser.add_argument("--project", type=Path, default=Path(), help="project folder (default: here)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--verbose", action="store_true", help="log everything")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add(commands, "check", _check, "look over parameters, taxonomy, registry and sources; write nothing")
    _add(commands, "fetch", _fetch, "bring a registered source and verify its checksum").add_argument("name", nargs="+")
    register = _add(commands, "register", _register, "draft a registry file, profile and taxonomy for a file of your own")
    register.add_argument("file", type=Path)
    register.add_argument("--name", help="name of the source (default: from the file's name)")
    run = _add(commands, "run", _run, "run one learning stage; normally through dvc repro")
    run.add_argument("stage", choices=STAGES)
    run.add_argument("--model", default="baseline", help="for calibration and evaluation")
    simulate = _add(commands, "simulate", _simulate, "write simulated source files")
    simulate.add_argument("--folder", type=Path, default=Path("data/raw/simulated"))
    simulate.add_argument("--reports", type=int, default=2000)
    simulate.add_argument("--seed", type=int, default=7)
    simulate.add_argument("--scenario", choices=("plain", "surge", "drift", "dirty"), default="plain")
    simulate.add_argument("--start", type=_day, default=date(2025, 1, 1))
    simulate.add_argument("--days", type=int, default=274)
    _add_nights(commands)
    add_matters(commands, _add)
    _add(commands, "adapt", _adapt, "go on pre-training the encoder with the training reports of the profile")
    track = _add(commands, "track", _track, "bring the log of an encoder's pre-training into MLflow, or what is new in it")
    track.add_argument("--log", type=Path, help="default: that of the run at work, else the one beside the shipped encoder")
    compare = _add(commands, "compare", _compare, "compare models as labels grow; goes on where it was stopped")
    compare.add_argument("--models", nargs="+", choices=COMPARED, default=["baseline", "pretrained"])
    compare.add_argument("--labels", nargs="+", type=_count, default=[500, 1000, 2000, 4000, 0], help="0 or all: all of them")
    compare.add_argument("--seeds", nargs="+", type=int, default=[7, 8, 9])
    add_acts(commands, _add)
    add_desk_commands(lambda name, command, about: _add(commands, name, command, about), _day)
    return parser


def _add_nights(commands: Any) -> None:
    """The night and what is measured on past ones."""
    nightly = _add(commands, "nightly", _nightly, "score and rank one night and publish its queue")
    nightly.add_argument("--as-of", type=_day, required=True, help="the morning the queue is for; nothing later is looked at")
    nightly.add_argument("--engine", choices=("local", "ray"), default="local", help="score here, or on a Ray cluster")
    nightly.add_argument("--address", help="of the Ray cluster, such as 10.0.0.5:6379 (default: start one here)")
    nightly.add_argument("--show", type=int, default=10, help="rows to print")
    backtest = _add(commands, "backtest", _backtest, "replay past nights with models that know only what was known")
    backtest.add_argument("--from", dest="first", type=_day, required=True, help="first night")
    backtest.add_argument("--to", dest="last", type=_day, required=True, help="last night")
    backtest.add_argument("--capacity", type=_at_least_one, help="reports read in a day (default: the profile's)")
    capacity = _add(commands, "capacity", _capacity, "how many escalations reviewers would have read in time on past nights")
    capacity.add_argument("--reviewers", type=_at_least_one, required=True)
    capacity.add_argument("--minutes", type=_minutes, required=True, help="minutes a report takes")
    capacity.add_argument(
        "--from", dest="first", type=_day, help="first night (default: of the last backtest, else of all nights)"
    )
    capacity.add_argument("--to", dest="last", type=_day, help="last night")
    for one in (nightly, backtest, capacity):
        one.add_argument("--lang", choices=("zh", "en"), default=language())


def _add(commands: Any, name: str, command: Callable[[argparse.Namespace], Result], about: str) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    added.set_defaults(command=command)
    return added


def _check(options: argparse.Namespace) -> Result:
    from pipeline.checking import check_project

    problems = check_project(options.project)
    text = "\n".join(problems) if problems else "Everything is in order."
    return text, {"problems": problems, "exit_code": 2 if problems else 0}


def _fetch(options: argparse.Namespace) -> Result:
    from pipeline.intake.fetching import fetch

    mirror = os.environ.get("TRIAGE_MIRROR")
    done = [fetch(name, options.project, mirror=Path(mirror) if mirror else None) for name in options.name]
    return "\n".join(str(one) for one in done), {"fetched": [str(one) for one in done]}


def _register(options: argparse.Namespace) -> Result:
    from pipeline.intake.drafting import draft

    drafted = draft(options.file, options.project, name=options.name)
    return str(drafted), {"drafted": str(drafted)}


def _run(options: argparse.Namespace) -> Result:
    from importlib import import_module

    from pipeline.registry import log_evaluated

    stage = import_module(f"pipeline.{options.stage}.stage")
    if options.stage in ("calibration", "evaluation"):
        summary = stage.run(options.project, options.model)
    else:
        summary = stage.run(options.project)
    facts: dict[str, Any] = {"stage": options.stage, "summary": str(summary)}
    if options.stage == "evaluation":
        facts["run_id"] = log_evaluated(options.project, options.model).run_id
    return f"{options.stage}: {summary}", facts


def _simulate(options: argparse.Namespace) -> Result:
    from pipeline.simulator import simulate

    summary = simulate(
        options.project / options.folder,
        n_reports=options.reports,
        seed=options.seed,
        scenario=options.scenario,
        start=options.start,
        days=options.days,
    )
    return str(summary), {"simulated": str(summary)}


def _nightly(options: argparse.Namespace) -> Result:
    from dataclasses import asdict

    from pipeline.exporting import take_up_moves
    from pipeline.nightly import run_night
    from pipeline.printing import alerts_table, queue_table
    from pipeline.publishing import publish_if_kept

    elsewhere = None
    if options.engine == "ray":
        from pipeline.scoring.distributed import on_ray

        elsewhere = on_ray(options.address)
    try:
        take_up_moves(options.project)
    except StoreError as error:  # the queue matters more; the next night takes them up
        logging.getLogger(__name__).warning("What reviewers joined and parted was not taken up. %s", error)
    night = run_night(options.project, options.as_of, elsewhere=elsewhere)
    publish_if_kept(options.project, options.as_of, now=datetime.now(UTC))
    queue = queue_table(options.project, night, n_rows=options.show, language=options.lang)
    alerts, _ = alerts_table(options.project, night.as_of, language=options.lang, closed=False)
    return f"{queue}\n\n{alerts}", asdict(night)


def _adapt(options: argparse.Namespace) -> Result:
    from dataclasses import asdict

    from pipeline.encoder.adaptation import adapt

    summary = adapt(options.project)
    return f"adapt: {summary}", asdict(summary)


def _track(options: argparse.Namespace) -> Result:
    from pipeline.encoder.tracked import track

    run_id = track(options.project, log=options.log)
    return f"The curve is run {run_id}.", {"run_id": run_id}


def _compare(options: argparse.Namespace) -> Result:
    from pipeline.comparison.cells import Grid
    from pipeline.comparison.curve import compare

    grid = Grid(tuple(options.models), tuple(options.labels), tuple(options.seeds))
    table = compare(options.project, grid)
    return table, {"table": table}


def _backtest(options: argparse.Namespace) -> Result:
    from pipeline.backtest import backtest, results_folder
    from pipeline.evaluation.backtest_summary import as_results
    from pipeline.printing import backtest_table

    found = backtest(options.project, options.first, options.last, capacity=options.capacity)
    folder = results_folder(options.project, found.profile, options.first, options.last) / f"capacity-{found.capacity}"
    return backtest_table(found, folder, language=options.lang), as_results(found)


def _capacity(options: argparse.Namespace) -> Result:
    from pipeline.capacity import measure_reviewers
    from pipeline.printing import capacity_text

    given = (options.first, options.last)
    staffing, folder = measure_reviewers(options.project, given, n_reviewers=options.reviewers, minutes=options.minutes)
    return capacity_text(staffing, folder, language=options.lang), staffing.as_results()


if __name__ == "__main__":
    sys.exit(main())
