"""What inspections tell about everything, inspected or not: hit rates that are not flattered.

Counting hits among picks says how good the picks were, not what was missed. Each pick knows the
probability with which it was picked (``select``), and units picked by chance stand for those that
chance left out. With y the outcome of an inspected pick and p its propensity,

    sum of y * (1 - p) / p

has as its expectation the number of hits among what was not picked (Horvitz and Thompson 1952);
certain picks (p = 1) rightly weigh nothing. The rate among the unpicked is that sum over the sum
of the weights (Hájek 1971). Its interval is Wilson's (1927) with the effective sample size of the
weights (Kish 1965), which stays honest with few or no hits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
import polars as pl

from isthmus.kernel.errors import Invalid

Z95 = 1.959963984540054
"""Quantile of the normal distribution for two-sided intervals of 95 %."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Effectiveness:
    """What the picks found, and what by estimate they left.

    Estimates are None where nothing was drawn by chance and inspected: then nothing is known of
    the rest, and no figure is better than a flattering one.
    """

    candidates: int
    picked: int
    inspected: int  # picks with a conclusive outcome
    hits: int
    precision: Estimate | None  # hits among inspected picks
    effective_sample: float  # how many equal random inspections the weights are worth
    rate_unpicked: Estimate | None  # share of hits among what was not picked
    missed: Estimate | None  # number of hits among what was not picked
    missed_share: Estimate | None  # missed / (missed + found)
    rate: Estimate | None  # share of hits among all candidates


def effectiveness(picks: pl.DataFrame, candidates: int) -> Effectiveness:
    """Estimate effectiveness from the picks of one or more runs.

    ``picks`` has a row per pick: ``propensity`` (over 0, to 1) and ``hit`` (true, false, or null
    where the outcome is not known or inconclusive). ``candidates`` is how many units those runs
    chose from. Picks without outcome are left out on the assumption that they are without
    outcome by chance; hits found are scaled up for them in the shares. Raises ``Invalid`` when a
    propensity is not one or there are more picks than candidates.
    """
    chance = picks["propensity"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    if not ((chance > 0) & (chance <= 1)).all():
        raise Invalid("risk.propensity", "a propensity lies over 0 and at most at 1")
    if picks.height > candidates:
        raise Invalid("risk.propensity", "more picks than candidates", candidates=candidates)
    known = picks["hit"].is_not_null().to_numpy()
    hit = picks["hit"].cast(pl.Boolean).fill_null(False).to_numpy()[known]
    chance = chance[known]
    inspected, hits = len(hit), int(hit.sum())
    precision = wilson(hits / inspected, inspected) if inspected else None

    weight = (1 - chance) / chance
    total, squares = float(weight.sum()), float((weight**2).sum())
    effective = total**2 / squares if squares else 0.0
    unpicked = candidates - picks.height
    if not effective:
        nothing_left = Estimate(0.0, 0.0, 0.0) if unpicked == 0 and inspected else None
        return Effectiveness(
            candidates, picks.height, inspected, hits, precision, 0.0,
            nothing_left, nothing_left, nothing_left if hits else None,
            precision if unpicked == 0 else None,
        )  # fmt: skip
    rate = wilson(float((weight * hit).sum()) / total, effective)
    missed = _map(rate, lambda share: share * unpicked)
    found = hits * picks.height / inspected
    share = None
    if found or missed.value:
        share = _map(missed, lambda count: count / (count + found) if count + found else 0.0)
    overall = _map(missed, lambda count: (count + found) / candidates)
    return Effectiveness(
        candidates, picks.height, inspected, hits, precision, effective,
        rate, missed, share, overall,
    )  # fmt: skip


def wilson(share: float, size: float) -> Estimate:
    """Wilson's interval of 95 % for a share seen in a sample of this (effective) size."""
    square = Z95 * Z95
    centre = (share + square / (2 * size)) / (1 + square / size)
    half = Z95 * sqrt(share * (1 - share) / size + square / (4 * size**2)) / (1 + square / size)
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def _map(estimate: Estimate, by: Callable[[float], float]) -> Estimate:
    return Estimate(by(estimate.value), by(estimate.low), by(estimate.high))
