import numpy as np

from pipeline.scoring.priority import priority


def test_priority_is_risk_times_the_severity_one_expects():
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    got = priority(np.array([0.2, 0.2, 0.2]), probabilities, np.array([1.0, 3.0]))
    np.testing.assert_allclose(got, [0.2, 0.4, 0.6])


def test_priority_rises_with_risk():
    risk = np.linspace(0, 1, 11)
    got = priority(risk, np.full((11, 2), 0.5), np.array([1.0, 2.0]))
    assert (np.diff(got) > 0).all()
