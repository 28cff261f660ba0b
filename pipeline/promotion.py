"""Promotion and rollback: acts of a person, with evidence, that leave the champion either the old one or the new one.

`promote` repairs what an earlier, killed act left; judges the tracked model; writes the evidence pack, whether it is approved
or refused; and only then moves the champion alias, which is one transaction (`champions.py`). `rollback` moves it back to the
champion before, after looking whether that one can still be loaded. A process killed anywhere leaves the old champion or the
new one in service, and the next promote or rollback finds out which.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline import champions, registry
from pipeline.champions import PROMOTE, ROLLBACK, Act
from pipeline.errors import GateError, ParameterError, TrackingError
from pipeline.evaluation.evidence import Evidence, Judged, write_evidence
from pipeline.judging import judge
from pipeline.limits import GateParams
from pipeline.params import Params, Places, Profile, load_params, load_project
from pipeline.tracking import Logged, Version, git_revision


@dataclass(frozen=True)
class Promotion:
    """A model that became champion.

    Attributes:
        version: Its version.
        act: As recorded.
        evidence: Folder of the evidence pack.
        repaired: Acts that an earlier, killed process had left open.
    """

    version: Version
    act: Act
    evidence: Path
    repaired: Sequence[Act]


@dataclass(frozen=True)
class Rollback:
    """A return to the champion before.

    Attributes:
        act: As recorded.
        repaired: Acts that an earlier, killed process had left open.
    """

    act: Act
    repaired: Sequence[Act]


def promote(root: Path, model: str, *, who: str, why: str, waivers: Mapping[str, str]) -> Promotion:
    """Give a model's last evaluated run the champion alias, if it passes the gates.

    Args:
        root: Project folder.
        model: Name of the model, such as `baseline`.
        who: The person who promotes and answers for it.
        why: Their reason.
        waivers: Name of a gate to the written reason to let the model through although it does not pass; only for gates of
            the groups in `evaluation.gates.waivable`.

    Raises:
        GateError: If a gate is not passed; the evidence pack is written, the champion stays.
        ParameterError: If the reason is missing, or a waiver names no gate or one that is never waived.
        TrackingError: If the run is unknown to MLflow, or was made with other examples than those at hand.
    """
    _signed(who, why)
    params, profile, places = load_project(root)
    logged = _logged(places, model)
    repaired = champions.repair(root, profile.name)
    evidence = _judged(root, params, profile, logged, Evidence(
        decision="refused", model=model, profile=profile.name, who=who, why=why, when=_now(), run_id=logged.run_id,
        git="", git_now=git_revision(root), data="", tested="", champion=champions.champion_number(root, profile.name),
        judged=(),
    ))  # fmt: skip
    evidence = replace(evidence, judged=_waive(evidence.judged, waivers, params.evaluation.gates))
    failed = [one.gate for one in evidence.judged if not one.holds]
    evidence = replace(evidence, decision="refused" if failed else "approved")
    stamp = evidence.when.replace("-", "").replace(":", "").replace("+0000", "Z")
    folder = places.room("evidence") / f"{stamp}-{model}-{evidence.decision}"
    digest = write_evidence(evidence, folder)
    champions.log_evidence(root, logged, folder)
    if failed:
        reasons = "; ".join(f"{gate.name}: wanted {gate.wanted}, got {gate.got}" for gate in failed)
        raise GateError(f"Model '{model}' was not promoted. {reasons}. The champion stays as it was. Evidence: {folder}")
    tags = {"model": model, "promoted_by": who, "reason": why, "evidence": digest}
    version = champions.add_version(root, profile.name, logged, tags=tags)
    act = champions.switch(root, profile.name, kind=PROMOTE, version=version.number, who=who, why=why, evidence=digest)
    return Promotion(version, act, folder, repaired)


def rollback(root: Path, *, who: str, why: str) -> Rollback:
    """Return to the champion before the present one, in one step.

    Args:
        root: Project folder.
        who: The person who rolls back.
        why: Their reason.

    Raises:
        ParameterError: If the reason is missing.
        TrackingError: If there is no earlier champion, or MLflow does not answer.
        ArtifactError: If the earlier champion's artifact is damaged; the present one stays.
    """
    _signed(who, why)
    profile = load_params(root).profile
    repaired = champions.repair(root, profile)
    present = champions.champion_number(root, profile)
    version = champions.previous(champions.acts(root, profile), present)
    if not version:
        raise TrackingError(
            f"Profile '{profile}' has {'no champion' if not present else 'no champion before the present one'}, so there is "
            "nothing to return to. `triage champions` shows who was promoted and when."
        )
    with tempfile.TemporaryDirectory() as aside:
        registry.load(champions.fetch_version(root, profile, version, Path(aside)), version=version)
    act = champions.switch(root, profile, kind=ROLLBACK, version=version, who=who, why=why, evidence="")
    return Rollback(act, repaired)


def history(root: Path) -> tuple[str, list[Act]]:
    """The champion's version, empty if there is none, and every recorded act, the oldest first. Writes nothing."""
    profile = load_params(root).profile
    return champions.champion_number(root, profile), champions.acts(root, profile)


