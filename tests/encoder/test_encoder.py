import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from transformers import AutoModel, AutoTokenizer

from pipeline.encoder import stage
from pipeline.encoder.checkpoint import FILE_NAME
from pipeline.encoder.corpus import Rows, hold_out, read_passages, rewrite, rows_at, tokenize
from pipeline.encoder.export import CardFacts, add_placeholders, export_encoder, load_encoder
from pipeline.encoder.initialization import svd_embeddings
from pipeline.encoder.objectives import PretrainingModel, bert_config, contrast_loss, mask_rows, mask_spans
from pipeline.encoder.pairing import learn_pairs
from pipeline.encoder.params import EncoderParams, InitializationParams, Rewrite
from pipeline.encoder.pretraining import Trainer, learning_rate_at, pretrain
from pipeline.encoder.vocabulary import CONTROL_TOKENS, build_tokenizer
from pipeline.errors import ArtifactError, ParameterError, SourceError, TrainingError
from pipeline.settings import Section, read_yaml

ROOT = Path(__file__).parents[2]
PLACEHOLDERS = ("[手机号]", "[QQ号]", "[姓名]")
TEXTS = [
    f"{who}在{where}反映{what},电话[手机号],请{unit}尽快处理。已经第{number}次投诉了。"
    for number in range(1, 9)
    for who in ("小区业主", "[姓名]", "附近居民")
    for where in ("工地旁边", "学校门口", "菜市场")
    for what, unit in (("噪音扰民", "城管"), ("拖欠工资", "劳动监察"))
]


def make_params(**pretraining) -> EncoderParams:
    """The shipped configuration in the smallest shape."""
    content = yaml.safe_load((ROOT / "models/encoder/config.yaml").read_text(encoding="utf-8"))
    content["corpus"] |= {"folder": "corpus", "shards": "*.jsonl", "held_out_share": 0.1, "rewrites": []}
    content["vocabulary"] |= {"size": 160, "n_characters": 120, "sample_every": 1, "placeholders": list(PLACEHOLDERS)}
    content["model"] |= {"n_layers": 2, "width": 16, "n_heads": 2, "feed_forward": 32, "max_positions": 32}
    content["pairing"] |= {"max_title_tokens": 16, "max_body_tokens": 32}
    content["pretraining"] |= {
        "sequence_length": 16, "rows_per_batch": 8, "batches_per_step": 2, "contrast_min_tokens": 2,
        "warmup_tokens": 512, "stable_tokens": 2048, "decay_tokens": 512, "precision": "float32", "threads": 1,
        "log_every_steps": 1, "held_out_every_steps": 5, "held_out_batches": 1, "learning_rate": 0.01,
    }  # fmt: skip
    content["pretraining"] |= pretraining
    return EncoderParams.model_validate(content)


def write_project(root: Path, params: EncoderParams, texts=TEXTS) -> None:
    (root / "models/encoder").mkdir(parents=True)
    (root / "models/encoder/config.yaml").write_text(json.dumps(params.model_dump(mode="json")), encoding="utf-8")
    (root / "corpus").mkdir()
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    (root / "corpus/a.jsonl").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer(TEXTS, make_params().vocabulary, max_length=32)


@pytest.fixture(scope="module")
def tokens(tokenizer):
    return tokenize(TEXTS, tokenizer, n_special=len(CONTROL_TOKENS) + len(PLACEHOLDERS), seed=1)


def make_trainer(tokens, params: EncoderParams) -> Trainer:
    torch.manual_seed(3)
    model = PretrainingModel(bert_config(params.model, tokens.vocab_size))
    return Trainer(model, params.pretraining, device=torch.device("cpu"))


def learn(trainer, tokens, folder, *, stop=lambda: False):
    learned, held_out = hold_out(tokens, 0.1)
    return list(pretrain(trainer, learned, held_out, folder=folder, stop=stop))


def losses_of(lines):
    return [(line.step, line.masked_loss, line.contrast_loss) for line in lines]


# vocabulary


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
def test_a_placeholder_is_one_token(tokenizer, placeholder):
    assert placeholder in tokenizer.tokenize(f"请打{placeholder}找我")


