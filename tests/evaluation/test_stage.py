"""The evaluation stage, from EXAMPLES and PROBABILITIES to what an analyst reads."""

import json
import re

import pandas as pd
import pytest
import yaml

from pipeline.baseline import stage as baseline
from pipeline.calibration import stage as calibration
from pipeline.errors import ArtifactError, SchemaError
from pipeline.evaluation.stage import run
from pipeline.schema import EXAMPLES, PROBABILITIES
from tests.learning import made_up_splits, make_project

SCRIPT, FORMULA = "<script>alert(1)</script>", "=cmd|'/c calc'!A1"
PICTURES = {"volume", "confusion", "reliability_category", "reliability_risk", "precision_recall", "capacity"}
PICTURES |= {"reliability_by_category", "coverage"}


def _evaluate(folder, examples=None):
    places = make_project(folder, examples)
    baseline.run(places.root)
    calibration.run(places.root, "baseline")
    return places, run(places.root, "baseline")


def _metrics(places):
    return json.loads((places.evaluation("baseline") / "metrics.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    examples = made_up_splits()
    examples["area"] = [(SCRIPT, FORMULA)[number % 2] for number in range(len(examples))]
    return _evaluate(tmp_path_factory.mktemp("project"), examples)


@pytest.fixture(scope="module")
def places(evaluated):
    return evaluated[0]


def test_only_the_test_split_is_measured(places):
    metrics = _metrics(places)
    assert metrics["category"]["n_reports"] == metrics["risk"]["n_reports"] == 120


def test_metrics_hold_calibration_lanes_and_equal_care(places):
    metrics = _metrics(places)
    assert set(metrics["calibration"]) == {"category", "risk", "by_category"}
    assert set(metrics["lanes"]["by_lane"]) == {"clear", "choose", "unclear"}
    assert metrics["equal_care"]["violations"] == []


def test_every_metric_lies_within_its_interval_or_beside_it(places):
    for section in (_metrics(places)["category"], _metrics(places)["risk"]):
        for name in section:
            if f"{name}_low" in section:
                assert section[f"{name}_low"] <= section[f"{name}_high"]


def test_the_summary_is_what_was_written(evaluated):
    places, summary = evaluated
    assert summary.macro_f1 == _metrics(places)["category"]["macro_f1"]
    assert summary.average_precision == _metrics(places)["risk"]["average_precision"]


def test_every_first_baseline_stands_beside_the_model(places):
    expected = {"arrival_order", "newest_first", "keywords", "best_feature", "text_only"}
    assert set(_metrics(places)["baselines"]) == expected


def test_worst_expected_and_best_recall_are_in_order(places):
    for ranking in (_metrics(places)["risk"], *_metrics(places)["baselines"].values()):
        worst, best = ranking["recall_at_capacity_worst"], ranking["recall_at_capacity_best"]
        assert worst - 1e-9 <= ranking["recall_at_capacity"] <= best + 1e-9


def test_every_picture_is_written_and_shown(places):
    folder = places.evaluation("baseline")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert {path.stem for path in (folder / "plots").glob("*.png")} == PICTURES
    assert page.count("data:image/png;base64,") == len(PICTURES)


def test_the_page_needs_nothing_from_elsewhere(places):
    page = (places.evaluation("baseline") / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_every_heading_caption_and_column_is_in_chinese_and_english(places):
    page = (places.evaluation("baseline") / "report.html").read_text(encoding="utf-8")
    shown = re.findall(r"<(h1|h2|figcaption|th)\b[^>]*>(.*?)</\1>", page, flags=re.DOTALL)
    named = [words for _, words in shown if words]  # the column beside the category's Chinese name has no heading of its own
    assert len(named) > 30
    assert [words for words in named if not re.search(r'[\u4e00-\u9fff].*<span lang="en">.+</span>', words, re.DOTALL)] == []


def test_the_page_names_the_categories_in_chinese(places):
    page = (places.evaluation("baseline") / "report.html").read_text(encoding="utf-8")
    assert "邻里" in page


def test_nothing_that_a_source_wrote_becomes_markup(places):
    page = (places.evaluation("baseline") / "report.html").read_text(encoding="utf-8")
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page


def test_no_cell_of_a_table_is_a_formula(places):
    for path in places.evaluation("baseline").rglob("*.csv"):
        for column in pd.read_csv(path, dtype=str).items():
            assert not [cell for cell in column[1].dropna() if str(cell).startswith(("=", "@", "+"))], path.name
    assert FORMULA in (places.evaluation("baseline") / "slices_category.csv").read_text(encoding="utf-8")


def test_no_text_of_a_report_is_written_anywhere(places):
    texts = EXAMPLES.read(places.examples)["text"]
    for path in places.evaluation("baseline").rglob("*"):
        if path.suffix in (".json", ".csv", ".html"):
            content = path.read_text(encoding="utf-8")
            assert not [text for text in texts if text in content], path.name


def test_the_confusion_table_has_one_row_a_report(places):
    table = pd.read_csv(places.evaluation("baseline") / "plots/confusion.csv")
    assert table.columns.tolist() == ["actual", "predicted"]
    assert len(table) == 120


def test_measuring_again_gives_the_same_bytes(places):
    folder = places.evaluation("baseline")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    run(places.root, "baseline")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_without_escalation_labels_only_the_category_is_measured(tmp_path):
    examples = made_up_splits()
    examples["escalated"] = pd.array([pd.NA] * len(examples), dtype="boolean")
    places, summary = _evaluate(tmp_path, examples)
    assert (summary.n_category, summary.n_risk) == (120, 0)
    assert "No risk was measured" in summary.report.read_text(encoding="utf-8")


def test_category_and_risk_may_come_from_different_reports(tmp_path):
    examples = made_up_splits()
    odd = examples.index % 2 == 1
    examples.loc[odd, "category"] = None
    examples.loc[odd, "source"] = "other"
    examples.loc[~odd, "escalated"] = pd.NA
    examples.loc[~odd, "received_at"] = pd.NaT
    places, summary = _evaluate(tmp_path, examples)
    assert (summary.n_category, summary.n_risk) == (60, 60)


def test_a_waiver_of_the_profile_is_shown(tmp_path):
    places = make_project(tmp_path)
    waiver = {"slice": "area=西区", "why": "its desk notes by telephone", "who": "Li", "until": "2026-01-01"}
    path = places.root / "data/profiles/made-up.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(content | {"waivers": [waiver]}, allow_unicode=True), encoding="utf-8")
    baseline.run(places.root)
    calibration.run(places.root, "baseline")
    page = run(places.root, "baseline").report.read_text(encoding="utf-8")
    assert "area=西区: its desk notes by telephone (Li, until 2026-01-01)" in page


def test_calibrators_that_promise_nothing_are_refused(tmp_path):
    places = make_project(tmp_path)
    baseline.run(places.root)
    calibration.run(places.root, "baseline")
    (places.model("baseline") / "calibrators.json").write_text('{"version": 1}', encoding="utf-8")
    with pytest.raises(ArtifactError, match="triage run calibration --model baseline"):
        run(places.root, "baseline")


def test_without_a_test_split_the_page_says_that_nothing_was_measured(tmp_path):
    examples = made_up_splits()
    places, summary = _evaluate(tmp_path, examples[examples["split"] != "test"])
    assert (summary.n_category, summary.n_risk) == (0, 0)
    assert "Nothing could be measured" in summary.report.read_text(encoding="utf-8")


def test_the_baselines_text_score_is_left_out_where_it_was_not_made(tmp_path):
    places = make_project(tmp_path)
    baseline.run(places.root)
    calibration.run(places.root, "baseline")
    (places.model("baseline") / "text_only.parquet").unlink()
    run(places.root, "baseline")
    assert "text_only" not in _metrics(places)["baselines"]


def test_probabilities_of_other_reports_are_refused(tmp_path):
    places = make_project(tmp_path)
    baseline.run(places.root)
    calibration.run(places.root, "baseline")
    path = places.model("baseline") / "probabilities.parquet"
    PROBABILITIES.write(PROBABILITIES.read(path).iloc[:-1], path)
    with pytest.raises(SchemaError, match="1 of 120 test reports"):
        run(places.root, "baseline")
