"""The commands by which a person changes the champion, and the record of it.

Kept beside `cli.py`, which prints what they return. Like there, everything heavy is imported inside the command that needs it.
"""

import argparse
import getpass
from collections.abc import Callable
from typing import Any

from pipeline.commands import Result

Add = Callable[[Any, str, Callable[[argparse.Namespace], Result], str], argparse.ArgumentParser]


def add_acts(commands: Any, add: Add) -> None:
    """Add `promote`, `rollback` and `champions`.

    Args:
        commands: Of the parser.
        add: Takes them, a name, the function and what it does; gives the command's own parser.
    """
    promote = add(commands, "promote", _promote, "make a model the champion, if it passes the gates")
    promote.add_argument("model")
    promote.add_argument("--waive", action="append", default=[], metavar="GATE=REASON", type=_waiver,
                         help="let the model through this gate, for a written reason")  # fmt: skip
    rollback = add(commands, "rollback", _rollback, "return to the champion before the present one")
    for act in (promote, rollback):
        act.add_argument("--by", default=getpass.getuser(), help="who answers for it (default: you)")
        act.add_argument("--why", required=True, help="the reason; it is recorded")
    add(commands, "champions", _champions, "show who promoted or rolled back what, when and why")


def _waiver(text: str) -> tuple[str, str]:
    gate, _, reason = text.partition("=")
    return gate.strip(), reason.strip()


def _promote(options: argparse.Namespace) -> Result:
    from pipeline.printing import act_line
    from pipeline.promotion import promote

    done = promote(options.project, options.model, who=options.by, why=options.why, waivers=dict(options.waive))
    lines = [*(act_line(act) for act in done.repaired), f"{done.version} ({options.model}) is now champion."]
    lines.append(f"Evidence: {done.evidence / 'evidence.html'}")
    facts = {"champion": str(done.version), "run_id": done.version.run_id, "evidence": str(done.evidence)}
    return "\n".join(lines), facts


def _rollback(options: argparse.Namespace) -> Result:
    from dataclasses import asdict

    from pipeline.printing import act_line
    from pipeline.promotion import rollback

    done = rollback(options.project, who=options.by, why=options.why)
    return "\n".join(act_line(act) for act in (*done.repaired, done.act)), asdict(done.act)


def _champions(options: argparse.Namespace) -> Result:
    from dataclasses import asdict

    from pipeline.printing import act_line
    from pipeline.promotion import history

    champion, acts = history(options.project)
    text = "\n".join([*(act_line(act) for act in acts), f"Champion: {f'v{champion}' if champion else 'none'}"])
    return text, {"champion": champion, "acts": [asdict(act) for act in acts]}
