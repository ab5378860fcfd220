"""Shares of partners in a budget: never exceeded, of no harm to chance, and proof against floods."""

from collections import Counter
from hashlib import sha256

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.risk import shares
from isthmus.risk.select import MINIMUM_FLOOR, select

PARTNERS = ("BE-DOUANE", "FR-DGDDI", "NL-DOUANE")


def candidates(rows) -> pl.DataFrame:
    """Units by their own score, whether mandated, and who asked for them."""
    return pl.DataFrame(
        [(f"u{i}", float(own), must, asked) for i, (own, must, asked) in enumerate(rows)],
        schema={
            "id": pl.String,
            "score": pl.Float64,
            "mandated": pl.Boolean,
            "asked_by": pl.List(pl.String),
        },
        orient="row",
    )


row = st.tuples(
    st.sampled_from([0, 0.25, 0.5, 0.9]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([[], [], *([one] for one in PARTNERS), ["BE-DOUANE", "NL-DOUANE"]]),
)
rows = st.lists(row, max_size=40)
frames = rows.map(candidates)
budgets = st.integers(0, 40)
floors = st.floats(MINIMUM_FLOOR, 1)
seeds = st.binary(min_size=1, max_size=8)
held = st.dictionaries(st.sampled_from(PARTNERS), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]))
many = settings(deadline=None, max_examples=200)


@many
@given(frames, budgets, floors, seeds, held)
def test_no_partner_takes_more_than_its_share_and_all_together_no_more_than_half(
    frame, budget, floor, seed, given_shares
):
    run = select(frame, budget, floor, seed, given_shares)
    asked = dict(zip(frame["id"], frame["asked_by"].to_list(), strict=True))
    by_wish = run.picks.filter(pl.col("basis") == "partner")["id"].to_list()
    for partner, taken in run.taken.items():
        share = min(given_shares.get(partner, shares.DEFAULT), shares.MOST)
        assert len(taken) <= budget * share
        assert all(partner in asked[unit] for unit in taken)
    assert set(by_wish) == {unit for taken in run.taken.values() for unit in taken}
    assert len(by_wish) <= budget * shares.MOST
    # Nobody holds picks that stand under nobody's share.
    assert Counter(by_wish).keys() <= asked.keys()


@many
@given(frames, budgets, floors, seeds, held)
def test_the_budget_the_floor_and_the_mandates_stand_as_without_partners(
    frame, budget, floor, seed, given_shares
):
    run, without = (select(frame, budget, floor, seed, given) for given in (given_shares, None))
    assert run.picks.height == without.picks.height == min(budget, frame.height)
    assert run.picks["rank"].to_list() == list(range(1, run.picks.height + 1))
    assert run.random_slots == without.random_slots
    drawn = run.picks.filter(pl.col("basis") == "random").height
    assert drawn == min(run.random_slots, max(0, frame.height - (budget - run.random_slots)))

    def mandated(of):
        return set(of.picks.filter(pl.col("basis") == "mandated")["id"])

    assert mandated(run) == mandated(without)
    assert run.overflow == without.overflow or set(run.overflow) <= set(frame["id"])


@many
@given(frames, budgets, floors, seeds, held)
def test_propensities_sum_to_the_picks_and_nobody_is_out_of_reach(
    frame, budget, floor, seed, given_shares
):
    run = select(frame, budget, floor, seed, given_shares)
    assert run.candidates["propensity"].sum() == pytest.approx(run.picks.height)
    assert run.candidates["propensity"].is_between(0, 1).all()
    if budget:
        assert (run.candidates["propensity"] > 0).all()


@many
@given(frames, budgets, floors, seeds, held)
def test_without_their_share_partners_move_nothing(frame, budget, floor, seed, given_shares):
    """Units are ranked by their own score, whatever lookouts add to it."""
    nothing = dict.fromkeys(PARTNERS, 0.0)
    plain = frame.select("id", "score", "mandated")
    expected = select(plain, budget, floor, seed)
    assert select(frame, budget, floor, seed, nothing).candidates.equals(expected.candidates)
    assert not select(frame, budget, floor, seed, nothing).taken


@many
@given(rows, budgets, floors, seeds, held, st.data())
def test_a_flood_of_lookouts_moves_no_more_picks_than_the_share_of_who_sends_it(
    before, budget, floor, seed, given_shares, data
):
    """Whatever else is there, and whomever else it asks along with."""
    hostile = data.draw(st.sampled_from(PARTNERS))
    struck = data.draw(st.lists(st.booleans(), min_size=len(before), max_size=len(before)))
    after = [
        (own, must, sorted({*asked, hostile}) if hit else asked)
        for (own, must, asked), hit in zip(before, struck, strict=True)
    ]
    calm, flooded = (
        select(candidates(of), budget, floor, seed, given_shares) for of in (before, after)
    )
    share = min(given_shares.get(hostile, shares.DEFAULT), shares.MOST)
    most = int(budget * share)
    assert len(flooded.taken.get(hostile, ())) <= most
    gained = set(flooded.picks["id"]) - set(calm.picks["id"])
    assert len(gained) <= most
    mandated = pl.col("basis") == "mandated"
    assert (
        flooded.picks.filter(mandated)["id"].to_list()
        == calm.picks.filter(mandated)["id"].to_list()
    )


def test_a_flood_takes_nothing_of_another_partners_share():
    honest = [(0.2, False, ["BE-DOUANE"])] * 3
    rest = [(0.5, False, [])] * 97
    flood = [(own, must, [*asked, "NL-DOUANE"]) for own, must, asked in [*honest, *rest]]
    calm = select(candidates([*honest, *rest]), 20, 0.05, b"s", {})
    run = select(candidates(flood), 20, 0.05, b"s", {})
    assert len(calm.taken["BE-DOUANE"]) == len(run.taken["BE-DOUANE"]) == 2
    assert len(run.taken["NL-DOUANE"]) == 2
    assert run.picks.height == 20


@pytest.mark.parametrize(("budget", "floor"), [(5, 0.1), (10, 0.25), (12, 1.0)])
def test_propensities_are_the_frequencies(budget, floor):
    frame = candidates(
        [
            (own, i in (3, 9), [["BE-DOUANE"], ["BE-DOUANE", "NL-DOUANE"], [], []][i % 4])
            for i, own in enumerate([0.9, 0.9, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.1, 0.1, 0, 0, 0, 0])
        ]
    )
    given_shares = {"BE-DOUANE": 0.25, "NL-DOUANE": 0.2}
    runs = 600
    counts = np.zeros(frame.height)
    for number in range(runs):
        seed = sha256(b"%d" % number).digest()
        run = select(frame, budget, floor, seed, given_shares)
        counts += run.candidates["rank"].is_not_null().to_numpy()
    chance = run.candidates["propensity"].to_numpy()
    spread = np.sqrt(chance * (1 - chance) / runs)
    assert (np.abs(counts / runs - chance) <= 4.5 * spread + 1e-12).all()


@many
@given(frames, budgets, floors, seeds, held, st.randoms())
def test_a_run_replays_whatever_the_order(frame, budget, floor, seed, given_shares, random):
    one = select(frame, budget, floor, seed, given_shares)
    shuffled = frame[random.sample(range(frame.height), frame.height)]
    other = select(shuffled, budget, floor, seed, given_shares)
    assert other.candidates.sort("id").equals(one.candidates.sort("id"))
    assert {k: set(v) for k, v in other.taken.items()} == {k: set(v) for k, v in one.taken.items()}
