from hashlib import sha256

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.kernel.errors import Invalid
from isthmus.risk.select import MINIMUM_FLOOR, select


def candidates(rows):
    return pl.DataFrame(
        [(f"u{i}", float(score), mandated) for i, (score, mandated) in enumerate(rows)],
        schema={"id": pl.String, "score": pl.Float64, "mandated": pl.Boolean},
        orient="row",
    )


frames = st.lists(
    st.tuples(st.sampled_from([0, 0.25, 0.5, 0.5, 0.9]), st.booleans()), max_size=25
).map(candidates)
budgets = st.integers(0, 30)
floors = st.floats(MINIMUM_FLOOR, 1)
seeds = st.binary(min_size=1, max_size=8)


@settings(deadline=None)
@given(frames, budgets, floors, seeds)
def test_the_budget_is_kept_and_spent(frame, budget, floor, seed):
    run = select(frame, budget, floor, seed)
    assert run.picks.height == min(budget, frame.height)
    assert run.picks["rank"].to_list() == list(range(1, run.picks.height + 1))
    drawn = run.picks.filter(pl.col("basis") == "random").height
    assert drawn <= run.random_slots
    assert abs(run.random_slots - budget * floor) < 1


@settings(deadline=None)
@given(frames, budgets, floors, seeds)
def test_propensities_sum_to_the_picks(frame, budget, floor, seed):
    run = select(frame, budget, floor, seed)
    assert run.candidates["propensity"].sum() == pytest.approx(run.picks.height)
    assert run.candidates["propensity"].is_between(0, 1).all()


@settings(deadline=None)
@given(frames, st.integers(1, 30), floors, seeds)
def test_nobody_is_out_of_reach_of_chance(frame, budget, floor, seed):
    run = select(frame, budget, floor, seed)
    assert (run.candidates["propensity"] > 0).all()
    assert run.candidates.filter(pl.col("rank").is_not_null(), pl.col("propensity") <= 0).is_empty()


@settings(deadline=None)
@given(frames, budgets, floors, seeds, st.randoms())
def test_a_run_replays_whatever_the_order(frame, budget, floor, seed, random):
    one = select(frame, budget, floor, seed).candidates.sort("id")
    shuffled = frame[random.sample(range(frame.height), frame.height)]
    assert select(shuffled, budget, floor, seed).candidates.sort("id").equals(one)


@settings(deadline=None)
@given(frames, budgets, floors, seeds)
def test_mandated_come_first_and_overflow_is_named(frame, budget, floor, seed):
    run = select(frame, budget, floor, seed)
    joined = frame.join(run.candidates, on="id")
    left_out = joined.filter(pl.col("mandated"), pl.col("rank").is_null())
    assert sorted(run.overflow) == sorted(left_out["id"])
    assert run.mandated == frame["mandated"].sum()
    if run.overflow:
        assert joined.filter(pl.col("basis") == "ranked").is_empty()
    ranked = joined.filter(pl.col("basis") == "ranked")["score"]
    unpicked = joined.filter(pl.col("rank").is_null(), ~pl.col("mandated"))["score"]
    if len(ranked) and len(unpicked):
        assert ranked.min() >= unpicked.max()


@pytest.mark.parametrize(("budget", "floor"), [(5, 0.1), (7, 0.5), (1, 0.3), (3, 1.0)])
def test_propensities_are_the_frequencies(budget, floor):
    scores = [0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5, 0.1, 0.1, 0.0, 0.0, 0.0]
    frame = candidates([(score, i in (3, 4, 9, 10)) for i, score in enumerate(scores)])
    runs = 800
    counts = np.zeros(len(scores))
    for number in range(runs):
        run = select(frame, budget, floor, sha256(b"%d" % number).digest())
        counts += run.candidates["rank"].is_not_null().to_numpy()
    chance = run.candidates["propensity"].to_numpy()
    spread = np.sqrt(chance * (1 - chance) / runs)
    assert (np.abs(counts / runs - chance) <= 4.5 * spread + 1e-12).all()


def test_ties_do_not_favour_early_ids():
    frame = candidates([(0.5, False)] * 100)
    first = [select(frame, 10, 0.02, b"%d" % n).picks["id"].to_list() for n in range(40)]
    assert len({tuple(picks) for picks in first}) == 40


def test_picked_go_to_red_and_others_where_advised():
    frame = candidates([(0.9, False), (0.5, False), (0.4, False)]).with_columns(
        lane=pl.Series(["green", "yellow", None], dtype=pl.String)
    )
    lanes = {
        tuple(select(frame, 1, 0.02, b"%d" % n).candidates["lane"].to_list()) for n in range(200)
    }
    assert ("red", "yellow", "green") in lanes
    assert lanes <= {
        ("red", "yellow", "green"),
        ("green", "red", "green"),
        ("green", "yellow", "red"),
    }


@pytest.mark.parametrize("floor", [0.0, -1.0, 0.009, 1.1, float("nan")])
def test_the_floor_cannot_be_set_to_zero(floor):
    with pytest.raises(Invalid, match="drawn at random"):
        select(candidates([(1, False)]), 1, floor, b"s")


def test_what_cannot_be_selected_from_is_refused():
    good = candidates([(1, False), (2, False)])
    with pytest.raises(Invalid, match="budget"):
        select(good, -1, 0.1, b"s")
    with pytest.raises(Invalid, match="seed"):
        select(good, 1, 0.1, b"")
    with pytest.raises(Invalid, match="twice"):
        select(pl.concat([good, good]), 1, 0.1, b"s")
    with pytest.raises(Invalid, match="score"):
        select(candidates([(float("nan"), False)]), 1, 0.1, b"s")
    with pytest.raises(Invalid, match="mandates"):
        select(good.with_columns(mandated=pl.lit(None, dtype=pl.Boolean)), 1, 0.1, b"s")
