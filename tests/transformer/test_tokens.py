import pytest

from pipeline.transformer.params import InputParams
from pipeline.transformer.tokens import keep_head_and_tail, tokenize, tokenized_once
from tests.made_up import make_examples

PAIR = InputParams(joining="pair", max_tokens=24, max_title_tokens=6, head_share=0.75)
JOINED = PAIR.model_copy(update={"joining": "joined"})


def _ids(table):
    return table["input_ids"].to_pylist()


def test_a_short_pair_is_what_the_tokenizer_itself_makes_of_it(tokenizer):
    table = tokenize(["拖欠工资"], ["老板拖欠工资"], tokenizer, PAIR)
    expected = tokenizer("拖欠工资", "老板拖欠工资", return_token_type_ids=True)
    assert _ids(table) == [expected["input_ids"]]
    assert table["second_from"].to_pylist() == [expected["token_type_ids"].index(1)]


def test_joined_title_and_text_stand_in_one_segment_with_a_separator_between(tokenizer):
    table = tokenize(["拖欠工资"], ["老板拖欠工资"], tokenizer, JOINED)
    title, text = (tokenizer(part, add_special_tokens=False)["input_ids"] for part in ("拖欠工资", "老板拖欠工资"))
    assert _ids(table) == [[tokenizer.cls_token_id, *title, tokenizer.sep_token_id, *text, tokenizer.sep_token_id]]


def test_a_long_text_keeps_its_head_and_its_tail():
    assert keep_head_and_tail(list(range(100)), 8, head_share=0.75) == [0, 1, 2, 3, 4, 5, 98, 99]


@pytest.mark.parametrize(("head_share", "kept"), [(1.0, [0, 1, 2]), (0.0, [7, 8, 9])])
def test_head_alone_and_tail_alone_can_be_kept(head_share, kept):
    assert keep_head_and_tail(list(range(10)), 3, head_share=head_share) == kept


def test_no_report_is_longer_than_asked_and_long_ones_use_all_of_it(tokenizer):
    table = tokenize(["工" * 50, "", "工" * 50], ["", "钱" * 500, "钱" * 500], tokenizer, PAIR)
    assert [len(ids) for ids in _ids(table)] == [3 + 6, 24, 24]


def test_a_text_that_just_fits_is_kept_whole(tokenizer):
    whole = tokenize([""], ["钱" * (24 - 3)], tokenizer, PAIR)
    assert _ids(whole) == [tokenizer("", "钱" * (24 - 3))["input_ids"]]


def test_nothing_to_read_leaves_the_special_tokens(tokenizer):
    assert _ids(tokenize([""], [""], tokenizer, PAIR)) == [[tokenizer.cls_token_id, *[tokenizer.sep_token_id] * 2]]


def test_a_placeholder_is_one_token(tokenizer):
    assert tokenizer.tokenize("请打[手机号]") == ["请", "打", "[手机号]"]


def test_reports_are_tokenized_once(tokenizer, tmp_path):
    examples = make_examples(5)
    first = tokenized_once(examples, tokenizer, PAIR, tmp_path)
    (path,) = tmp_path.iterdir()
    written = path.stat().st_mtime_ns
    again = tokenized_once(examples, tokenizer, PAIR, tmp_path)
    assert path.stat().st_mtime_ns == written
    assert again[:]["input_ids"].to_pylist() == first[:]["input_ids"].to_pylist()


def test_other_texts_or_lengths_are_kept_apart(tokenizer, tmp_path):
    examples = make_examples(5)
    tokenized_once(examples, tokenizer, PAIR, tmp_path)
    tokenized_once(examples.assign(text="别的"), tokenizer, PAIR, tmp_path)
    tokenized_once(examples, tokenizer, PAIR.model_copy(update={"max_tokens": 20}), tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_kept_and_unkept_tokens_are_the_same(tokenizer, tmp_path):
    examples = make_examples(5)
    kept, unkept = (tokenized_once(examples, tokenizer, PAIR, folder) for folder in (tmp_path, None))
    assert kept[:]["input_ids"].to_pylist() == unkept[:]["input_ids"].to_pylist()
