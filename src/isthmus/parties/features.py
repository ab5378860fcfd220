"""Small named measures of how two names differ. Each is 0 for a name and itself, and symmetric.

All measures are taken for one query against many candidates at once: the words of all candidates
are compared with the words of the query in four calls, and what remains is sums.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, Indel, Prefix
from rapidfuzz.process import cdist

from isthmus.parties.fold import shape
from isthmus.parties.name import ComparableName
from isthmus.parties.vocabulary import well_known

Floats = NDArray[np.float32]
Places = NDArray[np.int32]

FEATURES = (
    "lost_of_one",  # share of the weight of either name that the other does not have, the larger
    "lost_of_both",  # the same, the smaller
    "lost_bits",  # weight that only one of them has, in bits / 50
    "run_together",  # distance of the names written without spaces
    "heaviest_word",  # how far the rarest word of either is from its nearest in the other
    "form",  # 1: corporate forms of different kinds; 0.5: only one has a form
    "numbers",  # 1: the numbers in the names differ
    "thin",  # how little is shared, in bits, where anything is lost
    "other_word",  # share of the weight in words whose nearest is another well-known word
    "count",  # words of a name more than the other has, / 4
)

_INITIAL, _START, _SOUND, _SHAPE = 0.6, 0.75, 0.92, 0.9
_START_LETTERS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The names a query is compared with, K of them, with T words at most and U different words.

    ``places`` [K, T] says which of the U words stands there, U meaning none; ``weights`` [K, T]
    are in bits. ``forms`` and ``compact`` are as in ComparableName.
    """

    words: Sequence[str]
    skeletons: Sequence[str]
    places: Places
    weights: Floats
    forms: Sequence[frozenset[str]]
    compact: Sequence[str]


def of_names(names: Sequence[ComparableName]) -> Candidates:
    """The candidates made of some names."""
    seen: dict[str, int] = {}
    for name in names:
        for word in name.words:
            seen.setdefault(word, len(seen))
    skeletons = {w: s for name in names for w, s in zip(name.words, name.skeletons, strict=True)}
    longest = max((len(name.words) for name in names), default=0) or 1
    places = np.full((len(names), longest), len(seen), dtype=np.int32)
    weights = np.zeros((len(names), longest), dtype=np.float32)
    for at, name in enumerate(names):
        places[at, : len(name.words)] = [seen[word] for word in name.words]
        weights[at, : len(name.words)] = name.weights
    return Candidates(
        list(seen),
        [skeletons[word] for word in seen],
        places,
        weights,
        [name.forms for name in names],
        [name.compact for name in names],
    )


def likeness(
    words: Sequence[str], sounds: Sequence[str], others: Candidates
) -> tuple[Floats, Floats]:
    """How alike each word of the query is to each of the U words, 0 to 1; [M, U].

    And how alike their skeletons are alone.
    """
    spelling = cdist(words, others.words, scorer=OSA.normalized_similarity, dtype=np.float32)
    sound = cdist(sounds, others.skeletons, scorer=OSA.normalized_similarity, dtype=np.float32)
    start = cdist(words, others.words, scorer=Prefix.similarity, dtype=np.int32)
    long = np.array([len(word) for word in words], dtype=np.int32)[:, None]
    wide = np.array([len(word) for word in others.words], dtype=np.int32)[None, :]
    shorter = np.minimum(long, wide)
    # A skeleton of one letter says nothing; of two, little.
    bones = np.minimum(
        np.array([len(bone) for bone in sounds], dtype=np.int32)[:, None],
        np.array([len(bone) for bone in others.skeletons], dtype=np.int32)[None, :],
    )
    alike: Floats = _ramp(spelling, 0.45)
    heard = _SOUND * _ramp(sound, 0.6) * np.minimum(1.0, bones / 3)
    alike = np.maximum(alike, heard)
    ours, theirs = map(shape, words), dict[str, list[int]]()
    for at, word in enumerate(others.words):
        theirs.setdefault(shape(word), []).append(at)
    for at, scanned in enumerate(ours):
        if len(scanned) >= _START_LETTERS and scanned in theirs:
            columns = theirs[scanned]
            alike[at, columns] = np.maximum(alike[at, columns], _SHAPE)
    begins = start == shorter
    alike = np.maximum(alike, np.where(begins & (shorter >= _START_LETTERS), _START, 0))
    alike = np.maximum(alike, np.where(begins & (shorter == 1), _INITIAL, 0))
    alike = np.where(spelling == 1.0, 1.0, alike)
    # In whole parts, as the weights are: sums are then exact, and so the same either way round.
    return np.asarray(np.rint(alike * 1024) / 1024, dtype=np.float32), sound


