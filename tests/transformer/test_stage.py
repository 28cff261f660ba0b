import json
import shutil

import pandas as pd
import pytest
import yaml

from pipeline.errors import TrainingError
from pipeline.params import Places
from pipeline.schema import EXAMPLES, LOGITS
from pipeline.transformer import model, stage
from pipeline.transformer.card import render_card
from tests.conftest import ROOT
from tests.made_up import CATEGORIES, make_examples, without_escalation
from tests.transformer.small import small_params


@pytest.fixture(scope="module")
def examples():
    days = {"train": "2025-01-01", "validation": "2025-06-01", "calibration": "2025-07-01", "test": "2025-08-01"}
    parts = [make_examples(90 if split == "train" else 24, split=split, start=start) for split, start in days.items()]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def project(tmp_path, examples):
    """A project folder whose dataset stage has just run."""
    return _make_project(tmp_path, examples)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, examples):
    """A project folder whose transformer stage has run too, and what the stage said."""
    root = _make_project(tmp_path_factory.mktemp("finished"), examples)
    return root, stage.run(root)


def _make_project(root, examples):
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    sample = yaml.safe_load((ROOT / "data/profiles/sample.yaml").read_text(encoding="utf-8"))
    units = {"desk": {"zh": "值班台", "en": "Desk"}}
    leaf = {"zh": "类", "en": "Kind", "kind": "dispute", "unit": "desk", "response_hours": 24, "severity_weight": 1.0}
    categories = [{"id": name, **leaf} for name in CATEGORIES]
    for path, content in {
        "params.yaml": {**params, "profile": "sample", "threads": 1},
        "data/profiles/sample.yaml": {**sample, "taxonomy": "three"},
        "data/taxonomy/three.yaml": {"name": "three", "version": 1, "units": units, "categories": categories},
        "data/registry/sample.yaml": {"title": "Made up", "licence": "CC0-1.0", "pii": "none"},
        "models/transformer/config.yaml": small_params(optimization={"epochs": 2}).model_dump(),
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    places = Places(root, "sample")
    EXAMPLES.write(examples, places.examples)
    (places.examples.parent / "card.json").write_text(json.dumps({"digest": "abc123", "n_examples": len(examples)}))
    return root


def test_the_stage_writes_logits_for_every_split_and_a_model_that_gives_them(finished, examples):
    project, summary = finished
    places = Places(project, "sample")
    table = LOGITS.read(places.model("transformer") / "logits.parquet")
    assert table["report_id"].tolist() == examples["report_id"].tolist()
    assert set(table["split"]) == {"train", "validation", "calibration", "test"}
    loaded = model.Transformer.load(places.model("transformer") / "fitted").predict(examples)
    assert table["risk_logit"].tolist() == loaded.risk.tolist()
    assert (summary.n_examples, summary.n_learned, summary.n_epochs) == (162, 90, 2)


def test_a_finished_stage_leaves_no_checkpoint_and_no_half_written_model(finished):
    folder = Places(finished[0], "sample").model("transformer")
    assert {path.name for path in folder.iterdir()} == {"fitted", "logits.parquet", "work"}
    assert {path.name for path in (folder / "work").iterdir()} == {"tokens"}


def test_running_elsewhere_gives_the_same_logits(finished, project):
    stage.run(project)
    one, other = (
        LOGITS.read(Places(root, "sample").model("transformer") / "logits.parquet") for root in (finished[0], project)
    )
    pd.testing.assert_frame_equal(one, other)


def test_a_disk_that_is_full_leaves_the_model_before(project, monkeypatch):
    stage.run(project)
    fitted = Places(project, "sample").model("transformer") / "fitted"
    before = {path.name: path.read_bytes() for path in fitted.iterdir()}

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("pipeline.transformer.artifact.save_encoder", full)
    with pytest.raises(TrainingError, match="No space left"):
        stage.run(project)
    assert {path.name: path.read_bytes() for path in fitted.iterdir()} == before
    assert not fitted.with_name("fitted.writing").exists()


@pytest.mark.parametrize("split", ["train", "validation"])
def test_an_empty_split_is_refused(project, examples, split):
    EXAMPLES.write(examples[examples["split"] != split], Places(project, "sample").examples)
    with pytest.raises(TrainingError, match=f"{split} of EXAMPLES have no report"):
        stage.run(project)


def test_a_promised_escalation_label_that_is_censored_throughout_is_refused(project, examples):
    EXAMPLES.write(without_escalation(examples), Places(project, "sample").examples)
    with pytest.raises(TrainingError, match="window.*later as_of"):
        stage.run(project)


def test_the_card_says_what_the_model_is_for_and_not_for(finished):
    card = (Places(finished[0], "sample").model("transformer") / "fitted" / "README.md").read_text(encoding="utf-8")
    for said in ("abc123", "CC0-1.0", "Intended use", "Must not be used for", "people", "random weights", "Not evaluated yet"):
        assert said in card


def test_the_card_shows_the_evaluation_once_there_is_one(finished, tmp_path):
    project = tmp_path / "evaluated"
    shutil.copytree(finished[0], project)
    folder = Places(project, "sample").evaluation("transformer")
    folder.mkdir(parents=True)
    metrics = {"category": {"n_reports": 24, "macro_f1": 0.8765, "macro_f1_low": 0.81, "macro_f1_high": 0.93}}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    (folder / "per_class.csv").write_text("category,f1\nwages,0.9\n")
    (folder / "slices_category.csv").write_text("dimension,slice,n_reports,accuracy\narea,东|区,3,\n")
    card = render_card(project)
    assert "| macro_f1 | 0.876 | 0.810 to 0.930 |" in card
    assert "| wages | 0.900 |" in card
    assert "| area | 东\\|区 | 3 | - |" in card
    assert "Not evaluated yet" not in card


def test_the_card_holds_no_text_of_a_report(finished, examples):
    card = render_card(finished[0])
    assert not any(text in card for text in examples["text"])
