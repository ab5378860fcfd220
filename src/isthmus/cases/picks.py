"""The target queue: who works on which pick, and what they decide."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access import service as people
from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.cases import store
from isthmus.cases.model import PICK_STEPS, UNDECIDED, PickState, step
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

# A pick is one officer's for this long; then it is offered again (workflow W1).
LOCK = timedelta(minutes=15)


def take(tx: Transaction, actor: Actor, pick_id: str) -> RowMapping:
    """Take a pick to work on; it is this officer's for fifteen minutes.

    What another left locked and his time ran out, or keeps on watch, may be taken over. Raises
    ``Conflict`` when somebody else works on it, when it is decided, held or under inspection,
    or when its unit is out of reach.
    """
    row = _pick(tx, actor, pick_id, Permission.PICK_TAKE)
    state, before = PickState(row["state"]), row["taken_by"]
    locked = row["taken_until"] is not None and row["taken_until"] >= tx.now
    if state is PickState.TAKEN and locked and before != actor.id:
        raise Conflict("pick_taken", "another officer works on it", pick=pick_id)
    if state not in UNDECIDED:
        raise Conflict("state_forbids", f"{state.value} is not taken", pick=pick_id, state=state)
    if not store.in_reach(tx, row["unit_id"]):
        raise Conflict("pick_expired", "its unit is out of reach", pick=pick_id)
    if before is not None and before != actor.id:
        people.unassign(tx, actor, before, "unit", row["unit_id"])
    store.change_pick(
        tx,
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
    given = check_reasons(reasons, "clear" if then is PickState.CLEARED else "watch")
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
    if then is PickState.CLEARED:  # the task is done, and with it the purpose it gave
        people.unassign(tx, actor, actor.id, "unit", row["unit_id"])
    _note(tx, actor, f"pick.{then.value}", row, reasons=given, agrees=agrees)
    events.emit(tx, "pick.decided", row["unit_id"], pick=pick_id, state=then.value)


def check_reasons(reasons: Sequence[str], decision: str) -> list[str]:
    """Return the reason codes given: at least one, each of the code list and fit for the decision.

    ``decision`` is clear, watch, hold, extend or release, as the list has it. Raises ``Invalid``.
    """
    known = code_list("reasons")
    given = list(dict.fromkeys(reasons))
    if not given:
        raise Invalid("reason_needed", "a decision needs a reason", field="reasons")
    for reason in given:
        entry = known.entry(reason)
        if entry is None:
            raise Invalid("code_unknown", "no such reason", field="reasons", value=reason)
        if decision not in entry.extra["decisions"].split():
            words = f"no reason to {decision}"
            raise Invalid("reason_unfit", words, field="reasons", value=reason)
    return given


def move(tx: Transaction, pick_id: str | None, then: PickState, **values: Any) -> None:
    """Follow what became of a pick's hold or inspection; the caller has checked access."""
    if pick_id is not None:
        tx.lock([pick_id])
        row = store.pick_row(tx, pick_id)
        if row["state"] != then:
            _move(tx, row, then, **values)


def settle(tx: Transaction, row: RowMapping, then: PickState) -> None:
    """Let time move a pick on: its lock ran out, or its unit is out of reach."""
    if row["state"] != then:
        _move(tx, row, then, taken_by=None, taken_until=None)


def end_task(tx: Transaction, actor: Actor, pick_id: str | None) -> None:
    """End the task of the officer who took a pick, now that what it led to is done."""
    if pick_id is not None and (row := store.pick_row(tx, pick_id))["taken_by"] is not None:
        people.unassign(tx, actor, row["taken_by"], "unit", row["unit_id"])


def _pick(tx: Transaction, actor: Actor, pick_id: str, permission: Permission) -> RowMapping:
    tx.lock([pick_id])
    row = store.pick(tx, scope(actor, Permission.PICK_READ), pick_id)
    check(tx, actor, permission, office=row["office"], terminal=row["terminal"], object_id=pick_id)
    return row


def _own(tx: Transaction, actor: Actor, pick_id: str, permission: Permission) -> RowMapping:
    row = _pick(tx, actor, pick_id, permission)
    check_own(row, actor)
    return row


def check_own(row: RowMapping, actor: Actor) -> None:
    """Pass when this officer has taken the pick; decisions are made on no other (``Conflict``)."""
    taken = row["state"] in (PickState.TAKEN, PickState.WATCH)
    if not taken or row["taken_by"] != actor.id:
        raise Conflict("pick_not_taken", "take the pick before deciding on it", pick=row["id"])


def _move(tx: Transaction, row: RowMapping, then: PickState, **values: Any) -> None:
    step(PICK_STEPS, PickState(row["state"]), then, row["id"])
    store.change_pick(tx, row["id"], state=then, **values)


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
