"""A name as it is compared: its words with what each weighs, its corporate form, its numbers."""

from dataclasses import dataclass
from functools import lru_cache

from isthmus.parties.fold import skeleton, words
from isthmus.parties.vocabulary import FORM, abbreviations, forms, longest_form, rarity

LONGEST = 48
"""The words that are read of a name. The longest names of public lists have about twenty-five."""

PARTS_OF_A_BIT = 64
"""Words weigh whole parts of a bit, so that a sum of them is the same in any order."""


@dataclass(frozen=True, slots=True)
class ComparableName:
    """The words of one name, in order; ``weights`` are in bits and parallel to the words.

    ``core`` are the places of the words that are not of a corporate form; ``compact`` is their
    letters without spaces.
    """

    text: str
    words: tuple[str, ...]
    skeletons: tuple[str, ...]
    weights: tuple[float, ...]
    core: tuple[int, ...]
    forms: frozenset[str]
    compact: str

    @property
    def bits(self) -> float:
        """How much the whole name tells."""
        return sum(self.weights)


@lru_cache(maxsize=4096)
def read_name(text: str) -> ComparableName:
    """Read one name: its first LONGEST words.

    A name without a letter or digit has no words and matches nothing.
    """
    found = words(text)[:LONGEST]
    formal, kinds = _formal(found)
    short = abbreviations()
    full = tuple(word if at in formal else short.get(word, word) for at, word in enumerate(found))
    weights = tuple(_weight(word, at in formal) for at, word in enumerate(full))
    core = tuple(at for at in range(len(full)) if at not in formal)
    compact = "".join(full[at] for at in core)
    return ComparableName(
        text, full, tuple(map(skeleton, full)), weights, core, frozenset(kinds), compact
    )


def _weight(word: str, formal: bool) -> float:
    return round(rarity(word) * (FORM if formal else 1.0) * PARTS_OF_A_BIT) / PARTS_OF_A_BIT


def _formal(found: tuple[str, ...]) -> tuple[set[int], set[str]]:
    """The places of the words of corporate forms, and the kinds of the forms."""
    known, places, kinds, at = forms(), set[int](), set[str](), 0
    while at < len(found):
        for length in range(min(longest_form(), len(found) - at), 0, -1):
            kind = known.get(found[at : at + length])
            if kind:
                places.update(range(at, at + length))
                kinds.add(kind)
                at += length
                break
        else:
            at += 1
    # A name made of nothing but forms ("Company Group") is a name all the same.
    return (places, kinds) if len(places) < len(found) else (set(), set())
