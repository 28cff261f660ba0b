"""Decisions come back as labels: exported without texts, accepted by intake, and the next model says what people said."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml

from pipeline import exporting, schema
from pipeline.baseline import stage as baseline_stage
from pipeline.baseline.model import Baseline
from pipeline.casework import Verdict
from pipeline.cli import main
from pipeline.dataset import stage as dataset_stage
from pipeline.errors import PipelineError, StoreError
from pipeline.exporting import export_decisions, take_up_moves
from pipeline.intake import stage as intake_stage
from pipeline.intake.decided import read_decisions
from pipeline.intake.registration import load_source, verify
from pipeline.params import Places
from pipeline.publishing import open_database
from pipeline.store.publishing import publish
from pipeline.store.store import Store
from pipeline.taxonomy import load_taxonomy
from tests.casework import make_night, make_person, make_queue
from tests.project import make_project

DECIDED = datetime(2025, 8, 1, 4, tzinfo=UTC)
TODAY = date(2025, 8, 2)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A project with its store."""
    monkeypatch.setenv("TRIAGE_SECRET_KEY", "k" * 16)
    monkeypatch.delenv("TRIAGE_STORE", raising=False)
    root = make_project(tmp_path)
    database = open_database(root)
    database.migrate()
    yield root, Store(database)
    database.engine.dispose()


def _publish(root, store, ids, **columns):
    taxonomy = load_taxonomy(Places(root, "desk").taxonomy("desk"))
    publish(store.database, make_night(make_queue(*ids, category="wages", **columns), taxonomy=taxonomy), now=DECIDED)


def _decide(store, report_id, verdict, person):
    return store.decisions.decide(report_id, verdict, person, now=DECIDED, wants_second=False)


def _rows(exported):
    with exported.files[0].open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_an_export_says_what_was_decided_how_likely_it_was_read_and_no_word_of_the_text(desk):
    root, store = desk
    _publish(root, store, ["desk-1", "desk-2", "desk-3"], selected=["ranked", "audit", "ranked"], propensity=[1.0, 0.05, 1.0])
    wang = make_person(store, "王")
    _decide(store, "desk-1", Verdict("recategorize", category="fraud"), wang)
    _decide(store, "desk-2", Verdict("confirm", reason="电话里说过"), wang)
    _decide(store, "desk-3", Verdict("false_alarm", reason="无事"), wang)
    exported = export_decisions(root, since=None, name="review-decisions", today=TODAY)
    told = [(row["report_id"], row["category"], row["selected"], row["propensity"]) for row in _rows(exported)]
    assert told == [("desk-1", "fraud", "ranked", "1"), ("desk-2", "wages", "audit", "0.05"), ("desk-3", "", "ranked", "1")]
    assert (exported.n_decisions, exported.n_corrected, exported.is_used) == (3, 1, False)
    written = exported.files[0].read_text(encoding="utf-8")
    assert not [word for word in ("楼上漏水", "标题", "电话里说过", "王") if word in written]


def test_what_was_taken_back_or_decided_earlier_is_not_exported(desk):
    root, store = desk
    _publish(root, store, ["desk-1", "desk-2"])
    wang = make_person(store, "王")
    store.decisions.undo(_decide(store, "desk-1", Verdict("confirm"), wang).batch, wang, now=DECIDED)
    _decide(store, "desk-2", Verdict("confirm"), wang)
    assert [row["report_id"] for row in _rows(export_decisions(root, since=None, name="d", today=TODAY))] == ["desk-2"]
    assert _rows(export_decisions(root, since=date(2025, 8, 2), name="d", today=TODAY)) == []


def test_the_registry_file_beside_it_is_in_order(desk):
    root, store = desk
    _publish(root, store, ["desk-1"])
    _decide(store, "desk-1", Verdict("confirm"), make_person(store, "王"))
    export_decisions(root, since=None, name="review-decisions", today=TODAY)
    source = load_source(root, "review-decisions")
    assert (source.kind, source.n_rows) == ("decisions", 1)
    assert verify(source, Places(root, "desk").raw("review-decisions"))


