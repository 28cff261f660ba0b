"""The second stage of a risk head: a text's score joined with the message's length and the matter's history.

A text has many weights and a report a few counts, so the two are learned one after the other (stacking, Wolpert, *Neural
Networks* 5(2), 1992): first a model of the text, then, on reports it had not read, a small one of its log-odds, the length
(people write at length about what troubles them much) and `schema.HISTORY`, both as log(1 + x). Every model of ours joins them
so.

Escalations are rare, so the stage is told what is known beforehand: its penalty pulls each weight towards an expected one, and
neither the text's weight nor history's may fall below zero. A matter that more people reported, or that has been open longer,
is not less urgent for it; without bounds the seven history columns, which nearly say the same, got weights of both signs.
Classes are not reweighted: that would shift the log-odds that calibration works with. Limit: who writes more is read sooner.
"""

import numpy as np
import pandas as pd

from pipeline.hazard import Periods, fit_hazard
from pipeline.schema import HISTORY

N_SMALL = 1 + len(HISTORY)  # length and history
TEXT_ALONE = np.concatenate([[1.0], np.zeros(N_SMALL)])
"""Weights of a report whose text says everything; what is expected where nothing else is known."""


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


def fit_joint(
    text_log_odds: np.ndarray, small: np.ndarray, periods: Periods, *, penalty: float, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find weights for inputs as they come; standardizing is folded into them.

    Args:
        text_log_odds: By the text alone, of reports its model had not read, shape (n_reports,); zeros keep its weight as known.
        small: From `small_features`, shape (n_reports, N_SMALL).
        periods: What is known of the same reports; at least one outcome among them.
        penalty: On half the squared distance of the standardized weights from `known`.
        known: Weights expected beforehand, shape (1 + N_SMALL,): of the text, of log(1 + length), of log(1 + history).

    Returns:
        Weights in the order of `known`, and constants, log-odds, shape (n_bins,).
    """
    inputs = np.column_stack([text_log_odds, small])
    center, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    scale[0] = 1.0  # the text score keeps its unit, log-odds
    bounds = [(0.0, None), (None, None), *[(0.0, None)] * len(HISTORY)]
    found, constants = fit_hazard((inputs - center) / scale, periods, penalty=penalty, known=known * scale, bounds=bounds)
    weights = found / scale
    return weights, constants - weights @ center
