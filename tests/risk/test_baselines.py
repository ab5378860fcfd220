"""Baselines on small made-up sets: order of skill, honesty about time, the benchmark's lines."""

import numpy as np
import polars as pl
import pytest

from isthmus.kernel.errors import Invalid
from isthmus.risk import baselines, benchmark, indicators
from isthmus.risk.baselines import BASELINES, BOOSTING, INDICATORS, ORACLE, RANDOM, rank
from isthmus.risk.shipment_features import names, shipment_features

from .shipment_worlds import SCHEMES, shipments


@pytest.fixture(scope="module")
def ranked() -> baselines.Ranked:
    return rank(shipments(1), SCHEMES)


def recall(ranked: baselines.Ranked, name: str, budget: float = 0.05) -> float:
    found = (line for line in benchmark.lines(ranked) if line.kind == benchmark.ALL)
    return next(
        line.caught.recall
        for line in found
        if (line.baseline, line.caught.budget) == (name, budget)
    )


def test_knowing_the_traces_beats_learning_and_learning_beats_chance(
    ranked: baselines.Ranked,
) -> None:
    assert recall(ranked, ORACLE) > recall(ranked, RANDOM) + 0.3
    assert recall(ranked, BOOSTING) > recall(ranked, RANDOM) + 0.2
    assert recall(ranked, INDICATORS) > recall(ranked, RANDOM)
    assert recall(ranked, ORACLE) < 1


def test_only_later_rows_are_ranked_and_rows_of_one_moment_stay_together(
    ranked: baselines.Ranked,
) -> None:
    rows = shipments(1)
    late = baselines.later(rows)
    assert late.mean() == pytest.approx(0.3, abs=0.001)
    assert rows.filter(~late)["reported_at"].max() < ranked.rows["reported_at"].min()
    same = rows.with_columns(reported_at=pl.col("reported_at").dt.truncate("10d"))
    edge = same.filter(~baselines.later(same))["reported_at"].unique().to_list()
    assert not set(edge) & set(same.filter(baselines.later(same))["reported_at"])


def test_labels_of_the_later_part_change_no_score() -> None:
    rows = shipments(2, 1500)
    late = pl.Series(baselines.later(rows))
    turned = rows.with_columns(
        illicit=pl.when(late).then(1 - pl.col("illicit")).otherwise("illicit"),
        found=pl.when(late).then(~pl.col("found")).otherwise("found"),
        kilograms=pl.when(late).then(7.0).otherwise("kilograms"),
    )
    first, second = rank(rows, SCHEMES), rank(turned, SCHEMES)
    for name in BASELINES:
        if name != ORACLE:  # it alone may know the truth
            assert np.array_equal(first.scores[name], second.scores[name]), name


def test_the_same_seed_gives_the_same_scores() -> None:
    rows = shipments(3, 1500)
    first, second = rank(rows, SCHEMES, 5), rank(rows, SCHEMES, 5)
    assert all(np.array_equal(first.scores[name], second.scores[name]) for name in BASELINES)


def test_features_of_a_row_do_not_depend_on_later_rows() -> None:
    rows = shipments(4, 600)
    whole = shipment_features(rows).select(names())[:400]
    assert whole.equals(shipment_features(rows[:400]).select(names()))


def test_lines_are_by_objective_and_method(ranked: baselines.Ranked) -> None:
    found = benchmark.lines(ranked)
    counts = {line.kind: line.caught.positives for line in found}
    assert list(counts) == ["all", "contraband", "revenue", "M1", "M9"]
    assert counts["all"] == counts["contraband"] + counts["revenue"]
    assert counts["contraband"] == counts["M1"]
    harm = benchmark.harm_of(ranked)
    sizes = ranked.rows["kilograms"].to_numpy()
    heavy = (ranked.rows["carried"] == "cocaine").fill_null(False).to_numpy()
    assert harm[heavy] == pytest.approx(sizes[heavy] * 30_000)


def test_means_over_sets(ranked: baselines.Ranked) -> None:
    found = benchmark.lines(ranked)
    table = benchmark.over_sets([found, found])
    same = table[ORACLE, "all", 0.02, "recall"]
    assert same.sets == 2
    assert same.half == 0
    assert same.mean == recall(ranked, ORACLE, 0.02)


def test_each_indicator_has_a_source_and_fires_where_it_should() -> None:
    rows = shipment_features(shipments(1, 900))
    fired = indicators.fired(rows)
    assert all(indicators.sources()[name] for name in fired.columns)
    sealed = rows["seal_changes"] > 0
    assert fired["seal_differs"].to_list() == sealed.to_list()
    assert fired["new_shipper"][0]
    assert not fired["reefer_not_operating"].any()
    assert indicators.score(rows) == pytest.approx(fired.sum_horizontal().to_numpy())


def test_a_set_that_cannot_be_judged_is_refused() -> None:
    rows = shipments(1, 300)
    with pytest.raises(Invalid, match="columns"):
        rank(rows.drop("seal_changes"), SCHEMES)
    with pytest.raises(Invalid, match="columns"):
        rank(rows.drop("traces"), SCHEMES)
    with pytest.raises(Invalid, match="positives"):
        rank(rows.with_columns(illicit=pl.lit(0)), SCHEMES)
