"""Training a model of one objective on what inspections found, honest about time.

Rows are put in the order of their moments. The first 70 % train the trees, the next 15 % stop
the training and calibrate, the last 15 % are seen by nothing and give the metrics. The trees that
are kept are then trained on all rows for the same number of rounds: the metrics are those of the
same recipe on less data.
"""

from collections.abc import Mapping
from typing import Any

import lightgbm
import numpy as np
import polars as pl

from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import from_micros, isoformat
from isthmus.risk.catalogue import model_features
from isthmus.risk.metrics import F64, Bools, measure
from isthmus.risk.model import Model, matrix, sigmoid
from isthmus.risk.objectives import Objective

MINIMUM_POSITIVES = 50
"""Below this many positive outcomes there is no model. A default of ours: with the last 15 % of
them, about eight, an interval is already as wide as the figure."""

MINIMUM_OF_EACH = 5
"""Positives and negatives that each of the three parts needs."""

_CUTS = (0.70, 0.85)
_ROUNDS = 600
_PATIENCE = 40
_SETTINGS: Mapping[str, Any] = {
    "objective": "binary",
    "metric": "binary_logloss",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "max_bin": 127,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


def train(frame: pl.DataFrame, objective: Objective, seed: int = 7) -> Model:
    """Train on a feature frame with a boolean column ``positive``, a row per known outcome.

    The features must be as of each row's decision (``features``); ``as_of`` gives the order in
    time. The same rows and seed give the same bytes. Raises ``Invalid`` when there are fewer
    than ``MINIMUM_POSITIVES`` positives or negatives, or too few in one part of the time span.
    """
    if frame["positive"].null_count() or frame["as_of"].null_count():
        raise Invalid("risk.training_rows", "every row needs its outcome and its moment")
    frame = frame.sort("as_of", "id")
    positive = frame["positive"].to_numpy()
    cuts = [round(frame.height * cut) for cut in _CUTS]
    _check(positive, cuts)
    features = tuple(
        one.name for one in model_features(objective) if frame[one.name].drop_nulls().n_unique() > 1
    )
    if not features:
        raise Invalid("risk.training_rows", "no feature differs between the rows")
    numbers = matrix(frame, features)
    first, second = cuts
    settings = {**_SETTINGS, "seed": seed}
    probe = lightgbm.train(
        settings,
        lightgbm.Dataset(numbers[:first], positive[:first], feature_name=list(features)),
        num_boost_round=_ROUNDS,
        valid_sets=[lightgbm.Dataset(numbers[first:second], positive[first:second])],
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
    )
    rounds = max(1, probe.best_iteration)
    slope, offset = calibrate(_margin(probe, numbers[first:second]), positive[first:second])
    unseen = sigmoid(slope * _margin(probe, numbers[second:]) + offset)
    metrics = measure(unseen, positive[second:], seed)
    whole = lightgbm.train(
        settings,
        lightgbm.Dataset(numbers, positive, feature_name=list(features)),
        num_boost_round=rounds,
    )
    moments = frame["as_of"].cast(pl.Int64)
    about = {
        "rows": frame.height,
        "positives": int(positive.sum()),
        "from": isoformat(from_micros(int(moments[0]))),
        "to": isoformat(from_micros(int(moments[-1]))),
        "rounds": rounds,
        "seed": seed,
        "measured_rows": frame.height - second,
        "measured_positives": int(positive[second:].sum()),
        "measured_from": isoformat(from_micros(int(moments[second]))),
        "metrics": metrics,
    }
    return Model(objective, whole.model_to_string(), slope, offset, features, about)


def calibrate(margin: F64, positive: Bools) -> tuple[float, float]:
    """Slope and offset of the sigmoid that turns margins into probabilities (Platt 1999).

    Outcomes are drawn towards one half by Platt's priors; Newton's method with halved steps (Lin,
    Lin, Weng 2007). A slope below zero would turn the ranking round: then the margins say
    nothing, the slope becomes 0 and the offset the base rate.
    """
    hits = int(positive.sum())
    misses = len(positive) - hits
    target = np.where(positive, (hits + 1) / (hits + 2), 1 / (misses + 2))
    slope, offset = 0.0, float(np.log((hits + 1) / (misses + 1)))
    flat = (0.0, offset)
    for _ in range(100):
        chance = sigmoid(slope * margin + offset)
        gap = chance - target
        bend = chance * (1 - chance)
        gradient = np.array([(gap * margin).sum(), gap.sum()])
        cross = (bend * margin).sum()
        hessian = np.array([[(bend * margin * margin).sum() + 1e-12, cross],
                            [cross, bend.sum() + 1e-12]])  # fmt: skip
        step = np.linalg.solve(hessian, gradient)
        size, loss = 1.0, _loss(slope * margin + offset, target)
        while size > 1e-10:
            tried = (slope - size * step[0]) * margin + (offset - size * step[1])
            if _loss(tried, target) < loss:
                break
            size /= 2
        else:
            break
        slope, offset = float(slope - size * step[0]), float(offset - size * step[1])
    return (slope, offset) if slope > 0 else flat


def _loss(margin: F64, target: F64) -> float:
    return float((np.logaddexp(0.0, margin) - target * margin).sum())


def _margin(booster: lightgbm.Booster, numbers: F64) -> F64:
    return np.asarray(booster.predict(numbers, raw_score=True), dtype=np.float64)


def _check(positive: Bools, cuts: list[int]) -> None:
    hits, misses = int(positive.sum()), int((~positive).sum())
    if min(hits, misses) < MINIMUM_POSITIVES:
        words = f"a model needs {MINIMUM_POSITIVES} positive and as many negative outcomes"
        raise Invalid("risk.too_few_outcomes", words, positives=hits, negatives=misses)
    for part in np.split(positive, cuts):
        if min(part.sum(), (~part).sum()) < MINIMUM_OF_EACH:
            words = f"each part of the time span needs {MINIMUM_OF_EACH} outcomes of both kinds"
            raise Invalid("risk.too_few_outcomes", words, rows=len(part), positives=int(part.sum()))
