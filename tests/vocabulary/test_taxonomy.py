import pytest

from pipeline.errors import ParameterError, TaxonomyError
from pipeline.taxonomy import load_outcomes, load_taxonomy
from tests.conftest import ROOT

SHIPPED = sorted(path for path in (ROOT / "data" / "taxonomy").glob("*.yaml") if path.stem not in {"outcomes", "harm_words"})

MINIMAL = """
name: small
version: 1
units: {desk: {zh: 值班台, en: Desk}}
categories:
  - {id: wages, zh: 工资, en: Wages, kind: dispute, unit: desk, response_hours: 24, severity_weight: 1.0}
  - {id: "%s", zh: "%s", en: "%s", kind: dispute, unit: %s, response_hours: 24, severity_weight: 1.0}
"""


def _write(tmp_path, second, zh="别的", en="Other", unit="desk"):
    path = tmp_path / "small.yaml"
    path.write_text(MINIMAL % (second, zh, en, unit), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_no_shipped_taxonomy_has_a_category_for_petitioning_protest_opinion_religion_or_ethnicity(path):
    taxonomy = load_taxonomy(path)
    assert len(taxonomy.ids) >= 2


@pytest.mark.parametrize(
    ("second", "zh", "en"),
    [
        ("petitions", "诉求", "Requests"),
        ("other", "越级上访", "Other"),
        ("other", "别的", "Political speech"),
        ("church", "场所", "Places"),
        ("other", "少数民族事务", "Other"),
        ("other", "集会游行", "Gatherings"),
    ],
)
def test_a_forbidden_category_is_refused(tmp_path, second, zh, en):
    with pytest.raises(ParameterError, match="is not permitted"):
        load_taxonomy(_write(tmp_path, second, zh, en))


def test_a_category_used_twice_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="used twice: wages"):
        load_taxonomy(_write(tmp_path, "wages"))


def test_a_unit_that_is_not_listed_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="names the unit 'nobody'"):
        load_taxonomy(_write(tmp_path, "noise", unit="nobody"))


def test_asking_for_an_unknown_category_names_the_known_ones(tmp_path):
    with pytest.raises(TaxonomyError, match="it has wages, noise"):
        load_taxonomy(_write(tmp_path, "noise"))["fraud"]


def test_the_declared_outcomes_are_those_of_the_design():
    found = [outcome.id for outcome in load_outcomes(ROOT / "data" / "taxonomy" / "outcomes.yaml")]
    assert sorted(found) == [
        "formal_proceedings",
        "injury_or_threat_to_life",
        "money_lost",
        "property_damage",
        "re_reported",
        "self_harm_danger",
    ]
