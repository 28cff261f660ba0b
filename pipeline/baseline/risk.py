"""The risk head: a text score, the text's length and the matter's history, joined in a second, small model.

Stage one is a logistic regression on n-grams; its log-odds are the text score. Stage two joins that score with the length of
the message (people write at length about what troubles them much) and the history (`schema.HISTORY`), both as log(1 + x). Text
has tens of thousands of weights and would look better than it is on the reports it learned from, so stage two must see scores
from a model that had not read the report: the reports are put in order of arrival and cut into blocks, and each block is scored
by a stage one fitted on earlier blocks only (stacking, Wolpert, Neural Networks 5(2), 1992, with folds in time). Nothing later
teaches anything earlier. The first block has no earlier one and teaches stage two nothing. Reports without an arrival time come
first, in order of `report_id`.

Escalations are rare, so stage two is told what is known beforehand. Its penalty pulls the text score's weight towards 1 (it is
a log-odds already) and all others towards 0, and history may only raise the risk: a matter that more people reported, or that
has been open longer, is not less urgent for it. On dated messages (2,010 reports before the test split, 76 escalated, each
block scored by earlier ones) length, bounds and penalty together took ROC-AUC from 0.45 to 0.67 and PR-AUC from 0.05 to 0.11
against a base rate of 0.04; without bounds the seven history columns, which nearly say the same, got weights of both signs.
Classes are not reweighted: that would shift the log-odds that calibration works with.

Without escalation labels, or with one value only, there is nothing to learn and the logit is zero for every report. Where too
few escalations arrive early to score any later block, the text score gets no weight. Limit: who writes more is read sooner.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from pipeline.schema import HISTORY

logger = logging.getLogger(__name__)


N_SMALL = 1 + len(HISTORY)  # length and history


@dataclass(frozen=True)
class RiskHead:
    """Both stages, ready to score.

    Attributes:
        text_weights: Stage one, shape (n_features,), float32.
        text_intercept: Log-odds of a report without a known n-gram.
        weights: Stage two, shape (1 + N_SMALL,): weight of the text score, of log(1 + length), of log(1 + history).
        intercept: Stage two's constant, log-odds.
    """

    text_weights: np.ndarray
    text_intercept: float
    weights: np.ndarray
    intercept: float

    def logits(self, features: sparse.csr_array, small: np.ndarray) -> np.ndarray:
        """Log-odds of escalation, shape (n_reports,), float32.

        Args:
            features: Weighted n-grams, shape (n_reports, n_features).
            small: From `small_features`, shape (n_reports, N_SMALL).
        """
        text = features @ self.text_weights + np.float32(self.text_intercept)
        return np.asarray(np.column_stack([text, small]) @ self.weights + self.intercept, dtype=np.float32)


def zero_head(n_features: int) -> RiskHead:
    """The head of a model that never saw an escalation label: zero for every report."""
    return RiskHead(np.zeros(n_features, dtype=np.float32), 0.0, np.zeros(1 + N_SMALL), 0.0)


def small_features(reports: pd.DataFrame) -> np.ndarray:
    """log(1 + x) of the message's length in characters and of each history column, shape (n_reports, N_SMALL).

    History that is unknown counts as none.
    """
    length = (reports["title"].str.len() + reports["text"].str.len()).to_numpy(dtype=np.float64)
    history = np.nan_to_num(reports[list(HISTORY)].to_numpy(dtype=np.float64, na_value=0.0))
    return np.asarray(np.log1p(np.column_stack([length, np.clip(history, 0.0, None)])))


def without_history(small: np.ndarray) -> np.ndarray:
    """The same reports as if nothing were known of their matters."""
    return np.column_stack([small[:, 0], np.zeros((len(small), len(HISTORY)))])


def order_of_arrival(reports: pd.DataFrame) -> np.ndarray:
    """Positions of the reports by arrival, those without a time first; shape (n_reports,)."""
    numbered = reports[["received_at", "report_id"]].reset_index(drop=True)
    ordered = numbered.sort_values(["received_at", "report_id"], na_position="first", kind="stable")
    return np.asarray(ordered.index)


def fit_risk_head(
    features: sparse.csr_array,
    small: np.ndarray,
    escalated: np.ndarray,
    *,
    text_strength: float,
    penalty: float,
    n_blocks: int,
    seed: int,
) -> RiskHead:
    """Fit both stages on reports in order of arrival.

    Args:
        features: Weighted n-grams, shape (n_reports, n_features), rows in order of arrival.
        small: From `small_features`, shape (n_reports, N_SMALL), same order.
        escalated: Shape (n_reports,), bool, no nulls, same order.
        text_strength: Inverse penalty of stage one.
        penalty: Of stage two, on the squared distance of its weights from what is known beforehand.
        n_blocks: Blocks in time; the first is scored by none.
        seed: Of the solver.
    """
    if not has_both(escalated):
        return zero_head(features.shape[1])
    scored, scores = _scores_from_earlier_blocks(features, escalated, text_strength, n_blocks, seed)
    text_weights, text_intercept = _fit_text(features, escalated, text_strength, seed)
    if has_both(escalated[scored]):
        weights, intercept = _fit_joint(np.column_stack([scores, small[scored]]), escalated[scored], penalty, use_text=True)
    else:
        logger.warning("baseline: too few early escalations among %d reports; their wording is not used", len(escalated))
        nothing = np.zeros(len(escalated))
        weights, intercept = _fit_joint(np.column_stack([nothing, small]), escalated, penalty, use_text=False)
    return RiskHead(text_weights, text_intercept, weights, intercept)


def has_both(escalated: np.ndarray) -> bool:
    """Whether some reports escalated and some did not."""
    return bool(len(escalated)) and bool(escalated.any()) and not bool(escalated.all())


def blocks_in_time(n_reports: int, n_blocks: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For every block but the first: positions of all earlier reports, positions of the block."""
    edges = np.linspace(0, n_reports, n_blocks + 1).astype(int)
    for start, end in zip(edges[1:-1], edges[2:], strict=True):
        if end > start:
            yield np.arange(start), np.arange(start, end)


