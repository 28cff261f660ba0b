import re

import pytest

from pipeline.casework import ACTIONS, ROLES, STATUSES, Judged, Pair
from pipeline.review.estimates import agreement, attention, recall_from_draw
from pipeline.review.passwords import hash_password, is_right
from pipeline.review.reading import Piece, mark
from pipeline.review.trust import FIGURES
from pipeline.review.wording import preferred_language, words
from tests.casework import NOON
from tests.conftest import ROOT

REVIEW = ROOT / "pipeline" / "review"
MADE = {f"status_{one}" for one in (*STATUSES, "acknowledged", "closed")} | {f"role_{one}" for one in ROLES}
MADE |= {f"action_{one}" for one in (*ACTIONS, "undo")} | {
    f"nav_{one}" for one in ("queue", "matters", "alerts", "bulletin", "nights", "model")
}
MADE |= {f"kind_{kind}" for kind in ("surge", "growing", "new")} | {f"lane_{lane}" for lane in ("clear", "choose", "unclear")}

MADE |= {f"figure_{name}" for _, name in FIGURES}

STORE = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "pipeline" / "store").glob("*.py"))
KINDS = {*re.findall(r'write\(\s*session,\s*"(\w+)"', STORE), "account_added", "account_changed"}
MADE |= {f"event_{kind}" for kind in KINDS | {"viewed", "viewed_matter", "denied", "bulletin_taken"}}


def test_every_phrase_a_page_asks_for_is_there_in_both_languages_and_none_is_left_over():
    code = "".join(path.read_text(encoding="utf-8") for path in [*REVIEW.glob("*.py"), *REVIEW.glob("templates/*.html")])
    asked = set(re.findall(r"""["']([a-z_]+)["']""", code)) | MADE
    assert set(words()) >= MADE
    assert set(words()) <= asked
    for template in REVIEW.glob("templates/*.html"):
        for key in re.findall(r"say\('([a-z_]+)'[,)]", template.read_text(encoding="utf-8")):
            assert key in words(), f"{template.name} asks for '{key}'"
    assert all(zh and en for zh, en in words().values())


def test_both_languages_fill_the_same_blanks():
    for key, (zh, en) in words().items():
        assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en)), key


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("en", "zh-CN", "en"),
        (None, "en-GB,zh;q=0.8", "en"),
        (None, "fr,zh-TW;q=0.5", "zh"),
        (None, "", "zh"),
        ("xx", "en", "zh"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers_else_chinese(chosen, accepted, language):
    assert preferred_language(chosen, accepted) == language


def test_evidence_is_marked_where_it_stands_and_special_letters_are_letters():
    assert mark("水(漏)了水", ["(漏)", "水"]) == (
        Piece("水", True), Piece("(漏)", True), Piece("了", False), Piece("水", True),
    )  # fmt: skip
    assert mark("楼上漏水", []) == (Piece("楼上漏水", False),)
    assert mark("", ["水"]) == ()


def test_a_password_is_right_only_as_it_was_set():
    kept = hash_password("a long enough phrase")
    assert is_right("a long enough phrase", kept)
    assert not is_right("a long enough phrasE", kept)
    assert not is_right("a long enough phrase", None)


def _pair(first, second):
    return Pair("a", first, second, "wages", "wages")


def test_agreement_is_cohens_kappa():
    pairs = [_pair("confirm", "confirm")] * 20 + [_pair("confirm", "false_alarm")] * 5
    pairs += [_pair("false_alarm", "confirm")] * 10 + [_pair("false_alarm", "false_alarm")] * 15
    found = agreement(pairs)
    assert found.action == pytest.approx(0.4)  # observed 0.7, by chance 0.5
    assert found.category is None  # everybody always said the same
    assert agreement([]) is None


def _judged(action, selected, propensity):
    return Judged("a", NOON, None, None, None, None, "m", NOON, action, "wages", "wages", selected, propensity)


def test_recall_weighs_a_drawn_report_by_how_many_it_stands_for():
    judged = [_judged("confirm", "ranked", 1.0)] * 6 + [_judged("confirm", "audit", 0.5), _judged("false_alarm", "audit", 0.5)]
    assert recall_from_draw(judged).share == pytest.approx(6 / 8)
    assert recall_from_draw(judged[:6]) is None


def test_attention_counts_known_reports_judged_as_before():
    assert attention([_pair("confirm", "hand_over"), _pair("false_alarm", "confirm")]) == (2, 0.5)
    assert attention([]) is None
