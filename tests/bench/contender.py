"""Scores real messages one way, in a process of its own, and prints what it took; started by `test_engine.py`.

    python -m tests.bench.contender <way> <project> <number of messages>

A way is `engine`, `exact`, `baseline`, `pipeline-1` or `pipeline-32` (the Hugging Face pipeline at that batch size, with the
category head only). The clock starts before torch is imported and stops with the last score: a cold start counts.
"""

import time

STARTED = time.perf_counter()

import json  # noqa: E402 - the clock comes first
import os  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import warnings  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

MAX_TOKENS = 256


def messages(root: Path, n_messages: int) -> pd.DataFrame:
    """Different messages of the project's profile, those of test, calibration and validation first."""
    from pipeline.params import load_project
    from pipeline.schema import EXAMPLES

    _, _, places = load_project(root)
    examples = EXAMPLES.read(places.examples).drop_duplicates(["title", "text"])
    order = examples["split"].map({"test": 0, "calibration": 1, "validation": 2, "train": 3})
    return examples.iloc[np.argsort(order.to_numpy(), kind="stable")].head(n_messages).reset_index(drop=True)


def with_model(way: str, root: Path, reports: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Scores by one of our models; the artifact is read from the stages' results."""
    from pipeline import registry
    from pipeline.acceleration import accelerate

    name = "baseline" if way == "baseline" else "transformer"
    with tempfile.TemporaryDirectory() as aside:
        model = registry.load(registry.assemble(root, name, Path(aside) / "artifact"))
    model = accelerate(root, model) if way == "engine" else model
    scores = model.score(reports)
    return scores.assign(probabilities=scores.pop("category_probabilities").map(lambda row: row.tolist())), model.engine


def with_pipeline(batch_size: int, root: Path, reports: pd.DataFrame) -> None:
    """The Hugging Face pipeline over the same encoder."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    folder = next((root / "models" / "transformer").glob("*/fitted"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForSequenceClassification.from_pretrained(folder)
    classify = pipeline("text-classification", model=network, tokenizer=tokenizer, device="cpu")
    pairs = [{"text": title, "text_pair": text} for title, text in zip(reports["title"], reports["text"], strict=True)]
    classify(pairs, batch_size=batch_size, truncation=True, max_length=MAX_TOKENS)


def main(way: str, root: Path, n_messages: int) -> None:
    """Score, and print seconds, memory and the scores."""
    warnings.simplefilter("ignore")
    reports = messages(root, n_messages)
    facts: dict[str, object] = {}
    if way.startswith("pipeline-"):
        with_pipeline(int(way.removeprefix("pipeline-")), root, reports)
    else:
        scores, facts["engine"] = with_model(way, root, reports)
        facts["scores"] = scores.to_dict("list")
    facts["seconds"] = time.perf_counter() - STARTED
    facts["processor_seconds"] = sum(os.times()[:4])
    facts["mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("\n" + json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
