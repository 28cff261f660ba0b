"""How trained models read reports from elsewhere, and whether a title's vector finds its body.

`make bench` prints it. What was not trained or fetched is said and skipped; `TRIAGE_PROJECT` names another project folder than
this one. Nothing here is used to choose anything.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score

from pipeline import registry, schema
from pipeline.encoder.export import load_encoder
from pipeline.encoder.pairing import learn_pairs
from pipeline.encoder.params import EncoderParams
from pipeline.encoder.vectors import Whitening, mean_vectors
from pipeline.intake.admission import admit, together
from pipeline.intake.registration import load_source
from pipeline.intake.sources import read
from pipeline.params import Places, load_params
from pipeline.settings import read_yaml
from tests.conftest import ROOT

pytestmark = [pytest.mark.bench, pytest.mark.mirror]
PROJECT = Path(os.environ.get("TRIAGE_PROJECT", ROOT))
ENCODERS = {"shipped": "zh-small", "adapted": "zh-small-citizen"}
N_TITLES, N_BODIES = 100, 1000
MAX_TITLE_TOKENS, MAX_BODY_TOKENS = 32, 256
N_WHITENING = 1500
SEED = 7


def _labelled(name, mirror):
    """Reports of a registered source that have a category, redacted as intake does it, with no history."""
    source = load_source(ROOT, name)
    folder = mirror / Path(source.files[0].path).parent
    admitted = admit(
        [(source, read(source, folder, batch_rows=2000))],
        earlier=schema.REPORTS.empty(),
        as_of=datetime(2027, 1, 1, tzinfo=UTC),
        params=load_params(ROOT).intake,
        key=b"k" * 16,
        n_processes=1,
    )
    reports = together(admitted).reports
    return reports[reports["category"].notna()].assign(**dict.fromkeys(schema.HISTORY, 0.0))


@pytest.mark.parametrize("name", ["promediconv", "court-mediation"])
@pytest.mark.parametrize("model", ["baseline", "transformer", "ensemble"])
def test_reports_from_elsewhere(name, model, mirror):
    fitted = Places(PROJECT, "sample").model(model) / "fitted"
    if not fitted.is_dir():
        pytest.skip(f"needs the {model} of profile sample: run its stages there first")
    reports = _labelled(name, mirror)
    classifier = registry.classifier_class(model).load(fitted)
    predicted = np.array(classifier.categories)[classifier.predict(reports).category.argmax(axis=1)]
    truth = reports["category"].to_numpy()
    occurring = sorted(set(truth))
    by_class = f1_score(truth, predicted, labels=occurring, average=None, zero_division=0.0)
    print(f"\n{name}, {model} of the simulated sample: {len(reports)} mapped reports, {len(occurring)} categories")
    print(f"  accuracy {(truth == predicted).mean():.3f}, macro-F1 {by_class.mean():.3f}; most common {_commonest(truth):.3f}")
    print("  " + ", ".join(f"{one} {score:.2f}" for one, score in zip(occurring, by_class, strict=True)))


def _commonest(truth):
    return pd.Series(truth).value_counts(normalize=True).iloc[0]


@pytest.fixture(scope="module")
def messages():
    """Titles and bodies of profile citizen: those of test to look for, and training ones to learn from."""
    path = Places(PROJECT, "citizen").examples
    if not path.exists():
        pytest.skip("needs the dataset of profile citizen")
    examples = schema.EXAMPLES.read(path)
    titled = examples[(examples["title"].str.len() > 0) & (examples["text"].str.len() > 0)]
    titled = titled.drop_duplicates("duplicate_group").drop_duplicates("title").sample(frac=1.0, random_state=SEED)
    order = titled["split"].map({"test": 0, "calibration": 1, "validation": 2, "train": 3}).sort_values(kind="stable").index
    held_out = titled.loc[order].head(N_BODIES)
    learned = titled[(titled["split"] == "train") & ~titled["report_id"].isin(held_out["report_id"])]
    return held_out, learned


def _found_first(cosines):
    """Share of titles whose own body, in the same place, is nearest."""
    return float((cosines.argmax(axis=1) == np.arange(len(cosines))).mean())


def _vectors(model, tokenizer, texts, max_tokens):
    with torch.inference_mode():
        parts = [mean_vectors(model, tokenizer, texts[at : at + 50], max_tokens=max_tokens) for at in range(0, len(texts), 50)]
    return torch.cat(parts).numpy()


def _parts(titles, bodies):
    return (titles, MAX_TITLE_TOKENS), (bodies, MAX_BODY_TOKENS)


def _by_vector(model, tokenizer, titles, bodies, learned):
    """Found first by the vectors as they are, and whitened by those of training titles and bodies."""
    model.eval()
    found = [_vectors(model, tokenizer, *part) for part in _parts(titles, bodies)]
    learned = learned.head(N_WHITENING)
    known = [_vectors(model, tokenizer, *part) for part in _parts(learned["title"].tolist(), learned["text"].tolist())]
    whitening = Whitening.fit(np.concatenate(known))  # of both kinds together, so that they stay comparable
    whitened = [whitening.apply(vectors) for vectors in found]
    return f"{_found_first(found[0] @ found[1].T):.2f}, whitened {_found_first(whitened[0] @ whitened[1].T):.2f}"


def test_a_title_finds_its_body(messages):
    held_out, learned = messages
    titles, bodies = held_out["title"].head(N_TITLES).tolist(), held_out["text"].tolist()
    n_test = int((held_out["split"].head(N_TITLES) == "test").sum())
    print(f"\n{len(titles)} titles ({n_test} of test) among {len(bodies)} bodies, found first:")
    words = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True).fit(learned["text"])
    found = _found_first((words.transform(titles) @ words.transform(bodies).T).toarray())
    print(f"  TF-IDF of characters and pairs {found:.2f}")
    params = read_yaml(ROOT / "models" / "encoder" / "config.yaml", EncoderParams).pairing
    pairs = list(zip(learned["title"], learned["text"], strict=True))
    for which, name in ENCODERS.items():
        folder = PROJECT / "models" / "encoder" / name
        if not folder.is_dir():
            print(f"  {which}: {folder} is missing")
            continue
        model, tokenizer = load_encoder(folder)
        print(f"  pooled vector, {which}: {_by_vector(model, tokenizer, titles, bodies, learned)}")
        model.train()
        losses = learn_pairs(model, tokenizer, pairs, params, seed=SEED)
        print(f"  the same after pairing: {_by_vector(model, tokenizer, titles, bodies, learned)}")
        print(f"    learned from {len(pairs)} training pairs, loss by epoch {', '.join(f'{loss:.2f}' for loss in losses)}")
