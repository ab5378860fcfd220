"""The target queue: who works on a pick, what they may decide, and when their task ends."""

import pytest

from flow.loop_node import Loop
from isthmus.access import store as access
from isthmus.access.model import Role
from isthmus.cases import holds, inspections, picks, store
from isthmus.cases.inspections import Report
from isthmus.cases.model import (
    HOLD_STEPS,
    INSPECTION_STEPS,
    OPEN_PICKS,
    PICK_STEPS,
    UNDECIDED,
    HoldState,
    InspectionState,
    PickState,
    Result,
    step,
)
from isthmus.flow import inspect
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound
from isthmus.reference.codelist import code_list

WHY = ["indicator_seal"]
CLEAR = ["seal_intact"]


def offered(desk: Loop) -> str:
    return desk.run(budget=1).picks[0]["id"]


def take(desk: Loop, pick: str, who=None) -> None:
    desk.write(lambda tx: picks.take(tx, who or desk.people[Role.ANALYST], pick))


def tasks(desk: Loop, pick: str) -> list[str]:
    unit = desk.pick(pick)["unit_id"]
    return [task.person_id for task in desk.read(lambda tx: access.assignments_on(tx, unit))]


def test_every_open_state_leads_on_and_every_closed_one_ends():
    assert set(PICK_STEPS) == set(OPEN_PICKS)
    assert set(UNDECIDED) <= set(OPEN_PICKS)
    ended = {HoldState.REFUSED, HoldState.RELEASED}
    assert set(HOLD_STEPS) == set(HoldState) - ended
    assert set(INSPECTION_STEPS) == {InspectionState.ORDERED, InspectionState.ACCEPTED}
    for steps in (PICK_STEPS, HOLD_STEPS, INSPECTION_STEPS):
        for now, then in steps.items():
            assert now not in then
    with pytest.raises(Conflict, match="cleared cannot become taken"):
        step(PICK_STEPS, PickState.CLEARED, PickState.TAKEN, "pick")


def test_a_decision_needs_the_officer_who_took_the_pick(desk: Loop):
    pick, analyst, other = offered(desk), desk.people[Role.ANALYST], desk.second(Role.ANALYST)
    acts = (
        lambda tx: picks.clear(tx, analyst, pick, CLEAR, agrees=True),
        lambda tx: picks.watch(tx, analyst, pick, WHY, agrees=True),
        lambda tx: picks.put_back(tx, analyst, pick),
        lambda tx: inspect.propose_hold(tx, analyst, pick, WHY),
        lambda tx: inspect.order(tx, analyst, pick, "canine"),
    )
    for act in acts:  # nobody has taken it
        with pytest.raises(Conflict):
            desk.write(act)
    take(desk, pick, other)
    for act in acts:  # somebody else has
        with pytest.raises(Conflict):
            desk.write(act)
    assert desk.pick(pick)["state"] == "taken"


@pytest.mark.parametrize(
    ("reasons", "code"),
    [([], "reason_needed"), (["because"], "code_unknown"), (["indicator_seal"], "reason_unfit")],
)
def test_a_decision_needs_a_reason_that_fits_it(desk: Loop, reasons: list[str], code: str):
    pick, analyst = offered(desk), desk.people[Role.ANALYST]
    take(desk, pick)
    with pytest.raises(Invalid) as caught:
        desk.write(lambda tx: picks.clear(tx, analyst, pick, reasons, agrees=True))
    assert caught.value.code == code


def test_each_decision_has_reasons_of_its_own():
    for decision in ("clear", "watch", "hold", "release"):
        fit = [
            entry.code
            for entry in code_list("reasons")
            if decision in entry.extra["decisions"].split()
        ]
        assert picks.check_reasons(fit, decision) == fit


def test_what_is_held_or_under_inspection_is_taken_from_nobody(desk: Loop):
    analyst, other = desk.people[Role.ANALYST], desk.second(Role.ANALYST)
    proposed, ordered = (pick["id"] for pick in desk.run(budget=2).picks)
    for pick in (proposed, ordered):
        take(desk, pick)
    hold = desk.write(lambda tx: inspect.propose_hold(tx, analyst, proposed, WHY))
    desk.write(lambda tx: inspect.order(tx, analyst, ordered, "canine"))
    for pick in (proposed, ordered):
        for who in (analyst, other):
            with pytest.raises(Conflict):
                take(desk, pick, who)
    supervisor = desk.people[Role.SUPERVISOR]
    desk.write(lambda tx: holds.confirm(tx, supervisor, hold))
    assert desk.pick(proposed)["state"] == "held"