def test_tokens_put_together_give_the_text_in_its_folded_form(tokenizer):
    ids = tokenizer("小区业主　在工地旁边反映,电话[手机号]", add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == "小区业主在工地旁边反映,电话[手机号]"


def test_full_width_and_half_width_give_the_same_ids(tokenizer):
    assert tokenizer("第１次,请处理")["input_ids"] == tokenizer("第1次，请处理")["input_ids"]


def test_without_han_words_every_character_stands_alone():
    params = make_params().vocabulary.model_copy(update={"han_words": False})
    assert build_tokenizer(TEXTS, params, max_length=32).tokenize("小区业主") == ["小", "区", "业", "主"]


def test_an_unknown_character_does_not_swallow_its_neighbours(tokenizer):
    assert tokenizer.decode(tokenizer("学校犇门口", add_special_tokens=False)["input_ids"]) == "学校[UNK]门口"


# corpus


def test_rows_are_packed_and_start_with_the_class_token(tokens):
    rows = rows_at(tokens, 0, n_rows=8, length=16, seed=1)
    assert rows.ids.shape == (8, 16)
    assert (rows.ids[:, 0] == tokens.cls_id).all()
    assert (rows.ids != 0).all()


def test_the_same_batch_number_gives_the_same_rows_and_another_gives_others(tokens):
    first, again, other = (rows_at(tokens, number, n_rows=8, length=16, seed=1).ids for number in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_a_pair_shares_the_passage_across_its_border(tokens):
    rows = rows_at(tokens, 0, n_rows=8, length=16, seed=1)
    left, right = rows.shared[0::2], rows.shared[1::2]
    assert (left[:, -1] == right[:, 1]).all()
    assert (left.any(axis=1) == right.any(axis=1)).all()


def test_held_out_passages_are_not_learned_from(tokens):
    learned, held_out = hold_out(tokens, 0.1)
    assert len(learned.ends) + len(held_out.ends) == len(tokens.ends)
    assert np.concatenate([learned.ids, held_out.ids]).tolist() == tokens.ids.tolist()


def test_a_rewrite_brings_a_corpus_to_our_placeholders():
    assert rewrite("转到[账户]", [Rewrite(pattern=r"\[账户\]", replacement="[卡号]", share=1.0)]) == "转到[卡号]"


def test_a_missing_corpus_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"no corpus shard matches 'x\*'"):
        list(read_passages(tmp_path, "x*"))


def test_a_malformed_line_is_named_but_not_quoted(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "好"}\n{"body": "秘密"}\n', encoding="utf-8")
    with pytest.raises(SourceError, match=r"a\.jsonl line 2") as caught:
        list(read_passages(tmp_path, "*.jsonl"))
    assert "秘密" not in str(caught.value)


def test_a_corpus_smaller_than_a_batch_is_refused(tokens):
    with pytest.raises(SourceError, match="too few for one batch"):
        rows_at(tokens, 0, n_rows=8, length=4000, seed=1)


# objectives


def test_about_the_asked_share_is_masked():
    ids = np.full((200, 128), 50)
    chosen = mask_spans(ids, share=0.2, span_probabilities=(0.6, 0.3, 0.1), n_special=8, rng=np.random.default_rng(1))
    assert chosen.mean() == pytest.approx(0.2, abs=0.015)


def test_no_special_token_is_masked(tokens):
    params = make_params(mask_share=0.9).pretraining
    rows = rows_at(tokens, 0, n_rows=8, length=16, seed=1)
    masked = mask_rows(rows, tokens, params, max_positions=32, rng=np.random.default_rng(1))
    special = rows.ids < tokens.n_special
    assert (masked.ids.numpy()[special] == rows.ids[special]).all()
    assert (masked.targets >= tokens.n_special).all()


def test_contrast_falls_when_the_pieces_of_a_passage_agree():
    shared = torch.ones(4, 3, dtype=torch.bool)
    axes = torch.eye(2)
    agree = torch.stack([axes[0], axes[0], axes[1], axes[1]])[:, None].repeat(1, 3, 1)
    crossed = torch.stack([axes[0], axes[1], axes[1], axes[0]])[:, None].repeat(1, 3, 1)
    near, far = (float(contrast_loss(one, shared, temperature=0.1, min_tokens=2)) for one in (agree, crossed))
    assert near < 0.01 < far


def test_contrast_without_pairs_is_zero():
    rows = Rows(np.ones((4, 3)), np.zeros((4, 3), dtype=bool))
    hidden = torch.ones(4, 3, 2)
    assert float(contrast_loss(hidden, torch.from_numpy(rows.shared), temperature=0.1, min_tokens=2)) == 0.0


def test_words_used_alike_start_near_each_other(tokenizer, tokens):
    params = InitializationParams(svd=True, window=5, context_smoothing=0.75, scale=0.04)
    vectors = svd_embeddings(tokens, params, width=16, seed=1)
    assert vectors.shape == (len(tokenizer), 16)
    assert np.isfinite(vectors).all()


# pre-training


def test_the_rate_warms_up_stays_and_decays_to_nothing():
    params = make_params().pretraining
    rates = [learning_rate_at(at, params) for at in (0, 512, 2047, 2300, 2560)]
    assert rates[0] < rates[1] == rates[2] == params.learning_rate > rates[3] > rates[4] == 0.0


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_the_loss_falls_on_a_toy_corpus(tokens, tmp_path, optimizer):
    params = make_params(optimizer=optimizer, stable_tokens=12_000)
    trainer = make_trainer(tokens, params)
    _, held_out = hold_out(tokens, 0.1)
    before = trainer.held_out_loss(held_out)
    learn(trainer, tokens, tmp_path)
    assert trainer.held_out_loss(held_out) < before - 1.0


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tokens, tmp_path):
    params = make_params(precision="bfloat16")
    undisturbed = losses_of(learn(make_trainer(tokens, params), tokens, tmp_path / "one"))
    first = make_trainer(tokens, params)
    begun = losses_of(learn(first, tokens, tmp_path / "two", stop=lambda: first.position.step >= 4))
    second = make_trainer(tokens, params)
    second.restore(tmp_path / "two")
    assert begun + losses_of(learn(second, tokens, tmp_path / "two")) == undisturbed


