"""How matters grow: the number of further people who will report one within a fortnight.

Every report makes the next more likely for a while: what five people reported this week is talked of at work and in the
estate's group. That is a self-exciting process (Hawkes, Biometrika 58, 1971, 83-90), used in this form to foretell how far
messages spread (Zhao, Erdogdu, He, Rajaraman and Leskovec, SEISMIC, KDD 2015). Here its forecast is fitted directly: the
people to come within the horizon are negative binomial, with a mean that is a sum of what is remembered (see moments.py) with
non-negative weights, so that a further report never lowers what is expected; and with a size a + b s, s being the followers
remembered for a week: the more have come, the less it can still be a matter that nobody follows (a gamma-Poisson rate that is
learned while it drifts; Smith and Miller, JRSS B 48, 1986, 79-88). The weights are fitted by the multiplicative steps of an
additive Poisson model (Marschner, Journal of Computational and Graphical Statistics 19, 2010, 666-683), the size by maximum
likelihood, both with priors worth a few people, so that a new deployment begins with something sensible and soon forgets it.
The probability of k or more is the upper tail, drawn to what happened by a line in log-odds (Platt, 1999), itself held to the
identity where little has happened.

On citizen messages a negative binomial of one size for all ranked the moments before three more people came with average
precision 0.28, this one with 0.31, a logistic regression on the same with 0.05: there were too few to learn it from.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, gammaln, logit
from scipy.stats import nbinom

from pipeline.emerging.moments import FOLLOWERS_WEEK, Moments
from pipeline.emerging.series import Reals

PRIOR_WEIGHTS = np.array([0.005, 0.05, 0.1, 0.1, 0.05, 0.05, 0.05])
"""Weights before anything is known: one in ten people is followed by another within a fortnight."""
PRIOR_PEOPLE = 5.0
"""People to come that the prior of each weight counts for."""
PRIOR_SIZE = np.array([0.15, 0.5])
"""a and b before anything is known."""
PRIOR_SPREAD = 1.0
"""Standard deviation of the logarithms of a and b around that."""
LINE_SPREAD = np.array([1.0, 0.3])
"""Standard deviations of the line's level and slope around the identity."""
ALIKE_DAYS = 10.0
"""Days of one matter that say as much as one moment by itself would; neighbouring days have most of their future in common."""
MOST_MOMENTS = 30_000
"""Moments the few weights are learned from; more would take seconds a night and change nothing that is shown."""
ROUNDS = 100
_CLOSE = 1e-9


@dataclass(frozen=True)
class Growth:
    """How matters grow.

    Attributes:
        weights: Of each feature, shape (N_FEATURES,), non-negative.
        size: a and b of the negative binomial's size, shape (2,), positive.
        line: Level and slope of the line from stated to observed log-odds of `more` people, shape (2,).
        more: Further people the probability speaks of.
    """

    weights: Reals
    size: Reals
    line: Reals
    more: int

    def expected(self, moments: Moments) -> Reals:
        """Further people to be expected within the horizon, shape (n_moments,)."""
        mean: Reals = moments.features @ self.weights
        return mean

    def probability(self, moments: Moments) -> Reals:
        """Probability of at least `more` further people within the horizon, shape (n_moments,), rising with the features."""
        stated = _tail(self.expected(moments), _size(moments, self.size), self.more)
        told: Reals = expit(self.line[0] + self.line[1] * logit(stated))
        return told

    def interval(self, moments: Moments, share: float) -> tuple[Reals, Reals]:
        """Between how many further people this share of outcomes lies, each of shape (n_moments,)."""
        size = _size(moments, self.size)
        odds = size / (size + self.expected(moments))
        low, high = (nbinom.ppf(tail, size, odds) for tail in ((1.0 - share) / 2.0, (1.0 + share) / 2.0))
        return low, high


def _size(moments: Moments, size: Reals) -> Reals:
    together: Reals = size[0] + size[1] * moments.features[:, FOLLOWERS_WEEK]
    return together


def _tail(mean: Reals, size: Reals, more: int) -> Reals:
    tail: Reals = np.clip(nbinom.sf(more - 1, size, size / (size + mean)), _CLOSE, 1.0 - _CLOSE)
    return tail


def fit(moments: Moments, *, more: int) -> Growth:
    """Learn how matters grow.

    Args:
        moments: Moments whose horizon has closed; of none, what is believed beforehand is returned. Of more than
            `MOST_MOMENTS` every second, third, ... is looked at.
        more: Further people the probability is to speak of.
    """
    moments = moments.where(np.arange(len(moments.days)) % max(-(-len(moments.days) // MOST_MOMENTS), 1) == 0)
    share, features, later = moments.spans / ALIKE_DAYS, moments.features, moments.later
    exposure = share @ features + PRIOR_PEOPLE / PRIOR_WEIGHTS
    weights = PRIOR_WEIGHTS.copy()
    for _ in range(ROUNDS):
        told = later * share / np.maximum(features @ weights, 1e-12)
        weights = (weights * (told @ features) + PRIOR_PEOPLE) / exposure
    mean = features @ weights
    size = _fit_size(moments, mean, share)
    stated = logit(_tail(mean, _size(moments, size), more))
    return Growth(weights, size, _fit_line(stated, later >= more, share), more)


def _fit_size(moments: Moments, mean: Reals, share: Reals) -> Reals:
    """A and b, by penalized maximum likelihood."""
    later, mean = moments.later, np.maximum(mean, 1e-12)

    def loss(logs: Reals) -> float:
        size = _size(moments, np.exp(logs))
        fits = gammaln(later + size) - gammaln(size) - size * np.log1p(mean / size) + later * np.log(mean / (size + mean))
        return float(((logs - np.log(PRIOR_SIZE)) ** 2).sum() / (2 * PRIOR_SPREAD**2) - share @ fits)

    fitted: Reals = np.exp(minimize(loss, np.log(PRIOR_SIZE), method="Nelder-Mead").x)
    return fitted


def _fit_line(stated: Reals, happened: "np.ndarray", share: Reals) -> Reals:
    """Level and slope from stated to observed log-odds, by penalized maximum likelihood."""
    sign = np.where(happened, 1.0, -1.0)

    def loss(line: Reals) -> float:
        fits = np.logaddexp(0.0, -sign * (line[0] + line[1] * stated))
        return float(((line - [0.0, 1.0]) ** 2 / (2 * LINE_SPREAD**2)).sum() + share @ fits)

    bounds = [(None, None), (0.2, 5.0)]
    line: Reals = minimize(loss, np.array([0.0, 1.0]), method="L-BFGS-B", bounds=bounds).x
    return line
