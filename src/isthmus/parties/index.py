"""Many names, arranged so that the few that may match a query are found at once.

Words are cut into groups of three letters; the skeleton and the shape of a word are groups of
their own. Two names are near when the groups they share weigh enough beside what each has in all.
That is a matter of the two names and the fixed corpus alone, and the same the other way round:
what else stands in an index neither brings a candidate nor takes one away. So the hits on a list
are the hits on its parts, and parties searched with listed names give the pairs that listed names
searched with parties give.
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from isthmus.parties.columns import Columns
from isthmus.parties.fold import shape
from isthmus.parties.name import ComparableName, read_name
from isthmus.parties.vocabulary import gram_weights, grams

NEAR = 0.3
"""Two names are near when what they share is at least this part of the geometric mean of what each
has. That keeps the right name for 99 of 100 noisy queries (see bench/screening.py)."""

_BONES, _SHAPE = 192, 128
_SURE = 0.999


class NameIndex:
    """Some names. The places that ``near`` returns follow the order given."""

    def __init__(self, names: Iterable[str]) -> None:
        self.texts = list(names)
        self.columns = Columns(map(read_name, self.texts))
        self._post()

    def __len__(self) -> int:
        return len(self.texts)

    def near(self, query: ComparableName) -> NDArray[np.int64]:
        """The places of all names near the query, in their order."""
        groups = core_groups(query)
        whole = sum(groups.values())
        found = [at for at in map(self._groups.get, groups) if at is not None]
        found.sort(key=self._lengths.__getitem__)
        # A near name shares s, has no less than s in all, and s² >= NEAR² whole s. The commonest
        # groups of the query, when they weigh less than that together, bring in nobody new.
        left, rare = 0, len(found)
        while rare and left + self._weights[found[rare - 1]] < _SURE * NEAR**2 * whole:
            rare -= 1
            left += self._weights[found[rare]]
        if not rare:
            return np.empty(0, dtype=np.int64)
        posted = np.concatenate([self._postings[at] for at in found[:rare]])
        weights = np.repeat(
            [float(self._weights[at]) for at in found[:rare]],
            [self._lengths[at] for at in found[:rare]],
        )
        # Of this query alone: an index is searched by several threads at a time.
        shared = np.bincount(posted, weights, minlength=len(self))
        at_most = (shared[posted] + left) * self._scales[posted]
        near = np.unique(posted[at_most >= _SURE * NEAR * whole**0.5])
        parts = shared[near]
        for at in found[rare:]:
            names = self._postings[at]
            spots = np.minimum(names.searchsorted(near), len(names) - 1)
            parts += self._weights[at] * (names[spots] == near)
        found_near = near[parts**2 >= NEAR**2 * (whole * self._sizes[near])]
        return np.asarray(found_near, dtype=np.int64)

    def _post(self) -> None:
        """Write down which names have which groups, and what the groups of each name weigh."""
        columns = self.columns
        self._groups: dict[str, int] = {}
        group_weights: list[int] = []
        of_words: list[int] = []
        ends = [0]
        for word, bones in zip(columns.words, columns.bones, strict=True):
            for group, weight in word_groups(word, bones).items():
                at = self._groups.setdefault(group, len(self._groups))
                if at == len(group_weights):
                    group_weights.append(weight)
                of_words.append(at)
            ends.append(len(of_words))
        firsts, counts = np.array(ends[:-1], dtype=np.int64), np.diff(ends)
        words = columns.ids[columns.core]
        names = np.repeat(np.arange(len(self)), np.diff(columns.starts))[columns.core]
        counts = counts[words]
        names = np.repeat(names, counts)
        within = np.arange(len(names)) - np.repeat(np.cumsum(counts) - counts, counts)
        groups = np.array(of_words, dtype=np.int64)[np.repeat(firsts[words], counts) + within]
        groups, names = np.divmod(np.unique(groups * max(len(self), 1) + names), max(len(self), 1))
        ends = np.searchsorted(groups, np.arange(1, len(self._groups) + 1)).tolist()
        names = names.astype(np.int32)
        self._postings = [names[at:end] for at, end in zip([0, *ends], ends, strict=False)]
        self._lengths = list(map(len, self._postings))
        self._weights = group_weights
        sizes = np.bincount(names, np.array(group_weights)[groups], minlength=len(self))
        self._sizes = np.asarray(sizes, dtype=np.float64)
        self._scales = 1 / np.sqrt(np.maximum(self._sizes, 1))


@lru_cache(maxsize=16_384)
def word_groups(word: str, bones: str) -> dict[str, int]:
    """What a word is found by, and what each weighs in sixteenths of a bit.

    Whole numbers: a sum of them is the same in any order.
    """
    known, unknown = gram_weights()
    found = {gram: known.get(gram, unknown) for gram in grams(word)}
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
