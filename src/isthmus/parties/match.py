"""How alike two names are, from 0 to 1, by a named and versioned algorithm.

The measures of ``features`` are added up by a small forest of decision trees, made by
``bench/names/train.py``. Every tree is monotone: where two names differ more by any measure and
less by none, their score is not higher. A score depends on the two names and the algorithm only.

``find`` looks a name up among many. Its scores are laid on the alert rate: against a list of
about 33,000 names, a threshold of .70 raises an alert for 5 % of lawful names, .85 for 1 %, .95
for 1 in 1,000; a longer list raises more. ``same`` judges two names that are already near, say
of two records: its score is the share of such pairs that mean one name.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from isthmus.parties.columns import Columns, Floats
from isthmus.parties.features import FEATURES, measure
from isthmus.parties.name import ComparableName

if TYPE_CHECKING:
    from lightgbm import Booster

FIND = "find-2"
"""Looks a name up in lists. The name and version of an algorithm are kept with its every score."""

SAME = "same-2"
"""Judges whether two near names mean one party."""

FIND_THRESHOLD = 0.7
SAME_THRESHOLD = 0.5
"""The scores from which two names are said to match unless a profile says otherwise."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """The score of two names, with the measures it was made of (0: no difference)."""

    score: float
    features: dict[str, float]
    algorithm: str


def compare(one: ComparableName, other: ComparableName, algorithm: str = SAME) -> Likeness:
    """Compare two names. It is the same the other way round; a name and itself give 1."""
    return compare_all([(one, other)], algorithm)[0]


def compare_all(
    pairs: Sequence[tuple[ComparableName, ComparableName]], algorithm: str = SAME
) -> list[Likeness]:
    """Compare the two names of each of many pairs. A name without a word is like none."""
    full = [at for at, (one, other) in enumerate(pairs) if one.words and other.words]
    told = [Likeness(0.0, {}, algorithm)] * len(pairs)
    if full:
        ours, theirs = (Columns(pairs[at][side] for at in full) for side in (0, 1))
        each = np.arange(len(full))
        rows = measure(ours, theirs, each, each)
        found = score(rows, algorithm).tolist()
        for at, row, one in zip(full, rows.tolist(), found, strict=True):
            told[at] = Likeness(one, dict(zip(FEATURES, row, strict=True)), algorithm)
    return told


def score(features: Floats, algorithm: str) -> NDArray[np.float64]:
    """The score of each row of measures."""
    booster, raw, laid = _load(algorithm)
    found = booster.predict(features, raw_score=True, num_threads=1)
    return np.asarray(np.interp(np.asarray(found), raw, laid).round(4), dtype=np.float64)


@cache
def _load(algorithm: str) -> tuple["Booster", list[float], list[float]]:
    from lightgbm import Booster

    folder = files("isthmus.parties") / "data"
    booster = Booster(model_str=(folder / f"{algorithm}.txt").read_text(encoding="ascii"))
    scale = json.loads((folder / f"{algorithm}.json").read_text(encoding="ascii"))
    return booster, scale["raw"], scale["score"]
