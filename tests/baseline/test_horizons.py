"""What the baseline says of risk within several horizons."""

import numpy as np
import pandas as pd
import pytest

from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.model import Baseline
from pipeline.settings import read_yaml
from tests.conftest import ROOT
from tests.made_up import CATEGORIES, make_examples


def fit(train, labels, *, label_window_days=14):
    config = read_yaml(ROOT / "models/baseline/config.yaml", BaselineConfig)
    config = config.model_copy(update={"risk_labels": labels, "risk_days": (7, 14, 30)})
    model = Baseline(config, categories=CATEGORIES, label_window_days=label_window_days, seed=7)
    return model.fit(train, make_examples(60, split="validation", start="2025-06-01"))


@pytest.mark.parametrize(("labels", "days"), [("mature", (10,)), ("hazard", (7, 10, 14, 30))])
def test_the_label_window_is_always_among_the_horizons(labels, days):
    assert fit(make_examples(120), labels, label_window_days=10).horizons == days


def test_reports_with_an_open_window_teach_a_hazard_and_no_mature_label():
    reports = make_examples(240)
    open_since = reports.index >= 120
    unsettled = reports.assign(escalated=reports["escalated"].mask(open_since), followed_days=np.where(open_since, 8.0, 30.0))
    scored = make_examples(30, split="test", start="2025-09-01")
    for labels, learns in (("mature", False), ("hazard", True)):
        other = unsettled.assign(outcome_days=unsettled["outcome_days"].mask(open_since))
        same = (fit(unsettled, labels).predict(scored).risk == fit(other, labels).predict(scored).risk).all()
        assert same != learns


def test_outcomes_after_the_label_window_raise_the_later_horizon_only():
    train = make_examples(240)
    late = train.assign(outcome_days=train["outcome_days"].where(train.index % 5 != 0, 20.0))
    scored = make_examples(30, split="test", start="2025-09-01")
    fitted = fit(late, "hazard")
    within = pd.DataFrame(1 / (1 + np.exp(-fitted.risk_by_horizon(scored))), columns=fitted.horizons)
    assert within[30].mean() > within[14].mean() + 0.1
