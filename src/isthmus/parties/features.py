"""Small named measures of how two names differ. Each is 0 for a name and itself, and symmetric.

Many pairs of names are measured at once. Weights and likenesses are whole parts of a bit and of
one, so that their sums are exact: a pair measures the same in any company and either way round.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA, Indel
from rapidfuzz.process import cpdist

from isthmus.parties.columns import START_LETTERS, Columns, Flags, Floats, Ids, Whole

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
    "each_own",  # the heaviest word that only one has, the lighter of those of both, in bits / 20
)

_INITIAL, _START, _SOUND, _SHAPE = 0.6, 0.75, 0.92, 0.9
_SPELT_FROM, _HEARD_FROM = 0.45, 0.6
_PARTS = 1024
_AT_ONCE = 400_000
"""Pairs of words that are looked at in one go."""

Exact = NDArray[np.float64]


def measure(ours: Columns, theirs: Columns, one: Whole, other: Whole) -> Floats:
    """The features of each pair of a name of ours and a name of theirs; [pairs, len(FEATURES)]."""
    out = np.empty((len(one), len(FEATURES)), dtype=np.float32)
    for part in _parts(_counts(ours, one) * _counts(theirs, other)):
        out[part] = _measure(ours, theirs, one[part], other[part])
    return out


def alike(ours: Columns, theirs: Columns, one: Ids, other: Ids) -> tuple[Whole, Floats, Flags]:
    """Which pairs of a word of ours and a word of theirs are alike at all.

    Returns their places, how alike each is (over 0, to 1), and whether it sounds the same.
    """
    places = np.flatnonzero(_maybe(ours, theirs, one, other))
    keys = one[places].astype(np.int64) * max(len(theirs.words), 1) + other[places]
    pairs, whose = np.unique(keys, return_inverse=True)
    found, heard = _alike(ours, theirs, *np.divmod(pairs, max(len(theirs.words), 1)))
    found, heard = found[whose], heard[whose]
    kept = np.flatnonzero(found)
    return places[kept], found[kept], heard[kept]


def _maybe(ours: Columns, theirs: Columns, one: Ids, other: Ids) -> Flags:
    """Whether two words may be alike: a quick look that leaves out none that are."""
    x, y = ours.letters[one], theirs.letters[other]
    m, n = ours.length[one], theirs.length[other]
    maybe = _near(x, y, m, n, _SPELT_FROM)
    heard = _near(
        ours.bone_letters[one], theirs.bone_letters[other],
        ours.bone_length[one], theirs.bone_length[other], _HEARD_FROM,
    )  # fmt: skip
    head = ours.head[one]
    begins = (head == theirs.head[other]) & (head > 0)
    initial = (ours.first[one] == theirs.first[other]) & (np.minimum(m, n) == 1)
    seen = ours.scan[one] == theirs.scan[other]
    return np.asarray(maybe | heard | begins | initial | seen)


def _near(
    letters: Whole, others: Whole, m: NDArray[np.int16], n: NDArray[np.int16], floor: float
) -> Flags:
    # Each letter that only one of them has costs an edit, and so does each letter more.
    edits = np.maximum(np.bitwise_count(letters & ~others), np.bitwise_count(others & ~letters))
    longer = np.maximum(m, n)
    edits = np.maximum(edits, longer - np.minimum(m, n))
    return np.asarray(edits < (1 - floor) * longer)


def _alike(ours: Columns, theirs: Columns, one: Whole, other: Whole) -> tuple[Floats, Flags]:
    x, y = [ours.words[at] for at in one.tolist()], [theirs.words[at] for at in other.tolist()]
    spelling = cpdist(x, y, scorer=OSA.normalized_similarity, dtype=np.float32)
    sound = cpdist(
        [ours.bones[at] for at in one.tolist()],
        [theirs.bones[at] for at in other.tolist()],
        scorer=OSA.normalized_similarity, dtype=np.float32,
    )  # fmt: skip
    # A skeleton of one letter says nothing; of two, little.
    bones = np.minimum(ours.bone_length[one], theirs.bone_length[other])
    found = np.maximum(
        _ramp(spelling, _SPELT_FROM), _SOUND * _ramp(sound, _HEARD_FROM) * np.minimum(1, bones / 3)
    )
    for at in np.flatnonzero(ours.scan[one] == theirs.scan[other]).tolist():
        seen = ours.shapes[one[at]]
        if len(seen) >= START_LETTERS and seen == theirs.shapes[other[at]]:
            found[at] = max(found[at], _SHAPE)
    shorter = np.minimum(ours.length[one], theirs.length[other])
    head = ours.head[one]
    for at in np.flatnonzero((head == theirs.head[other]) & (head > 0)).tolist():
        if x[at].startswith(y[at]) or y[at].startswith(x[at]):
            found[at] = max(found[at], _START)
    initial = (ours.first[one] == theirs.first[other]) & (shorter == 1)
    found[initial] = np.maximum(found[initial], _INITIAL)
    found[spelling == 1] = 1
    return np.asarray(np.rint(found * _PARTS) / _PARTS, dtype=np.float32), sound == 1


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The words of one side of some pairs, pair after pair: the spot and the pair of each."""

    columns: Columns
    names: Whole
    counts: Whole
    starts: Whole
    spots: Whole
    pairs: Whole
    weights: Exact

    def most(self, of_words: Exact) -> Exact:
        """What the heaviest word of each pair weighs, each taken at a share."""
        return np.asarray(np.maximum.reduceat(self.weights * of_words, self.starts))

    def sums(self, of_words: Exact) -> Exact:
        """What the words of each pair weigh together, each taken at a share."""
        found = np.bincount(self.pairs, self.weights * of_words, minlength=len(self.names))
        return np.asarray(found, dtype=np.float64)


