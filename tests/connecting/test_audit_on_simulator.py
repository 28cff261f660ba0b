"""The audit draw against known truth: ten simulated towns, a real reading order, the night's own selection.

Prints a row a seed; run with `pytest -m slow -s tests/connecting/test_audit_on_simulator.py`.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluation.audit import below_the_line, drawn_by, estimate_audit
from pipeline.evaluation.backtesting import fates
from pipeline.evaluation.baselines import load_harm_words
from pipeline.orders import Said, arrivals, replay_order
from pipeline.simulator import simulate
from tests.conftest import ROOT

N_DAYS, PER_DAY, CAPACITY, AUDIT_SHARE, WINDOW_DAYS = 100, 100, 40, 0.1, 14
FIRST = date(2025, 1, 1)


def _town(folder, seed):
    """Reports of a town with what became of them in truth, all settled."""
    simulate(folder, n_reports=N_DAYS * PER_DAY, seed=seed, scenario="plain", start=FIRST, days=N_DAYS)
    reports = pd.read_csv(folder / "reports.csv", usecols=["report_id", "received_at", "title", "body"], keep_default_na=False)
    truth = pd.read_csv(folder / "truth" / "reports.csv", header=0)
    truth.columns = ["report_id", "matter_id", "category", "severity", "outcome", "happened", "copy_of"]
    town = reports.merge(truth, on="report_id")
    received, happened = (pd.to_datetime(town[name]).dt.tz_localize("UTC") for name in ("received_at", "happened"))
    escalated = (happened >= received) & (happened < received + pd.Timedelta(days=WINDOW_DAYS))
    return town.assign(
        received_at=received.astype("datetime64[us, UTC]"),
        escalated=escalated.astype("boolean"),
        escalated_at=happened.where(escalated).astype("datetime64[us, UTC]"),
    )


def _estimate(town, seed, priority):
    mornings = list(pd.date_range(FIRST, periods=N_DAYS + 1, tz="UTC")[1:])
    fate = fates(town, mornings)
    came = arrivals(town, fate.first_night, seeds=[1000 * seed + night for night in range(N_DAYS)])
    given = replay_order(
        came, lambda _, places: Said(priority[places], np.zeros(len(places), dtype=bool)), capacity=CAPACITY,
        audit_share=AUDIT_SHARE, unclear_share=0.0,
    )  # fmt: skip
    ranked = fate.in_time(given.night) & ~given.audit
    drawn = drawn_by(fate, given.night, given.audit, given.propensity)
    estimate = estimate_audit(drawn, n_ranked_escalated=int(ranked.sum()), confidence=0.95)
    n_below, n_missed = below_the_line(fate, given.night, given.audit)
    return estimate, 1000 * n_missed / n_below, ranked.sum() / (ranked.sum() + n_missed)


@pytest.mark.slow
def test_the_interval_covers_the_truth_in_at_least_nine_of_ten_towns(tmp_path):
    words = load_harm_words(ROOT / "data" / "taxonomy" / "harm_words.yaml")
    print(f"\n{'seed':>4} {'drawn':>6} {'escalated':>9} {'missed per 1,000':>24} {'truth':>6} {'recall':>26} {'truth':>7}")
    missed, recall = [], []
    for seed in range(10):
        town = _town(tmp_path / str(seed), seed)
        priority = words.score(town["title"] + "。" + town["body"])
        found, true_missed, true_recall = _estimate(town, seed, priority)
        of, line = found.missed_per_1000, found.recall
        missed.append(of.low <= true_missed <= of.high)
        recall.append(line.low <= true_recall <= line.high)
        print(
            f"{seed:>4} {found.n_drawn:>6} {found.n_drawn_escalated:>9} {of.point:>8.1f} ({of.low:>5.1f} to {of.high:>5.1f})"
            f" {true_missed:>6.1f} {line.point:>8.3f} ({line.low:>6.3f} to {line.high:>6.3f}) {true_recall:>7.3f}"
        )
    assert sum(missed) >= 9
    assert sum(recall) >= 9


@pytest.mark.slow
def test_over_many_draws_the_estimate_is_right_on_average_and_the_interval_keeps_its_promise(tmp_path):
    town = _town(tmp_path, 1)
    priority = np.random.default_rng(0).uniform(size=len(town))
    shares, covered = [], []
    for seed in range(100):
        found, truth, _ = _estimate(town, seed, priority)
        shares.append(found.missed_per_1000.point / truth)
        covered.append(found.missed_per_1000.low <= truth <= found.missed_per_1000.high)
    print(f"\nmean of estimate / truth {np.mean(shares):.3f}; covered {np.mean(covered):.2f}")
    assert abs(np.mean(shares) - 1) < 3 * np.std(shares) / np.sqrt(len(shares))
    assert np.mean(covered) >= 0.9
