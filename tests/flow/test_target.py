"""Targeting runs: budgets by lane, the random floor, propensities, replay, what is offered again."""

import math
import threading
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from sqlalchemy import select, update

from flow.loop_node import ARRIVES, Loop, declarations
from isthmus.access.model import Role
from isthmus.cargo.model import Declaration, Function, GoodsItem, Regime
from isthmus.cases import clocks, holds, inspections, picks, runs
from isthmus.cases.inspections import Report
from isthmus.cases.model import Result
from isthmus.cases.tables import pick_table, run_table
from isthmus.flow import inspect, replay, target, verify
from isthmus.flow.target import Order, Pool, choose, pool_frame
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.risk.objectives import Objective
from isthmus.risk.select import Basis, Lane
from isthmus.risk.tables import assessment_table

REASONS = ["documents_consistent"]


def pool(size: int, released: int = 0, mandated: int = 0) -> Pool:
    """Units of few different scores, so that equals share slots."""
    present = [rated(f"u{i:03d}", round((i % 7) / 10, 1), i < mandated) for i in range(size)]
    gone = [rated(f"r{i:03d}", i / 10, False) for i in range(released)]
    return Pool(pool_frame(present), pool_frame(gone))


def rated(unit: str, score: float, must: bool) -> dict[str, object]:
    rule = "rule" if must else None
    return {"id": unit, "score": score, "mandated_by": rule, "asked_by": None, "own_score": None}


def scored(loop: Loop, *numbers: int, **changes) -> None:
    loop.manifest(*numbers, **changes)
    loop.node.scorer.score_all()


def decide(loop: Loop, pick: str) -> None:
    analyst = loop.people[Role.ANALYST]
    loop.write(lambda tx: picks.take(tx, analyst, pick))
    loop.write(lambda tx: picks.clear(tx, analyst, pick, REASONS, agrees=False))


def units_of(made: target.Run) -> set[str]:
    return {pick["unit_id"] for pick in made.picks}


# -- lanes and chances ----------------------------------------------------------------------


def test_each_lane_keeps_its_budget():
    order = Order(budget=6, documentary=4, audits=3, floor=0.25)
    chosen = choose(pool(60, released=20, mandated=2), order, b"seed")
    lanes = {lane: [c for c in chosen.choices if c.lane is lane] for lane in Lane}
    assert {lane: len(found) for lane, found in lanes.items()} == {
        Lane.RED: 6, Lane.YELLOW: 4, Lane.GREEN: 0, Lane.BLUE: 3,
    }  # fmt: skip
    assert chosen.sizes == {Lane.RED: 60, Lane.YELLOW: 54, Lane.BLUE: 20}
    assert [c.basis for c in lanes[Lane.RED]][:2] == [Basis.MANDATED] * 2
    assert len({c.unit_id for c in chosen.choices}) == 13
    assert {c.unit_id[0] for c in lanes[Lane.BLUE]} == {"r"}


def test_what_no_lane_had_room_for_is_counted():
    assert choose(pool(10, mandated=8), Order(budget=2, documentary=3, floor=0.02), b"s").overflow
    assert not choose(pool(10, mandated=2), Order(budget=8, floor=0.02), b"s").overflow


def test_lanes_of_no_units_choose_none():
    chosen = choose(pool(0), Order(budget=3, documentary=3, audits=3), b"s")
    assert chosen.choices == ()


@pytest.mark.parametrize("floor", [0.0, -0.1, 1.1, float("nan")])
def test_the_random_floor_cannot_be_zero(loop: Loop, floor: float):
    scored(loop, 1, 2)
    with pytest.raises(Invalid, match="random"):
        loop.run(floor=floor)


@pytest.mark.parametrize("budget", [-1, target.LARGEST_BUDGET + 1])
def test_a_budget_has_bounds(loop: Loop, budget: int):
    for order in ({"budget": budget}, {"documentary": budget}, {"audits": budget}):
        with pytest.raises(Invalid, match="budget"):
            loop.run(**{"budget": 1, **order})


