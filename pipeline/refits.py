"""Models as a past day would have had them: the learning rooms, run as of that day in a project folder of its own.

Such a folder holds copies of the parameters, the profile and the models' configurations, and links to the sources, the registry
and the taxonomies. The profile's `as_of` is set to the day, so labels mature and outcomes are known as they were then; dated
sources are divided by shares of what had come in by then (`intake/split_days.py`), because the profile's own split days may lie
later. Nothing is written into the profile's folders and nothing is tracked.

What a past day knew of dated sources is a slice of what is known now, since groups and matters depend on earlier reports only.
So where all sources are dated they are admitted once, and intake is not run again for every day; a test holds both to the same.
"""

import json
import logging
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

import pandas as pd
import yaml
from threadpoolctl import threadpool_limits

from pipeline import registry, schema
from pipeline.errors import SplitError, TrainingError
from pipeline.intake.split_days import choose_split_days
from pipeline.params import Places, Profile, load_project, midnight
from pipeline.registry import TrainedModel

logger = logging.getLogger(__name__)

_LINKED = ("data/raw", "data/registry", "data/taxonomy", ".triage-key")


def shadow_project(root: Path, folder: Path, profile: Profile) -> Path:
    """Make a project folder that reads what `root` reads and writes nothing there.

    Args:
        root: The project.
        folder: The new one; what an earlier call made is renewed, what stages wrote stays.
        profile: Its profile, changed as wanted; the name stays.

    Returns:
        `folder`.
    """
    for name in _LINKED:
        source, link = (root / name).resolve(), folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if source.exists() and not link.exists():
            link.symlink_to(os.path.relpath(source, link.parent.resolve()))
    shutil.copy2(root / "params.yaml", folder / "params.yaml")
    for config in (root / "models").glob("*/config.yaml"):
        copy = folder / "models" / config.parent.name / config.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(config, copy)
    written = folder / "data" / "profiles" / f"{profile.name}.yaml"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(yaml.safe_dump(profile.model_dump(mode="json"), allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


def with_changes(profile: Profile, **changes: Any) -> Profile:
    """The profile with some keys changed, checked like one that was read."""
    return Profile.model_validate(profile.model_dump() | changes)


@dataclass(frozen=True)
class Known:
    """All that the nightly sources hold by the profile's `as_of`.

    Attributes:
        reports: REPORTS in order of arrival.
        outcomes: OUTCOMES.
        checksums: Source to file name to sha256.
    """

    reports: pd.DataFrame
    outcomes: pd.DataFrame
    checksums: dict[str, dict[str, str]]


def refit(root: Path, folder: Path, model: str, day: date, known: Known) -> TrainedModel:
    """The model that would have been fitted on a day, with what was known then; kept in the folder and loaded the next time.

    Args:
        root: The project.
        folder: Where the day's project goes, written aside and renamed; one that is there is not made again.
        model: Name of the model.
        day: Nothing received or recorded on or after it is used.
        known: What is known now.

    Raises:
        SplitError: If too little had come in by then to divide it into splits.
        PipelineError: If a learning room cannot run as of that day.
    """
    if not folder.exists():
        aside = folder.with_name(f".{folder.name}-{os.getpid()}")
        shutil.rmtree(aside, ignore_errors=True)
        _learn(root, aside, model, day, known)
        try:
            aside.rename(folder)
        except OSError:  # another process was quicker; both fitted the same model
            shutil.rmtree(aside)
        logger.info("backtest: %s refitted as of %s", model, day)
    return registry.load(folder / "artifact", version=f"{model} as of {day.isoformat()}")


def _learn(root: Path, folder: Path, model: str, day: date, known: Known) -> None:
    """Run the learning rooms as of a day."""
    _, now, _ = load_project(root)
    begins = pd.Timestamp(midnight(day, now.timezone))
    reports = known.reports[known.reports["received_at"] < begins]
    profile = as_known_on(now, day, reports)
    places = Places(shadow_project(root, folder, profile), profile.name)
    if set(profile.sources) <= set(known.reports["source"]) and known.reports["received_at"].notna().all():
        schema.REPORTS.write(reports, places.reports)
        schema.OUTCOMES.write(known.outcomes[known.outcomes["recorded_at"] < begins], places.outcomes)
    else:
        _run("intake", folder)
    for stage in ("dataset", model):
        _run(stage, folder)
    _run("calibration", folder, model)
    registry.assemble(folder, model, folder / "artifact")
    shutil.rmtree(places.room("intake"))  # as large as the sources, and can be made again


class Refits:
    """The models of several days, fitted in processes of their own, the earliest first, while others already serve.

    Used as a context: entering begins the work; leaving gives up what has not begun and waits for what has. That a later day
    has no model shows when that model is first needed.
    """

    def __init__(self, root: Path, folder: Path, known: Path, model: str, days: Sequence[date], *, n_processes: int) -> None:
        """Say what is to be fitted.

        Args:
            root: Project folder.
            folder: Takes one folder a day.
            known: Where `everything_known` keeps what is known; each process reads it anew.
            model: Name of the model.
            days: The days; those whose folder is there are done.
            n_processes: Processes; with one, each model is fitted here when it is first asked for.
        """
        self._folder, self._days, self._n_processes = folder, days, n_processes
        self._fit = partial(_refit, root, folder, known, model)
        self._apart = partial(_refit_apart, root, folder, known, model)
        self._reasons: dict[date, str] = {}
        self._begun: dict[date, Future[str]] = {}
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        for stale in self._folder.glob(".????-??-??-*"):
            shutil.rmtree(stale, ignore_errors=True)
        self._reasons = {day: "" for day in self._days if (self._folder / day.isoformat()).exists()}
        wanted = sorted(set(self._days) - set(self._reasons))
        if min(self._n_processes, len(wanted)) > 1:
            self._pool = ProcessPoolExecutor(self._n_processes, mp_context=get_context("spawn"))
            self._begun = {day: self._pool.submit(self._apart, day) for day in wanted}
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def refused(self, day: date) -> str:
        """Why no model could be fitted on a day, or nothing; waits until that is known."""
        if day not in self._reasons:
            logger.info("backtest: fitting the model of %s", day)
            self._reasons[day] = self._begun[day].result() if day in self._begun else self._fit(day)
        return self._reasons[day]


def _refit_apart(root: Path, folder: Path, known: Path, model: str, day: date) -> str:
    """The same in a process beside others, which share the processors: one thread."""
    import_module(f"pipeline.{model}.stage")  # so that its libraries are there to be limited
    with threadpool_limits(1):
        return _refit(root, folder, known, model, day)


def _refit(root: Path, folder: Path, known: Path, model: str, day: date) -> str:
    """Fit one model; why it could not be fitted, or nothing."""
    try:
        refit(root, folder / day.isoformat(), model, day, everything_known(root, known))
    except (SplitError, TrainingError) as error:
        shutil.rmtree(folder / f".{day.isoformat()}-{os.getpid()}", ignore_errors=True)
        return str(error)
    return ""


def _run(stage: str, *arguments: Path | str) -> None:
    import_module(f"pipeline.{stage}.stage").run(*arguments)


def as_known_on(profile: Profile, day: date, arrivals: pd.DataFrame) -> Profile:
    """The profile as of an earlier day: its dated sources divided by shares of what had come in.

    Args:
        profile: The profile.
        day: The new `as_of`.
        arrivals: REPORTS that had come in before the day.

    Raises:
        SplitError: If a dated source covers too few days.
    """
    sources = profile.model_dump()["sources"]
    for name, source in sources.items():
        if source["split"]["rule"] != "date":
            continue
        received = arrivals.loc[arrivals["source"] == name, "received_at"].dt.tz_convert(profile.timezone)
        chosen = choose_split_days(Counter(received.dt.date.tolist()), window_days=profile.gap_days)
        if chosen is None:
            raise SplitError(
                f"By {day} source '{name}' had come in for too few days to be divided into splits {profile.gap_days} days "
                "apart. Begin the backtest later."
            )
        source["split"] = dict(chosen.split)
    return with_changes(profile, as_of=day, sources=sources)


def everything_known(root: Path, folder: Path) -> Known:
    """Admit all that the nightly sources hold by the profile's `as_of`, once; kept in the folder and read the next time.

    Args:
        root: The project.
        folder: Where it goes.

    Raises:
        PipelineError: If intake cannot run.
    """
    _, profile, _ = load_project(root)
    nightly = {name: profile.sources[name].model_dump() for name in profile.nightly_sources}
    places = Places(shadow_project(root, folder, with_changes(profile, sources=nightly)), profile.name)
    summary = places.reports.with_name("summary.json")
    if not summary.exists():
        _run("intake", folder)
    checksums: dict[str, dict[str, str]] = json.loads(summary.read_text(encoding="utf-8"))["checksums"]
    return Known(schema.REPORTS.read(places.reports), schema.OUTCOMES.read(places.outcomes), checksums)
