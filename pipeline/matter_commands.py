"""The commands about alerts and matters; `cli.py` adds them to the others and prints what they return."""

import argparse
import getpass
import json
from collections.abc import Callable
from datetime import date
from typing import Any

from pipeline.commands import Result, language
from pipeline.errors import PipelineError


def add_matters(commands: Any, add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands about what nights raised and what people make of matters.

    Args:
        commands: Where commands are added.
        add: Adds one, from its name, function and description.
    """
    alerts = add(commands, "alerts", _alerts, "show what a night raised: surges, growing matters, something new")
    alerts.add_argument("--as-of", type=date.fromisoformat, help="the night (default: the last one)")
    alerts.add_argument("--all", action="store_true", help="also those that have subsided")
    alerts.add_argument("--lang", choices=("zh", "en"), default=language())
    matter = add(commands, "matter", _matter, "join two matters, or put one report where it belongs; it sticks")
    matter.add_argument("action", choices=("merge", "move"))
    matter.add_argument("subject", help="the matter to merge (m-...), or the report to move")
    matter.add_argument("--into", help="the matter it becomes part of (default for a report: one of its own)")
    matter.add_argument("--by", default=getpass.getuser(), help="who decided")
    matter.add_argument("--why", required=True, help="the reason, kept with the decision")


def _alerts(options: argparse.Namespace) -> Result:
    from pipeline.alerting import alerted_night
    from pipeline.printing import alerts_table

    as_of = alerted_night(options.project, options.as_of)
    text, alerts = alerts_table(options.project, as_of, language=options.lang, closed=options.all)
    return text, {"as_of": as_of, "alerts": json.loads(alerts.to_json(orient="records", date_format="iso"))}


def _matter(options: argparse.Namespace) -> Result:
    from datetime import UTC, datetime

    from pipeline.intake.decided import MOVE, record
    from pipeline.params import load_project

    into = options.into or (f"m-{options.subject}" if options.action == MOVE else "")
    if not into:
        raise PipelineError("Say with --into which matter it becomes part of.")
    _, profile, places = load_project(options.project)
    said = {"action": options.action, "subject": options.subject, "into": into, "by": options.by, "why": options.why}
    record(places.matter_decisions, **said, now=datetime.now(UTC))
    return f"{options.subject} is part of {into} from the next midnight ({profile.timezone}) on.", said
