"""Charts of alerts as SVG: what was counted, and between which counts 95 % of usual ones lie.

Drawn by hand rather than by a plotting library: a chart is a few rectangles and a band, pages and the bulletin put it inline
without a font or a script, and the same counts give the same bytes. Title and description are there for screen readers; labels
are numbers and days, so one chart serves both languages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

Place = Callable[[float], float]
WIDTH, HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 10, 12, 24
_BAND, _LINE, _BAR, _RAISED = "#d6e2f0", "#5b7fa6", "#8a8f98", "#c2410c"


@dataclass(frozen=True)
class Chart:
    """What a chart shows, a value a day.

    Attributes:
        title: Said to screen readers.
        days: Days, ascending.
        observed: Counts, None for days to come.
        expected: Usual count, None where nothing is known.
        low: Lower end of the usual interval, likewise.
        high: Its upper end, likewise.
        raised_on: Day from which bars are marked.
    """

    title: str
    days: Sequence[date]
    observed: Sequence[float | None]
    expected: Sequence[float | None]
    low: Sequence[float | None]
    high: Sequence[float | None]
    raised_on: date


def draw(chart: Chart) -> str:
    """The chart as an SVG document; deterministic."""
    top = max([1.0, *(value for value in (*chart.observed, *chart.high, *chart.expected) if value is not None)])
    step = (WIDTH - _LEFT - _RIGHT) / max(len(chart.days), 1)

    def y(value: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top

    def x(place: float) -> float:
        return _LEFT + step * place

    parts = [*_bands(chart, x, y), *_bars(chart, step, x, y), *_axes(chart, top, step, x, y)]
    said = (
        f"{chart.days[0]} – {chart.days[-1]}: " + ", ".join(f"{value:g}" for value in chart.observed if value is not None)
        if chart.days
        else ""
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="11"><title>{escape(chart.title)}</title><desc>{escape(said)}</desc>{"".join(parts)}</svg>\n'
    )


def _bands(chart: Chart, x: Place, y: Place) -> list[str]:
    """The usual interval and the usual count, wherever they are known."""
    known = [place for place, value in enumerate(chart.expected) if value is not None]
    if not known:
        return []
    upper = [f"{x(place + side):.1f},{y(chart.high[place] or 0.0):.1f}" for place in known for side in (0, 1)]
    lower = [f"{x(place + side):.1f},{y(chart.low[place] or 0.0):.1f}" for place in reversed(known) for side in (1, 0)]
    middle = [f"{x(place + 0.5):.1f},{y(chart.expected[place] or 0.0):.1f}" for place in known]
    return [
        f'<polygon fill="{_BAND}" points="{" ".join([*upper, *lower])}"/>',
        f'<polyline fill="none" stroke="{_LINE}" stroke-width="1.5" points="{" ".join(middle)}"/>',
    ]


def _bars(chart: Chart, step: float, x: Place, y: Place) -> list[str]:
    """A bar a day, in another color from the day the alert was raised for."""
    return [
        f'<rect x="{x(place) + step * 0.2:.1f}" y="{y(value):.1f}" width="{step * 0.6:.1f}" '
        f'height="{y(0.0) - y(value):.1f}" fill="{_RAISED if day >= chart.raised_on else _BAR}"/>'
        for place, (day, value) in enumerate(zip(chart.days, chart.observed, strict=True))
        if value is not None and value > 0
    ]


def _axes(chart: Chart, top: float, step: float, x: Place, y: Place) -> list[str]:
    """The base line, the largest count, and the first, middle and last day."""
    line = f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(0.0):.1f}" y2="{y(0.0):.1f}" stroke="#444"/>'
    counts = [
        f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>' for value in (0.0, round(top, 1))
    ]
    places = sorted({0, len(chart.days) // 2, len(chart.days) - 1}) if chart.days else []
    anchors = {0: "start", len(chart.days) - 1: "end"}
    days = [
        f'<text x="{x(place) + step / 2:.1f}" y="{HEIGHT - 7}" text-anchor="{anchors.get(place, "middle")}">'
        f"{chart.days[place].isoformat()}</text>"
        for place in places
    ]
    return [line, *counts, *days]
