"""Chance for whole arrays: a number for a message follows from its vessel and its count alone.

So a day can be written without the days before it. Integer arithmetic only (SplitMix64: Steele,
Lea and Flood 2014), the same on every machine.
"""

import numpy as np
from numpy.typing import NDArray

from isthmus.simulator.dice import Dice

Counts = NDArray[np.uint64]
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def key(seed: int, *topic: object) -> int:
    """Return the key of a topic's numbers."""
    return Dice(seed, *topic).whole(0, 2**53 - 1)


def numbers(of: int, counts: Counts) -> Counts:
    """Return a 64-bit number for each count."""
    at = (counts + np.uint64(of)) * _STEP
    at = (at ^ (at >> np.uint64(30))) * _FIRST
    at = (at ^ (at >> np.uint64(27))) * _SECOND
    return at ^ (at >> np.uint64(31))


def share(drawn: Counts, lane: int) -> NDArray[np.float64]:
    """Return numbers from 0 up to 1 of 16 bits: lanes 0 to 3 of a drawn number."""
    return ((drawn >> np.uint64(16 * lane)) & np.uint64(0xFFFF)).astype(np.float64) / 65536.0


def noise(drawn: Counts, lane: int) -> NDArray[np.float64]:
    """Return errors about 0, from -1 to 1, the small ones likelier (triangular)."""
    eight = (drawn >> np.uint64(16 * lane)) & np.uint64(0xFFFF)
    return ((eight & np.uint64(255)).astype(np.float64) - (eight >> np.uint64(8))) / 256.0
