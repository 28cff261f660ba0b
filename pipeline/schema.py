"""The tables that go through the doors between rooms, and the check each room makes on entry.

A table is an Arrow schema, because that is what is written to Parquet, together with the columns that may not be null, must
be unique, or must lie in a range. The check is our own few lines rather than a data-frame validator's because a message
must name the column, the count and a `report_id`, and must never quote a value: values are reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import SchemaError

INSTANT = pa.timestamp("us", tz="UTC")
HISTORY = (
    "n_similar_7d",
    "n_similar_30d",
    "n_similar_90d",
    "n_reporters_7d",
    "n_reporters_30d",
    "n_reporters_90d",
    "days_since_first_seen",
)
"""What was known of a report's matter when the report arrived; the only model inputs besides title and text."""


PLACEHOLDERS = (
    *("[手机号]", "[电话]", "[身份证号]", "[护照号]", "[卡号]", "[车牌]", "[邮箱]", "[微信号]", "[QQ号]", "[账号]", "[网址]"),
    *("[地址]", "[姓名]"),
)
"""What stands in a title or text where intake took personal data out."""


@dataclass(frozen=True)
class Table:
    """A named table: columns with types, and what must hold of their values."""

    name: str
    arrow: pa.Schema
    unique: str | None = None
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def check(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the table's columns in order and with their types.

        Args:
            frame: A table with at least this table's columns; others are dropped.

        Raises:
            SchemaError: If a column is missing, has another type, holds nulls where none may be, repeats a unique value
                or leaves its range.
        """
        missing = [name for name in self.arrow.names if name not in frame.columns]
        if missing:
            raise SchemaError(
                f"{self.name} needs the column(s) {', '.join(missing)}, got {', '.join(map(str, frame.columns)) or 'none'}. "
                f"Run the stage that writes {self.name} again."
            )
        for column in self.arrow:
            self._check_column(frame, column)
        if self.unique is not None and frame[self.unique].duplicated().any():
            n_doubled = int(frame[self.unique].duplicated().sum())
            raise SchemaError(f"{self.name} column '{self.unique}' must be unique, got {n_doubled} repeated value(s).")
        return _to_pandas(self.to_arrow(frame))

    def _check_column(self, frame: pd.DataFrame, column: pa.Field) -> None:
        values = frame[column.name]
        if pa.types.is_timestamp(column.type) and pd.api.types.is_datetime64_dtype(values):
            self._refuse(frame, values.notna(), column.name, "must be timezone-aware UTC, got naive timestamps")
        if not column.nullable and values.isna().any():
            self._refuse(frame, values.isna(), column.name, "must not be null, got nulls")
        if column.name in self.ranges:
            low, high = self.ranges[column.name]
            self._refuse(
                frame, (values < low) | (values > high), column.name, f"must lie in [{low}, {high}], got values outside"
            )

    def _refuse(self, frame: pd.DataFrame, bad: "pd.Series[bool]", column: str, what: str) -> None:
        bad = bad.fillna(False).astype(bool)
        if not bad.any():
            return
        first = frame.loc[bad, "report_id"].iloc[0] if "report_id" in frame else frame.index[bad][0]
        raise SchemaError(
            f"{self.name} column '{column}' {what} in {int(bad.sum())} of {len(frame)} rows (first report_id: {first})."
        )

    def to_arrow(self, frame: pd.DataFrame) -> pa.Table:
        """The table as Arrow, cast to its schema.

        Raises:
            SchemaError: If a column cannot be cast.
        """
        try:
            return pa.Table.from_pandas(frame[self.arrow.names], schema=self.arrow, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            column = str(error.args[-1]) if error.args else "unknown"
            named = next((name for name in self.arrow.names if f"column {name} " in column), "unknown")
            raise SchemaError(
                f"{self.name} column '{named}' cannot be read as {self._type_of(named)}. Check the room that made it."
            ) from None

    def _type_of(self, column: str) -> str:
        return str(self.arrow.field(column).type) if column in self.arrow.names else "its declared type"

    def empty(self) -> pd.DataFrame:
        """The table without rows."""
        return _to_pandas(self.arrow.empty_table())

    def write(self, frame: pd.DataFrame, path: Path) -> None:
        """Check the table and write it to Parquet, aside and then renamed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + ".writing")
        pq.write_table(self.to_arrow(self.check(frame)), aside, compression="zstd")
        aside.replace(path)

    def read(self, path: Path) -> pd.DataFrame:
        """Read the table from Parquet and check it.

        Raises:
            SchemaError: If the file is missing or is not this table.
        """
        if not path.exists():
            raise SchemaError(f"{self.name} was expected at {path}, but there is no such file. Run the stage that writes it.")
        try:
            frame = _to_pandas(pq.read_table(path))
        except pa.ArrowInvalid as error:
            raise SchemaError(f"{path} is not a readable Parquet file ({self.name}). Run the stage that writes it.") from error
        return self.check(frame)


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    """As a data frame, with truth values that may be null kept as such."""
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    return frame