def _scores_from_earlier_blocks(
    features: sparse.csr_array, escalated: np.ndarray, text_strength: float, n_blocks: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Positions that could be scored by an earlier model, and their text scores."""
    scored, scores = [np.zeros(0, dtype=int)], [np.zeros(0)]
    for earlier, block in blocks_in_time(len(escalated), n_blocks):
        if has_both(escalated[earlier]):
            weights, intercept = _fit_text(features[earlier], escalated[earlier], text_strength, seed)
            scored.append(block)
            scores.append(features[block] @ weights + intercept)
    return np.concatenate(scored), np.concatenate(scores)


def _fit_text(features: sparse.csr_array, escalated: np.ndarray, strength: float, seed: int) -> tuple[np.ndarray, float]:
    model = LogisticRegression(C=strength, solver="liblinear", random_state=seed, max_iter=300)
    model.fit(features, escalated)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def _fit_joint(inputs: np.ndarray, escalated: np.ndarray, penalty: float, *, use_text: bool) -> tuple[np.ndarray, float]:
    """Weights and intercept of stage two for inputs as they come; standardizing is folded into them."""
    center, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    scale[0] = 1.0  # the text score keeps its unit, log-odds
    design = np.column_stack([(inputs - center) / scale, np.ones(len(inputs))])
    known = np.zeros(design.shape[1])
    known[0] = float(use_text)
    penalized = np.r_[np.ones(design.shape[1] - 1), 0.0]

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores, away = design @ weights, penalized * (weights - known)
        value = np.logaddexp(0.0, scores).sum() - scores[escalated].sum() + penalty / 2 * (away @ away)
        return float(value), design.T @ (expit(scores) - escalated) + penalty * away

    text_bounds = (0.0, None) if use_text else (0.0, 0.0)
    bounds = [text_bounds, (None, None), *[(0.0, None)] * len(HISTORY), (None, None)]
    found = minimize(loss, known, jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = found[:-1] / scale
    return weights, float(found[-1] - weights @ center)