def test_a_loss_that_is_not_a_number_stops_and_keeps_the_last_checkpoint(tokens, tmp_path):
    trainer = make_trainer(tokens, make_params())
    learn(trainer, tokens, tmp_path, stop=lambda: trainer.position.step >= 2)
    kept = (tmp_path / FILE_NAME).read_bytes()
    with torch.no_grad():
        trainer.working.transform.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="not finite at step 2"):
        learn(trainer, tokens, tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == kept


def test_a_checkpoint_of_another_shape_is_refused(tokens, tmp_path):
    trainer = make_trainer(tokens, make_params())
    learn(trainer, tokens, tmp_path, stop=lambda: trainer.position.step >= 1)
    wider = make_params().model_copy(update={"model": make_params().model.model_copy(update={"width": 32})})
    with pytest.raises(ArtifactError, match="does not fit this vocabulary, shape and optimizer"):
        make_trainer(tokens, wider).restore(tmp_path)


def test_a_damaged_checkpoint_is_refused(tokens, tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"torn")
    with pytest.raises(ArtifactError, match="damaged"):
        make_trainer(tokens, make_params()).restore(tmp_path)


# export and stage


FACTS = CardFacts(name="toy", corpus="made-up texts", n_tokens_read=10, n_tokens_corpus=20, held_out_loss=1.0)


def test_an_exported_encoder_loads_anywhere_and_gives_equal_vectors(tokenizer, tokens, tmp_path):
    model = make_trainer(tokens, make_params()).master.to(torch.bfloat16).eval()
    export_encoder(model, tokenizer, tmp_path / "toy", FACTS)
    loaded = AutoModel.from_pretrained(tmp_path / "toy").eval()
    batch = AutoTokenizer.from_pretrained(tmp_path / "toy")("学校门口[手机号]", return_tensors="pt")
    with torch.no_grad():
        ours, theirs = model(batch["input_ids"], 0), loaded(**batch).last_hidden_state
    assert batch["input_ids"].tolist()[0] == tokenizer("学校门口[手机号]")["input_ids"]
    assert torch.allclose(ours.float(), theirs.float(), atol=0.05)


def test_an_exported_encoder_can_be_trained_further(tokenizer, tokens, tmp_path):
    model = make_trainer(tokens, make_params()).master
    export_encoder(model, tokenizer, tmp_path / "toy", FACTS)
    again, _ = load_encoder(tmp_path / "toy")
    assert torch.equal(again.transform.weight, model.transform.weight.to(torch.bfloat16).float())


def test_vocabulary_and_weights_of_different_size_are_refused(tokenizer, tokens, tmp_path):
    other = make_params().model
    model = PretrainingModel(bert_config(other, tokens.vocab_size + 1))
    with pytest.raises(ArtifactError, match="vocabulary and checkpoint do not belong together"):
        export_encoder(model, tokenizer, tmp_path / "toy", FACTS)
    assert not (tmp_path / "toy").exists()


def test_a_new_placeholder_becomes_one_token_with_a_vector(tokens):
    own = build_tokenizer(TEXTS, make_params().vocabulary, max_length=32)
    model = make_trainer(tokens, make_params()).master
    add_placeholders(model, own, [*PLACEHOLDERS, "[账号]"])
    assert "[账号]" in own.tokenize("转到[账号]")
    assert "[QQ号]" in own.tokenize("加[QQ号]")
    assert len(own) == tokens.vocab_size + 1 == model.encoder.config.vocab_size == len(model.bias)


def test_a_folder_without_an_encoder_is_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"no tokenizer\.json"):
        load_encoder(tmp_path)


