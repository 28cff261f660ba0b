"""Guessing which column of an unknown table is which, from the words in its header and from what its cells look like.

Every guess is made from at most 2,000 rows and with a stated reason for doubt where the header did not say it plainly: a person
is to confirm it. Headers are understood in Chinese and English.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from pipeline.intake.dates import DateOrder, parse_instant

SAMPLE_ROWS = 2000
_WORDS: Mapping[str, tuple[str, ...]] = {
    "received_at": (
        "received", "created", "submitted", "reported", "opened", "filed", "受理时间", "来电时间", "登记时间",
        "提交时间", "上报时间", "反映时间", "创建时间", "收到", "时间", "日期", "timestamp", "date", "time",
    ),
    "recorded_at": (
        "outcome", "后果", "结果", "recorded", "closed", "resolved", "finished", "completed", "办结", "结案",
        "处置时间", "完成时间",
        "反馈时间",
    ),
    "narrative": (
        "narrative", "description", "complaint", "body", "text", "content", "message", "details", "内容", "描述",
        "正文", "诉求", "经过", "事由", "详情", "情况",
    ),
    "title": (
        "title", "subject", "headline", "summary", "标题", "主题", "题目", "摘要",
    ),
    "source_id": (
        "id", "case", "ticket", "reference", "ref", "number", "no", "编号", "工单", "单号", "流水号", "序号",
    ),
    "category": (
        "category", "type", "class", "label", "topic", "类别", "类型", "分类", "标签", "诉求类", "问题类",
    ),
    "area": (
        "area", "district", "region", "borough", "ward", "county", "location", "city", "区域", "所属区", "属地",
        "辖区", "区县", "街道",
        "地区", "乡镇", "社区", "地址",
    ),
    "channel": (
        "channel", "via", "origin", "source", "渠道", "途径", "来源", "方式",
    ),
    "reporter": (
        "reporter", "complainant", "caller", "author", "user", "customer", "phone", "name", "投诉人", "举报人",
        "来电人", "反映人", "诉求人", "报案人", "用户", "电话", "手机", "姓名",
    ),
    "outcome": (
        "outcome", "result", "escalation", "escalated", "consequence", "结果", "升级", "后果",
    ),
}  # fmt: skip
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}")
_MOST_LABELS, _LONGEST_LABEL = 60, 40


@dataclass
class Guess:
    """What each column seems to be.

    Attributes:
        columns: Our name to the table's name.
        doubts: Our name to what a person should look at.
        date_order: How dates with the year at the end are meant; None if there are none.
    """

    columns: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    date_order: DateOrder | None = None


@dataclass(frozen=True)
class _Column:
    """What the cells of a column look like; `n_rows` counts empty cells too."""

    name: str
    n_rows: int
    filled: tuple[str, ...]
    date_share: float

    @property
    def n_distinct(self) -> int:
        return len(set(self.filled))

    @property
    def mean_length(self) -> float:
        return sum(map(len, self.filled)) / max(len(self.filled), 1)

    @property
    def is_date(self) -> bool:
        return self.date_share >= 0.8

    @property
    def is_label(self) -> bool:
        longest = max(map(len, self.filled), default=0)
        return 2 <= self.n_distinct <= min(_MOST_LABELS, len(self.filled) // 2) and longest <= _LONGEST_LABEL

    @property
    def is_key(self) -> bool:
        return len(self.filled) == self.n_rows == self.n_distinct and self.mean_length <= _LONGEST_LABEL


def guess_columns(header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> Guess:
    """Guess which column is which.

    Args:
        header: Column names.
        rows: The first rows of the table, cells in the order of the header.
    """
    cells = list(zip(*rows, strict=True)) or [() for _ in header]
    guess = Guess(date_order=_date_order([cell for column in cells for cell in column if cell]))
    if guess.date_order is not None and not _order_is_certain([cell for column in cells for cell in column if cell]):
        guess.doubts["date_order"] = "every date with the year at the end can be read both ways; dmy was assumed"
    left = [_look_at(name, column, guess.date_order) for name, column in zip(header, cells, strict=True)]
    for role in (
        "received_at",
        "recorded_at",
        "narrative",
        "title",
        "source_id",
        "category",
        "outcome",
        "area",
        "channel",
        "reporter",
    ):
        chosen = _choose(role, [column for column in left if _suits(role, column)], guess)
        if chosen is not None:
            guess.columns[role] = chosen.name
            left.remove(chosen)
    return guess


def _look_at(name: str, cells: Sequence[str | None], order: DateOrder | None) -> _Column:
    filled = tuple(cell.strip() for cell in cells if cell and cell.strip())
    dates = [cell for cell in filled[:200] if len(cell) <= 40 and parse_instant(cell, zone=UTC, order=order) is not None]
    written = [
        cell for cell in dates if not cell.replace(".", "").isdigit() or _says("received_at", name) < len(_WORDS["received_at"])
    ]
    return _Column(name, len(cells), filled, len(written) / max(len(filled[:200]), 1))


def _suits(role: str, column: _Column) -> bool:
    """Whether the cells of a column can be what the role asks for."""
    if not column.filled:
        return False
    if role in ("received_at", "recorded_at"):
        return column.is_date
    if column.is_date:
        return False
    checks = {
        "narrative": column.mean_length >= 15 or not (column.is_label or column.is_key),
        "title": column.mean_length >= 2,
        "source_id": column.is_key,
        "category": column.is_label,
        "outcome": 1 <= column.n_distinct <= _MOST_LABELS and max(map(len, column.filled)) <= _LONGEST_LABEL,
        "channel": column.n_distinct <= _MOST_LABELS,
    }
    return checks.get(role, True)


def _choose(role: str, candidates: Sequence[_Column], guess: Guess) -> _Column | None:
    """The column for a role; doubts are noted where the header left room for them."""
    n_words = len(_WORDS[role])
    named = sorted(
        (column for column in candidates if _says(role, column.name) < n_words), key=lambda column: _says(role, column.name)
    )
    if role == "received_at":  # when a matter was closed is not when it came in
        named = [column for column in named if _says("recorded_at", column.name) == len(_WORDS["recorded_at"])] or named
    if named:
        if role == "narrative":  # of several texts the longest tells most
            named.sort(key=lambda column: -column.mean_length)
        if len(named) > 1:
            guess.doubts[role] = f"could also be {', '.join(column.name for column in named[1:])}"
        return named[0]
    if not candidates or role not in ("received_at", "narrative", "source_id"):
        return None
    best = max(candidates, key=lambda column: column.mean_length) if role == "narrative" else candidates[0]
    guess.doubts[role] = "the header does not say so; judged by its cells"
    return best


def _says(role: str, name: str) -> int:
    """Place of the first word of a role that a header holds; the number of words if it holds none."""
    tokens = [token.lower() for token in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]
    for place, word in enumerate(_WORDS[role]):
        if word.isascii():
            if any(token == word or (len(word) > 3 and token.startswith(word)) for token in tokens):
                return place
        elif word in name:
            return place
    return len(_WORDS[role])


def _year_last(cells: Sequence[str]) -> list[tuple[int, int]]:
    return [(int(found[1]), int(found[2])) for cell in cells if len(cell) <= 40 and (found := _YEAR_LAST.match(cell.strip()))]


def _date_order(cells: Sequence[str]) -> DateOrder | None:
    written = _year_last(cells)
    if not written:
        return None
    return "mdy" if any(second > 12 for _, second in written) else "dmy"


def _order_is_certain(cells: Sequence[str]) -> bool:
    return any(max(pair) > 12 for pair in _year_last(cells))