def _side(columns: Columns, names: Whole) -> _Side:
    counts = _counts(columns, names)
    starts = np.concatenate(([0], np.cumsum(counts)))[:-1]
    pairs = np.repeat(np.arange(len(names)), counts)
    spots = np.arange(len(pairs)) - starts[pairs] + columns.starts[names][pairs]
    weights = columns.weights[spots].astype(np.float64)
    return _Side(columns, names, counts, starts, spots, pairs, weights)


def _measure(ours: Columns, theirs: Columns, one: Whole, other: Whole) -> Floats:
    left, right = _side(ours, one), _side(theirs, other)
    # Every word of the one name with every word of the other.
    mine = np.repeat(np.arange(len(left.spots)), right.counts[left.pairs])
    firsts = np.cumsum(right.counts[left.pairs]) - right.counts[left.pairs]
    yours = np.arange(len(mine)) + (right.starts[left.pairs] - firsts)[mine]
    places, found, heard = alike(
        ours, theirs, ours.ids[left.spots][mine], theirs.ids[right.spots][yours]
    )
    mine, yours = mine[places], yours[places]
    best_mine, best_yours = np.zeros(len(left.spots)), np.zeros(len(right.spots))
    np.maximum.at(best_mine, mine, found)
    np.maximum.at(best_yours, yours, found)
    bits = [side.sums(np.ones(len(side.spots))) for side in (left, right)]
    got = [left.sums(best_mine), right.sums(best_yours)]
    lost = [1 - had / np.maximum(all_, 1e-6) for had, all_ in zip(got, bits, strict=True)]
    more = np.maximum(*lost)
    out = np.empty((len(one), len(FEATURES)))
    out[:, 0] = more
    out[:, 1] = np.minimum(*lost)
    out[:, 2] = (bits[0] - got[0] + bits[1] - got[1]) / 50
    out[:, 3] = cpdist(
        [ours.compact[at] for at in one.tolist()],
        [theirs.compact[at] for at in other.tolist()],
        scorer=Indel.normalized_distance,
    )
    out[:, 4] = 1 - np.minimum(_of_rarest(left, best_mine), _of_rarest(right, best_yours))
    out[:, 5] = _forms(ours, theirs, one, other)
    out[:, 6] = _numbers(ours, theirs, one, other)
    out[:, 7] = np.exp(-np.minimum(*got) / 12) * np.minimum(1, 5 * more)
    # Mario is not Maria: a word that many names have is seldom a slip for another such word.
    word, theirs_ = ours.ids[left.spots][mine], theirs.ids[right.spots][yours]
    clash = ours.known[word] & theirs.known[theirs_] & ~heard & (found < 1)
    out[:, 8] = np.maximum(
        _clashing(left, mine[clash & (found == best_mine[mine])], bits[0]),
        _clashing(right, yours[clash & (found == best_yours[yours])], bits[1]),
    )
    out[:, 9] = np.abs(left.counts - right.counts) / 4
    out[:, 10] = np.minimum(left.most(1 - best_mine), right.most(1 - best_yours)) / 20
    return np.asarray(np.maximum(out, 0).round(4), dtype=np.float32)


def _of_rarest(side: _Side, best: Exact) -> Exact:
    rarest = side.columns.rarest[side.names] - side.columns.starts[side.names]
    return np.asarray(best[side.starts + rarest])


def _clashing(side: _Side, words: Whole, bits: Exact) -> Exact:
    clash = np.zeros(len(side.spots))
    clash[words] = 1
    return np.asarray(side.sums(clash) / np.maximum(bits, 1e-6))


def _forms(ours: Columns, theirs: Columns, one: Whole, other: Whole) -> Exact:
    keys = ours.form[one].astype(np.int64) * len(theirs.forms) + theirs.form[other]
    pairs, whose = np.unique(keys, return_inverse=True)
    found = [
        _form(ours.forms[key // len(theirs.forms)], theirs.forms[key % len(theirs.forms)])
        for key in pairs.tolist()
    ]
    return np.array(found)[whose]


@lru_cache(maxsize=16_384)
def _form(one: frozenset[str], other: frozenset[str]) -> float:
    if one == other or one & other:
        return 0.0
    return 1.0 if one and other else 0.5


def _numbers(ours: Columns, theirs: Columns, one: Whole, other: Whole) -> Exact:
    mine, yours = ours.number[one], theirs.number[other]
    found = np.zeros(len(one))
    for at in np.flatnonzero(mine | yours).tolist():
        found[at] = ours.numbers[mine[at]] != theirs.numbers[yours[at]]
    return found


def _counts(columns: Columns, names: Whole) -> Whole:
    return np.asarray(columns.starts[names + 1] - columns.starts[names])


def _parts(work: Whole) -> Iterator[slice]:
    """Cut so that each part has no more work than is done at once, or is one pair."""
    done, first = np.cumsum(work), 0
    while first < len(work):
        before = done[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(done, before + _AT_ONCE, side="right")))
        yield slice(first, last)
        first = last


def _ramp(likeness: Floats, floor: float) -> Floats:
    return np.asarray(np.maximum(0, (likeness - floor) / (1 - floor)), dtype=np.float32)