def test_propensities_are_right_over_both_stages():
    """Over many seeds each unit is picked as often as told, and 1/p weighs every unit as one.

    Four standard errors: one false alarm in 15,000 comparisons, of which there are 80.
    """
    units, seeds = pool(24, released=8, mandated=3), 800
    order = Order(budget=5, documentary=5, audits=2, floor=0.3)
    red = {u: [] for u in units.present["id"]}
    weights = {lane: {} for lane in (Lane.RED, Lane.YELLOW, Lane.BLUE)}
    for seed in range(seeds):
        chosen = choose(units, order, seed.to_bytes(4))
        for choice in chosen.choices:
            assert 0 < choice.propensity <= 1
            weights[choice.lane].setdefault(choice.unit_id, []).append(1 / choice.propensity)
            if choice.lane is Lane.RED:
                red[choice.unit_id].append(choice.propensity)
    for told in red.values():
        if told:
            assert max(told) - min(told) < 1e-12  # one stage: the same chance whatever the seed
            chance, seen = told[0], len(told) / seeds
            assert abs(seen - chance) <= 4 * math.sqrt(chance * (1 - chance) / seeds) + 1e-9
    certain = {unit for unit, told in red.items() if told and told[0] == 1}
    for lane, population in (
        (Lane.RED, set(units.present["id"])),
        (Lane.YELLOW, set(units.present["id"]) - certain),
        (Lane.BLUE, set(units.released["id"])),
    ):
        assert set(weights[lane]) == population  # everything has a chance
        for held in weights[lane].values():
            values = np.zeros(seeds)
            values[: len(held)] = held
            assert abs(values.mean() - 1) <= 4 * values.std() / math.sqrt(seeds) + 1e-9


# -- replay -----------------------------------------------------------------------------------


def test_a_run_replays_from_what_is_stored(any_loop: Loop):
    loop = any_loop
    scored(loop, *range(1, 60))
    loop.receive(
        declarations(
            [
                Declaration(
                    reference=f"SUP{n}",
                    function=Function.ORIGINAL,
                    regime=Regime.IMPORT,
                    supplementary=True,
                    goods=(GoodsItem(number=1, description="SHIRTS", hs="620520"),),
                )
                for n in range(8)
            ]
        ),
        "declarations.json",
    )
    loop.node.scorer.score_all()
    made = loop.run(budget=9, documentary=5, audits=3, floor=0.2)
    assert {pick["lane"] for pick in made.picks} == {"red", "yellow", "blue"}
    assert not list(loop.read(lambda tx: list(replay.differences(tx, made.id))))
    # It replays whatever came after it: new assessments, decisions, other runs.
    loop.manifest(*range(1, 60), consignee="Another")
    loop.node.scorer.score_all()
    loop.run(budget=5)
    assert not list(loop.read(lambda tx: list(replay.differences(tx, made.id))))


@pytest.mark.parametrize(
    "values", [{"propensity": 0.5}, {"rank": 99}, {"basis": "random"}, {"lane": "yellow"}]
)
def test_an_altered_pick_shows_in_the_replay(loop: Loop, values: dict):
    scored(loop, *range(1, 30))
    made = loop.run(budget=5, floor=0.05, seed=b"a seed")
    name, unit = made.picks[0]["id"], made.picks[0]["unit_id"]
    loop.write(
        lambda tx: tx.execute(update(pick_table).where(pick_table.c.id == name).values(values))
    )
    assert loop.read(lambda tx: list(replay.differences(tx, made.id))) == [unit]


def test_an_altered_run_is_named(loop: Loop):
    scored(loop, *range(1, 30))
    made = loop.run(budget=5)
    folder = loop.node.folder

    def faults() -> list[str]:
        found = verify.check_runs(loop.node.database, folder, lambda *_: None)
        return [fault.row for fault in found]

    def alter(**values) -> None:
        loop.write(
            lambda tx: tx.execute(update(run_table).where(run_table.c.id == made.id).values(values))
        )

    assert faults() == []
    (row,) = loop.read(lambda tx: tx.execute(select(run_table)).mappings().all())
    for values in (
        {"seed": "00" * 32},
        {"pool": b"no pool"},
        {"lanes": {"red": 5}},
        {"floor": 0.06},
        {"at": row["at"] + timedelta(seconds=1)},
        {"run_by": "per_somebody"},
    ):
        alter(**values)
        assert set(faults()) == {made.id}
        alter(**{name: row[name] for name in values})
    loop.write(lambda tx: tx.execute(pick_table.delete().where(pick_table.c.rank == 1)))
    assert faults() == [made.id]
    loop.write(lambda tx: tx.execute(run_table.delete()))
    assert faults() == [made.id]  # the audit still tells of it


