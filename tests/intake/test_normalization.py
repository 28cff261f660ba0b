import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.intake import normalization
from pipeline.intake.normalization import normalize


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("ＡＢＣ１２３", "ABC123"),
        ("你好，世界！（测试）：；？", "你好,世界!(测试):;?"),
        ("“引用”、《书名》。【注】", "“引用”、《书名》。【注】"),  # the marks that NFKC leaves alone
        ("面积100㎡", "面积100m2"),
        ("①物业②保安⑳", "(1)物业(2)保安(20)"),
        ("①88号", "(1)88号"),  # bare NFKC would make house 188 of it
        ("0731—88888888", "0731-88888888"),
        ("0731——88888888", "0731-88888888"),
        ("他说——不行", "他说——不行"),
        ("阿卜杜拉・买买提", "阿卜杜拉·买买提"),
    ],
)
def test_width_and_marks_follow_nfkc_without_joining_digits(text, normalized):
    assert normalize(text, simplify=False) == normalized


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("救命！！！！！！", "救命!!!"),
        ("哈哈哈哈哈哈", "哈哈哈"),
        ("……………", "..."),
        ("10000000元", "10000000元"),
        ("aaaaaa@b.cn", "aaaaaa@b.cn"),
        ("零\u200b宽\ufeff字\u00ad符", "零宽字符"),
        ("响\x00铃\x07", "响铃"),
        ("一  二\t三\u3000四", "一 二 三 四"),
        ("第一段 \r\n\r\n\n 第二段", "第一段\n第二段"),
        ("_x000D_\n电梯坏了_x000D_", "电梯坏了"),
        ("  两头有空  ", "两头有空"),
        ("", ""),
        (" \n\t ", ""),
    ],
)
def test_line_noise_goes(text, normalized):
    assert normalize(text, simplify=False) == normalized


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("<p>第一段</p><p>第二段</p>", "第一段\n第二段"),
        ("电梯<br/>坏了", "电梯\n坏了"),
        ("<b>急</b>", "急"),
        ("前<script>alert(1)</script>后", "前\n后"),
        ("<!-- 注释 -->正文", "正文"),
        ("A&amp;B&nbsp;C&lt;5", "A&B C<5"),
        ("&amp;lt;br&amp;gt;换行", "换行"),
        ("温度<5度且>3度", "温度<5度且>3度"),
        ("a?x=1&copy=2", "a?x=1&copy=2"),  # an entity needs its semicolon
    ],
)
def test_markup_goes_and_comparisons_stay(text, normalized):
    assert normalize(text, simplify=False) == normalized


def test_emoji_stay():
    assert normalize("房东跑了😡👍🏻", simplify=False) == "房东跑了😡👍🏻"


def test_traditional_characters_stay_unless_asked():
    assert normalize("電梯壞了", simplify=False) == "電梯壞了"


def test_traditional_characters_become_simplified_when_asked():
    assert normalize("電梯壞了，聯繫人張偉", simplify=True) == "电梯坏了,联系人张伟"


def test_missing_converter_is_named_with_its_remedy(monkeypatch):
    normalization._converter.cache_clear()
    monkeypatch.setitem(sys.modules, "opencc", None)
    with pytest.raises(PipelineError, match="opencc-python-reimplemented.*traditional"):
        normalize("電梯", simplify=True)
    normalization._converter.cache_clear()


NOISE = st.one_of(st.characters(), st.sampled_from("&<>;ampltbrx/#_0123456789 \n\t\r\u200b!*…—①。，张ａ＆＜﹤"))


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=NOISE, max_size=60))
def test_normalizing_twice_is_normalizing_once(text):
    once = normalize(text, simplify=False)
    assert normalize(once, simplify=False) == once


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet="電梯壞了聯繫張偉後來乾燥著名，。", max_size=30))
def test_simplifying_twice_is_simplifying_once(text):
    once = normalize(text, simplify=True)
    assert normalize(once, simplify=True) == once


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=NOISE, max_size=60))
def test_result_can_always_be_written_as_utf8(text):
    assert normalize(text, simplify=False).encode("utf-8").decode("utf-8") is not None
