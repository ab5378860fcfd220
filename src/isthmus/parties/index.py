"""Many names, arranged so that the few that may match a query are found at once.

Words are cut into groups of three letters; the skeleton and the shape of a word are groups of
their own. Two names are near when the groups they share weigh enough beside what each has in all.
That is a matter of the two names and the fixed corpus alone, and the same the other way round:
what else stands in an index neither brings a candidate nor takes one away. So the hits on a list
are the hits on its parts, and parties searched with listed names give the pairs that listed names
searched with parties give.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from isthmus.parties.features import Candidates
from isthmus.parties.fold import shape, skeleton
from isthmus.parties.name import ComparableName, read_name
from isthmus.parties.vocabulary import gram_rarity, grams

NEAR = 0.35
"""Two names are near when what they share is at least this part of the geometric mean of what each
has. That keeps the right name for 99 of 100 noisy queries (see bench/screening.py)."""

_BONES, _SHAPE = 192, 128
_SIXTEENTHS = 16
_SURE = 0.999 * NEAR**2
_LOOK_UP = 32
"""To look one name up in a posting costs what reading so many of it does."""


class NameIndex:
    """Some names. The places that ``near`` returns follow the order given."""

    def __init__(self, names: Iterable[str]) -> None:
        self._words: list[str] = []
        self._known: dict[str, int] = {}
        self._forms: list[frozenset[str]] = []
        kinds: dict[frozenset[str], frozenset[str]] = {}
        ids: list[int] = []
        weights: list[float] = []
        starts = [0]
        core: list[bool] = []
        self._compact: list[str] = []
        self.texts: list[str] = []
        for text in names:
            name = read_name(text)
            self.texts.append(text)
            self._forms.append(kinds.setdefault(name.forms, name.forms))
            for word in name.words:
                at = self._known.setdefault(word, len(self._words))
                if at == len(self._words):
                    self._words.append(word)
                ids.append(at)
            weights += name.weights
            core += [at in name.core for at in range(len(name.words))]
            self._compact.append(name.compact)
            starts.append(len(ids))
        self._ids = np.array(ids, dtype=np.int32)
        self._weights = np.array(weights, dtype=np.float32)
        self._starts = np.array(starts, dtype=np.int64)
        self._skeletons = [skeleton(word) for word in self._words]
        self._post(np.array(core, dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.texts)

    def near(self, query: ComparableName) -> NDArray[np.int64]:
        """The places of all names near the query, in their order."""
        groups = core_groups(query)
        whole = sum(groups.values())
        found = sorted((len(self._posting(at)), at) for at in self._known_groups(groups))
        # A near name shares s, has no less than s in all, and s² >= NEAR² whole s. The commonest
        # groups of the query, when they weigh less than that together, bring in nobody new.
        left, rare = 0, len(found)
        while rare and left + self._group_weights[found[rare - 1][1]] < _SURE * whole:
            rare -= 1
            left += self._group_weights[found[rare][1]]
        # Of this query alone: an index is searched by several threads at a time.
        shared = np.zeros(len(self), dtype=np.int32)
        for _, at in found[:rare]:
            shared[self._posting(at)] += self._group_weights[at]
        near = np.flatnonzero(shared)
        floor = NEAR**2 * (whole * self._sizes[near])
        may_be = (shared[near] + float(left)) ** 2 >= floor
        near, floor = near[may_be], floor[may_be]
        for length, at in found[rare:]:
            posted = self._posting(at)
            if length <= _LOOK_UP * len(near):
                shared[posted] += self._group_weights[at]
            elif len(near):
                spots = np.minimum(np.searchsorted(posted, near), length - 1)
                shared[near[posted[spots] == near]] += self._group_weights[at]
        return near[shared[near].astype(np.float64) ** 2 >= floor]

    def candidates(self, places: Sequence[int] | NDArray[np.int64]) -> Candidates:
        """The names at these places, ready to be compared."""
        at = np.asarray(places, dtype=np.int64)
        lengths = self._starts[at + 1] - self._starts[at]
        columns = np.arange(max(int(lengths.max(initial=0)), 1))
        filled = columns[None, :] < lengths[:, None]
        spots = (self._starts[at][:, None] + columns)[filled]
        seen, inverse = np.unique(self._ids[spots], return_inverse=True)
        grid = np.full(filled.shape, len(seen), dtype=np.int32)
        weights = np.zeros(filled.shape, dtype=np.float32)
        grid[filled], weights[filled] = inverse, self._weights[spots]
        known = seen.tolist()
        return Candidates(
            [self._words[word] for word in known],
            [self._skeletons[word] for word in known],
            grid,
            weights,
            [self._forms[place] for place in places],
            [self._compact[place] for place in places],
        )

    def _known_groups(self, groups: Iterable[str]) -> Iterator[int]:
        return (at for at in map(self._groups.get, groups) if at is not None)

    def _posting(self, at: int) -> NDArray[np.int32]:
        return self._posted[self._ends[at] : self._ends[at + 1]]

    def _post(self, core: NDArray[np.bool_]) -> None:
        """Write down which names have which groups, and what the groups of each name weigh."""
        self._groups: dict[str, int] = {}
        self._group_weights: list[int] = []
        of_word: list[NDArray[np.int32]] = []
        for word, bones in zip(self._words, self._skeletons, strict=True):
            ids = []
            for group, weight in word_groups(word, bones).items():
                at = self._groups.setdefault(group, len(self._groups))
                if at == len(self._group_weights):
                    self._group_weights.append(weight)
                ids.append(at)
            of_word.append(np.array(ids, dtype=np.int32))
        counts = np.array([len(ids) for ids in of_word], dtype=np.int64)
        names_of_ids = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self._starts))[core]
        core_ids = self._ids[core]
        group_rows = (
            np.concatenate([of_word[at] for at in core_ids.tolist()])
            if len(core_ids)
            else np.empty(0, dtype=np.int32)
        )
        name_rows = np.repeat(names_of_ids, counts[core_ids])
        keys = np.unique(group_rows.astype(np.int64) * max(len(self), 1) + name_rows)
        group_rows = (keys // max(len(self), 1)).astype(np.int32)
        self._posted = (keys % max(len(self), 1)).astype(np.int32)
        self._ends = np.searchsorted(group_rows, np.arange(len(self._groups) + 1)).tolist()
        weights = np.array(self._group_weights, dtype=np.float64)
        self._sizes = np.bincount(self._posted, weights[group_rows], minlength=len(self))


def word_groups(word: str, bones: str) -> dict[str, int]:
    """What a word is found by, and what each weighs in sixteenths of a bit.

    Whole numbers: a sum of them is the same in any order.
    """
    found = {gram: round(_SIXTEENTHS * max(gram_rarity(gram), 0.5)) for gram in sorted(grams(word))}
    if len(bones) > 2:
        found[f"~{bones}"] = _BONES
    if len(word) > 2:
        found[f"#{shape(word)}"] = _SHAPE
    return found


def core_groups(name: ComparableName) -> dict[str, int]:
    """What a name is found by: the groups of its words that are not of a corporate form."""
    found: dict[str, int] = {}
    for at in name.core:
        found |= word_groups(name.words[at], name.skeletons[at])
    return found
