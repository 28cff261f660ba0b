"""One written form for every text, before anything else reads it.

The form is Unicode NFKC, as in the corpus the encoder learns from: full-width letters, digits and `,:?!()` become ASCII,
while `。`, `、`, quotation marks and `《》【】` stay as they are. Personal numbers typed in full width are therefore caught by
redaction, which runs after this. Around NFKC stand the repairs that a hotline's exports need: markup and entities, control
and invisible characters, spreadsheet escapes, dashes between digits, circled numbers, runs of one mark, spaces, empty lines.

Two departures from bare NFKC, both so that digits do not grow together: `①` becomes `(1)` instead of `1`, and any dash between
two digits becomes `-`. Emoji stay; the invisible joiners between them go. Single spaces and single line breaks stay.

Normalizing twice gives the same as normalizing once. A 150-character report takes about 10 microseconds; conversion from
traditional characters (`simplify`) is far slower and needs the `traditional` extra.
"""

import html
import re
import unicodedata
from functools import cache
from typing import Any

from pipeline.errors import PipelineError

_MAX_PASSES = 6  # nested entities such as &amp;lt; settle in two; a text that needs more was built to do so

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff\ud800-\udfff\ue000-\uf8ff"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]+"
)
_SPREADSHEET_ESCAPE = re.compile(r"_x000[DdAa]_")
_CIRCLED = re.compile("[\u2460-\u2473\u24f5-\u24fe\u2776-\u2793]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|&nbsp")
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*>.*?</\1\s*>|<!--.*?-->", re.I | re.S)
_BREAK = re.compile(r"</?(?:br|p|div|li|tr|h[1-6])\b[^<>]*>", re.I)
_TAG = re.compile(
    r"</?(?:a|abbr|article|aside|b|big|blockquote|body|button|caption|center|code|col|dd|del|dl|dt|em|embed|font|footer|form"
    r"|head|header|hr|html|i|iframe|img|input|ins|label|link|main|meta|nav|ol|object|option|pre|s|script|section|select|small"
    r"|span|strike|strong|style|sub|sup|svg|table|tbody|td|textarea|tfoot|th|thead|title|tt|u|ul|video)\b[^<>]*>"
    r"|<!doctype[^<>]*>|<\?xml[^<>]*>|<!\[CDATA\[|\]\]>",
    re.I,
)
_DASH_BEFORE_DIGIT = re.compile("[\u2010-\u2015\u2212\u30fc]+(?=[0-9])")
_MIDDLE_DOT = re.compile("[\u2022\u2027\u2219\u22c5\u30fb\ufe52]")
_RUN_GATE = re.compile(r"(.)\1\1\1")
_RUN = re.compile(r"([^\w\s]|_|[\u4e00-\u9fff])\1{3,}")
_BLANK = re.compile(r"\s{2,}|[^\S\n ]")
_LINE_BREAK = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# What str.isprintable lets through although nobody sees it.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\ufff9-\ufffc\U000e0100-\U000e01ef]")
_FULL_WIDTH = tuple(
    zip("\uff0c\uff1a\uff1b\uff1f\uff01\uff08\uff09\u3000", ",:;?!() ", strict=True)
)  # nine tenths of what NFKC changes


def normalize(text: str, *, simplify: bool) -> str:
    """Bring a text into the project's one written form.

    Args:
        text: Any text, as a source gave it.
        simplify: Whether traditional characters become simplified ones.

    Returns:
        The text in NFKC without markup, invisible characters and line noise; possibly empty.

    Raises:
        PipelineError: If `simplify` is asked for and the `traditional` extra is not installed.
    """
    for _ in range(_MAX_PASSES):
        settled = _normalize_once(text)
        if settled == text or not _needs_another_pass(text, settled):
            break
        text = settled
    else:
        settled = _normalize_once(text.replace("&", " ").replace("<", " "))
    return _simplify(settled) if simplify else settled


def _normalize_once(text: str) -> str:
    if _hides_something(text):
        text = _INVISIBLE.sub("", text)
    if "_x000" in text:
        text = _SPREADSHEET_ESCAPE.sub("\n", text)
    if not text.isascii():
        text = _to_nfkc(text)
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if "<" in text or "]]>" in text:
        text = _TAG.sub("", _BREAK.sub("\n", _HIDDEN.sub("\n", text)))
    if _RUN_GATE.search(text) is not None:
        text = _RUN.sub(r"\1\1\1", text)
    return _BLANK.sub(_blank, text).strip()


def _to_nfkc(text: str) -> str:
    """NFKC with its two departures; common full-width marks go first, for then most texts need no slow pass."""
    for wide, narrow in _FULL_WIDTH:
        text = text.replace(wide, narrow)
    text = _CIRCLED.sub(lambda found: f"({int(unicodedata.numeric(found[0]))})", text)
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    return _MIDDLE_DOT.sub("\u00b7", _DASH_BEFORE_DIGIT.sub(_dash, text))


def _needs_another_pass(before: str, after: str) -> bool:
    """Whether a pass may have uncovered something: markup inside entities, or characters that now stand together."""
    suspects = ("&", "<", "_x000", "]]>")
    return any(mark in before or mark in after for mark in suspects) or _hides_something(before)


def _hides_something(text: str) -> bool:
    return not text.replace("\n", "").isprintable() or _UNSEEN.search(text) is not None


def _dash(found: re.Match[str]) -> str:
    return "-" if found.string[: found.start()][-1:].isdecimal() else found[0]


def _blank(found: re.Match[str]) -> str:
    return "\n" if _LINE_BREAK.search(found[0]) is not None else " "


def _simplify(text: str) -> str:
    for _ in range(_MAX_PASSES):
        simplified = unicodedata.normalize("NFKC", str(_converter().convert(text)))
        if simplified == text:
            break
        text = simplified
    return text


@cache
def _converter() -> Any:
    """The converter from traditional to simplified characters, built on first use."""
    try:
        from opencc import OpenCC
    except ImportError as error:
        raise PipelineError(
            "Converting traditional characters needs the package opencc-python-reimplemented, which is not installed. "
            "Install it with 'pip install dispute-triage[traditional]', or set 'simplify' to false in params.yaml."
        ) from error
    return OpenCC("t2s")
