import numpy as np
import pandas as pd

from pipeline.schema import HISTORY
from pipeline.scoring.copies import distinct


def _reports(titles, texts, history=0):
    return pd.DataFrame({"title": titles, "text": texts, **dict.fromkeys(HISTORY, history)})


def test_exact_copies_are_found_and_the_first_of_each_kind_is_kept():
    first, kind = distinct(_reports(["甲", "乙", "甲"], ["漏水", "漏水", "漏水"]))
    assert first.tolist() == [0, 1]
    assert kind.tolist() == [0, 1, 0]


def test_near_copies_are_different_reports():
    first, _ = distinct(_reports(["", ""], ["邻居吵架", "邻居吵架。"]))
    assert first.tolist() == [0, 1]


def test_the_same_words_split_otherwise_between_title_and_text_are_different():
    first, _ = distinct(_reports(["漏", "漏水"], ["水了", "了"]))
    assert first.tolist() == [0, 1]


def test_copies_with_another_history_are_different_reports():
    first, _ = distinct(_reports(["", ""], ["漏水", "漏水"], history=[0, 3]))
    assert first.tolist() == [0, 1]


def test_no_reports_have_no_copies():
    first, kind = distinct(_reports([], []))
    assert len(first) == len(kind) == 0
    assert kind.dtype == np.int64
