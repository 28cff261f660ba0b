"""`triage check`: look over everything a run depends on, and say all that is wrong at once. Writes nothing."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.intake.registration import load_source, verify
from pipeline.intake.sources import read
from pipeline.params import Places, Profile, load_params, load_profile
from pipeline.taxonomy import load_outcomes, load_taxonomy


def check_project(root: Path) -> list[str]:
    """Everything that would stop a run, one message each; empty if all is in order.

    Args:
        root: Project folder.

    Returns:
        Messages that name the file, the key and the remedy.
    """
    problems: list[str] = []

    def attempt(action: Callable[[], object]) -> None:
        try:
            action()
        except PipelineError as error:
            problems.append(str(error))

    attempt(partial(load_params, root))
    for path in sorted((root / "data" / "profiles").glob("*.yaml")):
        attempt(partial(load_profile, root, path.stem))
    for path in sorted((root / "data" / "registry").glob("*.yaml")):
        attempt(partial(load_source, root, path.stem))
    if not problems:
        params = load_params(root)
        profile = load_profile(root, params.profile)
        for action in _profile_checks(root, profile):
            attempt(action)
    return problems


def _profile_checks(root: Path, profile: Profile) -> list[Callable[[], object]]:
    """What the chosen profile needs: taxonomy, outcomes, its sources' files as registered, their columns as mapped."""
    places = Places(root, profile.name)
    names = [*profile.sources, *(name for source in profile.sources.values() for name in source.outcome_sources)]
    names += profile.decision_sources
    return [
        partial(load_taxonomy, places.taxonomy(profile.taxonomy)),
        partial(load_outcomes, places.outcome_definitions),
        *(partial(_check_source, root, places, name) for name in dict.fromkeys(names)),
    ]


def _check_source(root: Path, places: Places, name: str) -> None:
    """Verify a source's files, then read its first row with the column map it was registered with."""
    source = load_source(root, name)
    verify(source, places.raw(name))
    next(read(source, places.raw(name), batch_rows=1), None)
