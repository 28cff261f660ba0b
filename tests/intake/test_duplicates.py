"""Copies and near copies."""

import numpy as np
import pytest

from pipeline.intake.chains import Chains
from pipeline.intake.duplicates import N_BINS, DuplicateIndex, signatures
from pipeline.intake.grams import FIRST_BIGRAM, gram_sets
from pipeline.intake.pairs import NONE
from tests.builders import make_reports
from tests.intake.builders import make_index

PLEA = "我们小区楼下的烧烤店每天晚上营业到凌晨三点，油烟和噪音严重影响居民休息，多次投诉无人处理，请有关部门尽快核实。"


def groups(*texts, received=None, **columns):
    """For each report the number of the first report of its group."""
    reports = make_reports(received or [f"2024-01-{day:02}" for day in range(1, len(texts) + 1)], text=list(texts), **columns)
    return [int(group.removeprefix("d-r")) for group in make_index().add(reports)["duplicate_group"]]


def jaccard(one, other):
    sets = gram_sets([one, other], bigrams=False)
    codes = [set(sets.codes[start:stop].tolist()) for start, stop in zip(sets.starts, sets.starts[1:], strict=False)]
    return len(codes[0] & codes[1]) / len(codes[0] | codes[1])


def test_a_copy_belongs_to_the_group_of_the_first():
    reports = make_reports(["2024-01-01", "2024-01-02", "2024-01-03"], text=PLEA)
    added = make_index().add(reports)
    assert added["duplicate_group"].tolist() == ["d-r0"] * 3
    assert added["duplicate_of"].tolist() == [None, "r0", "r0"]


@pytest.mark.parametrize(
    "other",
    [
        PLEA.replace("，", " ").replace("。", "\n"),  # another export
        PLEA.replace("请", "望"),
        "尊敬的领导：" + PLEA,
        PLEA.replace("三点", "四点"),
    ],
)
def test_an_edited_copy_is_a_copy(other):
    assert groups(PLEA, other) == [0, 0]


def test_a_text_about_the_same_trouble_in_other_words_is_no_copy():
    assert groups(PLEA, "楼下烧烤店的油烟直接排到我家，晚上吵得睡不着，已经投诉过很多次，还是没有人来管。") == [0, 1]


def test_a_copy_with_its_title_moved_into_the_text_is_a_copy():
    assert groups(PLEA, "烧烤扰民" + PLEA, title=["烧烤扰民", ""]) == [0, 0]


def test_short_texts_are_copies_only_if_they_are_equal():
    assert groups("如题", "如题", "请处理", "请处理！", title=["路灯不亮", "下水道堵了", "", ""]) == [0, 1, 2, 2]


def test_texts_without_a_letter_or_digit_are_no_copies():
    assert groups("", "", "？？", "！！") == [0, 1, 2, 3]


def test_letter_case_does_not_matter():
    assert groups("WIFI坏了三天没人修，APP也打不开", "wifi坏了三天没人修，app也打不开") == [0, 0]


def test_copies_are_found_however_old():
    assert groups(PLEA, PLEA, received=["2014-01-01", "2024-01-01"]) == [0, 0]


def test_undated_reports_look_at_dated_ones_but_not_the_other_way_round():
    index = make_index()
    index.add(make_reports([None], text=PLEA, report_id=["u0"]))
    dated = index.add(make_reports(["2024-01-01"], text=PLEA))
    undated = index.add(make_reports([None], text=PLEA, report_id=["u1"]))
    assert dated["duplicate_group"].tolist() == ["d-r0"]
    assert undated["duplicate_of"].notna().all()


def test_undated_copies_keep_the_order_of_the_rows():
    added = make_index().add(make_reports([None, None], text=PLEA, report_id=["z", "a"]))
    assert added["duplicate_of"].tolist() == [None, "z"]


def made_up(rng, n_characters):
    return "".join(chr(0x4E00 + point) for point in rng.integers(0, 500, n_characters))


def test_nearly_all_pairs_above_the_threshold_are_found_and_none_below():
    rng = np.random.default_rng(4)
    texts = []
    for _ in range(400):
        text = made_up(rng, 200)
        start, length = int(rng.integers(0, 150)), int(rng.integers(5, 40))
        texts += [text, text[:start] + made_up(rng, length) + text[start + length :]]
    given = groups(*texts, received=["2024-01-01"] * len(texts), report_id=[f"r{number:04}" for number in range(len(texts))])
    found = {True: [], False: []}
    for first in range(0, len(texts), 2):
        found[jaccard(*texts[first : first + 2]) >= 0.8].append(given[first + 1] == first)
    assert len(found[True]) > 60
    assert np.mean(found[True]) > 0.98
    assert not any(found[False])


def test_signatures_estimate_the_similarity():
    rng = np.random.default_rng(5)
    pairs = []
    for _ in range(60):
        text = made_up(rng, 300)
        pairs.append((text, text[: int(rng.integers(50, 300))] + made_up(rng, 60)))
    signature = signatures(gram_sets([text for pair in pairs for text in pair], bigrams=False))
    estimated = (signature[::2] == signature[1::2]).mean(axis=1)
    true = np.array([jaccard(*pair) for pair in pairs])
    assert signature.shape == (120, N_BINS)
    assert np.abs(estimated - true).mean() < 0.06
    assert abs(np.mean(estimated - true)) < 0.02


def test_a_short_text_has_a_full_signature():
    sets = gram_sets(["水管爆了"], bigrams=False)
    assert len(set(signatures(sets)[0].tolist())) > N_BINS // 2


def test_the_most_similar_earlier_report_wins_and_the_latest_of_equals():
    index = DuplicateIndex(0.5)
    text = made_up(np.random.default_rng(6), 100)
    left, right = index.add(gram_sets([text[:80], text, text, text], bigrams=False), dated=True)
    assert index.most_similar(left, right, np.arange(4)).tolist() == [NONE, 0, 1, 2]


def test_grams_of_a_text_are_distinct_ascending_and_stay_within_it():
    sets = gram_sets(["开水开水", "", "水"], bigrams=True)
    per_text = [sets.codes[start:stop] for start, stop in zip(sets.starts, sets.starts[1:], strict=False)]
    assert [len(codes) for codes in per_text] == [4 + 4, 0, 1 + 2]  # ^开水 开水开 水开水 开水$ and ^开 开水 水开 水$
    assert all((np.diff(codes.astype(np.int64)) > 0).all() for codes in per_text)
    assert (per_text[2] < FIRST_BIGRAM).tolist() == [True, False, False]


def test_chains_give_the_rows_of_a_key_latest_first():
    chains = Chains(10)
    chains.append(np.array([3, 5, 3]), np.array([0, 0, 1]))
    before = chains.append(np.array([3, 5, 7]), np.array([2, 2, 2]))
    positions, rows = chains.follow(before, limit=5)
    assert sorted(zip(positions.tolist(), rows.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0)]
    assert chains.follow(before, limit=1)[1].tolist() == [1, 0]
    assert chains.find(np.array([9, 7])).tolist() == [NONE, 5]
