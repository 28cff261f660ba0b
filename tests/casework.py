"""Nights to publish, accounts and instants, made by hand for the tests of the store and the review pages."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pandas as pd

from pipeline import schema
from pipeline.store.publishing import Publication, publish
from pipeline.taxonomy import Taxonomy
from tests.builders import instants, make_outcomes, make_reports

NOON = datetime(2024, 8, 1, 4, tzinfo=UTC)  # noon in Shanghai
TAXONOMY = Taxonomy.model_validate(
    {
        "name": "desk", "version": 1,
        "units": {"mediators": {"zh": "调解", "en": "Mediators"}, "labour": {"zh": "劳动监察", "en": "Labour inspection"}},
        "categories": [
            {"id": "neighbours", "zh": "邻里", "en": "Neighbours", "kind": "dispute", "unit": "mediators", "response_hours": 72,
             "severity_weight": 1.2},
            {"id": "wages", "zh": "工资", "en": "Wages", "kind": "dispute", "unit": "labour", "response_hours": 24,
             "severity_weight": 1.0},
        ],
    }
)  # fmt: skip


def make_queue(*ids: str, **columns: object) -> pd.DataFrame:
    """QUEUE of some reports in order of rank, all to be read; other columns as a list or one value for all."""
    n = len(ids)
    given = {
        "rank": range(1, n + 1), "report_id": list(ids), "selected": "ranked",
        "received_at": instants(["2024-07-31T01:00:00Z"] * n), "title": [f"标题{name}" for name in ids],
        "text": [f"楼上漏水{name}" for name in ids], "area": "东区", "channel": "热线",
        "matter_id": [f"m-{name}" for name in ids],
        "category": "neighbours", "category_probability": 0.8, "risk": [0.9 - 0.1 * (k % 9) for k in range(n)],
        "priority": [1.0 - k / max(n, 1) for k in range(n)], "propensity": 1.0,
        "reasons": [[{"kind": "words", "evidence": "楼上漏水", "effect": 0.1}] for _ in ids],
        "lane": "clear", "risk_low": 0.0, "risk_high": 1.0, **dict.fromkeys(schema.HISTORY, 0),
    }  # fmt: skip
    queue = pd.DataFrame(given | columns)
    return queue if "category_set" in queue else queue.assign(category_set=[[name] for name in queue["category"]])


def make_night(queue: pd.DataFrame, *, as_of: date = date(2024, 8, 1), digest: str = "a", **changes: object) -> Publication:
    """A night with that queue and nothing else."""
    given = {
        "as_of": as_of, "digest": digest, "manifest": {"model": "desk v1", "n_new": len(queue), "n_rejected": 0, "seconds": {}},
        "queue": queue, "reports": make_reports([]), "outcomes": make_outcomes(), "taxonomy": TAXONOMY,
    }  # fmt: skip
    return Publication(**(given | changes))


def publish_queue(store, *ids: str, **columns: object):
    """Publish a night of these reports."""
    return publish(store.database, make_night(make_queue(*ids, **columns)), now=NOON)


def make_person(store, name: str, role: str = "reviewer", areas: Sequence[str] | None = None):
    return store.people.add(name, "no password opens this", role=role, areas=areas, now=NOON)


def later(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def make_alert(alert_id: str, first_day: str = "2024-07-30", **changes: object) -> dict[str, object]:
    """A row of the store's table of alerts: a surge of neighbours' quarrels in the east."""
    evidence = {
        "window_days": 7,
        "n_reports": 12,
        "expected": 4.0,
        "low": 1.0,
        "high": 8.0,
        "n_reporters": 9,
        "confidence": 0.97,
    }
    given = {
        "alert_id": alert_id, "kind": "surge", "area": "东区", "category": "neighbours", "matter_id": None, "unit": "mediators",
        "first_day": date.fromisoformat(first_day), "last_day": date(2024, 8, 1), "status": "open",
        "evidence": {**evidence, "report_ids": ["a"], "terms": []},
    }  # fmt: skip
    return given | changes
