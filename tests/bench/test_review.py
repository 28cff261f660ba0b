"""How fast the review pages answer over 100,000 open reports, and whether anything is handed out twice under load."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from pipeline.casework import Verdict
from pipeline.params import load_params
from pipeline.review.access import Settings
from pipeline.review.app import create_app
from pipeline.review.passwords import hash_password
from pipeline.simulator import simulate
from pipeline.store.publishing import publish
from pipeline.store.store import Store
from tests.casework import NOON, TAXONOMY, make_night, make_person, make_queue
from tests.conftest import ROOT
from tests.stores import empty_database

pytestmark = pytest.mark.bench
N_OPEN = 100_000
COMMON, RARE = ("物业", "老板", "小区"), ("高空抛物", "煤气", "群租")
PARAMS = load_params(ROOT).review


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Titles and texts of simulated reports."""
    folder = tmp_path_factory.mktemp("written")
    simulate(folder, n_reports=N_OPEN, seed=7, scenario="plain", start=date(2025, 1, 1), days=274)
    return pd.read_csv(folder / "reports.csv", usecols=["title", "body"], dtype=str, keep_default_na=False)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request, tmp_path_factory, written):
    """A store with 100,000 open reports, all to be read."""
    with empty_database(request.param, tmp_path_factory.mktemp("full"), request) as database:
        store = Store(database)
        _fill(store, request.param, written)
        yield request.param, store


def _fill(store, name, written):
    ids = [f"r{k:06}" for k in range(N_OPEN)]
    areas = np.array([f"区{k}" for k in range(12)], dtype=object)[np.arange(N_OPEN) % 12]
    queue = make_queue(*ids, area=areas, title=written["title"].tolist(), text=written["body"].tolist(), similar=None)
    started = time.perf_counter()
    publish(store.database, make_night(queue, similar={one: ids[k : k + 5] for k, one in enumerate(ids[:2000])}), now=NOON)
    print(f"\n{name}: {N_OPEN} reports published in {time.perf_counter() - started:.1f} s")


def test_pages_over_a_hundred_thousand_open_reports(full):
    name, store = full
    settings = Settings(
        params=PARAMS, taxonomy=TAXONOMY, outcomes=(), timezone="Asia/Shanghai", key=b"bench", clock=lambda: NOON, secure=False
    )
    store.people.add("bench", hash_password("a long enough phrase"), role="lead", areas=None, now=NOON)
    with TestClient(create_app(store, settings)) as client:
        client.post("/sign-in", data={"name": "bench", "password": "a long enough phrase"})
        for what, address in (
            ("queue page", lambda k: f"/queue?offset={50 * (k % 40)}"),
            ("queue page, one area and category", lambda k: f"/queue?area=区{k % 12}&category=neighbours"),
            ("queue page, search for a word of many reports", lambda k: f"/queue?words={COMMON[k % 3]}"),
            ("queue page, search for a word of few", lambda k: f"/queue?words={RARE[k % 3]}"),
            ("queue page, search for what no report says", lambda k: f"/queue?words=物业{k}号飞船"),
            ("queue page, search within an area", lambda k: f"/queue?area=区{k % 12}&words={COMMON[k % 3]}"),
            ("report page", lambda k: f"/report?id=r{k % 2000:06}"),
        ):
            taken = []
            for k in range(60):
                started = time.perf_counter()
                assert client.get(address(k)).status_code == 200
                taken.append(1000 * (time.perf_counter() - started))
            print(f"{name}: {what}: median {np.median(taken):.0f} ms, 95th percentile {np.percentile(taken, 95):.0f} ms")


def test_reviewers_claiming_and_deciding_at_once(full):
    name, store = full
    n_people, seconds = (50, 60) if name == "postgresql" else (5, 60)
    people = [make_person(store, f"p{k}") for k in range(n_people)]
    end = time.perf_counter() + seconds

    def work(person):
        handed = []
        while time.perf_counter() < end:
            item = store.queue.claim_next(person, now=NOON, minutes=20)
            handed.append(item.report_id)
            store.decisions.decide(item.report_id, Verdict("confirm"), person, now=NOON, wants_second=False)
        return handed

    with ThreadPoolExecutor(n_people) as pool:
        handed = Counter(report_id for one in pool.map(work, people) for report_id in one)
    decided = {one.report_id for one in store.judgements.judged()}
    twice, lost = sum(n > 1 for n in handed.values()), len(set(handed) ^ decided)
    print(f"{name}: {n_people} reviewers, {seconds} s: {len(handed)} handed out and decided, {twice} twice, {lost} lost")
    assert (twice, lost) == (0, 0)
