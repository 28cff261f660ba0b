"""Who is champion, who was, and who decided it: versions, the champion alias, and an append-only record in MLflow.

The alias is what the night reads, and moving it is one transaction of the registry; before it the old champion serves, after
it the new one, and there is no state between. Around it lies the record: before the alias moves, an *act* (who, when, why,
from which version to which, which evidence) is written as a tag of the registered model, and after it a second tag says that
the act was done. A process that dies in between leaves an act without an end; the next promote or rollback compares it with
the alias and writes the end, `done` or `abandoned`. Tags are only ever added. Everything lies in MLflow and nothing beside
it, so it cannot disagree with another file, and holds for every machine that uses the same server.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import TrackingError
from pipeline.tracking import CHAMPION, Logged, Version, connected, registered_name

Kind = Literal["promote", "rollback"]
PROMOTE: Kind = "promote"
ROLLBACK: Kind = "rollback"
DONE, ABANDONED = "done", "abandoned"
_PREFIX, _END = "act.", ".end"
_MODEL_ID = "model_id"  # our own tag: not every store gives back which model a version was made of
_MAX_WORDS = 1000  # characters of a reason; MLflow keeps 5,000 a tag


@dataclass(frozen=True)
class Act:
    """One promotion or rollback as recorded.

    Attributes:
        kind: `promote` or `rollback`.
        version: The version that is champion after it.
        before: The version that was champion before it; empty if there was none.
        who: The person who did it.
        why: Their reason.
        when: Instant in UTC, ISO 8601.
        evidence: SHA-256 of the evidence pack's JSON; empty for a rollback.
        end: `done`, `abandoned` (cut off before the champion changed), or empty while under way.
    """

    kind: str
    version: str
    before: str
    who: str
    why: str
    when: str
    evidence: str
    end: str = ""

    @property
    def key(self) -> str:
        """Tag of the act; its order is the order of time."""
        return f"{_PREFIX}{self.when.replace(':', '').replace('+0000', 'Z')}"


def champion_number(root: Path, profile: str) -> str:
    """The version that is champion now; empty if there is none."""
    with connected(root):
        return _alias(_registered(profile))


def acts(root: Path, profile: str) -> list[Act]:
    """Every recorded promotion and rollback of a profile, the oldest first."""
    with connected(root):
        return _acts(_registered(profile))


def repair(root: Path, profile: str) -> list[Act]:
    """End the acts that a killed process left without one; returns them with their end."""
    with connected(root):
        model = _registered(profile)
        open_acts = [act for act in _acts(model) if not act.end]
        ended = [
            replace(act, end=DONE if act is open_acts[-1] and act.version == _alias(model) else ABANDONED) for act in open_acts
        ]
        for act in ended:
            _end(profile, act)
        return ended


def add_version(root: Path, profile: str, logged: Logged, *, tags: Mapping[str, str]) -> Version:
    """Make a run's model a version of the profile's registered model, or find the version it already is."""
    from mlflow import MlflowClient

    name = registered_name(profile)
    with connected(root) as mlflow:
        if _registered(profile) is not None:
            for known in MlflowClient().search_model_versions(f"name = '{name}'"):
                if known.tags.get(_MODEL_ID) == logged.model_id:
                    return Version(name, str(known.version), logged.run_id, dict(known.tags))
        said = {**tags, _MODEL_ID: logged.model_id}
        made = mlflow.register_model(f"models:/{logged.model_id}", name, tags=said)
        return Version(name, str(made.version), logged.run_id, said)


def switch(root: Path, profile: str, *, kind: Kind, version: str, who: str, why: str,
           evidence: str) -> Act:  # fmt: skip
    """Make a version champion and record it: the act, then the alias, then its end.

    Args:
        root: Project folder.
        profile: The profile.
        kind: What this is.
        version: Number of the version that becomes champion.
        who: The person who decides.
        why: Their reason.
        evidence: SHA-256 of the evidence pack's JSON, or empty.
    """
    with connected(root):
        before = _alias(_registered(profile))
        when = datetime.now(UTC).isoformat(timespec="microseconds")
        act = Act(kind, version, before, who[:_MAX_WORDS], why[:_MAX_WORDS], when, evidence)
        _begin(profile, act)
        _move_alias(profile, version)
        act = replace(act, end=DONE)
        _end(profile, act)
        return act


def previous(history: Sequence[Act], champion: str) -> str:
    """The champion before this one, empty if there was none: what a rollback returns to.

    Promotions pile up and a rollback takes the topmost away, so two rollbacks in a row go back two champions.

    Args:
        history: From `acts`.
        champion: From `champion_number`.
    """
    pile: list[str] = []
    for act in history:
        if act.end == DONE:
            _pile_up(pile, act.before)  # somebody may have moved the alias by other means
            if act.kind == ROLLBACK and act.version in pile:
                del pile[len(pile) - pile[::-1].index(act.version) :]
            else:
                _pile_up(pile, act.version)
    _pile_up(pile, champion)
    return pile[-2] if len(pile) > 1 else ""


def _pile_up(pile: list[str], version: str) -> None:
    if version and pile[-1:] != [version]:
        pile.append(version)


def fetch_version(root: Path, profile: str, version: str, folder: Path) -> Path:
    """Bring a version's artifact folder here; local files are used where they lie."""
    return _fetch(root, f"models:/{registered_name(profile)}/{version}", folder)


