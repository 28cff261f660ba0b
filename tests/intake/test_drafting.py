import csv
import io
import os
import shutil
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml

from pipeline.errors import SourceError
from pipeline.intake.drafting import draft
from pipeline.intake.labels import draft_categories, draft_outcome_labels
from pipeline.intake.registration import load_source
from pipeline.intake.sniffing import guess_columns
from pipeline.intake.split_days import choose_split_days
from pipeline.intake.stage import run
from pipeline.params import load_profile
from pipeline.taxonomy import load_outcomes, load_taxonomy
from tests.conftest import ROOT

FIRST_DAY = datetime(2024, 1, 1, 8, tzinfo=UTC)
CHINESE = ["工单编号", "受理时间", "诉求标题", "诉求内容", "诉求类别", "所属区县", "来源渠道", "来电人", "处理结果", "办结时间"]
ENGLISH = ["CaseID", "Date Received", "Complaint Description", "Category", "District", "Caller Phone"]
WORDS = ["漏水", "停电", "欠薪", "噪音", "油烟", "退款", "电梯", "停车"]


def _write(path, header, rows, *, encoding, delimiter):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def _chinese_file(folder, *, labels=("物业管理", "劳动报酬", "环境噪声"), n_rows=300):
    rows = []
    for n in range(n_rows):
        received = FIRST_DAY + timedelta(hours=16 * n)
        told = "，".join(f"{WORDS[(n + k * k) % 8]}{n % 7}天没人管" for k in range(4))
        result = "已起诉到法院" if n % 9 == 0 else "已答复"
        rows.append(
            [f"G{n:05}", f"{received:%Y/%m/%d %H:%M}", f"{WORDS[n % 8]}问题", told, labels[n % len(labels)], f"第{n % 4}区",
             "热线" if n % 2 else "网站", f"user{n % 60}", result, f"{received + timedelta(days=6):%Y/%m/%d}"]
        )  # fmt: skip
    return _write(folder / "热线导出.csv", CHINESE, rows, encoding="gb18030", delimiter=";")


def _english_file(folder):
    rows = []
    for n in range(300):
        received = FIRST_DAY + timedelta(hours=16 * n)
        told = f"The lift in block {n % 9} has been out of order for {n} days, and nobody answers."
        rows.append(
            [
                70000 + n,
                f"{received:%d/%m/%Y}",
                told,
                ["Housing", "Noise & smell"][n % 2],
                f"Ward {n % 5}",
                f"555-01{n % 90:02}",
            ]
        )
    return _write(folder / "Complaints 2024.csv", ENGLISH, rows, encoding="utf-8-sig", delimiter=",")


@pytest.fixture
def project(tmp_path):
    (tmp_path / "data" / "taxonomy").mkdir(parents=True)
    for name in ("categories.yaml", "outcomes.yaml"):
        shutil.copy(ROOT / "data" / "taxonomy" / name, tmp_path / "data" / "taxonomy" / name)
    return tmp_path


def _use(root, name):
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    (root / "params.yaml").write_text(yaml.safe_dump(params | {"profile": name, "threads": 1}), encoding="utf-8")


def test_a_chinese_export_becomes_a_source_a_profile_and_a_taxonomy(project, tmp_path):
    draft(_chinese_file(tmp_path), project, name="hotline")
    source = load_source(project, "hotline")
    assert (source.encoding, source.delimiter, source.timezone, source.n_rows) == ("gb18030", ";", "Asia/Shanghai", 300)
    assert source.columns.named == {
        "source_id": "工单编号", "received_at": "受理时间", "title": "诉求标题", "narrative": "诉求内容", "area": "所属区县",
        "channel": "来源渠道", "reporter": "来电人", "category": "诉求类别",
    }  # fmt: skip
    assert source.categories == {"物业管理": "category_1", "劳动报酬": "category_2", "环境噪声": "category_3"}
    taxonomy = load_taxonomy(project / "data" / "taxonomy" / "hotline.yaml")
    assert [category.zh for category in taxonomy.categories] == ["物业管理", "劳动报酬", "环境噪声"]
    profile = load_profile(project, "hotline")
    assert profile.sources["hotline"].outcomes == ("formal_proceedings",)
    assert profile.nightly_sources == ("hotline",)


def test_a_drafted_source_goes_through_intake_as_it_is(project, tmp_path):
    draft(_chinese_file(tmp_path), project, name="hotline")
    _use(project, "hotline")
    summary = run(project)
    assert (summary.n_accepted, summary.n_rejected) == (300, 0)
    assert summary.n_outcomes > 20  # every ninth went to court
    assert summary.sources["hotline"]["unknown_labels"] == 0