def _columns(**columns: pa.DataType | tuple[pa.DataType, bool]) -> pa.Schema:
    """Build a schema; a bare type may not be null, `optional(type)` may."""
    return pa.schema(
        [
            pa.field(name, kind[0], nullable=True) if isinstance(kind, tuple) else pa.field(name, kind, nullable=False)
            for name, kind in columns.items()
        ]
    )


def _optional(kind: pa.DataType) -> tuple[pa.DataType, bool]:
    return (kind, True)


_TEXT, _COUNT, _REAL = pa.string(), pa.int32(), pa.float64()
_HISTORY_COLUMNS = {**dict.fromkeys(HISTORY[:-1], _COUNT), HISTORY[-1]: _REAL}

RAW_REPORTS = Table(
    "RAW_REPORTS",
    _columns(
        source=_TEXT, source_row=pa.int64(), source_id=_optional(_TEXT), received_at=_optional(_TEXT), title=_optional(_TEXT),
        narrative=_optional(_TEXT), area=_optional(_TEXT), channel=_optional(_TEXT), reporter=_optional(_TEXT),
        category=_optional(_TEXT), duplicate_key=_optional(_TEXT), segmented=pa.bool_(),
    ),
)  # fmt: skip
"""One batch as read, before validation; lives in memory only. All but the row number are as the source wrote them."""

REPORTS = Table(
    "REPORTS",
    _columns(
        report_id=_TEXT, source=_TEXT, source_row=pa.int64(), received_at=_optional(INSTANT), title=_TEXT, text=_TEXT,
        area=_optional(_TEXT), channel=_optional(_TEXT), reporter_hash=_optional(_TEXT), category=_optional(_TEXT),
        segmented=pa.bool_(), duplicate_group=_TEXT, duplicate_of=_optional(_TEXT), matter_id=_TEXT,
    ),
    unique="report_id",
)  # fmt: skip
"""Accepted reports: redacted, normalized, with the duplicate group and the matter each belongs to."""

REJECTED = Table("REJECTED", _columns(source=_TEXT, source_row=pa.int64(), reason=_TEXT))
"""Rows that were not accepted: where and why, never what they said."""

MATTER_DECISIONS = Table(
    "MATTER_DECISIONS", _columns(decided_at=INSTANT, action=_TEXT, subject=_TEXT, into=_TEXT, by=_TEXT, reason=_TEXT)
)
"""What people decided about matters: `merge` one into another, or `move` a report into one."""

OUTCOMES = Table("OUTCOMES", _columns(report_id=_TEXT, outcome=_TEXT, recorded_at=INSTANT))
"""Declared outcomes of reports, one row an event."""

DECISIONS = Table(
    "DECISIONS",
    _columns(report_id=_TEXT, decided_at=INSTANT, action=_TEXT, category=_optional(_TEXT), selected=_TEXT, propensity=_REAL),
    ranges={"propensity": (0.0, 1.0)},
)
"""What reviewers concluded of reports, and with which probability each was given to one at all."""

EXAMPLES = Table(
    "EXAMPLES",
    _columns(
        report_id=_TEXT, source=_TEXT, received_at=_optional(INSTANT), title=_TEXT, text=_TEXT, area=_optional(_TEXT),
        channel=_optional(_TEXT), category=_optional(_TEXT), escalated=_optional(pa.bool_()), escalated_at=_optional(INSTANT),
        followed_days=_optional(_REAL), outcome_days=_optional(_REAL), duplicate_group=_TEXT, matter_id=_TEXT,
        **_HISTORY_COLUMNS, split=_TEXT,
    ),
    unique="report_id",
)  # fmt: skip
"""What is learned from: labels as known at `as_of`, history as known at `received_at`, and the split.

`followed_days` and `outcome_days` say for how long a report's outcomes are known, and when in that time the first one came."""

