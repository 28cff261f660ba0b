import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from pipeline import registry, schema, tracking
from pipeline.errors import ArtifactError, TrackingError

REPORT = {"title": "拖欠工资", "text": "工地三个月没发工资，老板不接电话。", **dict.fromkeys(schema.HISTORY, 0.0)}


@pytest.fixture
def artifact(project, tmp_path):
    return registry.assemble(project, "baseline", tmp_path / "artifact")


def test_an_artifact_scores_like_the_stages_did(project, artifact):
    model = registry.load(artifact)
    examples = schema.EXAMPLES.read(project / "data" / "dataset" / "desk" / "examples.parquet")
    scored = model.score(examples)
    stage = schema.PROBABILITIES.read(project / "models" / "baseline" / "desk" / "probabilities.parquet").set_index("report_id")
    expected = stage.loc[examples["report_id"]]
    assert scored["category"].tolist() == expected["category"].tolist()
    assert scored["risk"].to_numpy() == pytest.approx(expected["risk"].to_numpy(), abs=1e-6)


def test_the_champion_loads_and_predicts_in_a_fresh_process_from_another_folder(project, tmp_path):
    program = (
        "import json, sys, mlflow, pandas as pd\n"
        "mlflow.set_tracking_uri(sys.argv[1])\n"
        "model = mlflow.pyfunc.load_model('models:/dispute-triage-desk@champion')\n"
        "print(model.predict(pd.DataFrame([json.loads(sys.argv[2])])).to_json(orient='records'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, tracking.tracking_uri(project), json.dumps(REPORT)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout.splitlines()[-1])
    here = registry.champion(project, "desk").score(pd.DataFrame([REPORT])).iloc[0]
    assert answer["category"] == here["category"]
    assert answer["risk"] == pytest.approx(here["risk"])


def test_the_tracked_run_has_parameters_metrics_data_and_revision(project):
    logged = json.loads((project / "models" / "baseline" / "desk" / "run.json").read_text(encoding="utf-8"))
    with tracking.connected(project) as mlflow:
        run = mlflow.get_run(logged["run_id"])
    assert run.data.params["profile.label_window_days"] == "10"
    assert run.data.params["params.intake.reject_limit"] == "0.05"
    assert 0 <= run.data.metrics["category.macro_f1"] <= 1
    assert len(run.data.tags["examples"]) == 64
    assert run.data.tags["git"]
    assert len(run.inputs.dataset_inputs) == 1


@pytest.mark.parametrize("damage", ["model.json", "calibrators.json", "fitted"])
def test_an_incomplete_artifact_is_refused(artifact, damage):
    target = artifact / damage
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    with pytest.raises(ArtifactError):
        registry.load(artifact)


def test_a_damaged_artifact_is_refused(artifact):
    largest = max((path for path in (artifact / "fitted").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-100])
    with pytest.raises(ArtifactError):
        registry.load(artifact)


def test_an_unknown_model_names_the_known_ones(project):
    with pytest.raises(ArtifactError, match="Known models: baseline, ensemble, transformer"):
        registry.classifier_class("oracle")


def test_a_server_that_does_not_answer_is_named_and_its_password_is_not(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://somebody:secret@127.0.0.1:9/")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError, match=r"127.0.0.1:9.*unset it") as caught:
        registry.champion(project, "desk")
    assert "secret" not in str(caught.value)