def _signed(who: str, why: str) -> None:
    if not who.strip() or not why.strip():
        raise ParameterError("Who changes the champion and why is recorded: give --by and --why, and neither empty.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _logged(places: Places, model: str) -> Logged:
    registry.classifier_class(model)  # says which models there are
    noted = places.model(model) / "run.json"
    if not noted.exists():
        raise TrackingError(f"{noted} is missing: the model's run was not tracked. Run `dvc repro --force evaluation`.")
    return Logged(**json.loads(noted.read_text(encoding="utf-8")))


def _judged(root: Path, params: Params, profile: Profile, logged: Logged, evidence: Evidence) -> Evidence:
    """The evidence with everything that was looked at, and every gate."""
    tags = champions.run_tags(root, logged)
    card = Places(root, profile.name).room("dataset") / "card.json"
    at_hand = str(json.loads(card.read_text(encoding="utf-8"))["digest"]) if card.exists() else "missing"
    if tags.get("examples") != at_hand:
        raise TrackingError(
            f"The tracked run of '{evidence.model}' was made with other examples ({str(tags.get('examples'))[:12]}) than those "
            f"in {card.parent} ({at_hand[:12]}), so it cannot be judged on them. Run `dvc repro`, then promote again."
        )
    with tempfile.TemporaryDirectory() as aside:
        challenger = registry.load(champions.fetch_logged(root, logged, Path(aside) / "challenger"))
        champion = None
        if evidence.champion:
            where = champions.fetch_version(root, profile.name, evidence.champion, Path(aside) / "champion")
            champion = registry.load(where, version=evidence.champion)
        judged, tested = judge(root, params, profile, challenger, champion)
    return replace(evidence, git=tags.get("git", "unknown"), data=at_hand, tested=tested, judged=tuple(judged))


def _waive(judged: Sequence[Judged], waivers: Mapping[str, str], limits: GateParams) -> tuple[Judged, ...]:
    """The gates with the waivers that a person wrote."""
    by_name = {one.gate.name: one for one in judged}
    for name, reason in waivers.items():
        if name not in by_name or not reason.strip():
            raise ParameterError(f"--waive '{name}={reason}' must name a gate and give a reason. Gates: {'; '.join(by_name)}.")
        if by_name[name].group not in limits.waivable:
            raise ParameterError(
                f"'{name}' is a gate on {by_name[name].group} and is not waived; only {', '.join(limits.waivable) or 'none'} "
                "may be (params.yaml, evaluation.gates.waivable). Improve the model."
            )
    return tuple(
        replace(one, waiver=waivers[one.gate.name]) if one.gate.name in waivers and not one.gate.passed else one
        for one in judged
    )