def fetch_logged(root: Path, logged: Logged, folder: Path) -> Path:
    """Bring the artifact folder of a run's model here; local files are used where they lie."""
    return _fetch(root, f"models:/{logged.model_id}", folder)


def run_tags(root: Path, logged: Logged) -> dict[str, str]:
    """Tags of a run: the revision it was made with, and the digest of its examples."""
    with connected(root) as mlflow:
        return dict(mlflow.get_run(logged.run_id).data.tags)


def log_evidence(root: Path, logged: Logged, folder: Path) -> None:
    """Keep an evidence pack with the run whose model it judges."""
    from mlflow import MlflowClient

    with connected(root):
        MlflowClient().log_artifacts(logged.run_id, str(folder), artifact_path=f"evidence/{folder.name}")


def _fetch(root: Path, uri: str, folder: Path) -> Path:
    with connected(root) as mlflow:
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder))) / "data" / "artifact"


def _registered(profile: str) -> Any:
    """The profile's registered model, or None."""
    from mlflow import MlflowClient

    name = registered_name(profile)
    if not list(MlflowClient().search_registered_models(filter_string=f"name = '{name}'")):
        return None
    return MlflowClient().get_registered_model(name)


def _alias(model: Any) -> str:
    return "" if model is None else str(model.aliases.get(CHAMPION, ""))


def _acts(model: Any) -> list[Act]:
    tags = {} if model is None else dict(model.tags)
    keys = sorted(key for key in tags if key.startswith(_PREFIX) and not key.endswith(_END))
    try:
        return [Act(**json.loads(tags[key]), end=tags.get(key + _END, "")) for key in keys]
    except (ValueError, TypeError) as error:
        raise TrackingError(
            f"The record of champions ('{_PREFIX}…' tags of the registered model) is not as this program wrote it. Restore "
            "MLflow's database from a backup."
        ) from error


def _begin(profile: str, act: Act) -> None:
    from mlflow import MlflowClient

    said = {key: value for key, value in asdict(act).items() if key != "end"}
    MlflowClient().set_registered_model_tag(registered_name(profile), act.key, json.dumps(said, ensure_ascii=False))


def _move_alias(profile: str, version: str) -> None:
    from mlflow import MlflowClient

    MlflowClient().set_registered_model_alias(registered_name(profile), CHAMPION, version)


def _end(profile: str, act: Act) -> None:
    from mlflow import MlflowClient

    MlflowClient().set_registered_model_tag(registered_name(profile), act.key + _END, act.end)
