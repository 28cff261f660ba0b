"""Personal names: how likely a name stands here, from the characters themselves and from what stands around them.

Chinese names carry no mark, and every surname is also part of ordinary words (高速, 方面, 安全). Each place where a surname
begins is therefore weighed as a likelihood ratio, in tenths of a natural logarithm:

    prior + surname + given-name characters            names against running text, character by character
    - pair(left, surname) - pair(surname, given) - ...  how strongly neighbours already make ordinary words
    + what stands before + what stands after            我叫, 联系人, 老板, 被 ...; 先生, 老师, 主任, a comma ...

and what sums above nothing is replaced. The weights of characters and pairs are in names.txt, those of the surroundings in
name_context.py. They were fitted by logistic regression on real messages with names drawn anew in place of those found, which
showed that characters say less and surroundings more than independent likelihoods would, and then rounded. Titles stay and
what names the person goes: `王老师` gives `[姓名]老师`; `张某某`, `小李` and `老王` give `[姓名]`. A name that is clear once is
replaced wherever the same text repeats it, and one that is elsewhere in the text the name of a firm or an estate stays.

Weighing costs one or two microseconds a surname. What errs: a rare given name of one character without a cue, a word or a place
that is built like a name; firms, idioms and dictionary words listed as `word` in names.txt stay.
"""

import re
from collections import Counter
from dataclasses import dataclass

from pipeline.intake.name_context import (
    ACTS,
    ALWAYS,
    BARE_TITLES,
    CUE,
    LEAD,
    LEFT,
    NAME,
    NICKNAME_STARTS,
    PLACE,
    RIGHT,
    ROLE,
    SHOP,
    SHORT_TITLES,
    TITLE,
    most_before,
    weigh_after,
    weigh_before,
)
from pipeline.intake.name_weights import NameWeights, name_weights

_PRIOR = -120  # what speaks for a name must outweigh this
_TWO_GIVEN = 12  # three quarters of names have two given characters
_UNLISTED, _UNLISTED_AFTER_CUE = -400, -16  # a given-name character that names.txt does not list
_CLEARLY_GIVEN = 20
_CLEAR = 20  # a name is looked for again in the same text only when this clear
_BEFORE_TITLE, _BEFORE_SOMEBODY = 120, 118  # for 王老师 and 王某, which are hardly ever anything else
_BEFORE_SHORT_TITLE, _BEFORE_OFFICE = 84, 49  # 王姐, 王总; but 王局, 王工
_BOUND = 40  # 老赖: with its left neighbour clearly a word
_PLACE_LIKE = 40  # against 石燕湖, 蓝蓝 and 李家
_KNOWN_SURNAME, _CLEAR_SURNAME = 30, 36  # above this a surname is rarely an ordinary word
_OTHERWISE = frozenset(
    "任付向原关时么司管查修强连车商楼房明应全单班支党于和由求费"
)  # 任主任, 原校长, 相关主管, 向某人: mostly no names
_NOUNS = frozenset("马牛叶苗石汤姜熊毛柴黄蓝白米麦龙江")  # 小马, 老姜 and 小叶 are mostly none
_COUNTERS, _NUMERALS = frozenset("张段项章支盘包余"), frozenset("一二两三四五六七八九十几每这那此该半")  # 一张小小的卡
_PLACE_ENDINGS, _GIVEN_TOO = frozenset("桥岭城堂庭洲湖江山河溪泉家社"), frozenset("庭洲江山泉")
_NEVER_GIVEN = frozenset("等的在了是有于与对从已因把被将就都也不没我你他她这那及或但说经")
_AFTER_SURNAME = SHORT_TITLES | {"某"}
_HAN = re.compile("[\u4e00-\u9fff]")
_NOBODY = re.compile("某{1,2}(?:[甲乙丙丁A-Za-z]|[一二三](?![次个人天月年日点号位]))?(?![些个日年月天时地种公单小部])")


@dataclass(frozen=True)
class _Place:
    """A place in a text where a surname stands.

    Attributes:
        text: The whole text.
        start: Where the surname begins.
        end: Where it ends.
        before: Weight of what stands before it.
        base: Sum of everything known without looking further right.
    """

    text: str
    start: int
    end: int
    before: int
    base: int


@dataclass(frozen=True)
class _Found:
    """A name in a text.

    Attributes:
        start: Where what goes begins.
        end: Where it ends.
        weight: How clearly it is a whole name; 0 for a surname before a title and for half-hidden names.
        is_told: Whether a field of a form or a role says that a name follows.
    """

    start: int
    end: int
    weight: int = 0
    is_told: bool = False