@pytest.mark.parametrize(("present", "released"), [([], []), ([5], []), ([3, 90_000, 7], [12, 4])])
def test_a_pool_is_kept_whole(present: list[int], released: list[int]):
    kept = runs.unpack_pool(runs.pack_pool(present, released))
    assert kept == (sorted(present), sorted(released))


# -- who may, and twice at once -----------------------------------------------------------------


def test_a_run_stays_within_its_office(loop: Loop):
    scored(loop, 1, 2)
    assert loop.run(office="PAMIT" if loop.unit(1).office == "PAMIT" else loop.unit(1).office).picks
    assert loop.run(office="PA999").candidates == 0
    with pytest.raises(Denied):
        loop.run(who=loop.people[Role.AUDITOR])


def test_two_runs_at_once_pick_no_unit_twice(any_loop: Loop):
    loop = any_loop
    scored(loop, *range(1, 50))
    made: list[target.Run] = []
    start = threading.Barrier(4)

    def go() -> None:
        start.wait()
        made.append(loop.run(budget=12))

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    picked = [pick["unit_id"] for run in made for pick in run.picks]
    assert len(picked) == 48
    assert len(set(picked)) == 48


# -- within reach ---------------------------------------------------------------------------------


def test_a_unit_is_offered_before_its_deadline_only(any_loop: Loop):
    loop = any_loop
    scored(loop, 1, 2)
    loop.clock.moment = ARRIVES - timedelta(minutes=1)
    (first, _) = loop.run().picks
    assert first["deadline_at"] == ARRIVES
    loop.clock.moment = ARRIVES + timedelta(minutes=1)
    analyst = loop.people[Role.ANALYST]
    with pytest.raises(Conflict, match="reach"):
        loop.write(lambda tx: picks.take(tx, analyst, first["id"]))
    assert loop.read(clocks.needed)
    loop.write(clocks.settle)
    assert loop.pick(first["id"])["state"] == "expired"
    assert loop.run().candidates == 0
    assert not loop.read(clocks.needed)


@pytest.mark.parametrize("regime", [Regime.IMPORT, Regime.TRANSHIPMENT])
def test_a_box_that_stands_on_the_terminal_is_within_reach_until_it_leaves(
    loop: Loop, regime: Regime
):
    scored(loop, 1, regime=regime)
    loop.clock.moment = ARRIVES + timedelta(hours=6)
    loop.event("DISC", 1)
    loop.later(days=3)
    loop.node.scorer.score_all()
    (pick,) = loop.run().picks
    assert pick["deadline_at"] is None
    analyst = loop.people[Role.ANALYST]
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    loop.later(minutes=1)
    loop.event("GTOT", 1)
    loop.write(clocks.settle)
    assert loop.pick(pick["id"])["state"] == "expired"  # gone before a decision
    loop.node.scorer.score_all()
    assert loop.run().candidates == 0


def test_a_box_nobody_reported_gone_leaves_the_candidates_in_time(loop: Loop):
    scored(loop, 1)
    loop.clock.moment = ARRIVES + timedelta(hours=6)
    loop.event("DISC", 1)
    loop.node.scorer.score_all()
    loop.later(days=60)
    assert loop.run().candidates == 0


def test_a_cancelled_bill_takes_its_pick_out_of_the_queue(loop: Loop):
    scored(loop, 1, 2)
    made = loop.run()
    gone = loop.unit(1).id
    loop.later(minutes=1)
    loop.manifest(1, function=Function.CANCEL, reference="MAN1")
    loop.write(clocks.settle)
    states = {pick["unit_id"]: loop.pick(pick["id"])["state"] for pick in made.picks}
    assert states[gone] == "expired"


