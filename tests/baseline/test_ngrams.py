"""Counting character n-grams."""

import numpy as np
import pytest

from pipeline.baseline.ngrams import learn_counter


def _counts(texts, *, min_n=1, max_n=2, min_reports=1, max_features=1000):
    counter, n_reports = learn_counter([texts], min_n=min_n, max_n=max_n, min_reports=min_reports, max_features=max_features)
    return dict(zip(counter.names(), n_reports.tolist(), strict=True)), counter


def test_runs_of_characters_are_counted_by_the_reports_that_hold_them():
    found, _ = _counts(["拖欠工资", "工资工资"])
    assert found == {"拖": 1, "欠": 1, "工": 2, "资": 2, "拖欠": 1, "欠工": 1, "工资": 2, "资工": 1}


def test_every_occurrence_in_a_report_is_counted():
    _, counter = _counts(["工资工资"])
    counts = dict(zip(counter.names(), counter.count(["工资工资"]).toarray()[0].tolist(), strict=True))
    assert counts == {"工": 2, "资": 2, "工资": 2, "资工": 1}


def test_no_run_bridges_two_reports():
    found, _ = _counts(["工", "资"])
    assert "工资" not in found


@pytest.mark.parametrize("text", ["工,资", "工。资", "工[手机号]资", "工【资"])
def test_punctuation_and_placeholders_break_a_run(text):
    assert set(_counts([text])[0]) == {"工", "资"}


@pytest.mark.parametrize("text", ["工 资", "工3资", "工\u3000资", "工\x00资"])
def test_spaces_digits_and_control_characters_are_passed_over(text):
    assert set(_counts([text])[0]) == {"工", "资", "工资"}


def test_a_placeholder_counts_like_punctuation_and_leaves_no_word():
    _, counter = _counts(["请打[手机号]找我", "请打。找我", "手机号"])
    with_placeholder, without = counter.count(["请打[手机号]找我", "请打。找我"]).toarray()
    np.testing.assert_array_equal(with_placeholder, without)


def test_latin_letters_are_lower_cased():
    assert set(_counts(["KTV"], max_n=3)[0]) == {"k", "t", "v", "kt", "tv", "ktv"}


def test_four_characters_are_told_apart_from_three():
    found, _ = _counts(["劳动合同"], min_n=3, max_n=4)
    assert set(found) == {"劳动合", "动合同", "劳动合同"}


def test_characters_beyond_the_basic_plane_are_folded_to_one():
    _, counter = _counts(["😀", "🚗"])
    assert len(counter.keys) == 1


def test_rare_runs_are_dropped():
    assert set(_counts(["工资", "工钱"], min_reports=2)[0]) == {"工"}


def test_the_commonest_stay_when_there_are_too_many():
    assert set(_counts(["工资", "工钱", "工"], max_n=1, max_features=1)[0]) == {"工"}


def test_learning_in_steps_is_learning_at_once():
    texts = ["拖欠工资", "邻居漏水", "工资没发", "漏水"]
    whole, n_whole = learn_counter([texts], min_n=1, max_n=3, min_reports=2, max_features=100)
    steps, n_steps = learn_counter([texts[:1], texts[1:3], texts[3:]], min_n=1, max_n=3, min_reports=2, max_features=100)
    np.testing.assert_array_equal(whole.keys, steps.keys)
    np.testing.assert_array_equal(n_whole, n_steps)


@pytest.mark.parametrize("texts", [[], [""], ["", "", ""], ["\ud800"]])
def test_texts_without_characters_count_nothing(texts):
    _, counter = _counts(["工资"])
    assert counter.count(texts).shape == (len(texts), 3)
    assert counter.count(texts).sum() == 0
