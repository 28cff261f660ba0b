"""Rows as bad exports have them: each kind of damage, and whether intake must reject the row or take it."""

from collections.abc import Mapping
from random import Random

KINDS: Mapping[str, bool] = {
    "missing_text": True,
    "missing_date": True,
    "impossible_date": True,
    "nul_bytes": True,
    "broken_utf8": True,
    "mixed_encoding": True,
    "huge_text": True,
    "duplicate_id": True,
    "extra_column": True,
    "missing_column": True,
    "formula": False,
    "html_script": False,
    "emoji_only_title": False,
    "one_character": False,
}
"""Kind of damage to whether the row must be rejected."""

_HUGE_CHARACTERS = 350_000  # about one megabyte of UTF-8
_HUGE_EVERY = 12  # such rows are long: keep one in so many
_ORDER = tuple(KINDS)


def kind_of(n_before: int) -> str:
    """The kind of damage after so many damaged rows: each in turn, so that few rows have every kind."""
    turn, place = divmod(n_before, len(_ORDER))
    kind = _ORDER[place]
    return "missing_text" if kind == "huge_text" and turn % _HUGE_EVERY else kind


def spoil_fields(random: Random, kind: str, row: dict[str, str], accepted_id: str) -> dict[str, str]:
    """Damage a row before it is written.

    Args:
        random: Source of randomness.
        kind: One of `KINDS`.
        row: The row, column to value.
        accepted_id: Id of an earlier row that is in order.

    Returns:
        The row as damaged, on one line; otherwise unchanged where the damage is done to the bytes.
    """
    row = row | {"body": row["body"].replace("\n", " ")}  # a damaged record is one line, so that rows can be counted
    if kind == "huge_text":
        return row | {"body": (row["body"] * (_HUGE_CHARACTERS // len(row["body"]) + 1))[:_HUGE_CHARACTERS]}
    changed: dict[str, dict[str, str]] = {
        "missing_text": {"title": "", "body": " " if random.random() < 0.5 else ""},
        "missing_date": {"received_at": ""},
        "impossible_date": {
            "received_at": random.choice(("2025-02-30 10:00:00", "2025-13-01 08:00:00", "someday", "0000-00-00 00:00:00"))
        },
        "nul_bytes": {"body": row["body"][:5] + "\x00" + row["body"][5:]},
        "duplicate_id": {"report_id": accepted_id or row["report_id"]},
        "formula": {"title": "=cmd|' /C calc'!A0", "body": '=HYPERLINK("#")+' + row["body"]},
        "html_script": {"body": f"<script>alert(1)</script><b>{row['body']}</b>"},
        "emoji_only_title": {"title": "😡😡😡"},
        "one_character": {"title": "", "body": "吵"},
    }
    return row | changed.get(kind, {})


def spoil_bytes(kind: str, line: bytes, body: str) -> bytes:
    """Damage a row after it was written as a line of UTF-8."""
    ending = b"\r\n"
    if kind == "broken_utf8":
        return line.replace(body[:2].encode(), body[:2].encode()[:-1] + b"\xff\xfe", 1)
    if kind == "mixed_encoding":
        return line.decode("utf-8").encode("gb18030")
    if kind == "extra_column":
        return line.removesuffix(ending) + b",surplus" + ending
    if kind == "missing_column":
        return line.removesuffix(ending).rpartition(b",")[0] + ending
    return line
