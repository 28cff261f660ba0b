import pytest
import yaml
from transformers import AutoModel, AutoTokenizer

from pipeline.encoder import adaptation, stage
from pipeline.encoder.adaptation import adapt
from pipeline.errors import TrainingError
from pipeline.schema import EXAMPLES
from tests.encoder.test_encoder import make_params, write_project
from tests.learning import made_up_splits, make_project

PLAN = {"warmup_tokens": 128, "stable_tokens": 512, "decay_tokens": 128, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose dataset stage has run and whose encoder is pre-trained."""
    root = tmp_path_factory.mktemp("adapted")
    make_project(root, made_up_splits())
    write_project(root, make_params())
    content = make_params().model_dump(mode="json") | {"adaptation": PLAN}
    (root / "models/encoder/config.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    stage.run(root)
    return root


def test_the_encoder_goes_on_under_a_name_of_the_profile(project):
    before = (project / "models/encoder/zh-small/model.safetensors").read_bytes()
    summary = adapt(project)
    assert summary.finished
    assert summary.n_tokens == 768  # three steps of 256 tokens cover 512 and 128
    assert AutoModel.from_pretrained(summary.exported).config.hidden_size == 16
    assert AutoTokenizer.from_pretrained(summary.exported).tokenize("[手机号]") == ["[手机号]"]
    assert summary.exported.name.startswith("zh-small-")
    assert (project / "models/encoder/zh-small/model.safetensors").read_bytes() == before


def test_only_training_reports_are_read(project, monkeypatch):
    seen = []
    monkeypatch.setattr(adaptation, "continue_pretraining", lambda texts, *_, **__: seen.extend(texts))
    adapt(project)
    examples = EXAMPLES.read(next(project.glob("data/dataset/*/examples.parquet")))
    train = examples[examples["split"] == "train"]
    assert len(seen) == len(train) < len(examples)
    assert seen[0] == f"{train['title'].iloc[0]}\n{train['text'].iloc[0]}".strip()


def test_without_an_encoder_it_says_what_to_run(tmp_path):
    make_project(tmp_path, made_up_splits())
    write_project(tmp_path, make_params())
    with pytest.raises(TrainingError, match="triage run encoder"):
        adapt(tmp_path)
