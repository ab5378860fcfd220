"""Why two names have their score: every word with its partner, and every measure that took away."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from isthmus.parties.columns import Columns
from isthmus.parties.features import FEATURES, alike
from isthmus.parties.fold import shape
from isthmus.parties.match import SAME, compare
from isthmus.parties.match import score as scored
from isthmus.parties.name import ComparableName


class Relation(StrEnum):
    """How a word of one name stands to its nearest word in the other."""

    SAME = "same"
    SOUND = "sound"
    SCAN = "scan"
    INITIAL = "initial"
    START = "start"
    SPELLING = "spelling"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class WordMatch:
    """One word, its nearest in the other name (None when it has none), and what it weighs.

    ``likeness`` is 0 to 1; ``bits`` is how much the word tells; ``formal`` marks a word of a
    corporate form.
    """

    word: str
    other: str | None
    relation: Relation
    likeness: float
    bits: float
    formal: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The score of two names and what made it.

    ``costs`` says, for each measure in which the names differ, how much higher the score would
    be had they not differed in it; the largest first.
    """

    score: float
    algorithm: str
    one: tuple[WordMatch, ...]
    other: tuple[WordMatch, ...]
    costs: tuple[tuple[str, float], ...]


def explain(one: ComparableName, other: ComparableName, algorithm: str = SAME) -> Explanation:
    """Explain the score that ``compare`` gives two names."""
    found = compare(one, other, algorithm)
    costs = _costs(found.score, found.features, algorithm)
    table = _table(one, other)
    ours, theirs = _partners(one, other, table), _partners(other, one, table.T)
    return Explanation(found.score, algorithm, ours, theirs, costs)


def _table(one: ComparableName, other: ComparableName) -> NDArray[np.float64]:
    """How alike each word of one name is to each of the other; the same the other way round."""
    table = np.zeros((len(one.words), len(other.words)))
    if table.size:
        ours, theirs = Columns([one]), Columns([other])
        rows, columns = map(np.ravel, np.indices(table.shape))
        places, found, _ = alike(ours, theirs, ours.ids[rows], theirs.ids[columns])
        table.flat[places] = found
    return table


def _partners(
    one: ComparableName, other: ComparableName, table: NDArray[np.float64]
) -> tuple[WordMatch, ...]:
    if not table.size:
        return ()
    matches = []
    for at, word in enumerate(one.words):
        best = int(table[at].argmax())
        found = float(table[at, best])
        partner = other.words[best] if found > 0 else None
        formal = at not in one.core
        relation = _relation(word, partner, one.skeletons[at], other.skeletons[best])
        matches.append(
            WordMatch(word, partner, relation, round(found, 4), round(one.weights[at], 2), formal)
        )
    return tuple(matches)


def _relation(word: str, other: str | None, sound: str, other_sound: str) -> Relation:
    if other is None:
        return Relation.MISSING
    shorter = min(len(word), len(other))
    begins = word[:shorter] == other[:shorter]
    named = (
        (Relation.SAME, word == other),
        (Relation.INITIAL, begins and shorter == 1),
        (Relation.SOUND, sound == other_sound and len(sound) > 1),
        (Relation.SCAN, shape(word) == shape(other)),
        (Relation.START, begins),
    )
    return next((relation for relation, holds in named if holds), Relation.SPELLING)


def _costs(
    score: float, features: dict[str, float], algorithm: str
) -> tuple[tuple[str, float], ...]:
    differing = [name for name, value in features.items() if value > 0]
    if not differing:
        return ()
    row = np.array([[features[name] for name in FEATURES]], dtype=np.float32)
    rows = np.repeat(row, len(differing), axis=0)
    for at, name in enumerate(differing):
        rows[at, FEATURES.index(name)] = 0
    gains = scored(rows, algorithm) - score
    costs = zip(differing, (round(float(gain), 4) for gain in gains), strict=True)
    return tuple(sorted((cost for cost in costs if cost[1] > 0), key=lambda cost: -cost[1]))
