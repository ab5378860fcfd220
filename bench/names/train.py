"""Make the trees and scales of both algorithms: src/isthmus/parties/data/{find,same}-2.*.

    python -m names.train ../shared/data/watchlists      (from bench/)

"find" learns from noisy queries and names on no list of one seed, with a few pairs of near names
so that it prefers the nearer; its scale is laid on names on no list of another seed. "same"
learns from as many pairs that mean one name as pairs that mean two, made with noise and taken from
the other names that the list gives, and its scale is probability.
Neither seed is one that bench/screening.py reports on.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

import isthmus.parties
from isthmus.parties.columns import Columns
from isthmus.parties.features import FEATURES, measure
from isthmus.parties.index import NameIndex
from isthmus.parties.line import read_line
from isthmus.parties.match import FIND, SAME
from isthmus.parties.name import read_name

from .samples import Listed, aliases, listed, pairs, queries, unlisted

DATA = Path(isthmus.parties.__file__).parent / "data"
SEED, SCALE_SEED = 1, 2
QUERIES, LAWFUL = 8400, 8000
OTHER_NAMES = 0.15  # weight of wrong candidates of listed queries: some are the same in truth
TREES = 80
PAIRS, ALIASES, SAME_WEIGHT, NEAR_WEIGHT = 5000, 3000, 0.1, 0.3
PROBABILITIES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
ALERTS = ((0.2, 0.5), (0.05, 0.7), (0.01, 0.85), (0.001, 0.95))  # alert rate, score
SHAPE = {
    "objective": "binary", "monotone_constraints": [-1] * len(FEATURES), "num_leaves": 15,
    "monotone_constraints_method": "intermediate", "learning_rate": 0.08, "lambda_l2": 5,
    "min_data_in_leaf": 60, "deterministic": True, "num_threads": 1, "seed": 1, "verbose": -1,
}  # fmt: skip


def main(folder: Path) -> None:
    """Train, lay the scale, and write both."""
    names = listed(folder)
    index = NameIndex(name.name for name in names)
    asked = queries(names, QUERIES, SEED)
    ours, right, _ = _rows([q.text for q in asked], [q.entity for q in asked], names, index)
    lawful, _, _ = _rows(unlisted(LAWFUL, SEED, names), None, names, index)
    same, near = (_of_pairs(found) for found in pairs(names, PAIRS, SEED))
    rows = np.vstack([ours, lawful, same, near])
    labels = np.concatenate([right, np.zeros(len(lawful)), np.ones(len(same)), np.zeros(len(near))])
    weights = np.concatenate(
        [
            np.where(right, 1, OTHER_NAMES),
            np.ones(len(lawful)),
            np.full(len(same), SAME_WEIGHT),
            np.full(len(near), NEAR_WEIGHT),
        ]
    )
    trees = lightgbm.train(SHAPE, lightgbm.Dataset(rows, labels, weight=weights), TREES)
    _write(FIND, trees, _alert_scale(trees, unlisted(LAWFUL, SCALE_SEED, names), names, index))
    alias, other = (_of_pairs(found) for found in aliases(names, index, ALIASES, SEED))
    sides = (same, alias), (near, other)
    labels = np.concatenate([np.ones(len(same) + len(alias)), np.zeros(len(near) + len(other))])
    rows = np.vstack([rows for side in sides for rows in side])
    trees = lightgbm.train(SHAPE, lightgbm.Dataset(rows, labels), TREES)
    _write(SAME, trees, [(float(np.log(p / (1 - p))), p) for p in PROBABILITIES])


def _write(name: str, trees: lightgbm.Booster, knots: list[tuple[float, float]]) -> None:
    top = float(trees.predict(np.zeros((1, len(FEATURES))), raw_score=True)[0])
    knots = [*(knot for knot in knots if knot[0] < top), (top, 1.0)]
    scale = {"raw": [round(x, 6) for x, _ in knots], "score": [round(y, 4) for _, y in knots]}
    (DATA / f"{name}.txt").write_text(trees.model_to_string(), encoding="ascii")
    (DATA / f"{name}.json").write_text(json.dumps(scale) + "\n", encoding="ascii")
    print(name, scale)


def _of_pairs(texts: Sequence[tuple[str, str]]) -> Any:
    read = [(read_name(one), read_name(other)) for one, other in texts]
    read = [(one, other) for one, other in read if one.words and other.words]
    at = np.arange(len(read))
    return measure(Columns(one for one, _ in read), Columns(other for _, other in read), at, at)


def _rows(
    texts: Sequence[str], entities: Sequence[str] | None, names: Sequence[Listed], index: NameIndex
) -> tuple[Any, Any, Any]:
    """The measures of each text against its candidates, which are right, and whose they are."""
    said = [
        (at, read_name(reading))
        for at, text in enumerate(texts)
        for part in read_line(text).names
        for reading in part.readings
    ]
    near = [index.near(name) for _, name in said]
    ours = np.repeat(np.arange(len(said)), [len(places) for places in near])
    theirs = np.concatenate(near)
    rows = measure(Columns(name for _, name in said), index.columns, ours, theirs)
    whose = np.array([at for at, _ in said])[ours]
    right = [
        bool(entities) and names[place].entity == entities[at]
        for at, place in zip(whose.tolist(), theirs.tolist(), strict=True)
    ]
    return rows, np.array(right), whose


def _alert_scale(
    trees: lightgbm.Booster, lawful: Sequence[str], names: Sequence[Listed], index: NameIndex
) -> list[tuple[float, float]]:
    rows, _, whose = _rows(lawful, None, names, index)
    best = np.full(len(lawful), -np.inf)
    raw = trees.predict(rows, raw_score=True)
    np.maximum.at(best, whose, raw)
    knots = [(float(raw.min()), 0.0)]
    knots += [(float(np.quantile(best, 1 - rate)), score) for rate, score in ALERTS]
    return knots


if __name__ == "__main__":
    main(Path(sys.argv[1]))