def replace_persons(text: str, counts: Counter[str]) -> str:
    """Replace personal names, keeping titles.

    Args:
        text: Normalized text.
        counts: How often each placeholder was put in; added to.

    Returns:
        The text with `[姓名]` in place of names.
    """
    weights = name_weights()
    found = _find(text, weights)
    told = {text[name.start : name.end] for name in found if name.is_told}
    full = {text[name.start : name.end] for name in found if name.weight > 0}
    signs = {characters for characters in full if _is_on_a_sign(text, characters, weights, is_told=characters in told)}
    found = [name for name in found if text[name.start : name.end] not in signs]
    if not found:
        return text
    pieces, done = [], 0
    for name in found:
        pieces += [text[done : name.start], NAME]
        done = name.end
    redacted = "".join(pieces) + text[done:]
    counts[NAME] += len(found)
    clears = {text[name.start : name.end] for name in found if name.weight > _CLEAR} - signs
    for clear in sorted(clears, key=len, reverse=True):
        counts[NAME] += redacted.count(clear)
        redacted = redacted.replace(clear, NAME)
    return redacted


def _find(text: str, weights: NameWeights) -> list[_Found]:
    """Every place more likely a name than not, left to right and without overlap."""
    names: list[_Found] = []
    done = 0
    for candidate in weights.candidate.finditer(text):
        start, end = candidate.span()
        if start < done:
            continue
        is_listed = done > 0 and text[done:start] == "、"
        name = _weigh(text, start, end, weights, is_listed=is_listed)
        if name is None and end - start == 2 and text[start + 1] in weights.surnames:  # 老公孙勇 holds no 公孙
            name = _weigh(text, start + 1, end, weights, is_listed=False)
        if name is not None:
            names.append(name)
            done = name.end
    return names


def _is_on_a_sign(text: str, characters: str, weights: NameWeights, *, is_told: bool) -> bool:
    """Whether the same characters elsewhere name a firm, an estate or a school; if told, at least half of the time."""
    at, n_signs = text.find(characters), 0
    while at >= 0:
        n_signs += weigh_after(text, at + len(characters), weights.pairs) == PLACE
        at = text.find(characters, at + 1)
    return 2 * n_signs >= text.count(characters) if is_told else n_signs > 0


def _weigh(text: str, start: int, end: int, weights: NameWeights, *, is_listed: bool) -> _Found | None:
    """Weigh the place where a surname stands.

    Args:
        text: Normalized text.
        start: Where the surname begins.
        end: Where it ends.
        weights: The weights of surnames, given names and pairs.
        is_listed: Whether a name just found and `、` stand before it.

    Returns:
        What to replace, or None where a name is less likely than ordinary words.
    """
    known = _PRIOR + weights.surnames[text[start:end]] - weights.pairs.get(text[start - 1 : start + 1], 0)
    has_title = text[end : end + 2] in BARE_TITLES or text[end : end + 3] in BARE_TITLES
    is_bare = has_title or text[end : end + 1] in _AFTER_SURNAME or text[start - 1 : start] in NICKNAME_STARTS
    if not is_bare and known + _most_possible(text, start, end, weights) <= 0:
        return None
    left = text[start - 1 : start]
    if text[start] in _COUNTERS and (left in _NUMERALS or (text[start] == "余" and (left in "百千万" or left.isdigit()))):
        return None
    before = ROLE if is_listed else weigh_before(text, start)
    words = weights.words.get(text[start], ())
    if text.startswith(words, start) and (before < CUE or any(text.startswith(word, start) for word in words if len(word) > 2)):
        return None
    place = _Place(text, start, end, before, known + before)
    nobody = _NOBODY.match(text, end)
    if nobody is not None:
        return _weigh_nobody(place, nobody, weights)
    if has_title:
        return _weigh_title(place, weights)
    one, two = _weigh_given(place, weights)
    if max(one, two) > 0:
        return _Found(start, end + (2 if two > one else 1), weight=max(one, two), is_told=before >= ROLE)
    return _weigh_short_title(place, weights) or _weigh_alone(place, weights)


def _most_possible(text: str, start: int, end: int, weights: NameWeights) -> int:
    """The most that given name and surroundings could add: most surname characters are ordinary words and end here."""
    left, first, second = text[start - 1 : start], text[end : end + 1], text[end + 1 : end + 2]
    most = most_before(left) + TITLE
    if most == CUE + TITLE:
        return most
    given, pairs = weights.given, weights.pairs
    two = _TWO_GIVEN + given.get(second, _UNLISTED) - pairs.get(first + second, 0) // 4
    return most + given.get(first, _UNLISTED) - pairs.get(text[end - 1] + first, 0) + max(0, two)


