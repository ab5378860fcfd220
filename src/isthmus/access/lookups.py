"""The log of look-ups, read by supervision only: who opened whose data, for which purpose, why."""

from dataclasses import dataclass
from datetime import datetime

from isthmus.access import store
from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Lookup:
    """One opening of a person's data. ``reason`` is null with a task, and once erased."""

    id: str
    at: datetime
    actor_id: str
    agency: str
    subject_kind: str
    subject_id: str
    purpose: Purpose
    assignment_id: str | None
    reason: str | None


def lookups(
    tx: Transaction,
    actor: Actor,
    *,
    subject_id: str | None = None,
    by: str | None = None,
    before: datetime | None = None,
    limit: int = 200,
) -> list[Lookup]:
    """Return look-ups, newest first, of a subject or by a person; the reading is audited.

    Needs a writing transaction, since supervisors are supervised too.
    """
    check(tx, actor, Permission.LOOKUP_READ)
    audit.record(
        tx,
        actor.id,
        "lookups.read",
        "person" if by else "subject",
        by or subject_id or "all",
        agency=actor.agency,
        purpose=Purpose.SUPERVISION.value,
    )
    rows = store.lookups(tx, subject_id=subject_id, actor_id=by, before=before, limit=limit)
    return [
        Lookup(
            id=row["id"],
            at=row["at"],
            actor_id=row["actor_id"],
            agency=row["agency_id"],
            subject_kind=row["subject_kind"],
            subject_id=row["subject_id"],
            purpose=Purpose(row["purpose"]),
            assignment_id=row["assignment_id"],
            reason=tx.keys.open_secret(row["reason"], row["id"]).decode()
            if row["reason"]
            else None,
        )
        for row in rows
    ]
