"""The loop end to end: a box known only from a manifest and events, from receipt to what is learnt."""

import pytest
from sqlalchemy import event, select

from flow.loop_node import OTHER_TERMINAL, TERMINAL, Loop, box, write_events
from flow.loop_node import event as box_event
from isthmus.access import store as access
from isthmus.access.model import Role
from isthmus.cargo import service as cargo
from isthmus.cases import clocks, holds, inspections, picks
from isthmus.cases.inspections import Found, Report
from isthmus.cases.model import Result
from isthmus.flow import inspect
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound
from isthmus.platform.audit import audit_table
from isthmus.risk.tables import outcome_table

SEIZED = Report(
    result=Result.SEIZURE,
    control_type="physical_full",
    minutes_delay=240,
    share_unloaded=0.5,
    objective="contraband",
    findings=(Found("cocaine", 412.5, "KGM", zone="in_load"),),
)


def held(loop: Loop, number: int = 1) -> tuple[str, str]:
    """Bring one box to a confirmed hold; returns pick and hold."""
    loop.manifest(number)
    loop.event("DISC", number)
    loop.node.worker.run_due()
    (pick,) = [p for p in loop.run().picks if p["unit_id"] == loop.unit(number).id]
    analyst, supervisor = loop.people[Role.ANALYST], loop.people[Role.SUPERVISOR]
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    hold = loop.write(
        lambda tx: inspect.propose_hold(tx, analyst, pick["id"], ["indicator_description"])
    )
    loop.write(lambda tx: holds.confirm(tx, supervisor, hold))
    return pick["id"], hold


def test_a_transhipment_box_goes_the_whole_way(any_loop: Loop):
    loop = any_loop
    loop.manifest(1, 2, 3)
    loop.event("DISC", 1)
    assert loop.node.worker.run_due() >= 1  # scored by the job that the receipt asked for
    unit = loop.unit(1)
    assert (unit.regime, unit.declaration_key, unit.terminal) == ("transhipment", None, TERMINAL)
    covered = loop.read(lambda tx: cargo.coverage(tx, loop.people[Role.ANALYST]))
    assert covered == [{"regime": "transhipment", "known": 3, "assessed": 3, "share": 1.0}]

    made = loop.run(budget=3)
    pick = next(pick for pick in made.picks if pick["unit_id"] == unit.id)
    analyst, supervisor, inspector = (
        loop.people[role] for role in (Role.ANALYST, Role.SUPERVISOR, Role.INSPECTOR)
    )
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    tasks = loop.read(lambda tx: access.assignments_on(tx, unit.id))
    assert [(task.person_id, task.purpose) for task in tasks] == [(analyst.id, "targeting")]

    hold = loop.write(
        lambda tx: inspect.propose_hold(tx, analyst, pick["id"], ["indicator_description"])
    )
    assert loop.hold(hold)["state"] == "hold_proposed"
    loop.write(lambda tx: holds.confirm(tx, supervisor, hold))
    system = loop.token(TERMINAL)
    loop.write(lambda tx: holds.acknowledge(tx, system, hold))
    loop.write(lambda tx: holds.acknowledge(tx, system, hold))  # saying so twice changes nothing
    row = loop.hold(hold)
    assert (row["state"], row["acknowledged_by"]) == ("hold_acknowledged", system.id)

    order = loop.write(lambda tx: inspect.order(tx, analyst, pick["id"], "physical_full"))
    loop.write(lambda tx: inspections.accept(tx, inspector, order))
    loop.later(hours=3)
    done = loop.write(lambda tx: inspect.report(tx, inspector, order, SEIZED))
    assert (done["state"], done["result"], done["done_by"]) == (
        "inspection_done",
        "seizure",
        inspector.id,
    )
    assert loop.pick(pick["id"])["state"] == "inspected"
    labels = loop.read(
        lambda tx: tx.execute(
            select(outcome_table.c.objective, outcome_table.c.positive, outcome_table.c.propensity)
            .where(outcome_table.c.unit_id == unit.id)
            .order_by(outcome_table.c.objective)
        ).all()
    )
    assert [tuple(label) for label in labels] == [
        ("contraband", True, pick["propensity"]),
        ("revenue", False, pick["propensity"]),
        ("strategic", False, pick["propensity"]),
    ]
    assert not loop.read(lambda tx: access.assignments_on(tx, unit.id))  # the tasks are done
    with pytest.raises(Conflict, match="inspection_done"):
        loop.write(lambda tx: inspect.report(tx, inspector, order, SEIZED))
    loop.write(lambda tx: holds.release(tx, supervisor, hold, ["inspection_complete"]))
    assert loop.hold(hold)["state"] == "hold_released"


