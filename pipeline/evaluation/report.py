"""Makes `report.html`: one page with everything in it, for the analyst who must judge a model.

Pictures are inlined, so the page can be mailed or archived alone. The template escapes everything: area and channel names come
from sources. The page never holds a text of a report.
"""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from pipeline.evaluation.pages import template
from pipeline.evaluation.trust import Trust


@dataclass(frozen=True)
class Page:
    """What the template shows.

    Attributes:
        model: Name of the model.
        profile: Name of the profile.
        as_of: Day from which the outcomes were looked at.
        summary: Sentences, the most important first.
        limits: Sentences to keep in mind.
        rankings: From `summary.ranking_rows`; empty where no risk was measured.
        stated: From `summary.stated_rows`.
        per_class: Rows of `CategoryResult.per_class` with `zh` and `en`; empty where no category was measured.
        category_slices: Rows of `slices.measure_category_slices`.
        risk_slices: Rows of `slices.measure_risk_slices`.
        min_slice_reports: Below, a slice is counted but not measured.
        confidence: Of the intervals, in (0, 1).
        trust: Calibration, lanes and equal care.
        figures: File name without ending to inlined picture.
    """

    model: str
    profile: str
    as_of: str
    summary: Sequence[str]
    limits: Sequence[str]
    rankings: Sequence[Mapping[str, str]]
    stated: Sequence[tuple[str, str]]
    per_class: Sequence[Mapping[str, object]]
    category_slices: Sequence[Mapping[str, object]]
    risk_slices: Sequence[Mapping[str, object]]
    min_slice_reports: int
    confidence: float
    trust: Trust
    figures: Mapping[str, str]


def render(page: Page) -> str:
    """The page as HTML."""
    return template("report.html", estimate=_estimate, precise=partial(_estimate, places=3)).render(page=page)


def inline(figure: Figure) -> str:
    """A figure as the address of an image that holds it."""
    return "data:image/png;base64," + base64.b64encode(png(figure)).decode("ascii")


def png(figure: Figure) -> bytes:
    """A figure as a PNG file, the same bytes for the same picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def records(frame: pd.DataFrame) -> list[dict[str, object]]:
    """The rows of a table as mappings."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _estimate(row: Mapping[str, object], name: str, places: int = 2) -> str:
    """A number of a row with its interval, or a dash where it was not measured."""
    ends = [row.get(key) for key in (name, f"{name}_low", f"{name}_high")]
    known = [end for end in ends if isinstance(end, float) and math.isfinite(end)]
    number = f"{{:.{places}f}}"
    return f"{number} ({number} to {number})".format(*known) if len(known) == len(ends) else "–"