def _weigh_given(place: _Place, weights: NameWeights) -> tuple[int, int]:
    """Weights of a name with one and with two given characters."""
    text, end, before = place.text, place.end, place.before
    pairs, given = weights.pairs, weights.given
    first, second = text[end : end + 1], text[end + 1 : end + 2]
    if not _HAN.match(first) or first in _NEVER_GIVEN:
        return _UNLISTED, _UNLISTED
    unlisted = _UNLISTED_AFTER_CUE if before == CUE else _UNLISTED
    is_word = pairs.get(text[end - 1] + first, 0)
    shared = place.base + given.get(first, unlisted) - (is_word // 2 if before == CUE else is_word)  # 联系人:许诺
    one = shared + weigh_after(text, end + 1, pairs)
    if first == "家" or (first == text[end - 1] and before < ROLE):
        one -= _PLACE_LIKE
    is_word = pairs.get(first + second, 0) // 4  # lowered: 成功 and 长江 are also given to children
    two = shared + _TWO_GIVEN + given.get(second, unlisted) - is_word
    is_count = second in "一二三" and text[end + 2 : end + 3] in ("人", "名", "位", "次")
    if is_count or not _HAN.match(second) or second in _NEVER_GIVEN or two + TITLE <= max(one, 0):
        return one, _UNLISTED
    if second in _PLACE_ENDINGS and before < CUE:
        two -= _PLACE_LIKE if second in _GIVEN_TOO else 2 * _PLACE_LIKE
    return one, two + weigh_after(text, end + 2, pairs)


def _end_of_nobody(text: str, end: int, weights: NameWeights) -> int:
    """Where a half-hidden name ends: `李某佑` has another character after 某."""
    given, after = weights.given.get(text[end : end + 1], _UNLISTED), weigh_after(text, end + 1, weights.pairs)
    is_named = after > 0 and (given >= _CLEARLY_GIVEN or (given >= 0 and after >= RIGHT))
    return end + 1 if is_named else end


def _weigh_nobody(place: _Place, nobody: re.Match[str], weights: NameWeights) -> _Found | None:
    """A surname before 某: all of it goes."""
    text, end = place.text, _end_of_nobody(place.text, nobody.end(), weights)
    is_short = text[place.start] in _OTHERWISE and place.before <= 0 and end - place.end == 1  # 向某 ... may be a preposition
    if is_short and weigh_after(text, end, weights.pairs) != ACTS:
        return None
    return _Found(place.start, end) if place.base + _BEFORE_SOMEBODY > 0 else None


def _weigh_title(place: _Place, weights: NameWeights) -> _Found | None:
    """A surname straight before a title: only the surname goes."""
    text, start, end = place.text, place.start, place.end
    if SHOP.match(text, end + 2) is not None:
        return None
    is_asked = place.before == LEFT and text[start - 1] not in "、对由" and text[start] != "原"
    told = place.before == CUE or is_asked or (place.before > 0 and weigh_after(text, end + 2, weights.pairs) == ACTS)
    if text[start] in _OTHERWISE and not told:
        return None
    weight = place.base - weights.pairs.get(text[end - 1 : end + 1], 0) // 2 + _BEFORE_TITLE
    return _Found(start, end) if weight > 0 else None


def _weigh_short_title(place: _Place, weights: NameWeights) -> _Found | None:
    """A surname before a title of one character, such as 王姐 or 李总; only the surname goes."""
    text, start, end = place.text, place.start, place.end
    if text[end : end + 1] not in SHORT_TITLES or text[start - 1 : start] in ("小", "老"):
        return None
    if text[end] == "总" and text[end + 1 : end + 2] in ALWAYS:
        return None
    after = weigh_after(text, end + 1, weights.pairs)
    weight = place.base - weights.pairs.get(text[end - 1 : end + 1], 0) + max(after, 0)
    weight += _BEFORE_OFFICE if text[end] in "局工董" else _BEFORE_SHORT_TITLE
    is_bound = weights.pairs.get(text[end : end + 2], 0) > 0 or after == PLACE  # 总 of 总体
    is_supported = after > 0 or text[end] == "姓" or (place.before >= LEAD and not is_bound)
    return _Found(start, end) if weight > 0 and is_supported else None


def _weigh_alone(place: _Place, weights: NameWeights) -> _Found | None:
    """A surname after 小, 老 or 姓 and before something that is no word with it."""
    text, start, end = place.text, place.start, place.end
    left, surname = text[start - 1 : start], weights.surnames[text[start:end]]
    after = weigh_after(text, end, weights.pairs) if left in NICKNAME_STARTS else PLACE
    if after < 0 or (after == 0 and weigh_before(text, start - 1) < ROLE):
        return None
    if left == "姓":
        return _Found(start, end) if surname > _KNOWN_SURNAME and text[start - 2 : start - 1] not in ("百", "同") else None
    if weights.pairs.get(left + text[start], 0) > _BOUND:  # 老赖
        return None
    needed = ROLE if text[start] in _NOUNS else 1
    return _Found(start - 1, end) if surname >= _CLEAR_SURNAME and weigh_before(text, start - 1) >= needed else None
