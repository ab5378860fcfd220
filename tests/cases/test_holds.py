"""Holds in force: kept for a day, and for another only when a person says why."""

from datetime import timedelta

import pytest

from flow.loop_node import Loop
from isthmus.access import trail
from isthmus.access.model import Role
from isthmus.cases import clocks, holds, picks
from isthmus.flow import inspect
from isthmus.kernel.errors import Conflict, Denied, Invalid

WHY = ["inspection_waiting"]


def proposed(desk: Loop) -> str:
    analyst, pick = desk.people[Role.ANALYST], desk.run(budget=1).picks[0]["id"]
    desk.write(lambda tx: picks.take(tx, analyst, pick))
    return desk.write(lambda tx: inspect.propose_hold(tx, analyst, pick, ["indicator_seal"]))


def confirmed(desk: Loop) -> str:
    hold, supervisor = proposed(desk), desk.people[Role.SUPERVISOR]
    desk.write(lambda tx: holds.confirm(tx, supervisor, hold))
    return hold


def test_an_extension_keeps_the_box_a_day_from_now_and_is_on_record(desk: Loop):
    hold, supervisor = confirmed(desk), desk.people[Role.SUPERVISOR]
    began = desk.hold(hold)["holds_until"]
    desk.later(hours=20)
    desk.write(lambda tx: holds.extend(tx, supervisor, hold, WHY))
    row = desk.hold(hold)
    assert row["holds_until"] == desk.clock.now() + timedelta(hours=24) > began
    assert (row["extended_by"], row["extension_reasons"]) == (supervisor.id, WHY)
    assert row["state"] == "hold_confirmed"
    auditor = desk.people[Role.AUDITOR]
    (entry,) = desk.read(lambda tx: trail.entries(tx, auditor, action="hold.extend"))
    assert (entry["actor"], entry["object_id"]) == (supervisor.id, hold)


def test_a_hold_that_runs_out_again_is_told_again_and_once(desk: Loop):
    hold, supervisor = confirmed(desk), desk.people[Role.SUPERVISOR]

    def overlong() -> int:
        return [alert["kind"] for alert in desk.alerts()].count("hold_overlong")

    told = []
    for _ in range(3):
        desk.later(hours=25)
        for _ in range(2):
            desk.write(clocks.settle)
        told.append(overlong())
        assert not desk.read(clocks.needed)
        desk.write(lambda tx: holds.extend(tx, supervisor, hold, WHY))
        desk.write(clocks.settle)
        assert overlong() == told[-1]
    assert told == [1, 2, 3]


def test_who_proposed_a_hold_does_not_confirm_it_but_may_withdraw_it(desk: Loop):
    supervisor, other = desk.people[Role.SUPERVISOR], desk.second(Role.SUPERVISOR)
    first, second = (pick["id"] for pick in desk.run(budget=2).picks)
    for pick in (first, second):
        desk.write(lambda tx, pick=pick: picks.take(tx, supervisor, pick))
    reasons = ["indicator_seal"]
    hold = desk.write(lambda tx: inspect.propose_hold(tx, supervisor, first, reasons))
    with pytest.raises(Denied, match="another person") as caught:
        desk.write(lambda tx: holds.confirm(tx, supervisor, hold))
    assert caught.value.code == "second_person"
    assert desk.hold(hold)["state"] == "hold_proposed"
    desk.write(lambda tx: holds.confirm(tx, other, hold))
    row = desk.hold(hold)
    assert (row["proposed_by"], row["confirmed_by"]) == (supervisor.id, other.id)
    mine = desk.write(lambda tx: inspect.propose_hold(tx, supervisor, second, reasons))
    desk.write(lambda tx: holds.refuse(tx, supervisor, mine, ["documents_consistent"]))
    assert desk.hold(mine)["state"] == "hold_refused"


@pytest.mark.parametrize("reasons", [[], ["inspection_complete"], ["because"]])
def test_an_extension_needs_a_reason_of_its_kind(desk: Loop, reasons: list[str]):
    hold, supervisor = confirmed(desk), desk.people[Role.SUPERVISOR]
    before = desk.hold(hold)["holds_until"]
    desk.later(hours=1)
    with pytest.raises(Invalid):
        desk.write(lambda tx: holds.extend(tx, supervisor, hold, reasons))
    assert desk.hold(hold)["holds_until"] == before


def test_only_a_hold_in_force_is_extended_and_only_by_who_may_confirm(desk: Loop):
    hold, supervisor = proposed(desk), desk.people[Role.SUPERVISOR]
    with pytest.raises(Conflict, match="in force"):
        desk.write(lambda tx: holds.extend(tx, supervisor, hold, WHY))
    desk.write(lambda tx: holds.confirm(tx, supervisor, hold))
    for role in (Role.ANALYST, Role.INSPECTOR, Role.AUDITOR):
        who = desk.people[role]
        with pytest.raises(Denied):
            desk.write(lambda tx, who=who: holds.extend(tx, who, hold, WHY))
    desk.write(lambda tx: holds.release(tx, supervisor, hold, ["held_in_error"]))
    with pytest.raises(Conflict, match="in force"):
        desk.write(lambda tx: holds.extend(tx, supervisor, hold, WHY))
