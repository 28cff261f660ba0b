from pipeline.transformer.vocabulary import learn_tokenizer

TEXTS = ["老板A拖欠工资12元", "工资，请打[手机号]", "请打[手机号]", "打[手机号]"]


def _learn(texts, size=64):
    return learn_tokenizer(texts, vocabulary_size=size, max_length=32)


def test_every_character_is_a_token_and_case_and_width_are_folded():
    assert _learn(TEXTS).tokenize("工资 １２元a") == ["工", "资", "1", "2", "元", "a"]


def test_placeholders_are_whole_tokens():
    assert _learn(TEXTS).tokenize("打[手机号]") == ["打", "[手机号]"]


def test_a_character_never_seen_is_unknown():
    assert _learn(TEXTS).tokenize("鑫") == ["[UNK]"]


def test_the_commonest_characters_are_kept_when_there_is_room_for_few():
    tokenizer = _learn(["工工工资"], size=6)
    assert len(tokenizer) == 6
    assert tokenizer.tokenize("工资") == ["工", "[UNK]"]


def test_the_same_texts_in_any_order_give_the_same_vocabulary():
    assert _learn(TEXTS).get_vocab() == _learn(TEXTS[::-1]).get_vocab()
