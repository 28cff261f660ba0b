import numpy as np
import pandas as pd
import pytest

from pipeline.schema import HISTORY, PLACEHOLDERS
from pipeline.scoring.reasons import explain


def _reports(*texts, similar=0):
    frame = pd.DataFrame({"title": ["噪音问题"] * len(texts), "text": list(texts)})
    return frame.assign(**{name: float(similar) for name in HISTORY})


def _score(reports):
    """A risk that rises with two words and with history, and with nothing else."""
    has_knife = reports["text"].str.contains("砍人").to_numpy()
    has_child = reports["text"].str.contains("孩子").to_numpy()
    return 0.1 + 0.4 * has_knife + 0.1 * has_child + 0.05 * np.minimum(reports["n_similar_30d"].to_numpy(), 3)


def test_the_words_that_raised_the_risk_are_named_strongest_first():
    reports = _reports("昨天晚上楼下一直吵，他拿着刀说要砍人，家里还有孩子，我们都不敢出门。")
    (reasons,) = explain(reports, _score, n_reasons=3)
    assert "砍人" in reasons[0]["evidence"]
    assert "孩子" in reasons[1]["evidence"]
    assert [round(reason["effect"], 3) for reason in reasons] == [0.4, 0.1]


def test_history_that_raised_the_risk_is_named():
    (reasons,) = explain(_reports("楼下一直很吵。", similar=2), _score, n_reasons=3)
    assert [(reason["kind"], round(reason["effect"], 3)) for reason in reasons] == [("history", 0.1)]


def test_a_report_that_nothing_raises_gets_no_reason():
    assert explain(_reports("路灯坏了。", ""), _score, n_reasons=3) == [[], []]


def test_no_more_reasons_are_given_than_asked_for():
    reports = _reports("他要砍人，有孩子。", similar=3)
    assert len(explain(reports, _score, n_reasons=1)[0]) == 1


def test_no_reports_get_no_reasons():
    assert explain(_reports().iloc[:0], _score, n_reasons=3) == []


@pytest.mark.parametrize("n_before", range(12))
def test_a_span_never_cuts_a_placeholder(n_before):
    text = "楼" * n_before + "下[姓名]老板说要砍人还骗走[身份证号]和[QQ号]都不肯还给我们"  # wherever the placeholders stand
    (reasons,) = explain(_reports(text), _score, n_reasons=3)
    assert reasons
    for reason in reasons:
        rest = reason["evidence"]
        for placeholder in PLACEHOLDERS:
            rest = rest.replace(placeholder, "")
        assert "[" not in rest
        assert "]" not in rest
