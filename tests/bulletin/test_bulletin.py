"""The period report: which periods are held against each other, what is counted how, and files no spreadsheet trips over."""

import io
from datetime import UTC, date, datetime

import pytest
from openpyxl import load_workbook

from pipeline.bulletin.comparing import Compared, Days, by, summary
from pipeline.bulletin.files import to_csv, to_xlsx
from pipeline.bulletin.pages import chart_rows, to_fragment, to_html
from pipeline.bulletin.telling import changed, tell, words
from pipeline.period import MEASURES, Cell, PeriodFigures
from tests.casework import TAXONOMY

TIPS = TAXONOMY.model_copy(
    update={"categories": (TAXONOMY.categories[0], TAXONOMY.categories[1].model_copy(update={"kind": "tip"}))}
)


def make_cell(area="东区", category="neighbours", **counts):
    return Cell(area, category, {**dict.fromkeys(MEASURES, 0), **counts})


def make_period(*cells, **changes):
    start, end = datetime(2024, 7, 1, tzinfo=UTC), datetime(2024, 8, 1, tzinfo=UTC)
    return PeriodFigures(start=start, end=end, cells=cells, **changes)


def make_bulletin(now, before=None, last_year=None, *, areas=None, language="en"):
    days = Days(date(2024, 7, 1), date(2024, 7, 31))
    return tell(Compared(days, now, before, last_year), TAXONOMY, areas, language)


@pytest.mark.parametrize(
    ("days", "before", "last_year"),
    [
        (("2024-03-01", "2024-03-31"), ("2024-02-01", "2024-02-29"), ("2023-03-01", "2023-03-31")),
        (("2024-02-01", "2024-02-29"), ("2024-01-01", "2024-01-31"), ("2023-02-01", "2023-02-28")),
        (("2023-02-01", "2023-02-28"), ("2023-01-01", "2023-01-31"), ("2022-02-01", "2022-02-28")),
        (("2024-07-08", "2024-07-14"), ("2024-07-01", "2024-07-07"), ("2023-07-08", "2023-07-14")),
        (("2024-02-29", "2024-02-29"), ("2024-02-28", "2024-02-28"), ("2023-02-28", "2023-02-28")),
        (("2025-02-01", "2025-02-28"), ("2025-01-01", "2025-01-31"), ("2024-02-01", "2024-02-29")),
    ],
)
def test_a_month_is_held_against_months_and_days_against_as_many(days, before, last_year):
    asked = Days(*map(date.fromisoformat, days))
    assert asked.before == Days(*map(date.fromisoformat, before))
    assert asked.last_year == Days(*map(date.fromisoformat, last_year))


def test_disputes_and_tips_are_told_apart_and_add_up():
    figures = make_period(make_cell(found=3, mediated=2, settled=2), make_cell(category="wages", found=4, settled=1))
    told = summary(figures, TIPS)
    assert (told["disputes"], told["tips"], told["tips_settled"], told["mediated"]) == (3, 4, 1, 2)


def test_sums_by_area_and_by_category_are_the_same_reports():
    cells = (make_cell(collected=2), make_cell("西区", collected=5), make_cell("西区", "wages", collected=1))
    figures = make_period(*cells)
    assert {area: sums["collected"] for area, sums in by(figures, "area").items()} == {"西区": 6, "东区": 2}
    assert sum(sums["collected"] for sums in by(figures, "category").values()) == 8


def test_a_change_is_said_only_where_there_is_something_to_compare():
    assert [changed(12, 10), changed(8, 10), changed(5, 0), changed(5, None)] == ["+20%", "-20%", None, None]


def test_a_period_the_store_knows_nothing_of_is_said_as_no_data_not_as_none():
    row = make_bulletin(make_period(make_cell(collected=4))).tables[0].rows[0]
    assert row[1:] == (4, None, None, None, None)


@pytest.mark.parametrize("bad", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", " =1"])
def test_no_cell_is_a_formula(bad):
    bulletin = make_bulletin(make_period(make_cell(bad, collected=1)), areas=[bad])
    lines = to_csv(bulletin).decode("utf-8-sig").splitlines()
    assert not [line for line in lines if line.lstrip('"').lstrip().startswith(("=", "+", "-", "@", "＝"))]
    book = load_workbook(io.BytesIO(to_xlsx(bulletin)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert bad.strip() in [str(cell.value).strip() for cell in cells]


def test_both_files_hold_the_same_tables():
    bulletin = make_bulletin(make_period(make_cell(collected=4, found=1), transferred={"labour": 2}), make_period())
    book = load_workbook(io.BytesIO(to_xlsx(bulletin)))
    csv = to_csv(bulletin).decode("utf-8-sig")
    assert book.sheetnames == [table.heading for table in bulletin.tables]
    for table in bulletin.tables:
        assert table.heading in csv
    assert "Labour inspection,2" in csv
    assert book["Transferred by unit"]["B5"].value == 2


def test_the_page_escapes_names_and_asks_nothing_of_the_network():
    html = to_html(make_bulletin(make_period(make_cell("<script>alert(1)</script>", collected=1))))
    assert "<script" not in html
    assert "http" not in html
    assert "style=" not in to_fragment(make_bulletin(make_period()))  # the review pages' content policy refuses it


def test_the_chart_shows_the_three_periods_under_each_other():
    now, before = make_period(make_cell(collected=4)), make_period(make_cell(collected=2))
    [row] = chart_rows(make_bulletin(now, before).tables[1])
    assert [(bar.kind, bar.n) for bar in row.bars] == [("now", 4), ("before", 2)]
    assert row.bars[0].length == 2 * row.bars[1].length


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_empty_period_gives_a_bulletin_too(language):
    bulletin = make_bulletin(make_period(), language=language)
    assert to_html(bulletin)
    assert to_xlsx(bulletin)


def test_every_phrase_is_there_in_both_languages():
    assert all(zh and en for zh, en in words().values())
