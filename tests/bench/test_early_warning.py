"""How well matters are told, how well their growth is foretold, and what a real district's counts raise.

Run with `make bench`; everything is printed. Seeds are not those that thresholds and weights were chosen on (101, 201, 202).
"""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from pipeline import schema
from pipeline.emerging.alerts import renew
from pipeline.emerging.arrivals import arrivals
from pipeline.emerging.growth import fit
from pipeline.emerging.moments import past_moments
from pipeline.emerging.rules import moving_average
from pipeline.emerging.series import counts, running_since
from pipeline.emerging.surge_alerts import surge_findings
from pipeline.emerging.surges import detect
from pipeline.emerging.thresholds import count_surges
from pipeline.intake.matters import MatterIndex
from pipeline.params import load_params
from pipeline.simulator.simulation import simulate
from tests.builders import make_reports
from tests.conftest import ROOT
from tests.messages import citizen_messages

pytestmark = pytest.mark.bench
PARAMS = load_params(ROOT)
BINS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 1.0)


def load_town(folder, seed, *, n_reports=30_000):
    """Reports of a simulated town with the matters the index gives them, and the true ones."""
    simulate(folder, n_reports=n_reports, seed=seed, scenario="surge", start=date(2025, 1, 1), days=274)
    raw = pd.read_csv(folder / "reports.csv", dtype=str).fillna("").sort_values(["received_at", "report_id"], ignore_index=True)
    received = pd.to_datetime(raw["received_at"]).dt.tz_localize("Asia/Shanghai").dt.tz_convert("UTC")
    reports = make_reports(
        received.astype(str).tolist(), report_id=raw["report_id"], title=raw["title"], reporter_hash=raw["reporter"],
        text=raw["body"].where(raw["body"] != "", "。"), area=raw["area"].where(raw["area"] != "", None),
    )  # fmt: skip
    truth = pd.read_csv(folder / "truth" / "reports.csv", dtype=str).set_index("report_id")["matter_id"]
    return MatterIndex(PARAMS.intake).add(reports), raw["report_id"].map(truth)


def _n_pairs(groups):
    sizes = pd.Series(groups).value_counts().to_numpy(dtype=float)
    return (sizes * (sizes - 1) / 2).sum()


def test_pairs_of_reports_that_concern_one_matter(tmp_path):
    for seed in (301, 302, 303, 304):
        added, truth = load_town(tmp_path / str(seed), seed)
        both = _n_pairs(added["matter_id"].str.cat(truth.tolist(), sep="|"))
        precision, recall = both / _n_pairs(added["matter_id"]), both / _n_pairs(truth)
        print(f"\ntown {seed}: pairwise precision {precision:.3f}, recall {recall:.3f}")


def _foretold(added, since, name):
    """Growth learned before a day and judged after it."""
    params = PARAMS.emerging.growth
    moments = past_moments(arrivals(added), horizon_days=params.horizon_days)
    at, end = float((since - date(1970, 1, 1)).days), moments.days.max() - params.horizon_days
    later = moments.where((moments.days >= at) & (moments.days <= end))
    growth = fit(moments.where(moments.days + params.horizon_days <= at), more=params.more_reporters)
    stated, happened = growth.probability(later), later.later >= params.more_reporters
    rng, rows = np.random.default_rng(7), pd.Series(range(len(stated))).groupby(later.matters).apply(list)
    resampled = []
    for _ in range(200):
        kept = np.concatenate(rows.iloc[rng.integers(0, len(rows), len(rows))].tolist())
        if happened[kept].any():
            resampled.append(average_precision_score(happened[kept], stated[kept], sample_weight=later.spans[kept]))
    low, high = np.quantile(resampled, [0.025, 0.975])
    found = average_precision_score(happened, stated, sample_weight=later.spans)
    plain = average_precision_score(happened, later.n_people, sample_weight=later.spans)
    print(
        f"\n{name}: PR-AUC {found:.3f} ({low:.3f} to {high:.3f}), by people so far {plain:.3f}, {happened.sum()} moments grew"
    )
    table = pd.DataFrame({"stated": stated, "seen": happened, "bin": pd.cut(stated, BINS)})
    print(
        table.groupby("bin", observed=True).agg(n=("seen", "size"), stated=("stated", "mean"), seen=("seen", "mean")).round(3)
    )


def test_growth_is_foretold_on_later_dates(tmp_path):
    for seed in (301, 302):
        _foretold(load_town(tmp_path / str(seed), seed)[0], date(2025, 6, 1), f"town {seed}")
    _foretold(MatterIndex(PARAMS.intake).add(citizen_messages()), date(2019, 6, 1), "citizen messages")


def test_what_a_real_district_raises(mirror):
    events = pd.read_csv(mirror / "pingshan_complaint_events_2018" / "events.csv.gz")
    day = pd.to_datetime(events["created_at"])
    ids = events["rec_id"].astype(str)
    reports = pd.DataFrame(
        {
            "report_id": ids, "received_at": (day + pd.Timedelta(hours=12)).dt.tz_localize("UTC"), "day": day,
            "area": events["street"].where(events["street"] != "-", None), "category": events["type"], "matter_id": ids,
            "reporter_hash": None,
        }
    )  # fmt: skip
    how = {"timezone": "UTC", "max_delay_days": PARAMS.emerging.max_delay_days, "first_day": running_since(day)}
    alerts = schema.ALERTS.empty()
    for night in (date(2018, 10, 1) + timedelta(days=step) for step in range(62)):
        known = reports[reports["day"] < pd.Timestamp(night)]
        found = detect(counts(known, as_of=night, **how), as_of=night, params=PARAMS.emerging, seed=7).surges
        told = surge_findings(found, known, as_of=night, params=PARAMS.emerging)
        alerts = renew(alerts, told, as_of=night, units={}, close_after_days=PARAMS.emerging.close_after_days)
    print("\n" + alerts[["raised_on", "first_seen", "n_reports", "expected", "high", "window_days"]].to_string())
    whole = counts(reports, as_of=date(2018, 12, 1), **how)
    plain = moving_average(whole.observed, baseline_steps=28)[:, -61:]
    print(f"mean + 2 sigma of 28 days: {count_surges(plain > 2, merge_gap=3) / 2:.0f} a month")