def test_an_english_export_is_understood_too(project, tmp_path):
    drafted = draft(_english_file(tmp_path), project, name=None)
    source = load_source(project, "complaints-2024")
    assert source.columns.named == {
        "source_id": "CaseID", "received_at": "Date Received", "narrative": "Complaint Description", "area": "District",
        "reporter": "Caller Phone", "category": "Category",
    }  # fmt: skip
    assert (source.date_order, source.timezone) == ("dmy", "UTC")
    assert source.categories == {"Housing": "housing", "Noise & smell": "noise_smell"}
    assert load_profile(project, "complaints-2024").sources["complaints-2024"].outcomes == ("re_reported",)
    assert any("UTC was assumed" in doubt for doubt in drafted.doubts)
    _use(project, "complaints-2024")
    assert run(project).n_accepted == 300


def test_doubts_stand_beside_their_keys(project, tmp_path):
    draft(_english_file(tmp_path), project, name="desk")
    lines = (project / "data" / "registry" / "desk.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[lines.index("licence: unknown") - 1].startswith("# doubt:")


def test_nothing_is_overwritten(project, tmp_path):
    path = _english_file(tmp_path)
    draft(path, project, name="desk")
    with pytest.raises(SourceError, match="'desk' is taken"):
        draft(path, project, name="desk")


@pytest.mark.parametrize(("name", "content"), [("a.csv", b""), ("a.pdf", b"%PDF"), ("a.csv", b"id,n\n1,2\n3,4\n")])
def test_a_file_that_cannot_be_reports_leaves_nothing_behind(project, tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=name):
        draft(tmp_path / name, project, name="desk")
    assert not (project / "data" / "registry").exists()
    assert not (project / "data" / "raw").exists()


def test_rows_dated_after_the_file_was_made_do_not_move_the_splits(project, tmp_path):
    path = _english_file(tmp_path)
    made = datetime(2024, 6, 1, tzinfo=UTC).timestamp()
    os.utime(path, (made, made))
    draft(path, project, name="desk")
    assert load_profile(project, "desk").as_of == date(2024, 6, 2)


def test_labels_of_the_shipped_taxonomy_need_no_new_one(project):
    shipped = load_taxonomy(project / "data" / "taxonomy" / "categories.yaml")
    by_id = draft_categories("desk", Counter(wages=3, family=2), shipped, "categories")
    assert (by_id.taxonomy, by_id.content, by_id.categories) == ("categories", None, {})
    by_name = draft_categories("desk", Counter({"医疗": 3, "交通": 2}), shipped, "categories")
    assert by_name.categories == {"交通": "traffic", "医疗": "clinic"}


def test_labels_that_must_not_be_categories_are_left_out(project):
    shipped = load_taxonomy(project / "data" / "taxonomy" / "categories.yaml")
    drafted = draft_categories("desk", Counter({"物业": 30, "供水": 30, "信访": 30}), shipped, "categories")
    assert set(drafted.categories) == {"物业", "供水"}
    assert any("were left out" in doubt for doubt in drafted.doubts)


def test_outcome_labels_are_matched_to_declared_outcomes_or_to_none():
    known = load_outcomes(ROOT / "data" / "taxonomy" / "outcomes.yaml")
    labels = Counter(["有人受伤", "went to court", "formal_proceedings", "财物损毁", "没有受伤", "已答复", "no injuries"])
    assert draft_outcome_labels(labels, known) == {
        "有人受伤": "injury_or_threat_to_life", "went to court": "formal_proceedings",
        "formal_proceedings": "formal_proceedings", "财物损毁": "property_damage",
        "没有受伤": None, "已答复": None, "no injuries": None,
    }  # fmt: skip


def test_split_days_leave_two_windows_before_each_split_and_at_the_end():
    days = choose_split_days(Counter({date(2024, 1, 1) + timedelta(days=n): 1 + (n > 180) * 20 for n in range(200)}))
    cuts = [days.split[name] for name in ("validation", "calibration", "test")]
    assert days.as_of == date(2024, 7, 19)
    steps = [later - earlier for earlier, later in zip(cuts, [*cuts[1:], days.as_of], strict=True)]
    assert all(step >= timedelta(days=2 * days.window_days) for step in steps)


def test_a_few_weeks_are_too_short_to_split_by_date():
    assert choose_split_days(Counter({date(2024, 1, 1) + timedelta(days=n): 5 for n in range(30)})) is None


def test_columns_without_telling_headers_are_judged_by_their_cells():
    rows = [[f"x{n}", f"2024-01-{n % 28 + 1:02} 08:00", f"a long story about a lift, number {n * 31}"] for n in range(60)]
    guess = guess_columns(["a", "b", "c"], rows)
    assert guess.columns == {"source_id": "a", "received_at": "b", "narrative": "c"}
    assert set(guess.doubts) == {"source_id", "received_at", "narrative"}
