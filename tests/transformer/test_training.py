import errno
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
import torch

from pipeline.errors import TrainingError
from pipeline.transformer import checkpoints, training
from pipeline.transformer.model import CHECKPOINT
from tests.conftest import ROOT
from tests.made_up import without_escalation
from tests.transformer.small import small_transformer

EVERYTHING_ON = {
    "regularization": {"r_drop": 0.5, "fgm": 0.1, "average_decay": 0.9},
    "optimization": {"epochs": 2},
}


class StoppedError(Exception):
    """Stands for a kill at a chosen moment."""


def _stop_after(monkeypatch, n_batches):
    """Let a run die after some batches, as a kill would."""
    step, done = training._Run._step, []

    def dying(run, rows):
        if len(done) == n_batches:
            raise StoppedError
        done.append(None)
        return step(run, rows)

    monkeypatch.setattr(training._Run, "_step", dying)


def _equal(one, other, reports):
    first, second = one.predict(reports), other.predict(reports)
    return np.array_equal(first.category, second.category) and np.array_equal(first.risk, second.risk)


@pytest.fixture(scope="module")
def undisturbed(train, validation):
    return small_transformer(**EVERYTHING_ON).fit(train, validation)


@pytest.mark.parametrize("n_batches", [3, 8, 13])  # inside the first epoch, where one ends, inside the second
def test_a_run_that_died_and_goes_on_ends_where_an_undisturbed_one_does(
    n_batches, undisturbed, train, validation, tmp_path, monkeypatch
):
    with monkeypatch.context() as patched, pytest.raises(StoppedError):
        _stop_after(patched, n_batches)
        small_transformer(work=tmp_path, **EVERYTHING_ON).fit(train, validation)
    torch.manual_seed(99)  # whatever the new process did before
    resumed = small_transformer(work=tmp_path, **EVERYTHING_ON).fit(train, validation)
    assert _equal(resumed, undisturbed, validation)
    losses = [[result.loss for result in model.fitted_.results] for model in (resumed, undisturbed)]
    np.testing.assert_allclose(*losses)


def test_a_finished_run_is_not_done_again(train, validation, tmp_path, monkeypatch):
    first = small_transformer(work=tmp_path, optimization={"epochs": 1}).fit(train, validation)
    _stop_after(monkeypatch, 0)
    again = small_transformer(work=tmp_path, optimization={"epochs": 1}).fit(train, validation)
    assert _equal(first, again, validation)


@pytest.mark.parametrize("changes", [{"seed": 8}, {"loss": {"risk_weight": 0.5}}])
def test_another_seed_or_configuration_starts_anew(changes, train, validation, tmp_path, monkeypatch):
    small_transformer(work=tmp_path, optimization={"epochs": 1}).fit(train, validation)
    _stop_after(monkeypatch, 0)
    with pytest.raises(StoppedError):
        small_transformer(work=tmp_path, optimization={"epochs": 1}, **changes).fit(train, validation)


def test_other_data_starts_anew(train, validation, tmp_path, monkeypatch):
    small_transformer(work=tmp_path, optimization={"epochs": 1}).fit(train, validation)
    _stop_after(monkeypatch, 0)
    with pytest.raises(StoppedError):
        small_transformer(work=tmp_path, optimization={"epochs": 1}).fit(without_escalation(train), validation)