CLEAR, CHOOSE, UNCLEAR = "clear", "choose", "unclear"
LANES = (CLEAR, CHOOSE, UNCLEAR)
"""How a report's category is settled: by the model, by a person among two or three, or by a person from the start."""

LOGITS = Table(
    "LOGITS",
    _columns(report_id=_TEXT, split=_TEXT, category_logits=pa.list_(pa.float32()), risk_logit=pa.float32()),
    unique="report_id",
)
"""A model's raw output for every example; category logits in the order of the model's `categories`."""

PROBABILITIES = Table(
    "PROBABILITIES",
    _columns(
        report_id=_TEXT, split=_TEXT, category_probabilities=pa.list_(pa.float32()), category=_TEXT,
        category_probability=_REAL, category_set=pa.list_(_TEXT), lane=_TEXT, risk=_REAL, risk_low=_REAL, risk_high=_REAL,
    ),
    unique="report_id",
    ranges={**dict.fromkeys(("risk", "risk_low", "risk_high"), (0.0, 1.0)), "category_probability": (0.0, 1.0)},
)  # fmt: skip
"""Calibrated output: the likeliest category, its probability, those it may have, its lane, and the risk with its band."""

REASON = pa.struct([pa.field("kind", pa.string()), pa.field("evidence", pa.string()), pa.field("effect", pa.float64())])
"""Why a report ranks where it does: `words` or `history`, what exactly, and the risk it added (a difference of risks)."""

QUEUE = Table(
    "QUEUE",
    _columns(
        rank=_COUNT, report_id=_TEXT, selected=_TEXT, received_at=INSTANT, title=_TEXT, text=_TEXT, area=_optional(_TEXT),
        channel=_optional(_TEXT), matter_id=_TEXT, category=_TEXT, category_probability=_REAL, category_set=pa.list_(_TEXT),
        lane=_TEXT, risk=_REAL, risk_low=_REAL, risk_high=_REAL, priority=_REAL, propensity=_REAL, reasons=pa.list_(REASON),
        **_HISTORY_COLUMNS,
    ),
    unique="report_id",
    ranges=dict.fromkeys(("risk", "risk_low", "risk_high", "propensity"), (0.0, 1.0)),
)  # fmt: skip
"""A night's open reports in reading order; `selected` is `ranked`, `unclear` (below the line, a category to be decided),
`audit` (drawn from below the line) or `waiting`."""

COUNTED = Table(
    "COUNTED",
    _columns(
        report_id=_TEXT, recorded_at=_optional(INSTANT), category=_optional(_TEXT), category_probability=_optional(_REAL)
    ),
    unique="report_id",
    ranges={"category_probability": (0.0, 1.0)},
)  # fmt: skip
"""How each report a night admitted is counted: since when it was known, its source's category or else the model's, and the
probability of the model's; null where neither is known."""

ALERT_KINDS = SURGE, GROWING, NOVEL = ("surge", "growing", "new")
OPEN, CLOSED = "open", "closed"
ALERTS = Table(
    "ALERTS",
    _columns(
        alert_id=_TEXT, kind=_TEXT, area=_optional(_TEXT), category=_optional(_TEXT), matter_id=_optional(_TEXT),
        candidate_id=_optional(_TEXT), state=_TEXT, first_seen=pa.date32(), last_seen=pa.date32(), raised_on=pa.date32(),
        closed_on=_optional(pa.date32()), window_days=_COUNT, n_reports=_COUNT, expected=_REAL, low=_REAL, high=_REAL,
        n_reporters=_optional(_COUNT), confidence=_REAL, unit=_optional(_TEXT), report_ids=pa.list_(_TEXT),
        terms=pa.list_(_TEXT),
    ),
    unique="alert_id",
    ranges={"confidence": (0.0, 1.0)},
)  # fmt: skip
"""Everything raised so far, one row an alert; what has subsided is `closed` and stays."""

CANDIDATES = Table("CANDIDATES", _columns(report_id=_TEXT, candidate_id=_TEXT, received_at=INSTANT), unique="report_id")
"""Reports that fit no category, and the group each belongs to; a group of enough of them is a candidate for a name."""
