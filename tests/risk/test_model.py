from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import orjson
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from isthmus.kernel.errors import Damaged, Invalid
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.metrics import auc, average_precision, brier, measure, precision_at
from isthmus.risk.model import model_from_bytes
from isthmus.risk.objectives import Objective
from isthmus.risk.schema import MOMENT, schema_of
from isthmus.risk.training import MINIMUM_POSITIVES, calibrate, train


def labelled(size=1500, seed=1, signal=2.0):
    rng = np.random.default_rng(seed)
    price, seen = rng.normal(size=size), rng.poisson(5, size)
    chance = 1 / (1 + np.exp(1.5 + signal * price))
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = pl.DataFrame(
        {
            "id": [f"u{n}" for n in range(size)],
            "as_of": pl.Series([start + timedelta(hours=n) for n in range(size)]).cast(MOMENT),
            "price_z": price,
            "seller_seen": seen,
        }
    )
    rows = pl.concat([schema_of(field_kinds()).to_frame(), rows], how="diagonal")
    return rows.with_columns(positive=pl.Series(rng.random(size) < chance))


@cache
def trained():
    return train(labelled(), Objective.REVENUE)


def test_it_learns_and_says_how_well():
    about = trained().about
    assert about["metrics"]["auc"][0] > 0.8
    value, low, high = about["metrics"]["p_at_10"]
    assert low <= value <= high
    assert about["rows"] == 1500
    assert about["from"] == "2026-01-01T00:00:00Z"
    assert set(trained().features) == {"price_z", "seller_seen"}


def test_the_same_rows_give_the_same_bytes_in_any_order():
    rows = labelled().sample(fraction=1, shuffle=True, seed=3)
    assert train(rows, Objective.REVENUE).canonical() == trained().canonical()


def test_bytes_make_the_same_model():
    again = model_from_bytes(trained().canonical())
    assert again.canonical() == trained().canonical()
    assert (again.predict(labelled()) == trained().predict(labelled())).all()


def test_alone_as_in_a_batch():
    rows = labelled(200, seed=9)
    whole = trained().predict(rows)
    assert [trained().predict(rows[n : n + 1])[0] for n in range(200)] == whole.tolist()
    assert len(trained().predict(rows.clear())) == 0


def test_probabilities_are_calibrated():
    rows = labelled(4000, seed=11)
    assert trained().predict(rows).mean() == pytest.approx(rows["positive"].mean(), abs=0.03)


def test_contributions_sum_to_the_logit():
    rows = labelled(50, seed=12)
    parts = trained().contributions(rows)
    chance = trained().predict(rows)
    assert parts.sum(axis=1) == pytest.approx(np.log(chance / (1 - chance)))


def test_too_few_outcomes_make_no_model():
    rows = labelled()
    few = pl.concat(
        [rows.filter("positive")[: MINIMUM_POSITIVES - 1], rows.filter(~pl.col("positive"))]
    )
    with pytest.raises(Invalid, match="positive"):
        train(few, Objective.REVENUE)
    early = pl.concat([rows.filter("positive")[:100], rows.filter(~pl.col("positive"))[-900:]])
    with pytest.raises(Invalid, match="part of the time span"):
        train(early, Objective.REVENUE)


def test_rows_without_outcome_are_refused():
    rows = labelled().with_columns(positive=pl.lit(None, dtype=pl.Boolean))
    with pytest.raises(Invalid, match="outcome"):
        train(rows, Objective.REVENUE)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format":2}', b"[1]", b'{"format":1}'])
def test_bytes_that_are_no_model_are_told(data):
    with pytest.raises(Damaged):
        model_from_bytes(data)


@pytest.mark.parametrize(
    ("part", "value"), [("trees", "no trees"), ("features", ["price_z"]), ("objective", "x")]
)
def test_a_model_that_does_not_fit_together_is_told(part, value):
    held = orjson.loads(trained().canonical()) | {part: value}
    with pytest.raises(Damaged):
        model_from_bytes(orjson.dumps(held))


def test_margins_that_say_nothing_calibrate_to_the_base_rate():
    rng = np.random.default_rng(2)
    positive = rng.random(1000) < 0.2
    slope, offset = calibrate(np.where(positive, -1.0, 1.0), positive)
    assert slope == 0
    assert 1 / (1 + np.exp(-offset)) == pytest.approx(positive.mean(), abs=0.01)


def test_metrics_agree_with_a_peer():
    rng = np.random.default_rng(4)
    scores, positive = rng.random(500).round(1), rng.random(500) < 0.3
    assert auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))
    assert average_precision(scores, positive) == pytest.approx(
        average_precision_score(positive, scores)
    )
    assert brier(np.array([1.0, 0.0]), np.array([True, True])) == 0.5


def test_precision_counts_ties_in_proportion():
    positive = np.array([True, False, False, False, True])
    assert precision_at(np.array([0.9, 0.5, 0.5, 0.5, 0.5]), positive, 0.4) == pytest.approx(
        (1 + 0.25) / 2
    )


def test_intervals_hold_the_value():
    rng = np.random.default_rng(5)
    chance = rng.random(800)
    for value, low, high in measure(chance, rng.random(800) < chance, 7).values():
        assert low <= value <= high
