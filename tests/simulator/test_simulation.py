import gzip
from datetime import date

import pandas as pd
import pytest

from pipeline.errors import ParameterError
from pipeline.simulator import simulate
from pipeline.simulator.dirty import KINDS as KINDS_OF_DAMAGE
from pipeline.simulator.numbers import check_digit, luhn_digit
from pipeline.simulator.personal import KINDS
from pipeline.simulator.sample import PACKED, write_sample
from pipeline.simulator.scenarios import CATEGORIES
from pipeline.taxonomy import load_taxonomy
from tests.conftest import ROOT


def _simulate(folder, **changes):
    given = {"n_reports": 1500, "seed": 3, "scenario": "plain", "start": date(2025, 1, 1), "days": 60}
    return simulate(folder, **given | changes)


def _read(folder, name):
    return pd.read_csv(folder / name, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    return folder, _simulate(folder, n_reports=4000)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        _simulate(tmp_path / name, n_reports=300, seed=seed)
    a, b, c = ((tmp_path / name / "reports.csv").read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize("n_reports", [1, 17, 1000])
def test_exactly_as_many_reports_are_written_as_were_asked_for(tmp_path, n_reports):
    assert _simulate(tmp_path, n_reports=n_reports).n_reports == n_reports
    assert len(_read(tmp_path, "reports.csv")) == n_reports


def test_reports_come_in_order_of_time_within_the_days(town):
    received = pd.to_datetime(_read(town[0], "reports.csv")["received_at"])
    assert received.is_monotonic_increasing
    assert received.min() >= pd.Timestamp("2025-01-01")
    assert received.max() < pd.Timestamp("2025-03-02")


def test_what_was_planted_stands_in_the_field_it_is_said_to(town):
    reports = _read(town[0], "reports.csv").set_index("report_id")
    planted = _read(town[0], "truth/planted.csv")
    assert all(item.text in reports.at[item.report_id, item.field] for item in planted.itertuples())
    assert set(planted["field"]) == {"title", "body"}
    assert set(planted["kind"]) == set(KINDS)


def test_look_alikes_stand_in_the_field_they_are_said_to(town):
    reports = _read(town[0], "reports.csv").set_index("report_id")
    decoys = _read(town[0], "truth/decoys.csv")
    assert len(decoys) > 500
    assert all(item.text in reports.at[item.report_id, item.field] for item in decoys.itertuples())


def test_planted_numbers_carry_their_check_digits(town):
    planted = _read(town[0], "truth/planted.csv").groupby("kind")["text"].apply(list)
    assert all(number[-1].upper() == check_digit(number[:17]) for number in planted["id18"])
    cards = [number.replace(" ", "") for number in planted["bank_card"]]
    assert all(number[-1] == luhn_digit(number[:-1]) for number in cards)


def test_check_digits_are_those_of_published_numbers():
    assert check_digit("11010519491231002") == "X"
    assert luhn_digit("411111111111111") == "1"


def test_outcomes_come_after_the_report_they_are_recorded_for(town):
    received = pd.to_datetime(_read(town[0], "reports.csv").set_index("report_id")["received_at"])
    outcomes = _read(town[0], "outcomes.csv")
    assert len(outcomes) > 0
    assert (pd.to_datetime(outcomes["recorded_at"]).to_numpy() >= received[outcomes["report_id"]].to_numpy()).all()


def test_some_reports_escalate_and_severe_ones_more_often(town):
    truth = _read(town[0], "truth/reports.csv")
    received = pd.to_datetime(_read(town[0], "reports.csv")["received_at"])
    waited = pd.to_datetime(truth["outcome_at"].replace("", None)) - received
    escalated = (waited >= pd.Timedelta(0)) & (waited < pd.Timedelta(days=30))
    severe = truth["severity"].astype(float) > 0.5
    assert 0.06 < escalated.mean() < 0.11
    assert escalated[severe].mean() > 3 * escalated[~severe].mean()


def test_injected_surges_show_in_the_counts(tmp_path):
    _simulate(tmp_path, n_reports=20_000, scenario="surge", days=90)
    truth = _read(tmp_path, "truth/reports.csv")
    reports = _read(tmp_path, "reports.csv")
    matters = _read(tmp_path, "truth/matters.csv")
    started = matters.assign(day=pd.to_datetime(matters["started_at"]).dt.normalize())
    surges = _read(tmp_path, "truth/surges.csv").query("factor == '3.0'")
    rises = []
    for surge in surges.itertuples():
        cell = started[(started["area"] == surge.area) & (started["category"] == surge.category)]
        first = pd.Timestamp(surge.first_day)
        inside = cell["day"].between(first, first + pd.Timedelta(days=6)).sum() / 7
        rises.append(inside / max((len(cell) - inside * 7) / 83, 0.05))
    assert len(reports) == len(truth)
    assert 2.0 < pd.Series(rises).median() < 4.5


def test_some_reports_of_a_matter_are_copies_and_no_two_matters_share_a_text(town):
    truth = _read(town[0], "truth/reports.csv").set_index("report_id")
    bodies = _read(town[0], "reports.csv").set_index("report_id")["body"]
    copies = truth[truth["copy_of"] != ""]
    assert 0.01 < len(copies) / len(truth) < 0.05
    assert (truth.loc[copies["copy_of"], "matter_id"].to_numpy() == copies["matter_id"].to_numpy()).all()
    assert all(bodies[first] in bodies[later] for later, first in copies["copy_of"].items())
    long = bodies[bodies.str.len() > 30]
    assert (truth.loc[long.index, "matter_id"].groupby(long).nunique() < 2).all()


def test_a_tenth_of_the_labels_is_missing_and_a_few_are_wrong(town):
    declared, true = _read(town[0], "reports.csv")["category"], _read(town[0], "truth/reports.csv")["category"]
    assert 0.07 < (declared == "").mean() < 0.13
    assert 0.01 < ((declared != "") & (declared != true)).mean() < 0.03


def test_later_reports_of_a_matter_name_what_the_first_named(town):
    truth, bodies = _read(town[0], "truth/reports.csv"), _read(town[0], "reports.csv")["body"]
    grams = bodies.map(lambda text: {text[at : at + 3] for at in range(len(text) - 2)})
    several = truth[truth["copy_of"] == ""].groupby("matter_id").filter(lambda rows: len(rows) > 1).groupby("matter_id")
    pairs = [rows.index[:2] for _, rows in several]
    same = pd.Series([_overlap(grams[one], grams[other]) for one, other in pairs])
    others = pd.Series([_overlap(grams[one], grams[other]) for (one, _), (other, _) in zip(pairs, pairs[1:], strict=False)])
    assert same.median() > 2 * others.median()
    assert others.max() < 0.5


def _overlap(one, other):
    return len(one & other) / max(1, len(one | other))


def test_spoilt_rows_are_as_many_as_the_truth_says(tmp_path):
    summary = _simulate(tmp_path, scenario="dirty")
    dirty = _read(tmp_path, "truth/dirty.csv")
    assert len(dirty) == summary.n_dirty > 30
    assert set(dirty["kind"]) == set(KINDS_OF_DAMAGE)
    assert (dirty["must_reject"] == dirty["kind"].map(lambda kind: str(int(KINDS_OF_DAMAGE[kind])))).all()
    lines = (tmp_path / "reports.csv").read_bytes()
    assert lines.count(b"\x00") == (dirty["kind"] == "nul_bytes").sum()
    assert lines.count(b",surplus\r\n") == (dirty["kind"] == "extra_column").sum()


def test_the_drifted_world_speaks_otherwise_in_its_last_third(tmp_path):
    _simulate(tmp_path, scenario="drift")
    reports = _read(tmp_path, "reports.csv")
    is_new = reports["body"].str.contains("退保百万医疗|AI换脸|主播换号|先垫钱后提现", regex=True)
    late = pd.to_datetime(reports["received_at"]) >= pd.Timestamp("2025-02-10")
    assert is_new[~late].sum() == 0
    assert is_new[late].mean() > 0.05


def test_the_town_has_the_categories_of_the_taxonomy():
    assert set(CATEGORIES) == set(load_taxonomy(ROOT / "data" / "taxonomy" / "categories.yaml").ids)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"scenario": "war"}, "no scenario 'war'"), ({"n_reports": 0}, "at least 1 report"), ({"days": 0}, "at least 1 day")],
)
def test_what_cannot_be_simulated_is_refused(tmp_path, change, said):
    with pytest.raises(ParameterError, match=said):
        _simulate(tmp_path, **change)


def test_the_shipped_sample_is_what_the_simulator_writes(tmp_path):
    write_sample(tmp_path)
    for name, source in PACKED.items():
        made, shipped = (
            gzip.decompress((folder / source / f"{name}.gz").read_bytes()) for folder in (tmp_path, ROOT / "data" / "raw")
        )
        assert made == shipped, f"{source}/{name}.gz is not what the grammar gives: run python -m pipeline.simulator.sample"
