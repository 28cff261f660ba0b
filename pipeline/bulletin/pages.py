"""A bulletin as HTML: a part of a page, or a file that stands alone, prints, and asks nothing of the network."""

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.bulletin.telling import Bulletin, Told, words

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_MOST_BARS = 12  # categories; the rest stand in the table
_ROW, _LABEL, _WIDTH = 44, 170, 700  # of the drawing, in its own units


@dataclass(frozen=True)
class Bar:
    """A bar of the chart; places and lengths in the drawing's units."""

    kind: str
    y: int
    length: int
    n: int


@dataclass(frozen=True)
class Row:
    """A category of the chart with its bars: this period, the one before, a year ago."""

    name: str
    y: int
    bars: tuple[Bar, ...]


def to_fragment(bulletin: Bulletin) -> str:
    """The bulletin as a part of a page: tables and the chart, no style of its own."""
    return _render("fragment.html", bulletin)


def to_html(bulletin: Bulletin) -> str:
    """The bulletin as a file that stands alone."""
    return _render("document.html", bulletin)


def chart_rows(table: Told) -> tuple[Row, ...]:
    """The chart of the table by category: what was collected, with the same of the other two periods under it."""
    shown = [row for row in table.rows if any(isinstance(row[place], int) and row[place] for place in (1, -2, -1))][:_MOST_BARS]
    counts = [[row[place] for place in (1, -2, -1)] for row in shown]
    highest = max((n for line in counts for n in line if isinstance(n, int)), default=1)
    rows = []
    for place, (row, line) in enumerate(zip(shown, counts, strict=True)):
        bars = tuple(
            Bar(kind, place * _ROW + 4 + 12 * k, round((_WIDTH - _LABEL - 50) * n / highest), n)
            for k, (kind, n) in enumerate(zip(("now", "before", "last_year"), line, strict=True))
            if isinstance(n, int)
        )
        rows.append(Row(str(row[0]), place * _ROW, bars))
    return tuple(rows)


def _render(name: str, bulletin: Bulletin) -> str:
    say = {key: pair[0 if bulletin.language == "zh" else 1] for key, pair in words().items()}
    rows = chart_rows(bulletin.tables[1])
    drawing = {"label": _LABEL, "width": _WIDTH, "height": max(len(rows), 1) * _ROW}
    return _TEMPLATES.get_template(name).render(bulletin=bulletin, say=say, rows=rows, drawing=drawing)