def measure(query: ComparableName, others: Candidates) -> Floats:
    """The features of the query against each candidate; [K, len(FEATURES)]."""
    count = others.places.shape[0]
    alike, sound = likeness(query.words, query.skeletons, others)
    none = np.zeros((len(query.words), 1), dtype=np.float32)
    alike = np.hstack([alike, none])
    pairs = alike[:, others.places]  # [M, K, T]
    ours = np.array(query.weights, dtype=np.float64)
    best_ours = pairs.max(axis=2).T  # [K, M]
    best_theirs = pairs.max(axis=0)  # [K, T]
    bits_ours, bits_theirs = ours.sum(), others.weights.sum(axis=1, dtype=np.float64)
    got_ours = best_ours @ ours
    got_theirs = (best_theirs * others.weights).sum(axis=1, dtype=np.float64)
    lost_ours = 1 - got_ours / max(float(bits_ours), 1e-6)
    lost_theirs = 1 - got_theirs / np.maximum(bits_theirs, 1e-6)
    lost = np.maximum(lost_ours, lost_theirs)
    shared = np.minimum(got_ours, got_theirs)
    out = np.empty((count, len(FEATURES)), dtype=np.float32)
    out[:, 0] = lost
    out[:, 1] = np.minimum(lost_ours, lost_theirs)
    out[:, 2] = (bits_ours - got_ours + bits_theirs - got_theirs) / 50
    out[:, 3] = cdist([query.compact], others.compact, scorer=Indel.normalized_distance)[0]
    rarest = others.weights.argmax(axis=1)
    out[:, 4] = np.maximum(
        1 - best_ours[:, ours.argmax()], 1 - best_theirs[np.arange(count), rarest]
    )
    out[:, 5] = [_forms(query.forms, form) for form in others.forms]
    out[:, 6] = _numbers(query, others)
    out[:, 7] = np.exp(-shared / 12) * np.minimum(1, 5 * lost)
    out[:, 8] = _other_words(query, others, pairs, np.hstack([sound, none]))
    widths = (others.places < len(others.words)).sum(axis=1)
    out[:, 9] = np.abs(widths - len(query.words)) / 4
    return np.asarray(np.maximum(out, 0).round(4), dtype=np.float32)


def _other_words(query: ComparableName, others: Candidates, pairs: Floats, sound: Floats) -> Floats:
    """Mario is not Maria: a word that many names have is seldom a slip for another such word."""
    known = np.array([well_known(word) for word in query.words])[:, None]
    known = known & np.array([*map(well_known, others.words), False])[None, :]
    clash = (known & (sound < 1))[:, others.places] & (pairs > 0) & (pairs < 1)
    if not clash.any():
        return np.zeros(len(pairs[0]), dtype=np.float32)
    # [M, K, T] down to the nearest word of each side.
    of_ours = np.take_along_axis(clash, pairs.argmax(axis=2)[:, :, None], axis=2)[:, :, 0].T
    of_theirs = np.take_along_axis(clash, pairs.argmax(axis=0)[None], axis=0)[0]
    ours = np.array(query.weights, dtype=np.float64)
    share_ours = of_ours @ ours / max(float(ours.sum()), 1e-6)
    share_theirs = (of_theirs * others.weights).sum(axis=1, dtype=np.float64) / np.maximum(
        others.weights.sum(axis=1, dtype=np.float64), 1e-6
    )
    return np.asarray(np.maximum(share_ours, share_theirs), dtype=np.float32)


def _ramp(likeness_: Floats, floor: float) -> Floats:
    return np.asarray(np.maximum(0, (likeness_ - floor) / (1 - floor)), dtype=np.float32)


def _forms(one: frozenset[str], other: frozenset[str]) -> float:
    if one == other or one & other:
        return 0.0
    return 1.0 if one and other else 0.5


def _numbers(query: ComparableName, others: Candidates) -> list[float]:
    ours = {word for word in query.words if word.isdigit()}
    theirs = [word.isdigit() for word in others.words]
    if not ours and not any(theirs):
        return [0.0] * len(others.compact)
    found = []
    for row in others.places.tolist():
        have = {others.words[at] for at in row if at < len(theirs) and theirs[at]}
        found.append(float(have != ours))
    return found
