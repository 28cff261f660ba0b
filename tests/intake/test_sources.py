import gzip
import json

import openpyxl
import pandas as pd
import pytest

from pipeline.errors import SourceError
from pipeline.intake.sources import read
from tests.intake.builders import make_source, read_all, reasons

TABLE = pd.DataFrame(
    {
        "id": ["a1", "a2"],
        "time": ["2024-03-01 08:05:00", "2024-03-02 09:00:00"],
        "title": ["漏水", None],
        "text": ["楼上漏水，\n物业不管", "工资没有发"],
    }
)
HEADER = "id,time,title,text\n"


def _write_xlsx(path):
    book = openpyxl.Workbook()
    for row in [list(TABLE.columns), *TABLE.values.tolist()]:
        book.active.append(row)
    book.save(path)


@pytest.mark.parametrize(
    ("name", "kind", "write"),
    [
        ("desk.csv", "csv", lambda path: TABLE.to_csv(path, index=False)),
        ("desk.csv.gz", "csv", lambda path: TABLE.to_csv(path, index=False)),
        ("desk.jsonl", "jsonl", lambda path: TABLE.to_json(path, orient="records", lines=True)),
        ("desk.jsonl.gz", "jsonl", lambda path: TABLE.to_json(path, orient="records", lines=True)),
        ("desk.parquet", "parquet", lambda path: TABLE.to_parquet(path)),
        ("desk.xlsx", "xlsx", _write_xlsx),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path, name, kind, write):
    write(tmp_path / name)
    rows = read_all(make_source(name, format=kind), tmp_path).rows
    assert rows["source_id"].tolist() == ["a1", "a2"]
    assert rows["received_at"].tolist() == ["2024-03-01 08:05:00", "2024-03-02 09:00:00"]
    assert rows["narrative"].tolist() == ["楼上漏水，\n物业不管", "工资没有发"]
    assert rows["title"].fillna("").tolist() == ["漏水", ""]
    assert rows["source_row"].tolist() == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(tmp_path, encoding, delimiter):
    TABLE.to_csv(tmp_path / "desk.csv", index=False, encoding=encoding, sep=delimiter)
    assert read_all(make_source(), tmp_path).rows["narrative"].tolist() == TABLE["text"].tolist()


def test_declared_encoding_and_delimiter_are_followed(tmp_path):
    (tmp_path / "desk.csv").write_bytes("id^time^title^text\n1^2024-03-01^^停水，三天\n".encode("gb18030"))
    source = make_source(encoding="gb18030", delimiter="^")
    assert read_all(source, tmp_path).rows["narrative"].tolist() == ["停水，三天"]


def test_batches_are_no_larger_than_asked_for_and_row_numbers_go_on_through_files(tmp_path):
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(HEADER + "1,2024-03-01,,停水\n2,2024-03-01,,停电\n3,2024-03-01,,停气\n", encoding="utf-8")
    batches = list(read(make_source("one.csv", "two.csv"), tmp_path, batch_rows=4))
    assert [batch.rows["source_row"].tolist() for batch in batches] == [[1, 2, 3, 4], [5, 6]]


def test_segmented_text_stands_in_for_a_missing_narrative(tmp_path):
    lines = [{"text": "楼上 漏水", "seg": "楼上 漏水"}, {"text": None, "seg": "楼上 漏水"}, {"text": " ", "seg": "停 水"}]
    (tmp_path / "desk.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    columns = {"narrative": "text", "narrative_fallback": "seg"}
    rows = read_all(make_source("desk.jsonl", format="jsonl", dated=False, columns=columns), tmp_path).rows
    assert rows["narrative"].tolist() == ["楼上 漏水", "楼上漏水", "停水"]
    assert rows["segmented"].tolist() == [False, True, True]


def test_numbers_dates_and_lists_become_text(tmp_path):
    frame = pd.DataFrame(
        {"id": [7.0, 8.5], "time": [pd.Timestamp("2024-03-01 08:00")] * 2, "title": [True, False], "text": [["a"], ["b"]]}
    )
    frame.to_parquet(tmp_path / "desk.parquet")
    rows = read_all(make_source("desk.parquet", format="parquet"), tmp_path).rows
    assert rows["source_id"].tolist() == ["7", "8.5"]
    assert rows["received_at"].tolist() == ["2024-03-01T08:00:00"] * 2
    assert rows["title"].tolist() == ["true", "false"]
    assert rows["narrative"].tolist() == ['["a"]', '["b"]']


def test_a_wrong_column_map_names_what_is_missing_and_what_is_there(tmp_path):
    (tmp_path / "desk.csv").write_text("编号,时间,标题,内容\n1,2024-03-01,,停水\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"lacks the column\(s\) id, time, title, text; it has 编号, 时间, 标题, 内容"):
        read_all(make_source(), tmp_path)


@pytest.mark.parametrize(
    ("name", "kind"), [("desk.csv", "csv"), ("desk.jsonl", "jsonl"), ("desk.parquet", "parquet"), ("desk.xlsx", "xlsx")]
)
def test_missing_empty_and_foreign_files_are_refused_by_name(tmp_path, name, kind):
    source = make_source(name, format=kind)
    with pytest.raises(SourceError, match="no such file"):
        read_all(source, tmp_path)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(SourceError, match=name):
        read_all(source, tmp_path)
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\nthis is a picture")
    with pytest.raises(SourceError, match=name):
        read_all(source, tmp_path)


def test_a_gzip_file_that_breaks_off_is_refused(tmp_path):
    packed = gzip.compress((HEADER + "".join(f"{n},2024-03-01,,停水{n * 7919}\n" for n in range(5000))).encode())
    (tmp_path / "desk.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(SourceError, match="cut off"):
        read_all(make_source("desk.csv.gz"), tmp_path)


def test_bytes_of_another_encoding_cost_their_row_only(tmp_path):
    good, bad = "1,2024-03-01,,停水三天了\n", "2,2024-03-01,,物业不管\n"
    (tmp_path / "desk.csv").write_bytes((HEADER + good).encode() + bad.encode("gb18030") + good.replace("1,", "3,", 1).encode())
    batch = read_all(make_source(), tmp_path)
    assert batch.rows["source_id"].tolist() == ["1", "3"]
    assert reasons(batch.rejected) == [(2, "broken encoding")]


def test_nul_bytes_cost_their_row_only(tmp_path):
    (tmp_path / "desk.csv").write_text(HEADER + "1,2024-03-01,,停\x00水\n2,2024-03-01,,停电\n", encoding="utf-8")
    batch = read_all(make_source(), tmp_path)
    assert batch.rows["source_id"].tolist() == ["2"]
    assert reasons(batch.rejected) == [(1, "NUL bytes")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json}", "not a JSON object"),
        ("[1, 2]", "not a JSON object"),
        ("[" * 100_000, "not a JSON object"),
        ('{"text": "a\\u0000b"}', "NUL bytes"),
        ('{"text": "a\\ud800b"}', "broken encoding"),
    ],
)
def test_a_bad_json_line_costs_itself_only(tmp_path, line, reason):
    (tmp_path / "desk.jsonl").write_text(f'{{"text": "停水"}}\n\n{line}\n{{"text": "停电"}}\n', encoding="utf-8")
    source = make_source("desk.jsonl", format="jsonl", dated=False, columns={"narrative": "text"})
    batch = read_all(source, tmp_path)
    assert batch.rows["narrative"].tolist() == ["停水", "停电"]
    assert reasons(batch.rejected) == [(2, reason)]