def test_a_lock_runs_out(any_loop: Loop):
    loop = any_loop
    scored(loop, 1)
    (pick,) = loop.run().picks
    analyst, other = loop.people[Role.ANALYST], loop.second(Role.ANALYST)
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    with pytest.raises(Conflict, match="another officer"):
        loop.write(lambda tx: picks.take(tx, other, pick["id"]))
    loop.later(minutes=15, seconds=1)
    loop.write(clocks.settle)
    assert (loop.pick(pick["id"])["state"], loop.pick(pick["id"])["taken_by"]) == ("offered", None)
    loop.write(lambda tx: picks.take(tx, other, pick["id"]))
    with pytest.raises(Conflict, match="take the pick"):
        loop.write(lambda tx: picks.clear(tx, analyst, pick["id"], REASONS, agrees=None))


# -- decided on, and offered again --------------------------------------------------------------


def test_what_was_decided_is_not_offered_again_until_something_new_is_known(any_loop: Loop):
    loop = any_loop
    scored(loop, 1, 2)
    made = loop.run()
    for pick in made.picks:
        decide(loop, pick["id"])
    assert loop.run().candidates == 0
    loop.later(hours=1)
    loop.event("STUF", 1)  # the box moved: that alone is nothing new
    loop.node.scorer.score_all()
    assert loop.unit(1).version > made.picks[0]["unit_version"]
    assert loop.run().candidates == 0
    loop.later(hours=1)
    loop.manifest(1, 2, consignee="Somebody else")  # amended
    loop.node.scorer.score_all()
    again = loop.run()
    assert units_of(again) == units_of(made)
    for pick in again.picks:
        decide(loop, pick["id"])
    assert loop.run().candidates == 0


def test_a_higher_band_makes_a_decided_unit_a_candidate_again(loop: Loop):
    scored(loop, 1)
    (pick,) = loop.run().picks
    decide(loop, pick["id"])
    loop.later(hours=1)

    def band(tx, value: str) -> None:
        rated = assessment_table.c
        row = dict(
            tx.execute(
                select(assessment_table)
                .where(rated.current, rated.objective == Objective.CONTRABAND)
                .order_by(rated.seq)
            )
            .mappings()
            .one()
        )
        tx.execute(update(assessment_table).where(rated.id == row["id"]).values(current=False))
        highest = max(tx.execute(select(rated.seq)).scalars())
        tx.insert(
            assessment_table,
            [row | {"seq": highest + 1, "id": row["id"] + value, "band": value, "at": tx.now}],
        )

    loop.write(lambda tx: band(tx, "none"))
    assert loop.run().candidates == 0
    loop.later(hours=1)
    loop.write(lambda tx: band(tx, "high"))
    assert loop.run().candidates == 1


def test_a_put_back_or_expired_pick_is_no_decision(loop: Loop):
    scored(loop, 1)
    (pick,) = loop.run().picks
    analyst = loop.people[Role.ANALYST]
    assert loop.run().candidates == 0  # it stands in the queue
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    loop.write(lambda tx: picks.put_back(tx, analyst, pick["id"]))
    assert loop.pick(pick["id"])["state"] == "offered"
    loop.clock.moment = ARRIVES + timedelta(minutes=1)
    loop.write(clocks.settle)
    loop.event("DISC", 1)
    loop.node.scorer.score_all()
    assert loop.run().candidates == 1


def test_what_was_inspected_or_released_is_decided(loop: Loop):
    scored(loop, 1, 2)
    first, second = loop.run().picks
    analyst, supervisor, inspector = (
        loop.people[role] for role in (Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR)
    )
    for pick in (first, second):
        loop.write(lambda tx, pick=pick: picks.take(tx, analyst, pick["id"]))
    order = loop.write(lambda tx: inspect.order(tx, analyst, first["id"], "scan_xray"))
    loop.write(lambda tx: inspections.accept(tx, inspector, order))
    clean = Report(Result.NO_IRREGULARITY, "scan_xray", 20)
    loop.write(lambda tx: inspect.report(tx, inspector, order, clean))
    hold = loop.write(
        lambda tx: inspect.propose_hold(tx, analyst, second["id"], ["indicator_seal"])
    )
    loop.write(lambda tx: holds.confirm(tx, supervisor, hold))
    loop.write(lambda tx: holds.release(tx, supervisor, hold, ["held_in_error"]))
    assert loop.pick(second["id"])["state"] == "released"
    assert loop.run().candidates == 0


def test_frames_of_a_pool_hold_their_types():
    assert pool_frame([]).schema == pool_frame([rated("a", 0.1, True)]).schema
    assert isinstance(pool(1).present, pl.DataFrame)
