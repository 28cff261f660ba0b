"""What trust in a model rests on beside its accuracy: calibration, lanes and equal care, as metrics, tables and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pipeline.evaluation import equal_care, lanes, reliability
from pipeline.evaluation.equal_care import EqualCare
from pipeline.evaluation.lanes import FEW, LaneResult
from pipeline.evaluation.measuring import Results
from pipeline.evaluation.reliability import CATEGORY, RISK
from pipeline.schema import CHOOSE, CLEAR, UNCLEAR

LANE_WORDS = {CLEAR: "clear: one category", CHOOSE: "choose: two or three", UNCLEAR: "new or unclear: to a person first"}
MEASURE_WORDS = {
    "recall": "escalated reports read, against all others",
    "precision": "read reports that escalated, against all others",
    "risk_gap": "stated risk minus share escalated",
}
Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Trust:
    """What the template shows of trust; lists are empty where nothing was measured.

    Attributes:
        said: Sentences, by question: `calibration`, `lanes`, `equal_care`.
        questions: Calibration on the whole, rows of `reliability.measure_reliability` with `title`.
        categories: Calibration and coverage of each category, with `zh` and `en`.
        slices: Calibration per slice, with `title`.
        lanes: Rows of `LaneResult.lanes` with `title`.
        groups: Rows of `EqualCare.groups`.
        findings: Rows of `EqualCare.findings` with `title`.
        waivers: As the profile writes them.
    """

    said: Mapping[str, Sequence[str]]
    questions: Rows
    categories: Rows
    slices: Rows
    lanes: Rows
    groups: Rows
    findings: Rows
    waivers: Rows


def trust_sections(results: Results) -> dict[str, dict[str, object]]:
    """The sections of `metrics.json`: `calibration`, `lanes` and `equal_care`, each where it was measured."""
    sections = {}
    if len(results.reliability):
        sections["calibration"] = reliability.as_section(results.reliability)
    if results.lanes is not None:
        sections["lanes"] = lanes.as_section(results.lanes)
    if results.equal_care is not None:
        sections["equal_care"] = equal_care.as_section(results.equal_care)
    return sections


def trust_tables(results: Results) -> dict[str, pd.DataFrame]:
    """Tables by file name."""
    tables = {"calibration.csv": results.reliability}
    if results.lanes is not None:
        tables |= {"lanes.csv": results.lanes.lanes, "coverage.csv": results.lanes.per_category}
    if results.equal_care is not None:
        tables |= {"equal_care.csv": results.equal_care.groups, "equal_care_findings.csv": results.equal_care.findings}
    return tables


def make_trust(results: Results, chinese: Mapping[str, str], english: Mapping[str, str]) -> Trust:
    """What the template shows.

    Args:
        results: What was measured.
        chinese: Category id to Chinese name.
        english: Category id to English name.
    """
    rows = _rows(results.reliability)
    titles = {CATEGORY: "the category is right", RISK: "the report escalates"}
    care = results.equal_care
    coverage = {row["category"]: row for row in _rows(results.lanes.per_category)} if results.lanes is not None else {}
    return Trust(
        said={
            "calibration": _of_calibration(rows),
            "lanes": _of_lanes(results.lanes) if results.lanes is not None else [],
            "equal_care": _of_equal_care(care) if care is not None else [],
        },
        questions=[row | {"title": titles[str(row["of"])]} for row in rows if row["dimension"] == "all"],
        categories=[
            row | coverage[row["group"]] | {"zh": chinese[str(row["group"])], "en": english[str(row["group"])]}
            for row in rows
            if row["dimension"] == "category"
        ],
        slices=[row | {"title": titles[str(row["of"])]} for row in rows if row["dimension"] not in ("all", "category")],
        lanes=[row | {"title": LANE_WORDS[str(row["lane"])]} for row in _rows(results.lanes.lanes)] if results.lanes else [],
        groups=_rows(care.groups) if care is not None else [],
        findings=[row | {"title": MEASURE_WORDS[str(row["measure"])]} for row in _rows(care.findings)] if care else [],
        waivers=[waiver.model_dump(mode="json") for waiver in care.waivers] if care is not None else [],
    )


def _rows(table: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _of_calibration(rows: Rows) -> list[str]:
    said = []
    for row in rows:
        if row["dimension"] == "all":
            what = "a category's probability" if row["of"] == CATEGORY else "a stated risk"
            said.append(
                f"On average, {what} is {_points(row['error'])} points off ({_points(row['error_low'])} to "
                f"{_points(row['error_high'])}); before calibration it was {_points(row['error_before'])}. Were every "
                f"number exactly right, {_points(row['error_floor'])} would be left by chance."
            )
    return said


def _of_lanes(found: LaneResult) -> list[str]:
    shares = found.lanes.set_index("lane")["share"]
    said = [
        f"{100 * shares[CLEAR]:.0f} of 100 reports have one category, {100 * shares[CHOOSE]:.0f} leave a person two or three "
        f"to choose from, and {100 * shares[UNCLEAR]:.0f} are new or unclear.",
        f"The sets are made to hold the right category for {100 * found.level:.0f} of 100 reports of every category; over all "
        f"reports they hold it for {100 * found.coverage.point:.1f}.",
    ]
    few, shared = int(found.per_category["few"].sum()), int(found.per_category["shared"].sum())
    if found.worst_gap == found.worst_gap:
        said.append(
            f"The category farthest from that, of those with {FEW} reports or more, is {_points(found.worst_gap)} points off."
        )
    if few:
        said.append(f"{few} categories have fewer than {FEW} test reports and are marked: their coverage is hardly known.")
    if shared:
        said.append(f"{shared} categories had too few reports for a threshold of their own; for them nothing is promised.")
    return said


def _of_equal_care(care: EqualCare) -> list[str]:
    n_beyond = int(care.findings["beyond_chance"].sum()) if len(care.findings) else 0
    n_watch = len(care.findings) - n_beyond
    said = [
        f"{len(care.groups)} groups were large enough to compare with all other reports, {care.n_not_measured} were not.",
        f"{n_beyond or 'No'} difference{'s are' if n_beyond != 1 else ' is'} beyond the limit and more than chance"
        + (f"; {n_watch} more beyond the limit may be chance." if n_watch else "."),
    ]
    waived = {str(row["slice"]) for row in _rows(care.findings) if row["waived_by"]}
    return [*said, f"Answered for in writing: {', '.join(sorted(waived))}."] if waived else said


def _points(value: object) -> str:
    return f"{100 * float(str(value)):.1f}"
