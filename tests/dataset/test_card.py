"""What the dataset card says."""

import json

import pandas as pd
import pytest

from pipeline import schema
from pipeline.dataset.card import digest, make_card, to_json, to_markdown
from pipeline.dataset.stage import make_examples
from pipeline.intake import addresses, identifiers, persons
from tests.builders import make_outcomes, make_profile, make_reports

RECEIVED = ["2024-01-01", "2024-01-02", "2024-04-05", "2024-05-05", "2024-06-05", "2024-07-30"]


def reports():
    return make_reports(
        RECEIVED, matter_id=["m", "m", "n", "o", "p", "q"], reporter_hash=list("abcdef"), category=["wages"] * 5 + [None],
        text=["请打[手机号]找[姓名]", "[姓名]欠薪", "漏水", "[2019]年", "停电", "噪音"],
        duplicate_of=[None, "r0", None, None, None, None],
    )  # fmt: skip


def card(**profile):
    made = reports()
    examples, _ = make_examples(made, make_outcomes(), profile=make_profile(**profile), follow_up_days=30, seed=7)
    return make_card(
        examples, made, profile=make_profile(**profile), categories=("wages", "noise"), min_examples_per_category=2
    )


def test_it_counts_examples_labels_and_delays():
    said = card()
    assert (said["n_reports"], said["n_examples"], said["n_dropped"], said["n_matters"]) == (6, 6, 0, 5)
    assert said["duplicates"] == {"n": 1, "share": 0.1667}
    assert said["splits"]["train"]["n_escalated"] == 1
    assert said["splits"]["train"]["escalation_rate"] == 0.5
    assert said["splits"]["test"]["share_censored"] == 0.5, "the window of the last has not closed"
    assert said["label_delay_days"]["p50"] == 1.0
    assert said["categories_by_split"]["wages"] == {"train": 2, "validation": 1, "calibration": 1, "test": 1}


def test_it_counts_placeholders_for_every_thousand_reports():
    assert card()["placeholders_per_1000_reports"] == {"[姓名]": 333.33, "[手机号]": 166.67}


def test_it_knows_every_placeholder_that_intake_leaves():
    names = ("MOBILE", "LANDLINE", "RESIDENT_ID", "PASSPORT", "CARD", "PLATE", "EMAIL", "WECHAT", "QQ", "ACCOUNT", "LINK")
    placeholders = [addresses.ADDRESS, persons.NAME, *(getattr(identifiers, name) for name in names)]
    made = make_reports(["2024-01-01"], text="".join(placeholders))
    examples = made.assign(escalated=pd.array([None], "boolean"), escalated_at=made["received_at"], split="train")
    said = make_card(examples, made, profile=make_profile(), categories=(), min_examples_per_category=1)
    assert set(said["placeholders_per_1000_reports"]) == set(placeholders)


def test_it_warns_of_a_class_without_examples_and_of_labels_that_are_all_alike():
    warnings = "\n".join(card()["warnings"])
    assert "no example of noise in train, validation, calibration, test" in warnings
    assert "1 known escalation labels of validation are all alike" in warnings


def test_it_reads_as_json_and_as_markdown():
    said = card()
    assert json.loads(to_json(said)) == said
    assert "| train | 2 | 2 | 2 | 1 | 50.0% | 0.0% | 2024-01-01 | 2024-01-02 |" in to_markdown(said)


def test_it_quotes_no_report():
    assert not [text for text in ("漏水", "欠薪", "停电") if text in to_json(card()) + to_markdown(card())]


def test_the_digest_is_of_the_rows_in_any_order_and_of_every_value():
    examples, _ = make_examples(reports(), make_outcomes(), profile=make_profile(), follow_up_days=30, seed=7)
    assert digest(examples) == digest(examples.sample(frac=1.0, random_state=2))
    changed = examples.assign(text=examples["text"].replace("漏水", "渗水"))
    assert digest(changed) != digest(examples)


def test_the_digest_survives_writing_and_reading(tmp_path):
    examples, _ = make_examples(reports(), make_outcomes(), profile=make_profile(), follow_up_days=30, seed=7)
    schema.EXAMPLES.write(examples, tmp_path / "examples.parquet")
    assert digest(schema.EXAMPLES.read(tmp_path / "examples.parquet")) == digest(examples)


@pytest.mark.parametrize("shape", ["no escalation", "no category"])
def test_a_profile_may_supply_one_kind_of_label_only(shape):
    made = reports()
    supplies = ("category",) if shape == "no escalation" else ("escalated",)
    profile = make_profile(sources={"desk": make_profile().sources["desk"].model_copy(update={"supplies": supplies})})
    examples, _ = make_examples(made, make_outcomes(), profile=profile, follow_up_days=30, seed=7)
    said = make_card(examples, made, profile=profile, categories=("wages",), min_examples_per_category=1)
    assert to_markdown(said)
