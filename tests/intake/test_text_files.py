import pytest

from pipeline.intake import encodings
from pipeline.intake.encodings import detect_encoding
from pipeline.intake.text_files import detect_delimiter
from tests.intake.builders import make_source, read_all, reasons

HEADER = "id,time,title,text\n"


def _read(tmp_path, body):
    (tmp_path / "desk.csv").write_bytes((HEADER + body).encode())
    return read_all(make_source(), tmp_path)


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ('"他说""走"""', '他说"走"'),
        ('"一行\n两行\n\n四行"', "一行\n两行\n\n四行"),
        ('"a,b\r\nc"', "a,b\nc"),
        ('5" 管子', '5" 管子'),
        ("\"=cmd|' /C calc'!A0\"", "=cmd|' /C calc'!A0"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_quoted_cells_keep_their_content(tmp_path, cell, read):
    batch = _read(tmp_path, f"1,2024-03-01,,{cell}\n2,2024-03-01,,next\n")
    assert batch.rows["narrative"].tolist() == [read, "next"]
    assert batch.rejected.empty


def test_an_unbalanced_quote_costs_its_row_only(tmp_path):
    batch = _read(tmp_path, '1,2024-03-01,,"停水\n2,2024-03-01,,停电\n3,2024-03-01,,"停""气"\n4,2024-03-01,,"a\nb"\n')
    assert batch.rows["narrative"].tolist() == ["停电", '停"气', "a\nb"]
    assert reasons(batch.rejected) == [(1, "unbalanced quotes")]


def test_an_unbalanced_quote_in_the_last_row_loses_no_other(tmp_path):
    batch = _read(tmp_path, '1,2024-03-01,,停水\n2,2024-03-01,,"停电')
    assert batch.rows["narrative"].tolist() == ["停水"]
    assert reasons(batch.rejected) == [(2, "unbalanced quotes")]


def test_rows_of_another_width_are_rejected_and_blank_lines_are_no_rows(tmp_path):
    batch = _read(tmp_path, "1,2024-03-01,停水\n\n2,2024-03-01,,停电\n   \n3,2024-03-01,,停气,多\n")
    assert batch.rows["source_id"].tolist() == ["2"]
    assert reasons(batch.rejected) == [(1, "wrong number of columns"), (3, "wrong number of columns")]


def test_a_cell_beyond_the_limit_of_the_csv_module_is_read(tmp_path):
    long = "停水\n" * 60_000  # 180,000 characters in 60,000 lines; the module's own limit is 131,072
    batch = _read(tmp_path, f'1,2024-03-01,,"{long}"\n2,2024-03-01,,停电\n')
    assert [len(text) for text in batch.rows["narrative"]] == [len(long), 2]


def test_a_line_that_never_ends_is_rejected_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "MAX_RECORD_CHARACTERS", 50)
    batch = _read(tmp_path, f"1,2024-03-01,,{'停' * 120}\n2,2024-03-01,,停电\n")
    assert batch.rows["source_id"].tolist() == ["2"]
    assert reasons(batch.rejected) == [(1, "text too long")]


def test_old_line_ends_are_understood(tmp_path):
    (tmp_path / "desk.csv").write_bytes(b"id,time,title,text\r1,2024-03-01,,water\r2,2024-03-01,,power\r")
    assert read_all(make_source(), tmp_path).rows["narrative"].tolist() == ["water", "power"]


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("plain", "ascii", "utf-8"),
        ("楼上漏水，物业不管", "utf-8", "utf-8"),
        ("楼上漏水，物业不管", "utf-8-sig", "utf-8-sig"),
        ("楼上漏水，物业不管", "gbk", "gb18030"),
        ("漏水", "utf-16", "utf-16"),
    ],
)
def test_the_usual_encodings_are_told_apart(text, encoding, found):
    assert detect_encoding((text + "\n").encode(encoding)) == found


def test_western_accents_are_not_taken_for_chinese():
    sample = "Caf\xe9 voisin, bruit apr\xe8s minuit, \xe7a dure\n".encode("cp1252") * 20
    assert sample.decode(detect_encoding(sample)).startswith("Caf\xe9 voisin")


def test_a_sample_cut_inside_a_character_is_still_utf8():
    assert detect_encoding("停水\n停电".encode()[:-1]) == "utf-8"


def test_the_delimiter_is_the_one_that_agrees_in_every_line():
    assert detect_delimiter("a;b;c\n1,5;2,5;3,5\n4;5;6\n") == ";"
    assert detect_delimiter('a,b\n"x;y;z",2\n"p;q;r",3\n') == ","