def test_a_damaged_checkpoint_is_refused_by_name(train, validation, tmp_path):
    (tmp_path / CHECKPOINT).write_bytes(b"half a fi")
    with pytest.raises(TrainingError, match=f"{CHECKPOINT}.*Delete it"):
        small_transformer(work=tmp_path).fit(train, validation)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(train, validation, tmp_path, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(StoppedError):
        _stop_after(patched, 3)
        small_transformer(work=tmp_path).fit(train, validation)
    before = (tmp_path / CHECKPOINT).read_bytes()
    monkeypatch.setattr(training._Run, "_backward", lambda run, batch: float("nan"))
    with pytest.raises(TrainingError, match="no longer a number at step 3.*learning_rate"):
        small_transformer(work=tmp_path).fit(train, validation)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_a_rate_that_is_far_too_high_is_said_so(train, validation):
    with pytest.raises(TrainingError, match="no longer a number"):
        small_transformer(optimization={"learning_rate": 1e30, "head_learning_rate": 1e30}).fit(train, validation)


def test_a_full_disk_stops_the_run_and_keeps_the_last_good_checkpoint(train, validation, tmp_path, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(StoppedError):
        _stop_after(patched, 3)
        small_transformer(work=tmp_path).fit(train, validation)
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full(tensors, path, metadata):
        path.write_bytes(b"as far as it went")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(TrainingError, match="No space left.*Free space"):
        small_transformer(work=tmp_path).fit(train, validation)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {CHECKPOINT, "tokens"}


def test_training_stops_when_validation_no_longer_gets_better(train, validation, monkeypatch):
    scores = iter([0.5, 0.9, 0.8, 0.7, 0.6])
    monkeypatch.setattr(training, "judge", lambda network, task, dtype: (next(scores), None))
    model = small_transformer(optimization={"epochs": 5, "patience_epochs": 2}).fit(train, validation)
    assert [result.macro_f1 for result in model.fitted_.results] == [0.5, 0.9, 0.8, 0.7]


def test_the_weights_of_the_best_epoch_are_kept(train, validation, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(training, "judge", lambda network, task, dtype: (0.5, None))
        first_of_equals = small_transformer(optimization={"epochs": 3}).fit(train, validation)
    scores = iter([0.9, 0.1, 0.2])
    monkeypatch.setattr(training, "judge", lambda network, task, dtype: (next(scores), None))
    first = small_transformer(optimization={"epochs": 3}).fit(train, validation)
    assert _equal(first, first_of_equals, validation)


def test_the_risk_counts_in_choosing_the_best_epoch():
    results = tuple(checkpoints.EpochResult(number, 0.0, 0.5, risk, 0.0) for number, risk in enumerate([0.1, 0.4, 0.3]))
    assert training._best(results, 1.0) == 1
    assert training._best(results, 0.0) == 0


def test_gradient_checkpointing_changes_no_number(train, validation):
    plain = small_transformer(optimization={"epochs": 1}).fit(train, validation)
    lean = small_transformer(optimization={"epochs": 1, "gradient_checkpointing": True}).fit(train, validation)
    np.testing.assert_allclose(lean.predict(validation).category, plain.predict(validation).category, atol=1e-4)


def test_half_precision_learns_too(train, validation):
    model = small_transformer(optimization={"precision": "bfloat16"}).fit(train, validation)
    assert max(result.macro_f1 for result in model.fitted_.results) > 0.8


def test_fitting_leaves_the_callers_random_numbers_alone(train, validation):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    small_transformer(optimization={"epochs": 1}).fit(train, validation)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.slow
def test_a_process_killed_outright_goes_on_to_the_same_end(train, validation, tmp_path):
    script = textwrap.dedent(f"""
        from pathlib import Path
        import torch
        torch.set_num_threads(1)
        from tests.made_up import make_examples
        from tests.transformer.small import small_transformer
        model = small_transformer(work=Path({str(tmp_path)!r}), optimization={{"epochs": 30, "patience_epochs": 30}})
        model.fit(make_examples(120), make_examples(45, split="validation", start="2025-06-01"))
    """)
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    waited = time.monotonic()
    while not (tmp_path / CHECKPOINT).exists() and time.monotonic() - waited < 120:
        time.sleep(0.05)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    options = {"optimization": {"epochs": 30, "patience_epochs": 30}}
    resumed = small_transformer(work=tmp_path, **options).fit(train, validation)
    undisturbed = small_transformer(**options).fit(train, validation)
    assert _equal(resumed, undisturbed, validation)
