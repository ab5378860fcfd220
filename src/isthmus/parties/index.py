"""One list's names, arranged so that the few that may match a query are found at once.

Names are cut into groups of three letters (and the skeleton of each word whole). A query looks
up its own groups, rarest first, and adds up what each name shares with it. Rarity comes from
the fixed corpus, so what a name scores for a query does not depend on the other names. Each list
has an index of its own: adding a list takes nothing away from the candidates of another.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from isthmus.parties.features import Candidates
from isthmus.parties.fold import skeleton
from isthmus.parties.name import ComparableName, read_name
from isthmus.parties.vocabulary import gram_rarity, grams

CANDIDATES = 16
LOOKED_AT = 400_000
"""Postings that one query reads at most; the commonest groups of letters are then left out."""

_WITHIN = 0.45
_BONE = 1.5


class NameIndex:
    """The names of one list. ``place`` numbers returned by ``near`` follow the order given."""

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

    def near(self, query: ComparableName, most: int = CANDIDATES) -> NDArray[np.int64]:
        """The places of the names that share most with the query, best first."""
        # Of this query alone: an index is searched by several threads at a time.
        shared, read = np.zeros(len(self), dtype=np.float32), 0
        found = []
        for gram in _core_grams(query):
            at = self._grams.get(gram)
            if at is not None:
                found.append((self._ends[at + 1] - self._ends[at], at))
        found.sort()
        for length, at in found:
            read += length
            if read > LOOKED_AT and read > length:
                break
            shared[self._posted[self._ends[at] : self._ends[at + 1]]] += self._gram_weights[at]
        if not found:
            return np.empty(0, dtype=np.int64)
        scores = shared * self._scale
        near = np.flatnonzero(scores >= _WITHIN * scores.max())
        if len(near) > most:
            near = near[np.argpartition(scores[near], -most)[-most:]]
        return near[np.lexsort((near, -scores[near]))]

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

    def _post(self, core: NDArray[np.bool_]) -> None:
        """Write down which names have which groups, and how much each name has in all."""
        self._grams: dict[str, int] = {}
        of_word: list[NDArray[np.int32]] = []
        gram_weights: list[float] = []
        for word, bones in zip(self._words, self._skeletons, strict=True):
            ids = []
            for gram in sorted(_word_grams(word, bones)):
                at = self._grams.setdefault(gram, len(self._grams))
                if at == len(gram_weights):
                    gram_weights.append(_gram_weight(gram))
                ids.append(at)
            of_word.append(np.array(ids, dtype=np.int32))
        self._gram_weights = np.array(gram_weights, dtype=np.float32)
        counts = np.array([len(ids) for ids in of_word], dtype=np.int64)
        names_of_ids = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self._starts))[core]
        core_ids = self._ids[core]
        gram_rows = (
            np.concatenate([of_word[at] for at in core_ids.tolist()])
            if len(core_ids)
            else np.empty(0, dtype=np.int32)
        )
        name_rows = np.repeat(names_of_ids, counts[core_ids])
        keys = np.unique(gram_rows.astype(np.int64) * max(len(self), 1) + name_rows)
        gram_rows = (keys // max(len(self), 1)).astype(np.int32)
        self._posted = (keys % max(len(self), 1)).astype(np.int32)
        self._ends = np.searchsorted(gram_rows, np.arange(len(gram_weights) + 1)).tolist()
        sizes = np.bincount(
            self._posted, weights=self._gram_weights[gram_rows], minlength=len(self)
        )
        self._scale = (1 / np.sqrt(np.maximum(sizes, 1))).astype(np.float32)


def _word_grams(word: str, bones: str) -> set[str]:
    found = grams(word)
    if len(bones) > 2:
        found.add(f"~{bones}")
    return found


def _gram_weight(gram: str) -> float:
    if gram.startswith("~"):
        return 8.0 * _BONE
    return max(gram_rarity(gram), 0.5)


def _core_grams(name: ComparableName) -> dict[str, float]:
    return {
        gram: _gram_weight(gram)
        for at in name.core
        for gram in _word_grams(name.words[at], name.skeletons[at])
    }
