import numpy as np
import pytest
import torch

from pipeline.transformer.batches import make_reports, plan_learning, plan_scoring
from pipeline.transformer.params import InputParams
from pipeline.transformer.tokens import as_dataset, tokenize

LENGTHS = np.random.default_rng(3).integers(4, 100, size=500)
LIMITS = {"tokens_per_batch": 400, "max_reports": 16}


@pytest.mark.parametrize("plan", [plan_learning(LENGTHS, **LIMITS, seed=1, epoch=0), plan_scoring(LENGTHS, **LIMITS)])
def test_every_report_is_in_one_batch_and_no_batch_breaks_a_limit(plan):
    assert sorted(np.concatenate(plan).tolist()) == list(range(500))
    assert max(len(rows) for rows in plan) <= 16
    assert max(len(rows) * LENGTHS[rows].max() for rows in plan) <= 400


def test_little_is_spent_on_padding():
    plan = plan_learning(LENGTHS, **LIMITS, seed=1, epoch=0)
    n_computed = sum(len(rows) * LENGTHS[rows].max() for rows in plan)
    assert LENGTHS.sum() / n_computed > 0.9


def test_batches_follow_from_seed_and_epoch():
    def plan(seed, epoch):
        return [rows.tolist() for rows in plan_learning(LENGTHS, **LIMITS, seed=seed, epoch=epoch)]

    assert plan(1, 0) == plan(1, 0)
    assert plan(1, 0) != plan(1, 1)
    assert plan(1, 0) != plan(2, 0)


def test_a_report_longer_than_the_budget_stands_alone():
    assert [rows.tolist() for rows in plan_scoring(np.array([5, 900, 5]), **LIMITS)] == [[0, 2], [1]]


def test_no_reports_make_no_batches():
    assert plan_scoring(np.zeros(0, dtype=np.int64), **LIMITS) == []


def test_a_batch_is_padded_behind_and_knows_the_second_segment(tokenizer):
    params = InputParams(joining="pair", max_tokens=24, max_title_tokens=6, head_share=0.75)
    table = tokenize(["工", ""], ["钱钱钱", "钱"], tokenizer, params)
    reports = make_reports(as_dataset(table))
    batch = reports.batch(np.array([1, 0]), pad_id=tokenizer.pad_token_id, second_type=1)
    assert batch.attention_mask.tolist() == [[1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]]
    assert batch.token_types.tolist() == [[0, 0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1, 1]]
    assert batch.input_ids[0, 4:].tolist() == [tokenizer.pad_token_id] * 3
    assert torch.isnan(batch.escalated).all()


def test_words_are_hidden_and_special_tokens_never(tokenizer):
    params = InputParams(joining="pair", max_tokens=24, max_title_tokens=6, head_share=0.75)
    table = tokenize(["工", "钱"], ["钱" * 16, "工"], tokenizer, params)
    reports = make_reports(as_dataset(table))
    batch = reports.batch(np.array([0, 1]), pad_id=tokenizer.pad_token_id, second_type=1)
    special = torch.tensor(tokenizer.all_special_ids)
    torch.manual_seed(2)
    hidden = batch.hiding(0.5, tokenizer.mask_token_id, special)
    changed = hidden.input_ids != batch.input_ids
    assert 4 < changed.sum() < 15
    assert (hidden.input_ids[changed] == tokenizer.mask_token_id).all()
    assert not torch.isin(batch.input_ids[changed], special).any()
    assert batch.hiding(0.0, tokenizer.mask_token_id, special) is batch