def test_the_stage_goes_from_raw_text_to_an_encoder_that_loads(tmp_path):
    write_project(tmp_path, make_params())
    summary = stage.run(tmp_path)
    assert summary.finished
    assert summary.n_tokens == 2560
    assert AutoModel.from_pretrained(summary.exported).config.hidden_size == 16
    log = (tmp_path / "data/processed/encoder/zh-small/log.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in log] == list(range(1, 11))


def test_an_encoder_is_adapted_to_reports_of_ones_own(tmp_path):
    params = make_params()
    write_project(tmp_path, params)
    start = stage.run(tmp_path).exported
    summary = stage.continue_pretraining(TEXTS, params, start=start, work=tmp_path / "work", exported=tmp_path / "own")
    assert summary.finished
    assert len(AutoTokenizer.from_pretrained(tmp_path / "own")) == len(AutoTokenizer.from_pretrained(start))


@pytest.mark.slow
def test_a_run_killed_in_the_middle_leaves_the_log_of_an_undisturbed_one(tmp_path):
    params = make_params(checkpoint_minutes=0.0001, stable_tokens=8192)
    for name in ("one", "two"):
        write_project(tmp_path / name, params)
    stage.run(tmp_path / "one")
    work = tmp_path / "two/data/processed/encoder/zh-small"
    code = f"from pathlib import Path; from pipeline.encoder import stage; stage.run(Path({str(tmp_path / 'two')!r}))"
    killed = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while not (work / FILE_NAME).exists() and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    stage.run(tmp_path / "two")
    one, two = (
        [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
        for folder in (tmp_path / "one/data/processed/encoder/zh-small", work)
    )
    assert [line["masked_loss"] for line in one] == pytest.approx([line["masked_loss"] for line in two], abs=1e-4)


def test_titles_learn_to_find_their_bodies(tokenizer, tokens):
    params = make_params().pairing.model_copy(update={"pairs_per_batch": 8, "epochs": 8, "learning_rate": 0.01})
    pairs = [(text[:6] + text[-8:], text) for text in TEXTS[:48]]
    losses = learn_pairs(make_trainer(tokens, make_params()).master, tokenizer, pairs, params, seed=1)
    assert losses[-1] < losses[0] - 0.3


def test_fewer_pairs_than_a_batch_are_refused(tokenizer, tokens):
    with pytest.raises(TrainingError, match=r"pairing\.pairs_per_batch"):
        learn_pairs(make_trainer(tokens, make_params()).master, tokenizer, [("甲", "乙")], make_params().pairing, seed=1)


# parameters and the shipped encoder


def test_an_unknown_key_is_refused(tmp_path):
    content = make_params().model_dump(mode="json") | {"colour": "red"}
    (tmp_path / "config.yaml").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ParameterError, match="colour"):
        read_yaml(tmp_path / "config.yaml", EncoderParams)


def test_parameters_do_not_change_after_reading():
    assert issubclass(EncoderParams, Section)
    assert EncoderParams.model_config["frozen"]


def test_the_shipped_placeholders_are_those_of_redaction():
    from pipeline.schema import PLACEHOLDERS as REDACTED

    content = yaml.safe_load((ROOT / "models/encoder/config.yaml").read_text(encoding="utf-8"))
    assert sorted(content["vocabulary"]["placeholders"]) == sorted(REDACTED)


def test_the_shipped_encoder_is_small_and_knows_every_placeholder():
    folder = ROOT / "models/encoder/zh-small"
    if not (folder / "model.safetensors").is_file():
        pytest.skip("the shipped encoder is not in this checkout")
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 30_000_000
    shipped = AutoTokenizer.from_pretrained(folder)
    content = yaml.safe_load((ROOT / "models/encoder/config.yaml").read_text(encoding="utf-8"))
    assert all(len(shipped(word, add_special_tokens=False)["input_ids"]) == 1 for word in content["vocabulary"]["placeholders"])
    assert len(shipped) == AutoModel.from_pretrained(folder).config.vocab_size


@pytest.mark.slow
def test_two_processes_take_the_same_steps_as_one(tmp_path):
    params = make_params(stable_tokens=1024, decay_tokens=256)
    write_project(tmp_path / "one", params)
    write_project(tmp_path / "two", params)
    stage.run(tmp_path / "one")
    code = "import sys; from pathlib import Path; from pipeline.encoder import stage; stage.run(Path(sys.argv[1]))"
    (tmp_path / "start.py").write_text(code, encoding="utf-8")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", tmp_path / "start.py"]
    places = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([*launch, str(tmp_path / "two")], cwd=ROOT, check=True, env=places)
    one, two = (
        (tmp_path / name / "data/processed/encoder/zh-small/log.jsonl").read_text(encoding="utf-8").splitlines()
        for name in ("one", "two")
    )
    assert len(one) == len(two) == 5
    for left, right in zip(one, two, strict=True):
        assert json.loads(left)["masked_loss"] == pytest.approx(json.loads(right)["masked_loss"], abs=1e-3)