@pytest.mark.parametrize("code", ["GTOT", "LOAD"])
def test_a_box_that_leaves_against_its_hold_raises_an_alert(loop: Loop, code: str):
    _, hold = held(loop)
    loop.later(hours=2)
    loop.event(code, 1)
    (alert,) = loop.alerts()
    assert (alert["kind"], alert["hold_id"], alert["container"]) == ("hold_breached", hold, box(1))
    assert alert["detail"]["code"] == code
    assert alert["detail"]["before_hold"] is False
    assert loop.hold(hold)["state"] == "hold_breached"
    loop.event(code, 1)  # told again by the port's own system
    assert len(loop.alerts()) == 1


def test_an_exit_of_an_earlier_voyage_breaks_no_hold(loop: Loop):
    _, hold = held(loop)
    before = loop.clock.now().replace(year=2025, month=6)
    loop.receive(write_events([box_event("GTOT", 1, at=before)]), "events.jsonl")
    assert loop.hold(hold)["state"] == "hold_confirmed"
    assert not loop.alerts()


def test_a_box_that_left_before_its_hold_is_confirmed_is_told_and_not_held(loop: Loop):
    loop.manifest(1)
    loop.event("DISC", 1)
    loop.node.worker.run_due()
    (pick,) = loop.run().picks
    analyst, supervisor = loop.people[Role.ANALYST], loop.people[Role.SUPERVISOR]
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    hold = loop.write(lambda tx: inspect.propose_hold(tx, analyst, pick["id"], ["indicator_seal"]))
    loop.later(minutes=5)
    loop.event("GTOT", 1)
    assert [alert["kind"] for alert in loop.alerts()] == ["left_before_hold"]
    assert loop.hold(hold)["state"] == "hold_proposed"
    with pytest.raises(Conflict, match="closed"):
        loop.write(lambda tx: holds.confirm(tx, supervisor, hold))
    loop.write(lambda tx: holds.refuse(tx, supervisor, hold, ["insufficient_time"]))
    loop.write(clocks.settle)
    assert loop.pick(pick["id"])["state"] == "expired"


def test_a_terminal_answers_for_its_own_boxes_only(loop: Loop):
    _, hold = held(loop)
    other = loop.token(OTHER_TERMINAL)
    with pytest.raises(NotFound):
        loop.write(lambda tx: holds.acknowledge(tx, other, hold))
    mine = loop.token(TERMINAL)
    for act in (
        lambda tx: holds.confirm(tx, mine, hold),
        lambda tx: holds.release(tx, mine, hold, ["held_in_error"]),
    ):
        with pytest.raises(Denied):
            loop.write(act)


def test_a_terminal_that_does_not_answer_is_noticed_once(loop: Loop):
    _, hold = held(loop)
    loop.later(minutes=31)
    for _ in range(2):
        loop.write(clocks.settle)
    assert [alert["kind"] for alert in loop.alerts()] == ["hold_unanswered"]
    assert loop.hold(hold)["acknowledge_by"] is not None  # what was owed stays on record
    loop.later(hours=24)
    loop.write(clocks.settle)
    assert {alert["kind"] for alert in loop.alerts()} == {"hold_unanswered", "hold_overlong"}


def test_a_hold_follows_its_box_to_the_terminal_that_must_answer(loop: Loop):
    loop.manifest(1)
    loop.node.worker.run_due()
    (pick,) = loop.run().picks
    assert pick["terminal"] is None
    analyst, supervisor = loop.people[Role.ANALYST], loop.people[Role.SUPERVISOR]
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    hold = loop.write(lambda tx: inspect.propose_hold(tx, analyst, pick["id"], ["indicator_route"]))
    loop.write(lambda tx: holds.confirm(tx, supervisor, hold))
    system = loop.token(TERMINAL)
    with pytest.raises(NotFound):
        loop.write(lambda tx: holds.acknowledge(tx, system, hold))
    loop.event("DISC", 1)
    assert loop.read(clocks.needed)
    loop.write(clocks.settle)
    assert not loop.read(clocks.needed)
    loop.write(lambda tx: holds.acknowledge(tx, system, hold))
    assert loop.pick(pick["id"])["terminal"] == TERMINAL
    loop.later(hours=1)
    loop.event("GTIN", 1, terminal=OTHER_TERMINAL)
    loop.write(clocks.settle)
    assert [alert["kind"] for alert in loop.alerts()] == ["hold_moved"]