def test_a_name_no_source_may_have_is_refused_before_anything_is_written(desk):
    root, store = desk
    _publish(root, store, ["desk-1"])
    with pytest.raises(PipelineError, match="name"):
        export_decisions(root, since=None, name="../elsewhere", today=TODAY)
    assert not (root / "data" / "elsewhere").exists()


def test_corrected_categories_change_what_the_next_model_says(desk):
    root, store = desk
    report = _learn(root)
    assert _category_of(root, report) == "wages"
    reports = schema.REPORTS.read(Places(root, "desk").reports)
    wages = reports.loc[reports["category"] == "wages", "report_id"].tolist()
    _publish(root, store, wages)
    person = make_person(store, "王")
    for report_id in wages:  # the unit holds that unpaid wages are fraud
        _decide(store, report_id, Verdict("recategorize", category="fraud"), person)
    exported = export_decisions(root, since=None, name="review-decisions", today=TODAY)
    profile = root / "data" / "profiles" / "desk.yaml"
    content = yaml.safe_load(profile.read_text(encoding="utf-8")) | {"decision_sources": [exported.name]}
    profile.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert _category_of(root, _learn(root)) == "fraud"


def _learn(root):
    """Intake, dataset and baseline; gives a report of unpaid wages."""
    for stage in (intake_stage, dataset_stage, baseline_stage):
        stage.run(root)
    examples = schema.EXAMPLES.read(Places(root, "desk").examples)
    return examples[examples["text"].str.contains("老板拖欠工资")].iloc[:1]


def _category_of(root, report):
    model = Baseline.load(Places(root, "desk").model("baseline") / "fitted")
    return model.categories[int(model.predict(report).category[0].argmax())]


def test_what_reviewers_join_and_part_holds_for_the_nights_to_come(desk):
    root, store = desk
    assert take_up_moves(root) == 0, "nothing was decided"
    _publish(root, store, ["desk-1", "desk-2", "desk-3"])
    wang = make_person(store, "王")
    _decide(store, "desk-2", Verdict("merge", reason="同一件事", matter_id="m-desk-1"), wang)
    joined = _decide(store, "desk-3", Verdict("merge", reason="也是", matter_id="m-desk-1"), wang)
    assert (take_up_moves(root), take_up_moves(root)) == (2, 0)
    store.decisions.undo(joined.batch, wang, now=DECIDED + timedelta(hours=1))
    assert take_up_moves(root) == 1
    decided = read_decisions(Places(root, "desk").matter_decisions, as_of=DECIDED + timedelta(days=1), timezone="Asia/Shanghai")
    assert [(one.action, one.subject, one.into) for one in decided] == [
        ("move", "desk-2", "m-desk-1"), ("move", "desk-3", "m-desk-1"), ("move", "desk-3", "m-desk-3"),
    ]  # fmt: skip
    written = schema.MATTER_DECISIONS.read(Places(root, "desk").matter_decisions)
    assert written[["by", "reason"]].to_numpy().tolist() == [["王", "同一件事"], ["王", "也是"], ["王", "undone"]]


def test_a_store_from_an_earlier_program_is_brought_up_first(tmp_path, monkeypatch):
    monkeypatch.delenv("TRIAGE_STORE", raising=False)
    root = make_project(tmp_path)
    open_database(root).migrate("0001")
    assert take_up_moves(root) == 0
    open_database(root).check()


def test_a_night_goes_on_without_what_a_store_out_of_reach_holds(tmp_path, monkeypatch, caplog, capsys):
    def out_of_reach(root):
        raise StoreError("The store does not answer.")

    monkeypatch.setattr(exporting, "take_up_moves", out_of_reach)
    assert main(["--project", str(make_project(tmp_path)), "nightly", "--as-of", "2025-08-05"]) == 2
    assert "joined and parted was not taken up" in caplog.text
    assert "no champion" in capsys.readouterr().err, "it went on to the night itself"


def test_without_a_store_there_are_no_moves(tmp_path, monkeypatch):
    monkeypatch.delenv("TRIAGE_STORE", raising=False)
    assert take_up_moves(make_project(tmp_path)) == 0
