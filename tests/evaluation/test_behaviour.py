"""Questions put to a model before it is promoted."""

import pandas as pd
import pytest

from pipeline.errors import ParameterError
from pipeline.evaluation.behaviour import Behaviour, ask, behaviour_gates, load_behaviour
from pipeline.params import load_params
from pipeline.taxonomy import load_outcomes
from tests.conftest import ROOT

HARM = {"injury_or_threat_to_life"}


@pytest.fixture(scope="module")
def questions():
    return load_behaviour(ROOT / "data" / "behaviour" / "reports.yaml")


def _model(risk, category=lambda text: "wages"):
    """A model made of two functions of a report's text; every earlier report about the same raises its risk a little."""

    def score(written):
        raised = [risk(row.text) + 0.01 * row.n_similar_90d for row in written.itertuples()]
        return pd.DataFrame({"category": [category(text) for text in written["text"]], "risk": raised})

    return score


def _careful(text):
    words = (
        "打死",
        "上门威胁",
        "要我的命",
        "刀",
        "钢管打",
        "跳下去",
        "遗书",
        "农药",
        "孩子",
        "小孩",
        "已经动手",
        "有好几个人受伤",
    )
    hurt = any(word in text for word in (*words, "一再威胁", "又打人"))
    return 0.3 if hurt and "谁也没有带刀" not in text else 0.1


def _passed(questions, model, outcomes=HARM):
    answers = ask(questions, model, outcomes=outcomes, tolerance=0.3)
    return {answer.kind: answer.n_passed / answer.n_pairs for answer in answers}


def test_a_careful_model_answers_every_question(questions):
    assert set(_passed(questions, _model(_careful)).values()) == {1.0}


def test_a_constant_model_changes_with_nothing_and_notices_nothing(questions):
    passed = _passed(questions, lambda written: pd.DataFrame({"category": "wages", "risk": [0.1] * len(written)}))
    assert {kind for kind, share in passed.items() if share == 1.0} == {
        "names",
        "amounts",
        "order",
        "denied",
        "repeated_not_lowered",
    }
    assert {kind for kind, share in passed.items() if share == 0.0} == {
        "threats", "weapons", "self_harm", "children", "denied_below_affirmed", "repeated"}  # fmt: skip


def test_a_model_that_looks_at_names_is_found_out(questions):
    passed = _passed(questions, _model(lambda text: 0.6 if "李秀兰" in text else 0.1))
    assert passed["names"] == pytest.approx(2 / 3)
    assert passed["amounts"] == passed["order"] == 1.0


def test_a_model_whose_category_follows_the_amount_is_found_out(questions):
    passed = _passed(questions, _model(_careful, category=lambda text: "fraud" if "4650元" in text else "wages"))
    assert passed["amounts"] == pytest.approx(0.5)


def test_a_model_that_reads_only_the_beginning_is_found_out(questions):
    assert _passed(questions, _model(lambda text: 0.1 + 0.001 * ord(text[0]) % 0.7))["order"] < 0.5


def test_a_model_that_counts_words_without_their_negation_is_found_out(questions):
    passed = _passed(questions, _model(lambda text: 0.6 if any(word in text for word in ("动手", "受伤", "威胁")) else 0.1))
    assert passed["denied"] == pytest.approx(2 / 5)


def test_a_deployment_that_knows_no_harm_is_not_asked_about_it(questions):
    assert set(_passed(questions, _model(_careful), {"re_reported"})) == {
        "names",
        "amounts",
        "order",
        "repeated",
        "repeated_not_lowered",
    }


def test_a_deployment_without_outcomes_is_asked_about_invariance_only(questions):
    assert set(_passed(questions, _model(_careful), set())) == {"names", "amounts", "order"}


def test_every_kind_of_question_has_a_share_in_the_parameters(questions):
    gates = load_params(ROOT).evaluation.gates
    assert set(_passed(questions, _model(_careful))) == set(gates.min_behaviour_share)


def test_a_question_without_a_declared_share_is_refused(questions):
    gates = load_params(ROOT).evaluation.gates.model_copy(update={"min_behaviour_share": {"names": 1.0}})
    with pytest.raises(ParameterError, match="no share for 'amounts'"):
        behaviour_gates(ask(questions, _model(_careful), outcomes=HARM, tolerance=0.3), gates)


def test_a_gate_names_the_kind_and_how_many_pairs_were_right(questions):
    gates = load_params(ROOT).evaluation.gates
    model = _model(lambda text: 0.05 if "打死" in text else _careful(text))
    gate = next(g for g in behaviour_gates(ask(questions, model, outcomes=HARM, tolerance=0.3), gates) if "threats" in g.name)
    assert gate.got.startswith("36 of 54 (67%); worst change -0.75")


def test_the_questions_name_outcomes_that_exist(questions):
    known = {outcome.id for outcome in load_outcomes(ROOT / "data" / "taxonomy" / "outcomes.yaml")}
    assert {need for direction in questions.direction for need in direction.needs} | set(questions.negation.needs) <= known


def test_the_questions_have_the_slots_that_change():
    questions = load_behaviour(ROOT / "data" / "behaviour" / "reports.yaml")
    assert isinstance(questions, Behaviour)
    for report in questions.reports:
        assert report.text.count("{name}") == report.text.count("{amount}") == 1, report.title
        assert report.text.count("，") >= 3, report.title
