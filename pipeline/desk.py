"""The review unit's commands: publish a night, keep accounts, serve the pages, retention and backups.

Kept beside `cli.py`, which prints what they return. Like there, everything heavy is imported inside the command that needs it.
"""

import argparse
import getpass
import logging
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline.commands import Result, language

Add = Callable[[str, Callable[[argparse.Namespace], Result], str], argparse.ArgumentParser]


def add_commands(add: Add, day: Callable[[str], date]) -> None:
    """Add the commands to the parser.

    Args:
        add: Takes name, function and what it does; gives the command's own parser.
        day: Reads a day from an argument.
    """
    publish = add("publish", _publish, "put a night's queue into the store of the review unit")
    publish.add_argument("--as-of", type=day, required=True, help="the night's morning")
    review = add("review", _review, "serve the review pages")
    demo = add("demo", _demo, "show the latest night in the review pages, with sample accounts")
    demo.add_argument("--review", action="store_true", required=True, help="the review pages; so far the only demo of its own")
    for served in (review, demo):
        served.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
        served.add_argument("--port", type=int, default=8000)
    user = add("user", _user, "keep accounts of the review pages")
    user.add_argument("act", choices=("add", "close", "list"))
    user.add_argument("name", nargs="?", default="")
    user.add_argument("--role", choices=("viewer", "reviewer", "lead", "admin"), default="reviewer")
    user.add_argument("--area", action="append", help="an area the person sees; may be repeated (default: every area)")
    export = add("export-decisions", _export_decisions, "write decisions as a source that intake accepts and models learn from")
    export.add_argument("--since", type=day, help="first day of deciding (default: all)")
    export.add_argument("--name", default="review-decisions", help="name of the source")
    bulletin = add("bulletin", _bulletin, "write what happened in a period, against the one before and the same a year ago")
    bulletin.add_argument("--from", dest="first", type=day, required=True, help="first day")
    bulletin.add_argument("--to", dest="last", type=day, required=True, help="last day, included")
    bulletin.add_argument("--area", action="append", help="cover this area only; may be repeated (default: every area)")
    bulletin.add_argument("--lang", choices=("zh", "en"), default=language())
    bulletin.add_argument("--folder", type=Path, default=Path("data/bulletins"), help="where to write the three files")
    purge = add("purge", _purge, "remove texts of decided reports received before a day; keep counts")
    purge.add_argument("--before", type=day, required=True)
    backup = add("backup", _backup, "write every row of the store to one new file")
    backup.add_argument("file", type=Path)
    restore = add("restore", _restore, "read a backup into an empty store")
    restore.add_argument("file", type=Path)


def _publish(options: argparse.Namespace) -> Result:
    from dataclasses import asdict

    from pipeline.publishing import publish_night

    done = publish_night(options.project, options.as_of, now=_now())
    said = "published" if done.changed else "was published already; nothing changed"
    text = f"Night of {done.as_of} {said}: {done.n_items} open, {done.n_selected} to read, {done.n_withdrawn} withdrawn."
    return text, asdict(done)


def _review(options: argparse.Namespace) -> Result:
    from pipeline.serving import review_app, serve

    app = review_app(options.project, secure=not _is_here(options.host))
    logging.getLogger(__name__).info("review: %s", _address(options))
    serve(app, host=options.host, port=options.port)
    return "The review pages were stopped.", {"stopped": True}


def _demo(options: argparse.Namespace) -> Result:
    from pipeline.serving import prepare_demo, review_app, serve

    demo = prepare_demo(options.project)
    app = review_app(options.project, secure=not _is_here(options.host), clock=demo.clock)
    logging.getLogger(__name__).info(
        "Night of %s at %s   accounts: %s   password: %s   stop with Ctrl+C",
        demo.as_of, _address(options), ", ".join(demo.names), demo.password,
    )  # fmt: skip
    serve(app, host=options.host, port=options.port)
    return "The demo was stopped.", {"stopped": True}


def _is_here(host: str) -> bool:
    """Whether pages go to this machine only; then they may go without https."""
    return host in ("127.0.0.1", "localhost", "::1")


def _address(options: argparse.Namespace) -> str:
    return f"http://{options.host}:{options.port}/"


def _user(options: argparse.Namespace) -> Result:
    from pipeline.publishing import open_store

    people = open_store(options.project).people
    if options.act == "list":
        known = people.everybody()
        rows = [f"{one.name}  {one.role}  {', '.join(one.areas or ['*'])}{'' if one.active else '  closed'}" for one in known]
        return "\n".join(rows) or "No accounts yet: triage user add NAME --role admin", {"accounts": rows}
    if options.act == "close":
        people.deactivate(options.name, now=_now())
        return f"{options.name} is closed.", {"closed": options.name}
    from pipeline.review.passwords import hash_password

    password = os.environ.get("TRIAGE_NEW_PASSWORD") or getpass.getpass(f"Password for {options.name}: ")
    person = people.add(options.name, hash_password(password), role=options.role, areas=options.area, now=_now())
    return f"{person.name} ({person.role}) can sign in.", {"account": person.name, "role": person.role}


def _export_decisions(options: argparse.Namespace) -> Result:
    from dataclasses import asdict

    from pipeline.exporting import export_decisions, take_up_moves

    take_up_moves(options.project)
    done = export_decisions(options.project, since=options.since, name=options.name, today=_now().date())
    text = f"{done.n_decisions} decisions, {done.n_corrected} with a corrected category, written to {done.files[0]}."
    if not done.is_used:
        text += f"\nTo learn from them add to the profile: decision_sources: [{done.name}]"
    return text, asdict(done)


def _bulletin(options: argparse.Namespace) -> Result:
    from pipeline.params import load_project
    from pipeline.publishing import open_store
    from pipeline.serving import bulletin_writer
    from pipeline.taxonomy import load_taxonomy

    _, profile, places = load_project(options.project)
    taxonomy = load_taxonomy(places.taxonomy(profile.taxonomy))
    write = bulletin_writer(open_store(options.project), taxonomy, profile.timezone)
    folder = options.project / options.folder
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for form in ("html", "xlsx", "csv"):
        files.append(folder / f"{profile.name}-{options.first}-{options.last}.{form}")
        aside = files[-1].with_name(files[-1].name + ".writing")
        aside.write_bytes(write(options.first, options.last, options.area, options.lang, form))
        aside.replace(files[-1])
    return "\n".join(str(file) for file in files), {"files": [str(file) for file in files]}


def _purge(options: argparse.Namespace) -> Result:
    from pipeline.params import load_project, midnight
    from pipeline.publishing import open_store
    from pipeline.store.retention import purge

    _, profile, _ = load_project(options.project)
    store = open_store(options.project)
    done = purge(store.database, before=midnight(options.before, profile.timezone), now=_now())
    text = f"{done.n_removed} texts removed; {done.n_kept_open} kept because nobody decided them yet."
    return text, {"removed": done.n_removed, "kept_open": done.n_kept_open}


def _backup(options: argparse.Namespace) -> Result:
    from pipeline.publishing import open_store
    from pipeline.store.backups import backup

    n_rows = backup(open_store(options.project).database, options.file)
    return f"{n_rows} rows written to {options.file}. Keep it as safe as the store.", {"rows": n_rows}


def _restore(options: argparse.Namespace) -> Result:
    from pipeline.publishing import open_database
    from pipeline.store.backups import restore

    n_rows = restore(open_database(options.project), options.file)
    return f"{n_rows} rows restored from {options.file}.", {"rows": n_rows}


def _now() -> datetime:
    return datetime.now(UTC)
