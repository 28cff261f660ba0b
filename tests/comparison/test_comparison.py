import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from transformers import BertConfig, BertModel

from pipeline.cli import COMPARED
from pipeline.comparison import cells
from pipeline.comparison.cells import ALL, Cell, Grid, draw_labels, labelled, measure, read
from pipeline.comparison.curve import compare, summarize, to_markdown
from pipeline.comparison.starts import MODELS, encoder_digest
from pipeline.errors import ArtifactError, TrainingError
from pipeline.params import load_params
from pipeline.transformer.encoders import Encoder, save_encoder
from pipeline.transformer.vocabulary import learn_tokenizer
from tests.conftest import ROOT
from tests.learning import made_up_splits, make_project
from tests.made_up import CATEGORIES, make_examples
from tests.transformer.small import small_params

PARAMS = load_params(ROOT).evaluation.model_copy(update={"n_bootstrap": 200, "min_slice_reports": 5, "n_bins": 5})


@pytest.fixture
def project(tmp_path):
    """A project whose dataset stage has run, with a small encoder for the transformer to start from."""
    places = make_project(tmp_path)
    examples = made_up_splits()
    tokenizer = learn_tokenizer([*examples["title"], *examples["text"]], vocabulary_size=400, max_length=64)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    save_encoder(Encoder(tokenizer, BertModel(config), 64), tmp_path / "models" / "encoder" / "tiny")
    shutil.copy(ROOT / "models" / "encoder" / "config.yaml", places.config("encoder"))
    encoder = {"pretrained": {"name": "models/encoder/tiny", "revision": None, "download": False}}
    params = small_params(encoder=encoder, optimization={"epochs": 2})
    places.config("transformer").parent.mkdir(parents=True)
    places.config("transformer").write_text(yaml.safe_dump(params.model_dump()), encoding="utf-8")
    return places


def _cell(model, predicted, *, share=ALL, seed=7):
    return Cell(model, 100, share, seed, "f", 1.0, 50.0, tuple(predicted))


def test_smaller_draws_are_part_of_larger_ones_and_hold_every_category():
    train = make_examples(90)
    few, more = draw_labels(train, 6, 7), draw_labels(train, 30, 7)
    assert set(few["category"]) == set(CATEGORIES)
    assert set(few["report_id"]) < set(more["report_id"])
    assert len(draw_labels(train, ALL, 7)) == 90


def test_another_seed_draws_other_labels():
    train = make_examples(90)
    assert set(draw_labels(train, 30, 7)["report_id"]) != set(draw_labels(train, 30, 8)["report_id"])


@pytest.mark.slow
def test_every_model_is_measured_on_the_same_test_reports(project):
    grid = Grid(MODELS, (60,), (7,))
    measured = measure(project.root, grid)
    assert [cell.model for cell in measured] == list(MODELS)
    assert {len(cell.predicted) for cell in measured} == {len(labelled(project, "test"))}
    assert {cell.n_labels for cell in measured} == {60}


def test_a_comparison_that_was_stopped_measures_only_what_is_missing(project, monkeypatch):
    first = measure(project.root, Grid(("baseline",), (60,), (7,)))
    fitted = []
    monkeypatch.setattr(cells, "_measure", lambda *_, **which: fitted.append(which) or _cell("baseline", first[0].predicted))
    again = measure(project.root, Grid(("baseline",), (60, ALL), (7,)))
    assert again[0] == first[0]
    assert [which["share"] for which in fitted] == [ALL]


def test_a_cell_of_another_configuration_is_measured_again(project):
    grid = Grid(("baseline",), (60,), (7,))
    measure(project.root, grid)
    path = project.config("baseline")
    path.write_text(path.read_text(encoding="utf-8").replace("lead_weight: 0.7", "lead_weight: 0.1"), encoding="utf-8")
    measure(project.root, grid)
    assert len(read(project.room("comparison"))) == 2


def test_a_renewed_encoder_renews_what_starts_from_its_weights_only(project):
    before = {model: encoder_digest(project, model) for model in ("random", "svd", "layers-1", "pretrained")}
    weights = project.root / "models" / "encoder" / "tiny" / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    after = {model: encoder_digest(project, model) for model in before}
    assert [model for model in before if before[model] != after[model]] == ["layers-1", "pretrained"]


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "cells.jsonl").write_text(json.dumps({"model": "baseline"}) + "\n", encoding="utf-8")
    with pytest.raises(ArtifactError, match="line 1"):
        read(tmp_path)


def test_without_categories_on_test_there_is_nothing_to_compare_by(project):
    examples = pd.read_parquet(project.examples).assign(category=None)
    examples.to_parquet(project.examples)
    with pytest.raises(TrainingError, match="nothing to compare by"):
        labelled(project, "test")


def test_the_difference_to_the_baseline_is_paired_and_has_an_interval():
    test = make_examples(90, split="test")
    truth = test["category"].tolist()
    wrong = ["fraud" if place % 3 == 0 else name for place, name in enumerate(truth)]
    baseline, better = summarize([_cell("baseline", wrong), _cell("pretrained", truth)], test, PARAMS, seed=7)
    assert better.macro_f1.point == 1.0
    assert better.over_baseline.point == pytest.approx(1.0 - baseline.macro_f1.point)
    assert 0 < better.over_baseline.low <= better.over_baseline.high
    assert not baseline.over_baseline.defined


def test_a_score_is_the_mean_over_seeds_and_their_spread_is_said():
    test = make_examples(90, split="test")
    truth = test["category"].to_numpy()
    half = np.where(np.arange(90) % 2 == 0, truth, "wages")
    (point,) = summarize([_cell("svd", truth, seed=1), _cell("svd", half, seed=2)], test, PARAMS, seed=7)
    assert 0.5 < point.macro_f1.point < 1.0
    assert point.n_seeds == 2
    assert point.seeds > 0


def test_the_command_offers_every_model_that_can_be_compared():
    assert COMPARED == MODELS


def test_the_table_says_what_was_not_measured():
    test = make_examples(30, split="test")
    text = to_markdown(summarize([_cell("pretrained", test["category"])], test, PARAMS, seed=7))
    assert "| all 100 | transformer, pre-trained | 1 | 1.000 (1.000 to 1.000) | - | - | - | 1 | 50 |" in text


def test_a_comparison_leaves_table_plot_and_figures(project):
    text = compare(project.root, Grid(("baseline",), (30, ALL), (7, 8)))
    folder = project.room("comparison")
    assert (folder / "curve.md").read_text(encoding="utf-8") == text
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert pd.read_csv(folder / "curve.csv")["n_labels"].tolist() == [30, 240]
