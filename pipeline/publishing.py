"""A published night's folder goes into the store of the review unit.

The folder is the source: this reads it, adds what a reader wants beside a report (similar earlier ones, how many different
people reported the matter, outcomes known by then), and hands it over in one transaction. The folder again gives the same
store.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import schema
from pipeline.errors import StoreError
from pipeline.params import Places, Profile, load_params, load_project, midnight
from pipeline.scoring.similar import find_similar
from pipeline.store.database import Database, store_url
from pipeline.store.publishing import Publication, Published, publish
from pipeline.store.store import Store
from pipeline.taxonomy import load_taxonomy

N_SIMILAR = 5  # past reports beside one; what fits the page without scrolling


def open_database(root: Path) -> Database:
    """The profile's store, whether it was made yet or not; `TRIAGE_STORE` names another place."""
    return Database(store_url(root, load_params(root).profile, os.environ.get("TRIAGE_STORE") or None))


def open_store(root: Path) -> Store:
    """The profile's store.

    Raises:
        StoreError: If it was never made, or is of another revision.
    """
    database = open_database(root)
    database.check()
    return Store(database)


def publish_night(root: Path, as_of: date, *, now: datetime) -> Published:
    """Put a night into the store, and make the store where there is none.

    Args:
        root: Project folder.
        as_of: The night's morning.
        now: Instant of publishing, aware.

    Raises:
        StoreError: If that night was never run, or the database does not answer; nothing is kept.
    """
    _, profile, places = load_project(root)
    night = _read_night(places, profile, as_of)
    database = open_database(root)
    database.migrate()
    return publish(database, night, now=now)


def publish_if_kept(root: Path, as_of: date, *, now: datetime) -> Published | None:
    """Put a night into the store where the unit has one; None where it has none."""
    return publish_night(root, as_of, now=now) if open_database(root).exists() else None


def _read_night(places: Places, profile: Profile, as_of: date) -> Publication:
    folder = places.nights / as_of.isoformat()
    if not (folder / "manifest.json").exists():
        raise StoreError(f"There is no night in {folder}. Run it first: `triage nightly --as-of {as_of}`.")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    queue = schema.QUEUE.read(folder / "queue.parquet")
    past = _admitted(places.nights, as_of)
    shown = queue[queue["selected"] != "waiting"]
    return Publication(
        as_of=as_of,
        digest=_digest([folder / "queue.parquet", folder / "alerts.parquet"], str(manifest["model"])),
        manifest={**manifest, "mix": _mix(queue, midnight(as_of, profile.timezone)), **_evaluation(places, manifest)},
        queue=queue,
        reports=past,
        outcomes=_outcomes(places, profile, as_of),
        taxonomy=load_taxonomy(places.taxonomy(profile.taxonomy)),
        reporters={str(matter): int(n) for matter, n in past.groupby("matter_id")["reporter_hash"].nunique().items() if n},
        similar=find_similar(shown, past, n_similar=N_SIMILAR),
        alerts=read_alerts(folder / "alerts.parquet"),
    )


def _admitted(nights: Path, as_of: date) -> pd.DataFrame:
    """Every report this night and those before it admitted."""
    folders = [folder for folder in sorted(nights.glob("????-??-??")) if date.fromisoformat(folder.name) <= as_of]
    parts = [schema.REPORTS.read(folder / "reports.parquet") for folder in folders]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _outcomes(places: Places, profile: Profile, as_of: date) -> pd.DataFrame:
    """Outcomes intake knows of that were recorded before the night; none where intake has not run."""
    if not places.outcomes.exists():
        return schema.OUTCOMES.empty()
    outcomes = schema.OUTCOMES.read(places.outcomes)
    return outcomes[outcomes["recorded_at"] < midnight(as_of, profile.timezone)]


def _mix(queue: pd.DataFrame, begins: datetime) -> dict[str, int]:
    """Reports of the day before the morning by category; nights are compared by it."""
    fresh = queue.loc[queue["received_at"] >= pd.Timestamp(begins) - pd.Timedelta(days=1), "category"]
    return {str(category): int(n) for category, n in fresh.value_counts().items()}


def _evaluation(places: Places, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The newest evaluation of the night's kind of model, where this machine holds one."""
    folder = places.evaluation(str(manifest.get("model_name", "")))
    metrics, table = folder / "metrics.json", folder / "plots" / "reliability_risk.csv"
    if not manifest.get("model_name") or not metrics.exists():
        return {}
    measured = json.loads(metrics.read_text(encoding="utf-8"))
    bins = pd.read_csv(table)[["stated", "observed", "n_reports"]].to_numpy().tolist() if table.exists() else []
    return {"evaluation": {**{part: measured.get(part) for part in ("category", "risk")}, "reliability": bins}}


def read_alerts(file: Path) -> list[dict[str, Any]]:
    """A night's alerts as rows of the store's table; none where the night raised no table.

    What an alert is about has columns of its own; what it counted goes into `evidence`, whatever the night wrote there.
    """
    if not file.exists():
        return []
    return [_alert({name: _plain(value) for name, value in row.items()}) for row in pd.read_parquet(file).to_dict("records")]


def _alert(row: dict[Any, Any]) -> dict[str, Any]:
    first, last = row.pop("first_seen"), row.pop("last_seen")
    about = {name: row.pop(name, None) for name in ("alert_id", "kind", "area", "category", "matter_id", "unit")}
    status = "closed" if row.pop("state", "open") == "closed" else "open"
    evidence = {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
    return {**about, "first_day": first, "last_day": last, "status": status, "evidence": evidence}


def _plain(value: Any) -> Any:
    """A cell as JSON takes it: lists for arrays, None for what is missing."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is pd.NaT or value != value else value


def _digest(files: Sequence[Path], model: str) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.exists()) + model.encode()).hexdigest()
