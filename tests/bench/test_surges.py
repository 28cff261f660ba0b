"""How well surges are found: simulated counts by volume, counts without surges, simulated towns, real outbreaks.

Run with `make bench`; everything is printed, nothing is asserted but that the figures exist.
"""

import time
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from pipeline.emerging.evaluation import Truth, judge, match, related
from pipeline.emerging.replay import replay, sweep
from pipeline.emerging.rules import moving_average, raw_count
from pipeline.emerging.series import AREA_CATEGORY
from pipeline.emerging.thresholds import DAYS_A_MONTH, count_surges
from pipeline.params import load_params
from tests.conftest import ROOT
from tests.emerging.outbreaks import load_outbreaks, matched, outcome
from tests.emerging.simulated import Setting, simulate
from tests.emerging.towns import town

pytestmark = pytest.mark.bench
PARAMS = load_params(ROOT).emerging
SEEDS = range(3)
WATCHED_DAYS = 90


def _rules(series, swept, n_watched):
    """Scores of every rule on the watched days."""
    cells = (series.keys["level"] == AREA_CATEGORY).to_numpy()[:, None]
    scores = {
        "surges": -np.log10(swept.p_values),
        "mean + k sigma, 28 days": moving_average(series.observed, baseline_steps=28),
        "mean + k sigma, 7 days": moving_average(series.observed, baseline_steps=7),
        "raw count": np.where(cells, raw_count(series.observed), -np.inf),
    }
    return {name: values[:, -n_watched:] for name, values in scores.items()}


def _compare(series, surges, n_watched):
    """One row per rule and surge: found or not, delay, false surges a month."""
    swept = sweep(series, params=PARAMS, seed=7)
    truth = Truth(surges, related(series.keys), lead=0, after=PARAMS.max_window_days)
    months = n_watched / DAYS_A_MONTH
    declared = np.log10(swept.cuts[-n_watched:]) - np.log10(swept.p_values[:, -n_watched:])
    outcomes = {"surges, declared": judge(declared, 0.0, truth, merge_gap=PARAMS.merge_gap_days)}
    for name, scores in _rules(series, swept, n_watched).items():
        allowed = PARAMS.false_alarms_per_month * months
        outcomes[name] = match(scores, truth, n_false=allowed, merge_gap=PARAMS.merge_gap_days)
    return pd.concat(
        surges.assign(rule=name, found=got.found, delay=got.delay, false_a_month=got.n_false / months)
        for name, got in outcomes.items()
    )


def _table(rows):
    columns = {"found": "mean", "delay": "median", "series": "size"}
    table = rows.pivot_table(index="rule", columns="rise", values=list(columns), aggfunc=columns)
    table["false_a_month"] = rows.groupby("rule")["false_a_month"].mean()
    return table.round(2).to_string()


def test_surges_in_simulated_counts():
    parts = []
    for volume in (300, 1000, 2000, 3000, 6000):
        rows = []
        for seed in SEEDS:
            setting = Setting(volume)
            series, surges = simulate(setting, n_surges=60, seed=seed)
            surges = surges.assign(start=surges["start"] - setting.history_days, length=7)
            rows.append(_compare(series, surges, setting.watched_days))
        parts.append(pd.concat(rows))
        print(f"\n{volume} reports a day, median {parts[-1]['base'].median():.1f} a day in the surging series")
        print(_table(parts[-1]))
    rows = pd.concat(parts).query("rule == 'surges, declared'")
    rows["a day"] = pd.cut(rows["base"], [0, 1, 2, 3, 5, 8, 12, 20, 40, np.inf])
    by_size = rows.pivot_table(
        index="a day", columns="rise", values=["found", "delay"], aggfunc={"found": "mean", "delay": "median"}, observed=True
    )
    print(f"\nBy usual reports a day of the series, at the declared threshold\n{by_size.round(2).to_string()}")


def test_false_alarms_where_nothing_happens():
    for volume in (300, 1000, 3000, 10000):
        for name, kind in {"steady": {"slow": 1e-6, "season": 0.0}, "seasons and drift": {}}.items():
            raised = []
            for seed in SEEDS:
                setting = Setting(volume, **kind)
                series, _ = simulate(setting, n_surges=0, seed=100 + seed)
                swept = sweep(series, params=PARAMS, seed=7)
                alarms = (swept.p_values <= swept.cuts)[:, -setting.watched_days :]
                raised.append(count_surges(alarms, merge_gap=PARAMS.merge_gap_days) / setting.watched_days * DAYS_A_MONTH)
            print(f"{volume} a day, {name}: {np.mean(raised):.1f} surges a month ({PARAMS.false_alarms_per_month} declared)")


def test_ninety_nights_one_by_one():
    series, _ = simulate(Setting(1000), n_surges=60, seed=1)
    last = series.days[-1].astype(date) + timedelta(days=1)
    start = time.perf_counter()
    _, surges = replay(series, first=last - timedelta(days=89), last=last, params=PARAMS, seed=7)
    print(f"90 nights of {len(series.keys)} series: {time.perf_counter() - start:.0f} s, {len(surges)} surges")


@pytest.mark.parametrize("per_day", [1000, 3000, 6000])
def test_surges_of_a_simulated_town(per_day):
    parts = []
    for seed in (1, 2):
        series, surges = town(per_day, seed=seed)
        parts.append(_compare(series, surges, WATCHED_DAYS))
        quiet, _ = town(per_day, seed=10 + seed, n_surges=0, scenario="plain")
        swept = sweep(quiet, params=PARAMS, seed=7, n_asked=WATCHED_DAYS)
        n_raised = count_surges(swept.p_values <= swept.cuts, merge_gap=PARAMS.merge_gap_days)
        print(f"without surges, seed {10 + seed}: {n_raised / WATCHED_DAYS * DAYS_A_MONTH:.1f} a month")
    rows = pd.concat(parts)
    seen = rows.groupby("rise")["seen"].median().round(2).to_dict()
    print(f"\n{per_day} reports a day, 2 x 60 surges in {WATCHED_DAYS} days; reports rose to {seen}\n{_table(rows)}")


def test_outbreak_weeks_dated_by_officials(mirror):
    outbreaks = load_outbreaks(mirror)
    params = PARAMS.model_copy(update={"n_simulated": 2000})  # one series at a time needs fewer months
    swept = {name: sweep(series, params=params, seed=7) for name, (series, _) in outbreaks.items()}
    ours = {name: -np.log10(one.p_values) for name, one in swept.items()}
    for name, one in swept.items():
        weeks = pd.Series(one.methods.ravel()).replace("", "none").value_counts()
        print(f"{name}: weeks by method {weeks.to_dict()}")
    for n_weeks in (7, 13, 26, 52):
        plain = {name: moving_average(series.observed, baseline_steps=n_weeks) for name, (series, _) in outbreaks.items()}
        share, found = outcome(plain, outbreaks, 2.0)
        _, better = outcome(ours, outbreaks, matched(ours, outbreaks, share))
        beside = found.join(better, lsuffix=" mean + 2 sigma", rsuffix=" surges")
        print(f"\nmean + 2 sigma of {n_weeks} weeks; {share:.3f} of quiet weeks alarm with either rule\n{beside.to_string()}")
        print(beside.mean().round(2).to_string())
