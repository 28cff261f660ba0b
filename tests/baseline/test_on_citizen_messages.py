"""The baseline on real messages: held-out raw ones, by group of copies, learned from all the rest.

Reads the mirror directly rather than through intake, so that it measures the model alone; the whole path is measured by the
evaluation stage on the `citizen` profile.
"""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from pipeline.baseline.config import BaselineConfig
from pipeline.baseline.model import Baseline
from pipeline.schema import HISTORY
from pipeline.settings import read_yaml
from tests.conftest import ROOT


def _messages(mirror):
    rows = pd.read_json(mirror / "tipdm2020_citizen_messages/labelled_8629.jsonl.gz", lines=True)
    joined = rows["text"].where(rows["has_raw"], rows["text_seg"].str.replace(" ", ""))
    messages = pd.DataFrame(
        {
            "report_id": rows["row"].astype(str),
            "received_at": pd.to_datetime(rows["created_at"], utc=True),
            "title": [unicodedata.normalize("NFKC", title or "") for title in rows["title"]],
            "text": [unicodedata.normalize("NFKC", text) for text in joined],
            "category": rows["label"],
            "escalated": pd.array([pd.NA] * len(rows), dtype="boolean"),
            "followed_days": np.nan,
            "outcome_days": np.nan,
            "has_raw": rows["has_raw"],
            "group": rows["dup_group"],
        }
    )
    return messages.assign(**dict.fromkeys(HISTORY, 0))


@pytest.mark.slow
@pytest.mark.mirror
def test_held_out_messages_get_their_category(mirror):
    messages = _messages(mirror)
    groups = np.random.default_rng(7).permutation(messages.loc[messages["has_raw"], "group"].unique())
    held_out = messages["group"].isin(groups[: len(groups) // 5])
    test, rest = messages[held_out & messages["has_raw"]], messages[~held_out]
    config = read_yaml(ROOT / "models/baseline/config.yaml", BaselineConfig).model_copy(update={"category_strengths": (1.0,)})
    categories = tuple(sorted(messages["category"].unique()))
    model = Baseline(config, categories=categories, label_window_days=14, seed=7).fit(rest, rest.head(0))
    predicted = np.array(categories)[model.predict(test).category.argmax(axis=1)]
    assert f1_score(test["category"], predicted, average="macro") >= 0.89
