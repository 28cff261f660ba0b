"""The evidence pack of one decision: who wanted to promote which model, why, and what every gate said.

Two files in one folder: `evidence.json` for machines, and `evidence.html`, one page with everything in it, for the person who
answers for the decision. The page names the SHA-256 of the JSON, and the record in MLflow names it again, so neither can be
changed unseen. A refused model leaves its pack too. The folder is written aside and renamed, so a pack is whole or not there.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.evaluation.gates import Gate
from pipeline.evaluation.pages import template
from pipeline.limits import GateGroup

JSON, HTML = "evidence.json", "evidence.html"


@dataclass(frozen=True)
class Judged:
    """A gate, what it is about, and the written reason if a person let the model through in spite of it."""

    group: GateGroup
    gate: Gate
    waiver: str = ""

    @property
    def holds(self) -> bool:
        """Whether it does not stand in the way."""
        return self.gate.passed or bool(self.waiver)


@dataclass(frozen=True)
class Evidence:
    """Everything a decision rests on.

    Attributes:
        decision: `approved` or `refused`.
        model: Name of the model.
        profile: Name of the profile.
        who: The person who answers for it.
        why: Their reason.
        when: Instant in UTC, ISO 8601.
        run_id: The learning run in MLflow.
        git: Commit the model was learned at.
        git_now: Commit the gates ran at.
        data: Digest of the examples the model was learned from.
        tested: First and last day of the test reports, and their number.
        champion: The version that was champion; empty if there was none.
        judged: Every gate.
    """

    decision: str
    model: str
    profile: str
    who: str
    why: str
    when: str
    run_id: str
    git: str
    git_now: str
    data: str
    tested: str
    champion: str
    judged: Sequence[Judged]

    def to_json(self) -> str:
        """All of it, gates flat, sorted as they ran."""
        facts = {key: value for key, value in asdict(self).items() if key != "judged"}
        facts["gates"] = [{"group": one.group, **asdict(one.gate), "waiver": one.waiver} for one in self.judged]
        return json.dumps(facts, ensure_ascii=False, indent=2) + "\n"


def write_evidence(evidence: Evidence, folder: Path) -> str:
    """Write both files of a pack.

    Args:
        evidence: What the decision rests on.
        folder: Where; must not exist. What a killed process left aside is removed.

    Returns:
        SHA-256 of `evidence.json`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(".writing-*"):
        shutil.rmtree(left)
    aside = folder.with_name(f".writing-{folder.name}")
    aside.mkdir()
    written = evidence.to_json().encode("utf-8")
    digest = hashlib.sha256(written).hexdigest()
    (aside / JSON).write_bytes(written)
    (aside / HTML).write_text(_render(evidence, digest), encoding="utf-8")
    aside.rename(folder)
    return digest


def _render(evidence: Evidence, digest: str) -> str:
    return template("evidence.html").render(evidence=evidence, digest=digest)