def test_a_task_ends_with_the_decision(desk: Loop):
    pick, analyst = offered(desk), desk.people[Role.ANALYST]
    take(desk, pick)
    assert tasks(desk, pick) == [analyst.id]
    desk.write(lambda tx: picks.watch(tx, analyst, pick, WHY, agrees=None))
    assert tasks(desk, pick) == [analyst.id]  # watching is work still
    other = desk.second(Role.ANALYST)
    take(desk, pick, other)  # and may be taken over
    assert tasks(desk, pick) == [other.id]
    desk.write(lambda tx: picks.clear(tx, other, pick, CLEAR, agrees=False))
    assert tasks(desk, pick) == []
    row = desk.pick(pick)
    assert (row["state"], row["decided_by"], row["agrees"]) == ("cleared", other.id, False)


def test_a_refused_hold_goes_back_to_its_officer(desk: Loop):
    pick, analyst = offered(desk), desk.people[Role.ANALYST]
    take(desk, pick)
    hold = desk.write(lambda tx: inspect.propose_hold(tx, analyst, pick, WHY))
    supervisor = desk.people[Role.SUPERVISOR]
    desk.write(lambda tx: holds.refuse(tx, supervisor, hold, ["documents_consistent"]))
    row = desk.pick(pick)
    assert (row["state"], row["taken_by"]) == ("taken", analyst.id)
    again = desk.write(lambda tx: inspect.propose_hold(tx, analyst, pick, WHY))
    assert again != hold
    with pytest.raises(Conflict):
        desk.write(lambda tx: holds.confirm(tx, supervisor, hold))


def test_one_inspection_of_a_unit_at_a_time(desk: Loop):
    pick, analyst = offered(desk), desk.people[Role.ANALYST]
    inspector = desk.people[Role.INSPECTOR]
    take(desk, pick)
    order = desk.write(lambda tx: inspect.order(tx, analyst, pick, "canine"))
    unit = desk.read(lambda tx: store.pick_row(tx, pick))["unit_id"]
    whole = next(desk.unit(n) for n in range(1, 6) if desk.unit(n).id == unit)
    with pytest.raises(Conflict, match="under way"):
        desk.write(lambda tx: inspections.order(tx, analyst, whole, "canine"))
    with pytest.raises(Invalid):
        desk.write(lambda tx: inspections.decline(tx, inspector, order, "no mood"))
    desk.write(lambda tx: inspections.accept(tx, inspector, order))
    assert sorted(tasks(desk, pick)) == sorted([analyst.id, inspector.id])
    desk.write(lambda tx: inspections.decline(tx, inspector, order, "capacity"))
    assert tasks(desk, pick) == [analyst.id]
    assert desk.pick(pick)["state"] == "taken"
    desk.write(lambda tx: inspect.order(tx, analyst, pick, "scan_xray"))


def test_a_declined_inspection_of_a_held_box_leaves_it_held(desk: Loop):
    pick, analyst = offered(desk), desk.people[Role.ANALYST]
    supervisor, inspector = desk.people[Role.SUPERVISOR], desk.people[Role.INSPECTOR]
    take(desk, pick)
    hold = desk.write(lambda tx: inspect.propose_hold(tx, analyst, pick, WHY))
    desk.write(lambda tx: holds.confirm(tx, supervisor, hold))
    order = desk.write(lambda tx: inspect.order(tx, supervisor, pick, "canine"))
    desk.write(lambda tx: inspections.decline(tx, inspector, order, "capacity"))
    assert desk.pick(pick)["state"] == "held"
    order = desk.write(lambda tx: inspect.order(tx, supervisor, pick, "canine"))
    desk.write(lambda tx: inspections.accept(tx, inspector, order))
    clean = Report(Result.NO_IRREGULARITY, "canine", 15)
    desk.write(lambda tx: inspect.report(tx, inspector, order, clean))
    assert desk.hold(hold)["state"] == "hold_confirmed"  # only a person lets it go
    assert tasks(desk, pick) == []


def test_what_is_seen_stays_within_an_office(desk: Loop):
    from builders import person
    from isthmus.access.service import RoleRequest

    pick = offered(desk)
    elsewhere = person(
        desk.node.database,
        desk.people[Role.ADMINISTRATOR],
        RoleRequest(Role.SUPERVISOR, offices=frozenset({"PA999"})),
    )
    with pytest.raises(NotFound):
        take(desk, pick, elsewhere)
    with pytest.raises(Denied):
        desk.run(who=elsewhere)
