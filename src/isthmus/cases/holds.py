"""Holds: proposed, confirmed by another person, acknowledged by the terminal, ended."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.cargo.unit import Unit, UnitState
from isthmus.cases import alerts, picks, store
from isthmus.cases.model import ACTIVE_HOLDS, HOLD_STEPS, HoldState, PickState, step
from isthmus.cases.picks import check_reasons
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction

# Clocks of workflow W2: the terminal's answer, and how long a box is kept without a new reason.
ACKNOWLEDGE_WITHIN = timedelta(minutes=30)
HOLD_FOR = timedelta(hours=24)


def propose(tx: Transaction, actor: Actor, pick_id: str, unit: Unit, reasons: Sequence[str]) -> str:
    """Propose to hold a picked unit; nothing is held until a person confirms. Returns its id.

    Raises ``Conflict`` unless this officer has taken the pick, or when the unit has left.
    """
    tx.lock([pick_id])
    pick = store.pick(tx, scope(actor, Permission.PICK_READ), pick_id)
    check(
        tx,
        actor,
        Permission.HOLD_PROPOSE,
        office=unit.office,
        terminal=unit.terminal,
        object_id=pick_id,
    )
    picks.check_own(pick, actor)
    if pick["unit_id"] != unit.id:
        raise Invalid("pick_foreign", "the pick is of another unit", pick=pick_id)
    if unit.state != UnitState.OPEN:
        raise Conflict("unit_gone", f"the unit is {unit.state}", unit=unit.id)
    given = check_reasons(reasons, "hold")
    hold_id = new_id("hold")
    picks.move(
        tx,
        pick_id,
        PickState.HOLD_PROPOSED,
        decided_by=actor.id,
        decided_at=tx.now,
        reasons=given,
        taken_until=None,
    )
    store.insert_hold(
        tx,
        {
            "id": hold_id,
            "pick_id": pick_id,
            "unit_id": unit.id,
            "container": unit.container,
            "office": unit.office,
            "terminal": unit.terminal,
            "state": HoldState.PROPOSED,
            "reasons": given,
            "proposed_by": actor.id,
            "proposed_at": tx.now,
        },
    )
    _note(tx, actor, "hold.propose", hold_id, unit.id, reasons=given)
    return hold_id


def confirm(tx: Transaction, actor: Actor, hold_id: str) -> None:
    """Confirm what another person proposed: from now on the terminal must keep the box.

    Raises ``Denied`` for the person who proposed it, and ``Conflict`` when the box has left
    meanwhile: then there is nothing to keep.
    """
    row = _hold(tx, actor, hold_id, Permission.HOLD_CONFIRM)
    if row["proposed_by"] == actor.id:
        raise Denied("second_person", "another person confirms a hold", hold=hold_id)
    if (state := store.unit_state(tx, row["unit_id"])) != UnitState.OPEN:
        raise Conflict("unit_gone", f"the unit is {state}", unit=row["unit_id"])
    _move(
        tx,
        row,
        HoldState.CONFIRMED,
        confirmed_by=actor.id,
        confirmed_at=tx.now,
        acknowledge_by=tx.now + ACKNOWLEDGE_WITHIN,
        holds_until=tx.now + HOLD_FOR,
    )
    picks.move(tx, row["pick_id"], PickState.HELD)
    _note(tx, actor, "hold.confirm", hold_id, row["unit_id"])
    events.emit(tx, "hold.confirmed", row["unit_id"], hold=hold_id, container=row["container"])


def refuse(tx: Transaction, actor: Actor, hold_id: str, reasons: Sequence[str]) -> None:
    """Decline to confirm a proposed hold; the pick goes back to its officer."""
    row = _hold(tx, actor, hold_id, Permission.HOLD_CONFIRM)
    given = check_reasons(reasons, "release")
    _move(tx, row, HoldState.REFUSED, ended_by=actor.id, ended_at=tx.now, end_reasons=given)
    picks.move(tx, row["pick_id"], PickState.TAKEN, taken_until=tx.now + picks.LOCK)
    _note(tx, actor, "hold.refuse", hold_id, row["unit_id"], reasons=given)


def acknowledge(tx: Transaction, actor: Actor, hold_id: str) -> None:
    """The terminal says that it keeps the box. Saying so twice changes nothing."""
    row = _hold(tx, actor, hold_id, Permission.HOLD_ACKNOWLEDGE)
    if row["state"] == HoldState.ACKNOWLEDGED:
        return
    _move(tx, row, HoldState.ACKNOWLEDGED, acknowledged_by=actor.id, acknowledged_at=tx.now)
    _note(tx, actor, "hold.acknowledge", hold_id, row["unit_id"])
    events.emit(tx, "hold.acknowledged", row["unit_id"], hold=hold_id)


def extend(tx: Transaction, actor: Actor, hold_id: str, reasons: Sequence[str]) -> None:
    """Keep the box for another 24 hours from now; every further day asks for a reason again.

    Raises ``Conflict`` unless the hold is in force.
    """
    row = _hold(tx, actor, hold_id, Permission.HOLD_CONFIRM)
    given = check_reasons(reasons, "extend")
    if row["state"] not in ACTIVE_HOLDS:
        raise Conflict(
            "state_forbids", "only a hold in force is extended", object=hold_id, state=row["state"]
        )
    store.change_hold(
        tx,
        hold_id,
        holds_until=tx.now + HOLD_FOR,
        extended_by=actor.id,
        extended_at=tx.now,
        extension_reasons=given,
    )
    _note(tx, actor, "hold.extend", hold_id, row["unit_id"], reasons=given)
    events.emit(tx, "hold.extended", row["unit_id"], hold=hold_id, container=row["container"])


def release(tx: Transaction, actor: Actor, hold_id: str, reasons: Sequence[str]) -> None:
    """End a hold: the box may go."""
    row = _hold(tx, actor, hold_id, Permission.HOLD_RELEASE)
    given = check_reasons(reasons, "release")
    _move(tx, row, HoldState.RELEASED, ended_by=actor.id, ended_at=tx.now, end_reasons=given)
    pick = store.pick_row(tx, row["pick_id"]) if row["pick_id"] else None
    if pick is not None and pick["state"] == PickState.HELD:
        picks.move(tx, pick["id"], PickState.RELEASED, decided_by=actor.id, decided_at=tx.now)
        picks.end_task(tx, actor, pick["id"])
    _note(tx, actor, "hold.release", hold_id, row["unit_id"], reasons=given)
    events.emit(tx, "hold.released", row["unit_id"], hold=hold_id, container=row["container"])


def breach(tx: Transaction, container: str, code: str, at: str) -> int:
    """A box left: every hold in force on it is breached, and an alert is raised for each.

    Which voyage of the box an event belongs to was settled when its units were brought up to
    date: only holds whose own unit has left count. A hold still to be confirmed binds nobody, so
    it is not breached, but whoever is about to confirm it must know. Returns how many alerts.
    """
    rows = store.broken_holds(tx, container)
    for row in rows:
        in_force = row["state"] in ACTIVE_HOLDS
        confirmed = row["confirmed_at"]
        detail = {
            "code": code,
            "at": at,
            # The box was through the gate before the terminal could have been told.
            "before_hold": confirmed is None or row["gate_out_at"] < confirmed,
        }
        kind = "hold_breached" if in_force else "left_before_hold"
        alerts.raise_alert(tx, kind, row, hold_id=row["id"], detail=detail)
        if in_force:
            _move(tx, row, HoldState.BREACHED)
            audit.record(
                tx, "node", "hold.breach", "hold", row["id"], unit=row["unit_id"], code=code
            )
    return len(rows)


def _hold(tx: Transaction, actor: Actor, hold_id: str, permission: Permission) -> RowMapping:
    tx.lock([hold_id])
    row = store.hold(tx, scope(actor, Permission.HOLD_READ), hold_id)
    check(tx, actor, permission, office=row["office"], terminal=row["terminal"], object_id=hold_id)
    return row


def _move(tx: Transaction, row: RowMapping, then: HoldState, **values: Any) -> None:
    step(HOLD_STEPS, HoldState(row["state"]), then, row["id"])
    store.change_hold(tx, row["id"], state=then, **values)


def _note(
    tx: Transaction, actor: Actor, action: str, hold_id: str, unit_id: str, **detail: Any
) -> None:
    audit.record(
        tx,
        actor.id,
        action,
        "hold",
        hold_id,
        agency=actor.agency,
        purpose=Purpose.TARGETING,
        unit=unit_id,
        **detail,
    )