def test_only_persons_decide(loop: Loop):
    loop.manifest(1)
    loop.node.worker.run_due()
    (pick,) = loop.run(who=loop.node.actor).picks  # a run may be made by the node itself
    node, unit = loop.node.actor, loop.unit(1)
    reasons = ["indicator_seal"]
    acts = (
        lambda tx: picks.take(tx, node, pick["id"]),
        lambda tx: picks.clear(tx, node, pick["id"], ["seal_intact"], agrees=True),
        lambda tx: picks.watch(tx, node, pick["id"], reasons, agrees=True),
        lambda tx: inspect.propose_hold(tx, node, pick["id"], reasons),
        lambda tx: inspections.order(tx, node, unit, "physical_full", pick["id"]),
    )
    for act in acts:
        with pytest.raises(Denied):
            loop.write(act)
    analyst, supervisor = loop.people[Role.ANALYST], loop.people[Role.SUPERVISOR]
    loop.write(lambda tx: picks.take(tx, analyst, pick["id"]))
    hold = loop.write(lambda tx: inspect.propose_hold(tx, analyst, pick["id"], reasons))
    with pytest.raises(Denied):
        loop.write(lambda tx: holds.confirm(tx, node, hold))
    loop.write(lambda tx: holds.confirm(tx, supervisor, hold))
    order = loop.write(lambda tx: inspect.order(tx, supervisor, pick["id"], "canine"))
    for act in (
        lambda tx: inspections.accept(tx, node, order),
        lambda tx: inspect.report(tx, node, order, SEIZED),
        lambda tx: holds.release(tx, node, hold, ["held_in_error"]),
    ):
        with pytest.raises(Denied):
            loop.write(act)


def test_scoring_and_targeting_write_no_hold_and_no_inspection(loop: Loop):
    written: set[str] = set()

    def note(_conn, _cursor, statement, _parameters, _context, _many):
        words = statement.split()
        if words[0] in ("INSERT", "UPDATE", "DELETE"):
            written.add(words[2] if words[0] != "UPDATE" else words[1])

    loop.manifest(*range(1, 40))
    engine = loop.node.database.migrator()
    event.listen(engine, "before_cursor_execute", note)
    try:
        loop.node.scorer.score_all()
        loop.run(budget=10, documentary=5, audits=5)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert {"assessment", "pick", "target_run"} <= written
    assert not written & {"hold", "inspection", "finding", "alert", "outcome"}


def test_a_report_must_make_sense(loop: Loop):
    pick, _ = held(loop)
    inspector = loop.people[Role.INSPECTOR]
    order = loop.write(
        lambda tx: inspect.order(tx, loop.people[Role.ANALYST], pick, "physical_full")
    )
    loop.write(lambda tx: inspections.accept(tx, inspector, order))
    full = {"control_type": "physical_full", "minutes_delay": 60}
    cocaine = (Found("cocaine", 1.0, "KGM"),)
    for wrong in (
        Report(Result.SEIZURE, **full, objective="contraband"),  # of what?
        Report(Result.SEIZURE, **full, findings=cocaine),  # against what?
        Report(Result.NO_IRREGULARITY, **full, objective="contraband"),
        Report(Result.NO_IRREGULARITY, **full, findings=cocaine),
        Report(Result.INCONCLUSIVE, "crystal_ball", 60),
        Report(Result.INCONCLUSIVE, "canine", -1),
        Report(Result.INCONCLUSIVE, "canine", 60, share_unloaded=float("nan")),
        Report(Result.SEIZURE, **full, objective="contraband", findings=(Found("gold?"),)),
        Report(
            Result.SEIZURE, **full, objective="contraband", findings=(Found("cocaine", 0.0, "KGM"),)
        ),
        Report(
            Result.SEIZURE, **full, objective="contraband", findings=(Found("cocaine", 1, "loads"),)
        ),
        Report(
            Result.SEIZURE, **full, objective="contraband", findings=(Found("weapons", pieces=0),)
        ),
    ):
        with pytest.raises(Invalid):
            loop.write(lambda tx, wrong=wrong: inspect.report(tx, inspector, order, wrong))
    money = Report(Result.SEIZURE, **full, objective="revenue", findings=(Found("cash", 9, "USD"),))
    assert loop.write(lambda tx: inspect.report(tx, inspector, order, money))["result"] == "seizure"


def test_every_step_leaves_an_audit_row_with_its_person(loop: Loop):
    _, hold = held(loop)
    rows = loop.read(lambda tx: tx.execute(select(audit_table.c.action, audit_table.c.actor)).all())
    by = {row.action: row.actor for row in rows}
    assert by["pick.take"] == by["hold.propose"] == loop.people[Role.ANALYST].id
    assert by["hold.confirm"] == loop.people[Role.SUPERVISOR].id
    assert hold
