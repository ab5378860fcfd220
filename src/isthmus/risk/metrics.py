"""How good a ranking and its probabilities are, with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
SHARES = (0.01, 0.05, 0.10)
_RESAMPLES = 200


def precision_at(scores: F64, positive: Bools, share: float) -> float:
    """The share of positives among the best-scored part, ties counted in proportion."""
    size = max(1, round(len(scores) * share))
    order = np.argsort(-scores, kind="stable")
    limit = scores[order[size - 1]]
    over, equal = scores > limit, scores == limit
    left = size - over.sum()
    return float((positive[over].sum() + left * positive[equal].mean()) / size)


def auc(scores: F64, positive: Bools) -> float:
    """The chance that a positive scores above a negative, ties counting half."""
    _, place, size = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[place]
    hits = int(positive.sum())
    misses = len(positive) - hits
    return float((ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses))


def average_precision(scores: F64, positive: Bools) -> float:
    """The area under precision and recall as steps, equal scores taken together."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(positive[order])[ends]
    gained = np.diff(np.concatenate(([0], hits)))
    return float((hits / (ends + 1) * gained).sum() / positive.sum())


def brier(probabilities: F64, positive: Bools) -> float:
    """The mean squared difference between probability and outcome; 0 is perfect."""
    return float(((probabilities - positive) ** 2).mean())


def measure(probabilities: F64, positive: Bools, seed: int) -> Mapping[str, Sequence[float]]:
    """Every figure with its interval of 95 %: ``{name: [value, low, high]}``, six digits.

    Intervals are percentiles over resamples of the rows (Efron 1979), from a fixed seed.
    """
    values = _all(probabilities, positive)
    random = np.random.Generator(np.random.PCG64(seed))
    tries: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(_RESAMPLES):
        drawn = random.integers(0, len(positive), len(positive))
        if 0 < positive[drawn].sum() < len(positive):
            for name, value in _all(probabilities[drawn], positive[drawn]).items():
                tries[name].append(value)
    return {
        name: [_round(value), *(_round(x) for x in np.percentile(tries[name], [2.5, 97.5]))]
        for name, value in values.items()
    }


def _all(probabilities: F64, positive: Bools) -> dict[str, float]:
    at = {f"p_at_{share:.0%}".rstrip("%"): share for share in SHARES}
    return {
        **{name: precision_at(probabilities, positive, share) for name, share in at.items()},
        "auc": auc(probabilities, positive),
        "ap": average_precision(probabilities, positive),
        "brier": brier(probabilities, positive),
    }


def _round(value: Any) -> float:
    return round(float(value), 6)
