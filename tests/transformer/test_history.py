"""How length and history join the text's risk."""

import numpy as np
import pandas as pd
import pytest

from pipeline.joint import small_features
from pipeline.schema import HISTORY
from pipeline.transformer.history import JoinedRisk, fit_joined_risk
from tests.transformer.small import small_transformer


def _rng():
    return np.random.default_rng(5)


def _examples(escalated, n_similar=0):
    return pd.DataFrame(
        {
            "title": "漏水",
            "text": "楼上漏水",
            "escalated": pd.array(escalated, dtype="boolean"),
            **dict.fromkeys(HISTORY, n_similar),
        },
        index=range(len(escalated)),
    )


def _some(n_reports, every):
    return np.arange(n_reports) % every == 0


def test_a_risk_learned_by_heart_counts_little_beside_history_that_tells():
    escalated = _some(400, 10)
    reports = _examples(escalated, np.where(escalated, 6, _rng().integers(0, 3, 400)))
    text = _rng().normal(scale=5.0, size=400)  # sure of itself, and wrong
    joined = fit_joined_risk(_examples(_some(200, 8)), reports, text, penalty=1.0)
    risk = joined.risk(text, small_features(reports))
    assert risk[escalated].min() > risk[~escalated].max()
    assert joined.weights[0] < 0.2


def test_what_the_training_reports_said_of_history_holds_where_validation_says_nothing():
    n_similar = np.arange(400) % 5
    train = _examples(n_similar >= 3, n_similar)
    silent = _examples(_some(60, 6))
    joined = fit_joined_risk(train, silent, np.zeros(60), penalty=1.0)
    few, many = joined.risk(np.zeros(2), small_features(_examples([False, False], [0, 40])))
    assert many > few


def test_history_that_went_with_silence_does_not_lower_the_risk():
    escalated = _some(300, 9)
    reports = _examples(escalated, np.where(escalated, 0, 4))
    joined = fit_joined_risk(reports, reports, np.zeros(300), penalty=1.0)
    few, many = joined.risk(np.zeros(2), small_features(_examples([False, False], [0, 1000])))
    assert many >= few


@pytest.mark.parametrize("escalated", [[False] * 30, [True] * 30, [pd.NA] * 30, []])
def test_where_validation_has_one_outcome_text_counts_as_it_is_and_history_as_train_says(escalated):
    n_similar = np.arange(400) % 5
    joined = fit_joined_risk(
        _examples(n_similar >= 3, n_similar), _examples(escalated, 3), np.zeros(len(escalated)), penalty=1.0
    )
    assert joined.weights[:2] == (1.0, 0.0)
    assert sum(joined.weights[2:]) > 0.5


def test_length_that_the_text_tells_already_is_not_counted_twice():
    n_characters = _rng().integers(5, 400, 3000)
    text_log_odds = 1.5 * np.log1p(n_characters + 2) - 9.0
    escalated = _rng().random(3000) < 1 / (1 + np.exp(-text_log_odds))
    reports = _examples(escalated).assign(text=["漏" * n for n in n_characters])
    joined = fit_joined_risk(reports.head(2000), reports.tail(1000), text_log_odds[2000:], penalty=10.0)
    risk = joined.risk(text_log_odds, small_features(reports))
    assert np.polyfit(text_log_odds, risk, 1)[0] == pytest.approx(1.0, abs=0.15)


def test_length_and_history_are_added_to_the_weighed_text():
    joined = JoinedRisk((0.5, 2.0, *[1.0] * len(HISTORY)), -1.0)
    small = np.array([[3.0, *[0.1] * len(HISTORY)]])
    np.testing.assert_allclose(joined.risk(np.array([4.0]), small), [2.0 + 6.0 + 0.1 * len(HISTORY) - 1.0])


def test_history_reaches_the_risk_and_not_the_category(train, validation):
    model = small_transformer(optimization={"epochs": 2}).fit(train, validation)
    alone, busy = (model.predict(validation.assign(**dict.fromkeys(HISTORY, count))) for count in (0.0, 40.0))
    assert np.array_equal(alone.category, busy.category)
    assert (busy.risk > alone.risk).all()
    by_text = model.predict_by_text(validation)
    assert np.array_equal(by_text.category, alone.category)
    assert np.array_equal(by_text.risk, model.predict_by_text(validation.assign(**dict.fromkeys(HISTORY, 40.0))).risk)
