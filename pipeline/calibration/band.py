"""How sure a stated risk is: a band around the calibration map.

The map is fitted on the outcomes of a few hundred or thousand reports; other reports would have given another map. Whole
matters of the calibration split are drawn with replacement, a Venn-Abers map is fitted to each draw, and at each logit the
middle share of these fits is the band (bootstrap percentiles; Efron & Tibshirani, An Introduction to the Bootstrap, 1993).
"23 % (15 to 31)" therefore says: of reports that the model scores like this one, between 15 and 31 in 100 escalate, as far as
the calibration split can tell.

The band's map is Venn-Abers whatever map states the risk, because a sigmoid's band believes in the sigmoid: on a later period
of the simulator (7,868 reports in twenty bins) the sigmoid's own band held the share that escalated, give or take one standard
error of the bin, in 12 bins, the Venn-Abers band in 18; 0.9 was declared. It costs twice the width.

Limits: it is not about the single report, which will escalate or not; and it knows nothing of change after the calibration
split. For step maps the bootstrap is not exact at a single logit (Sen, Banerjee & Woodroofe, Annals of Statistics 38, 2010);
in a test with known risks, 0.88 of bands at 0.9 held them.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.calibration.risk import Numbers, RiskMap, fit_risk_map

N_KNOTS = 64  # logits at which the band is kept; between them it is straight, within 0.005 of the band itself
BEYOND = 0.5  # of the range of logits seen, on both sides; farther out the band stays as it is there


@dataclass(frozen=True)
class RiskBand:
    """Lower and upper risk by logit; without knots nothing is known and the band is 0 to 1."""

    knots: Numbers
    low: Numbers
    high: Numbers

    def apply(self, logits: np.ndarray, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper risk of each report, both of shape (n_reports,), with the stated risk between them."""
        if not self.knots:
            return np.zeros(len(logits)), np.ones(len(logits))
        values = logits.astype(np.float64)
        low, high = (np.interp(values, self.knots, ends) for ends in (self.low, self.high))
        return np.minimum(low, risk), np.maximum(high, risk)


UNKNOWN = RiskBand((), (), ())


def fit_band(
    logits: np.ndarray,
    escalated: np.ndarray,
    matters: np.ndarray,
    *,
    shifted: bool,
    n_bootstrap: int,
    confidence: float,
    seed: int,
) -> RiskBand:
    """Fit the map on resampled matters.

    Args:
        logits: Risk logits of the calibration split, shape (n_reports,).
        escalated: Whether each report escalated, shape (n_reports,), bool.
        matters: Matter of each report.
        shifted: Whether the map is a mere shift, and so the band must be.
        n_bootstrap: How often matters are drawn.
        confidence: Share of the fits inside the band, in (0, 1).
        seed: Of the draws.
    """
    if len(logits) == 0:
        return UNKNOWN
    knots = _knots(logits.astype(np.float64))
    fits = np.stack(
        [
            _refit(logits[rows], escalated[rows], shifted=shifted).apply(knots)
            for rows in _draws(matters, n_bootstrap=n_bootstrap, seed=seed)
        ]
    )  # (n_bootstrap, n_knots)
    tail = (1 - confidence) / 2
    low, high = np.quantile(fits, [tail, 1 - tail], axis=0)
    return RiskBand(tuple(knots.tolist()), tuple(low.tolist()), tuple(high.tolist()))


def _knots(logits: np.ndarray) -> np.ndarray:
    """Half of the knots where reports are, half evenly over a wider range."""
    wide = BEYOND * float(np.ptp(logits)) + 1.0
    even = np.linspace(logits.min() - wide, logits.max() + wide, N_KNOTS // 2)
    return np.unique(np.r_[even, np.quantile(logits, np.linspace(0, 1, N_KNOTS // 2))])


def _draws(matters: np.ndarray, *, n_bootstrap: int, seed: int) -> list[np.ndarray]:
    """Rows of each resample."""
    codes = np.unique(matters, return_inverse=True)[1]
    rows_of = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    rng = np.random.default_rng(seed)
    return [
        np.concatenate([rows_of[matter] for matter in rng.integers(len(rows_of), size=len(rows_of))])
        for _ in range(n_bootstrap)
    ]


def _refit(logits: np.ndarray, escalated: np.ndarray, *, shifted: bool) -> RiskMap:
    """A map of the drawn rows; one escalation is enough there, or a lucky draw would turn into a shift."""
    needed = len(logits) + 1 if shifted else 1
    return fit_risk_map(logits, escalated, "venn_abers", min_positives=needed)
