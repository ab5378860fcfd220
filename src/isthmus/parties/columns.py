"""Names laid out in columns, so that many pairs of them are compared at once."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from isthmus.parties.fold import shape
from isthmus.parties.name import ComparableName
from isthmus.parties.vocabulary import well_known

Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
Ids = NDArray[np.int32]
Floats = NDArray[np.float32]

_BIT = {letter: 1 << at for at, letter in enumerate("abcdefghijklmnopqrstuvwxyz0123456789")}
START_LETTERS = 3
"""The letters that a word must have for its start, or its shape, to tell anything."""


class Columns:
    """Some names in the order given, and their different words.

    The words of name n stand at the spots ``starts[n]`` to ``starts[n + 1]``: ``ids`` says which
    word it is, ``weights`` what it weighs in bits, ``core`` whether it is of no corporate form.
    ``rarest`` is the spot of the heaviest. ``form`` and ``number`` say which of ``forms`` and of
    ``numbers`` a name has; ``compact`` is as in ComparableName.
    """

    def __init__(self, names: Iterable[ComparableName]) -> None:
        known: dict[str, int] = {}
        self.bones: list[str] = []
        self.compact: list[str] = []
        forms: dict[frozenset[str], int] = {}
        numbers: dict[frozenset[str], int] = {frozenset(): 0}
        form, number, starts = list[int](), list[int](), [0]
        ids, weights, core = list[int](), list[float](), list[bool]()
        for name in names:
            for word, bone in zip(name.words, name.skeletons, strict=True):
                at = known.setdefault(word, len(known))
                if at == len(self.bones):
                    self.bones.append(bone)
                ids.append(at)
            weights += name.weights
            core += [at in name.core for at in range(len(name.words))]
            starts.append(len(ids))
            form.append(forms.setdefault(name.forms, len(forms)))
            digits = frozenset(word for word in name.words if word.isdigit())
            number.append(numbers.setdefault(digits, len(numbers)))
            self.compact.append(name.compact)
        self.words = list(known)
        self.forms, self.numbers = list(forms), list(numbers)
        self.form = np.array(form, dtype=np.int32)
        self.number = np.array(number, dtype=np.int32)
        self.ids = np.array(ids, dtype=np.int32)
        self.weights = np.array(weights, dtype=np.float32)
        self.core = np.array(core, dtype=np.bool_)
        self.starts = np.array(starts, dtype=np.int64)
        self.rarest = _heaviest(self.starts, self.weights)
        self._describe()

    def __len__(self) -> int:
        return len(self.compact)

    def _describe(self) -> None:
        """What is compared of the different words without reading them letter by letter."""
        self.length = np.array([len(word) for word in self.words], dtype=np.int16)
        self.bone_length = np.array([len(bone) for bone in self.bones], dtype=np.int16)
        self.letters = np.array([_letters(word) for word in self.words], dtype=np.int64)
        self.bone_letters = np.array([_letters(bone) for bone in self.bones], dtype=np.int64)
        self.first = np.array([ord(word[0]) for word in self.words], dtype=np.int32)
        heads = [word[:START_LETTERS] for word in self.words]
        self.head = np.array(
            [int.from_bytes(head.encode()) if len(head) == START_LETTERS else 0 for head in heads],
            dtype=np.int32,
        )
        self.shapes = [shape(word) for word in self.words]
        # A hash only says who may have the same shape.
        self.scan = np.array([hash(one) for one in self.shapes], dtype=np.int64)
        self.known = np.array([well_known(word) for word in self.words], dtype=np.bool_)


def _letters(word: str) -> int:
    found = 0
    for letter in word:
        found |= _BIT[letter]
    return found


def _heaviest(starts: Whole, weights: Floats) -> Whole:
    """The spot of the heaviest word of each name, the first of several."""
    found = starts[:-1].copy()
    has = np.flatnonzero(np.diff(starts))
    if len(has):
        most = np.maximum.reduceat(weights, starts[:-1][has])
        name = np.repeat(has, np.diff(starts)[has])
        spots = np.flatnonzero(weights == np.repeat(most, np.diff(starts)[has]))
        found[name[spots][::-1]] = spots[::-1]
    return found
