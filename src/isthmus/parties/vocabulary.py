"""The words of names that are not names: corporate forms, honorifics, particles, short forms.

The lists are data files; ``rarity.csv`` says in how many of a fixed set of names a word occurs.
It belongs to the version of the algorithm and never follows the lists that are screened, so a
score does not move because a list grew.
"""

import csv
import math
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

from isthmus.parties.fold import words

LIGHT = 0.25
"""What a particle or an honorific weighs beside a name of the same rarity."""

FORM = 0.12
"""What the words of a corporate form weigh beside a name of the same rarity."""


WELL_KNOWN = 6
"""The names that must have a word before it is taken for a word of its own, not for a slip."""


@lru_cache(maxsize=262_144)
def rarity(word: str) -> float:
    """How much a word tells of whose name it is, in bits: log2 of one in how many names has it.

    A single letter or short number tells little, whatever the table says.
    """
    total, counts = _corpus()
    bits = math.log2((total + 1) / (counts.get(word, 1) + 0.5))
    if len(word) <= 3:
        bits = min(bits, 4.0 * len(word))
    return bits * LIGHT if word in light_words() else bits


def well_known(word: str) -> bool:
    """Whether a word of more than an initial stands in many names of the fixed set."""
    return len(word) > 1 and _corpus()[1].get(word, 0) >= WELL_KNOWN


def grams(word: str) -> set[str]:
    """The overlapping groups of three letters of a word, its two ends marked."""
    ended = f"^{word}$"
    return {ended[at : at + 3] for at in range(len(ended) - 2)}


@cache
def light_words() -> frozenset[str]:
    """Honorifics and particles."""
    return frozenset(row["word"] for row in _rows("light_words.csv"))


@cache
def abbreviations() -> Mapping[str, str]:
    """Short forms with the word that each stands for."""
    return {row["short"]: row["full"] for row in _rows("abbreviations.csv")}


@cache
def forms() -> Mapping[tuple[str, ...], str]:
    """The words of every corporate form, with its kind ("llc" for GmbH, S.R.L., OOO, ...)."""
    return {words(row["form"]): row["kind"] for row in _rows("forms.csv")}


@cache
def longest_form() -> int:
    """The most words that a corporate form has."""
    return max(map(len, forms()))


@cache
def _corpus() -> tuple[int, Mapping[str, int]]:
    counts = {row["word"]: int(row["names"]) for row in _rows("rarity.csv")}
    return counts.pop("*"), counts


@cache
def gram_weights() -> tuple[Mapping[str, int], int]:
    """How much three letters of a word tell, and how much those that no word of the set has.

    In sixteenths of a bit, from the same fixed set of names; half a bit at the least.
    """
    total, corpus = _corpus()
    counts: dict[str, int] = {}
    for word, names in corpus.items():
        for gram in grams(word):
            counts[gram] = counts.get(gram, 0) + names

    def weight(names: int) -> int:
        return round(16 * max(math.log2((total + 1) / (names + 2)), 0.5))

    return {gram: weight(names) for gram, names in counts.items()}, weight(0)


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("isthmus.parties") / "data" / name).read_text(encoding="ascii")
    return list(csv.DictReader(text.splitlines()))
