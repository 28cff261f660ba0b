import json
import shutil

import pytest

from pipeline import tracking
from pipeline.encoder.tracked import track
from pipeline.errors import ArtifactError
from tests.conftest import ROOT


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project folder with the encoder's configuration and nothing else."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "models" / "encoder").mkdir(parents=True)
    shutil.copy(ROOT / "models" / "encoder" / "config.yaml", tmp_path / "models" / "encoder" / "config.yaml")
    return tmp_path


def _write(path, losses, *, cut_off=""):
    lines = [
        json.dumps({"step": 10 * number, "tokens": 1000 * number, "masked_loss": loss, "held_out_loss": None})
        for number, loss in enumerate(losses, start=1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n" + cut_off, encoding="utf-8")


def _history(project, run_id):
    with tracking.connected(project) as mlflow:
        return [(metric.step, metric.value) for metric in mlflow.MlflowClient().get_metric_history(run_id, "masked_loss")]


def test_a_log_that_grew_is_brought_again_without_doubling(project):
    log = project / "data" / "processed" / "encoder" / "zh-small" / "log.jsonl"
    _write(log, [9.0, 8.0], cut_off='{"step": 30, "tok')
    first = track(project)
    _write(log, [9.0, 8.0, 7.5])
    assert track(project) == first
    assert _history(project, first) == [(10, 9.0), (20, 8.0), (30, 7.5)]


def test_another_run_of_the_encoder_is_another_run(project, tmp_path):
    _write(tmp_path / "one.jsonl", [9.0])
    _write(tmp_path / "two.jsonl", [8.9])
    assert track(project, log=tmp_path / "one.jsonl") != track(project, log=tmp_path / "two.jsonl")


def test_the_log_beside_the_shipped_encoder_will_do(project):
    _write(project / "models" / "encoder" / "zh-small" / "training.jsonl", [9.0])
    assert _history(project, track(project)) == [(10, 9.0)]


@pytest.mark.parametrize(("text", "said"), [("", "no complete line"), ('{"loss": 1}\n', "line 1"), ("oops\n", "line 1")])
def test_a_log_that_cannot_be_read_is_named(project, tmp_path, text, said):
    (tmp_path / "log.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=said):
        track(project, log=tmp_path / "log.jsonl")


def test_without_a_log_it_says_what_to_run(project):
    with pytest.raises(ArtifactError, match="triage run encoder"):
        track(project)
