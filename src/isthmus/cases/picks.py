"""The target queue: who works on which pick, and what they decide."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access import service as people
from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.cases import store
from isthmus.cases.model import PICK_STEPS, PickState, step
from isthmus.cases.tables import pick_table
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

# A pick is one officer's for this long; then it is offered again (workflow W1).
LOCK = timedelta(minutes=15)


def take(tx: Transaction, actor: Actor, pick_id: str) -> RowMapping:
    """Take a pick to work on; it is this officer's for fifteen minutes.

    Raises ``Conflict`` when somebody else works on it.
    """
    row = _pick(tx, actor, pick_id, Permission.PICK_TAKE)
    locked = row["taken_until"] is not None and row["taken_until"] >= tx.now
    if row["state"] == PickState.TAKEN and locked and row["taken_by"] != actor.id:
        raise Conflict("pick_taken", "another officer works on it", pick=pick_id)
    if row["state"] != PickState.TAKEN:
        step(PICK_STEPS, PickState(row["state"]), PickState.TAKEN, pick_id)
    store.change(
        tx,
        pick_table,
        pick_id,
        state=PickState.TAKEN,
        taken_by=actor.id,
        taken_until=tx.now + LOCK,
    )
    people.assign(tx, actor, actor.id, "unit", row["unit_id"], purpose=Purpose.TARGETING)
    _note(tx, actor, "pick.take", row)
    return _pick(tx, actor, pick_id, Permission.PICK_TAKE)


def put_back(tx: Transaction, actor: Actor, pick_id: str) -> None:
    """Offer a taken pick to others again."""
    row = _own(tx, actor, pick_id, Permission.PICK_TAKE)
    _move(tx, row, PickState.OFFERED, taken_by=None, taken_until=None)
    people.unassign(tx, actor, actor.id, "unit", row["unit_id"])
    _note(tx, actor, "pick.put_back", row)


def clear(
    tx: Transaction, actor: Actor, pick_id: str, reasons: Sequence[str], *, agrees: bool | None
) -> None:
    """Let a picked unit go, saying why and whether the officer agrees with the assessment."""
    _decide(tx, actor, pick_id, PickState.CLEARED, Permission.PICK_CLEAR, reasons, agrees)


def watch(
    tx: Transaction, actor: Actor, pick_id: str, reasons: Sequence[str], *, agrees: bool | None
) -> None:
    """Keep a picked unit in sight without holding it."""
    _decide(tx, actor, pick_id, PickState.WATCH, Permission.PICK_TAKE, reasons, agrees)


def _decide(
    tx: Transaction,
    actor: Actor,
    pick_id: str,
    then: PickState,
    permission: Permission,
    reasons: Sequence[str],
    agrees: bool | None,
) -> None:
    row = _own(tx, actor, pick_id, permission)
    given = check_reasons(reasons)
    _move(
        tx,
        row,
        then,
        decided_by=actor.id,
        decided_at=tx.now,
        reasons=given,
        agrees=agrees,
        taken_until=None,
    )
    _note(tx, actor, f"pick.{then.value}", row, reasons=given, agrees=agrees)
    events.emit(tx, "pick.decided", row["unit_id"], pick=pick_id, state=then.value)


def check_reasons(reasons: Sequence[str]) -> list[str]:
    """Return the reason codes given; at least one, all of the code list; else ``Invalid``."""
    known = code_list("reasons")
    given = list(dict.fromkeys(reasons))
    if not given:
        raise Invalid("reason_needed", "a decision needs a reason", field="reasons")
    for reason in given:
        if reason not in known:
            raise Invalid("code_unknown", "no such reason", field="reasons", value=reason)
    return given


def move(tx: Transaction, pick_id: str | None, then: PickState, **values: Any) -> None:
    """Follow what became of a pick's hold or inspection; the caller has checked access."""
    if pick_id is not None:
        row = store.pick_row(tx, pick_id)
        if row["state"] != then:
            _move(tx, row, then, **values)


def settle_overdue(tx: Transaction) -> tuple[int, int]:
    """Offer again what an officer left locked; expire what can no longer be reached.

    Returns how many of each. Run by a periodic job as the node itself.
    """
    unlocked = expired = 0
    for row in store.overdue_picks(tx, tx.now):
        late = row["deadline_at"] is not None and row["deadline_at"] < tx.now
        then = PickState.EXPIRED if late else PickState.OFFERED
        _move(tx, row, then, taken_by=None, taken_until=None)
        audit.record(tx, "node", f"pick.{then.value}", "pick", row["id"], unit=row["unit_id"])
        expired += late
        unlocked += not late
    return unlocked, expired


def _pick(tx: Transaction, actor: Actor, pick_id: str, permission: Permission) -> RowMapping:
    tx.lock([pick_id])
    row = store.pick(tx, scope(actor, Permission.PICK_READ), pick_id)
    check(tx, actor, permission, office=row["office"], terminal=row["terminal"], object_id=pick_id)
    return row


def _own(tx: Transaction, actor: Actor, pick_id: str, permission: Permission) -> RowMapping:
    """Return a pick that this officer has taken; decisions are made on no other."""
    row = _pick(tx, actor, pick_id, permission)
    if row["state"] in (PickState.TAKEN, PickState.WATCH) and row["taken_by"] == actor.id:
        return row
    raise Conflict("pick_not_taken", "take the pick before deciding on it", pick=pick_id)


def _move(tx: Transaction, row: RowMapping, then: PickState, **values: Any) -> None:
    step(PICK_STEPS, PickState(row["state"]), then, row["id"])
    store.change(tx, pick_table, row["id"], state=then, **values)


def _note(tx: Transaction, actor: Actor, action: str, row: RowMapping, **detail: Any) -> None:
    audit.record(
        tx,
        actor.id,
        action,
        "pick",
        row["id"],
        agency=actor.agency,
        purpose=Purpose.TARGETING,
        unit=row["unit_id"],
        **detail,
    )
