from random import Random

import pytest

from pipeline.errors import ParameterError
from pipeline.simulator import numbers
from pipeline.simulator.facts import SLOTS, chinese, say_yuan
from pipeline.simulator.grammar import CategoryWording, SharedWording, of_category, personal, shared
from pipeline.simulator.personal import KINDS
from pipeline.simulator.scenarios import CATEGORIES
from pipeline.simulator.templates import fill, slot_names
from pipeline.taxonomy import FORBIDDEN

NOT_SENTENCES = {"areas", "area_weights", "channel_weights", "dialects", "typos", "overlaps"}


def _sentences(wording):
    return [text for name in type(wording).model_fields if name not in NOT_SENTENCES for text in getattr(wording, name)]


def test_a_choice_is_drawn_and_a_slot_is_filled():
    said = {fill("[我|俺]在{org}[做工|]", {"org": "天成厂"}, Random(seed)) for seed in range(40)}
    assert said == {"我在天成厂做工", "俺在天成厂做工", "我在天成厂", "俺在天成厂"}


def test_choices_may_hold_choices_and_slots():
    said = {fill("拖了[{n}个月|半年[多|]]", {"n": "七"}, Random(seed)) for seed in range(40)}
    assert said == {"拖了七个月", "拖了半年多", "拖了半年"}


@pytest.mark.parametrize("template", ["[我|俺", "我]", "我|俺"])
def test_a_bracket_without_its_other_half_is_refused(template):
    with pytest.raises(ParameterError, match="Correct the grammar file"):
        fill(template, {}, Random(1))


@pytest.mark.parametrize("wording", [shared(), *map(of_category, CATEGORIES)], ids=["shared", *CATEGORIES])
def test_every_sentence_can_be_filled(wording: SharedWording | CategoryWording):
    slots = dict.fromkeys(SLOTS, "某")
    for sentence in _sentences(wording):
        assert slot_names(sentence) <= SLOTS
        assert "[" not in fill(sentence, slots, Random(1))


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_overlaps_with_others_that_exist(category):
    assert set(of_category(category).overlaps) <= set(CATEGORIES) - {category}


@pytest.mark.parametrize("wording", [shared(), *map(of_category, CATEGORIES)], ids=["shared", *CATEGORIES])
def test_no_sentence_speaks_of_what_no_category_may_name(wording):
    assert not [sentence for sentence in _sentences(wording) if FORBIDDEN.search(sentence)]


def test_every_kind_of_personal_data_has_sentences_that_hold_it():
    assert set(personal().said) == set(KINDS)
    assert all("{p}" in sentence for said in personal().said.values() for sentence in said)
    assert all("{p}" in sentence for decoy in personal().decoys for sentence in decoy.said)


@pytest.mark.parametrize(
    ("number", "said"),
    [(2, "两"), (7, "七"), (10, "十"), (12, "十二"), (105, "一百零五"), (10_500, "一万零五百"), (41_500, "四万一千五百")],
)
def test_numbers_are_said_as_people_say_them(number, said):
    assert chinese(number) == said


def test_one_sum_is_said_in_digits_and_in_words():
    said = {say_yuan(Random(seed), 41_500) for seed in range(200)}
    assert {"41500元", "41,500元", "4.15万元", "四万一千五百元", "四万多块"} <= said


@pytest.mark.parametrize("seed", range(20))
def test_invented_numbers_have_the_forms_of_real_ones(seed):
    random = Random(seed)
    assert len(numbers.plain_mobile(random)) == 11
    assert len(numbers.id15(random)) == 15
    assert len(numbers.passport(random)) == 9
    assert 6 <= len(numbers.handle(random)) <= 20
    assert len(numbers.plate(random).replace("·", "")) in (7, 8)
