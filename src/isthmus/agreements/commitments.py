"""Commitments: who owes what by when, and how one ends.

proposed → agreed → on track ⇄ at risk → overdue → evidence offered → verified → closed. None is
closed without evidence, except one that named officers of all parties waived.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.agreements import store
from isthmus.agreements.agreement import Agreement
from isthmus.agreements.clocks import HORIZONS
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction

# What a person may say next; `overdue` is said by the clock, `waived` by the last officer.
STEPS: Mapping[str, frozenset[str]] = {
    "proposed": frozenset({"agreed"}),
    "agreed": frozenset({"on_track", "at_risk"}),
    "on_track": frozenset({"at_risk"}),
    "at_risk": frozenset({"on_track"}),
    "verified": frozenset({"closed"}),
}
_OPEN = ("proposed", "agreed", "on_track", "at_risk", "overdue", "evidence_offered")
# An officer by his service number at his authority: no name is kept here.
OFFICER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,39}")


def open_all(tx: Transaction, agreement: Agreement) -> int:
    """Enter the commitments of an agreement that are not known yet; return how many.

    Where the text names no day, the horizon counts from the signature, else from now.
    """
    new = 0
    for clause in agreement.clauses:
        owed = clause.commitment
        if owed is None:
            continue
        due = owed.due or (agreement.signed or tx.now.date()) + HORIZONS[owed.horizon]
        new += store.insert_commitment(
            tx,
            {
                "id": f"{agreement.id}/{clause.id}",
                "agreement": agreement.id,
                "clause": clause.id,
                "owners": dict(owed.owners),
                "horizon": owed.horizon,
                "due_on": due,
                "state": "agreed",
                "evidence": [],
                "waived_by": {},
                "offered_by": None,
                "verified_by": None,
                "changed_at": tx.now,
            },
        )
    return new


def commitments(tx: Transaction, actor: Actor) -> list[RowMapping]:
    """Return all commitments, those due first."""
    check(tx, actor, Permission.AGREEMENT_READ)
    return store.commitments(tx, scope(actor, Permission.AGREEMENT_READ))


def advance(tx: Transaction, actor: Actor, commitment: str, then: str) -> None:
    """Say how a commitment stands; to close it, it must have been verified."""
    check(tx, actor, Permission.COMMITMENT_KEEP, object_id=commitment)
    row = _row(tx, actor, commitment)
    if then not in STEPS.get(row["state"], frozenset()):
        words = f"{row['state']} cannot become {then}"
        raise Conflict("state_forbids", words, commitment=commitment)
    _move(tx, actor, row, then)


def offer_evidence(tx: Transaction, actor: Actor, commitment: str, evidence: list[str]) -> None:
    """Offer events (by id) that prove a commitment was kept."""
    check(tx, actor, Permission.COMMITMENT_KEEP, object_id=commitment)
    row = _row(tx, actor, commitment)
    if not evidence:
        raise Invalid("evidence_missing", "name at least one event", commitment=commitment)
    if row["state"] not in _OPEN[1:]:
        raise Conflict("state_forbids", f"it is {row['state']}", commitment=commitment)
    kept = sorted({*row["evidence"], *evidence})
    _move(tx, actor, row, "evidence_offered", evidence=kept, offered_by=actor.id)


def verify(tx: Transaction, actor: Actor, commitment: str, *, holds: bool) -> None:
    """Say whether the evidence offered proves it; another person than the one who offered it."""
    check(tx, actor, Permission.COMMITMENT_VERIFY, object_id=commitment)
    row = _row(tx, actor, commitment)
    if row["state"] != "evidence_offered":
        raise Conflict("state_forbids", "no evidence was offered", commitment=commitment)
    if row["offered_by"] == actor.id:
        raise Denied("second_person", "another person verifies it", commitment=commitment)
    _move(tx, actor, row, "verified" if holds else "at_risk", verified_by=actor.id)


def waive(tx: Transaction, actor: Actor, commitment: str, state: str, officer: str) -> bool:
    """Note that a party's officer waives it; return whether all parties did, which ends it.

    ``state`` is the party (``PA``), ``officer`` his service number there.
    """
    check(tx, actor, Permission.COMMITMENT_VERIFY, object_id=commitment)
    row = _row(tx, actor, commitment)
    if state not in row["owners"]:
        raise Invalid("party_unknown", "no party owes this", commitment=commitment, state=state)
    if not OFFICER.fullmatch(officer):
        raise Invalid("officer_missing", "name the officer by service number", state=state)
    if row["state"] not in _OPEN:
        raise Conflict("state_forbids", f"it is {row['state']}", commitment=commitment)
    waived = {**row["waived_by"], state: officer}
    done = set(waived) == set(row["owners"])
    _move(tx, actor, row, "waived" if done else row["state"], waived_by=waived)
    return done


def fall_due(tx: Transaction) -> int:
    """Mark what should have been kept by now as overdue; return how many. For a job."""
    today = tx.now.date()
    late = [row for row in store.running_commitments(tx) if row["due_on"] < today]
    for row in late:
        store.change_commitment(tx, row["id"], state="overdue")
        audit.record(tx, "node", "commitment.overdue", "commitment", row["id"])
        events.emit(tx, "commitment.overdue", row["id"], agreement=row["agreement"])
    return len(late)


def _row(tx: Transaction, actor: Actor, commitment: str) -> RowMapping:
    tx.lock([f"commitment-{commitment}"])
    return store.commitment(tx, scope(actor, Permission.AGREEMENT_READ), commitment)


def _move(tx: Transaction, actor: Actor, row: RowMapping, then: str, **values: Any) -> None:
    store.change_commitment(tx, row["id"], state=then, **values)
    audit.record(
        tx,
        actor.id,
        f"commitment.{then}",
        "commitment",
        row["id"],
        agency=actor.agency,
        before=row["state"],
    )
    events.emit(tx, "commitment.changed", row["id"], state=then)
