"""How a report is written: simplified, traditional, dialect, or broken. To measure equal care only, never a model input.

People who write dialect, who write in traditional characters, or whose text is broken by dictation or a poor export, must not
be read later for it. The signs are simple and can be read here:

- `traditional`: at least 2 % of the Chinese characters, and two or more, are among `TRADITIONAL`, common characters that the
  simplification of 1956 replaced and that simplified writing does not use.
- `dialect`: a phrase of `DIALECT` occurs: Cantonese, Sichuan, north-eastern, Wu and Min words that standard writing does not
  use.
- `broken`: of a text of 30 characters or more, either no punctuation at all (dictation, segmented exports), or a tenth or more
  of its letters are Latin (pinyin, keyboard slips), or a character is repeated four times or more in a row.
- `simplified`: everything else.

Placeholders of redaction are taken out first. The first that applies, in this order, counts. Limits: a report that quotes one
dialect phrase counts as dialect; short texts are never broken; other languages count as broken.
"""

import re

import pandas as pd

from pipeline.schema import PLACEHOLDERS

TRADITIONAL = frozenset(
    "們個來這說時會對為國學見長問間開關門東車馬魚鳥風飛電話請讓該誰談論證識讀課調許設計記號樓費錢買賣貨質責貸資員圖園"
    "團場報執壓壞聲聽職聯腦臉舊興與舉藝節萬葉處虛衛補裝製複術幾凍凈勞動務區醫協單賠嚴線組結給經統絕續維總績網環現產業"
    "夠頭實寫審寧將專導層屬歲幫幹應廣廠廳後從徵態慣憑戶據擔換損搖搶擾攔斷無條極構標樣檢機權歡氣決沒況漲滅災燒爭爺狀獎"
)
DIALECT = (
    *("佢", "嘅", "咗", "唔好", "唔係", "冇", "啲", "嗰", "咁样", "咁多", "點解", "点解", "睇下"),
    *("啥子", "咋个", "咋子", "莫得", "晓不得", "要不得", "龟儿", "娃儿", "弄个", "哈儿", "遭不住"),
    *("咋整", "咋地", "嘎哈", "干哈", "贼拉", "磕碜", "埋汰", "俺们", "唠嗑", "整不明白", "憋屈得慌", "搁这"),
    *("侬", "勿要", "哪能办", "老早子", "搿", "弗晓得", "啥物"),
)
MIN_SHARE_TRADITIONAL, MIN_TRADITIONAL = 0.02, 2
MIN_CHARACTERS_BROKEN, MIN_SHARE_LATIN, REPEATED = 30, 0.1, 4
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")
_PUNCTUATION = re.compile(r"[，。！？；：、,.!?;:…\n]")
_REPEATED = re.compile(rf"([^\W\d_])\1{{{REPEATED - 1},}}")
_PLACEHOLDER = re.compile("|".join(re.escape(one) for one in PLACEHOLDERS))


def script_of(text: str) -> str:
    """How a report is written.

    Args:
        text: Title and text, redacted.
    """
    plain = _PLACEHOLDER.sub("", text)
    han = _HAN.findall(plain)
    n_traditional = sum(character in TRADITIONAL for character in han)
    if n_traditional >= max(MIN_TRADITIONAL, MIN_SHARE_TRADITIONAL * len(han)):
        return "traditional"
    if any(phrase in plain for phrase in DIALECT):
        return "dialect"
    return "broken" if len(plain) >= MIN_CHARACTERS_BROKEN and _is_broken(plain, len(han)) else "simplified"


def _is_broken(plain: str, n_han: int) -> bool:
    n_latin = len(_LATIN.findall(plain))
    no_punctuation = _PUNCTUATION.search(plain) is None
    return no_punctuation or n_latin >= MIN_SHARE_LATIN * (n_han + n_latin) or _REPEATED.search(plain) is not None


def scripts(examples: pd.DataFrame) -> "pd.Series[str]":
    """How each report is written, by its text alone: titles have no punctuation and would hide that a text has none."""
    return examples["text"].astype(str).map(script_of)
