"""A bulletin as files for a spreadsheet. A cell that a spreadsheet would take for a formula is written as text.

Areas and units come from source files and people; a cell that begins with =, +, -, @ or a control character is run as a formula
by spreadsheets that open a CSV (OWASP, CSV Injection). In CSV such a cell gets an apostrophe before it; XLSX can say of a cell
that it is text, so nothing is added there.
"""

import csv
import io
import re

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from pipeline.bulletin.telling import Bulletin, Value

_FORMULA = re.compile(r"^[\s\x00-\x1f]*[=+\-@＝＋－＠]")
_SIGNED_SHARE = re.compile(r"^[+-]\d+%$")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # not allowed in XML 1.0


def to_csv(bulletin: Bulletin) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheets read Chinese; tables one below the other."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([[bulletin.title], [bulletin.period], [_harmless(bulletin.scope)]])
    for table in bulletin.tables:
        writer.writerows([[], [table.heading], table.columns])
        writer.writerows([[_harmless(value) for value in row] for row in table.rows])
    return text.getvalue().encode("utf-8-sig")


def to_xlsx(bulletin: Bulletin) -> bytes:
    """A workbook with a sheet for each table."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for table in bulletin.tables:
        sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", table.heading)[:31])
        for place, row in enumerate(
            [(bulletin.title,), (f"{bulletin.period} {bulletin.scope}",), (), table.columns, *table.rows]
        ):
            for column, value in enumerate(row):
                cell = sheet.cell(place + 1, column + 1)
                cell.value = _UNWRITABLE.sub("", value) if isinstance(value, str) else value
                if isinstance(value, str):
                    cell.data_type = "s"
                cell.font = Font(bold=place in (0, 3))
        sheet.freeze_panes = "B5"
        for column in range(len(table.columns)):
            sheet.column_dimensions[get_column_letter(column + 1)].width = 24 if column == 0 else 12
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _harmless(value: Value) -> Value:
    """A value that no spreadsheet takes for a formula."""
    if not isinstance(value, str) or _SIGNED_SHARE.match(value) or not _FORMULA.match(value):
        return value
    return f"'{value}"
