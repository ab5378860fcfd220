"""Chance, reproducible: one stream of numbers for each topic, so that topics do not disturb
each other. What is drawn for a box's number does not depend on whether something is hidden in it.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Odds(Generic[T]):
    """Choices with their weights, summed once so that many draws are cheap. Weights need not sum
    to anything; a weight of 0 is never drawn."""

    __slots__ = ("_choices", "_ends", "_last")

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._choices = tuple(weights)
        self._ends = tuple(accumulate(weights.values()))
        # A share just below 1 may be rounded up to all of it: the last that has weight.
        self._last = max((at for at, weight in enumerate(weights.values()) if weight), default=0)

    def at(self, share: float) -> T:
        """Return the choice that stands at a share, from 0 to below 1, of all weight."""
        at = bisect_right(self._ends, share * self._ends[-1])
        return self._choices[min(at, self._last)]

    @property
    def whole(self) -> float:
        """Return the sum of all weights; 0 when there is nothing to draw."""
        return self._ends[-1] if self._ends else 0.0


class Dice:
    """A stream of chance. Only ``random()`` of the standard generator is used: its numbers are
    the same in every version of Python."""

    __slots__ = ("_next",)

    def __init__(self, seed: int, *topic: object) -> None:
        name = "/".join(str(part) for part in (seed, *topic))
        self._next = random.Random(name).random  # noqa: S311 - to be repeated, not to be secret

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self._next() < probability

    def between(self, low: float, high: float) -> float:
        """A number, evenly between two."""
        return low + (high - low) * self._next()

    def whole(self, low: int, high: int) -> int:
        """A whole number, evenly between two, both included."""
        return low + int(self._next() * (high - low + 1))

    def around(self, middle: float, spread: float) -> float:
        """A number above 0 whose logarithm is normal; ``spread`` is about its relative error."""
        radius = math.sqrt(-2 * math.log(1 - self._next()))
        return middle * math.exp(spread * radius * math.cos(2 * math.pi * self._next()))

    def pick(self, choices: Sequence[T]) -> T:
        """One of these, evenly."""
        return choices[int(self._next() * len(choices))]

    def weighed(self, weights: Mapping[T, float]) -> T:
        """One of these, by weight; the weights need not sum to anything."""
        at = self._next() * sum(weights.values())
        for choice, weight in weights.items():
            at -= weight
            if at < 0:
                return choice
        return choice

    def draw(self, odds: Odds[T]) -> T:
        """One of these, by weight."""
        return odds.at(self._next())

    def text(self, alphabet: str, length: int) -> str:
        """A string of these characters."""
        return "".join(self.pick(alphabet) for _ in range(length))
