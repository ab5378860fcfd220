"""The log of look-ups, read by supervision only: who opened whose data, for which purpose, why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from isthmus.access import store
from isthmus.access.gate import check, purpose_for
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.kernel.canonical import digest
from isthmus.kernel.ids import new_id
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

TOLD = 20
"""Of a search for many names, so many are told one by one in the audit; the digest covers all."""


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


def note_search(
    tx: Transaction,
    actor: Actor,
    permission: Permission,
    asked: Sequence[str],
    *,
    purpose: Purpose | None = None,
    reason: str | None = None,
    **told: Any,
) -> Purpose:
    """Log a search for persons or companies by name, and return its purpose.

    ``asked`` are keyed hashes of what was searched for, never the names. Raises ``PurposeNeeded``
    when neither the request nor the actor's role gives a purpose, ``Denied`` when this node does
    not serve it.
    """
    found = purpose_for(tx, actor, permission, purpose, "search")
    lookup = new_id("lkp")
    words = " ".join((reason or actor.reason or "").split())
    store.insert_lookup(
        tx,
        {
            "id": lookup,
            "at": tx.now,
            "actor_id": actor.id,
            "agency_id": actor.agency,
            "subject_kind": "search",
            "subject_id": asked[0] if len(asked) == 1 else digest(list(asked)).hex()[:32],
            "purpose": found.value,
            "assignment_id": None,
            "reason": tx.keys.seal_secret(words.encode(), lookup) if words else None,
        },
    )
    audit.record(
        tx,
        actor.id,
        "person_data.searched",
        "search",
        lookup,
        agency=actor.agency,
        purpose=found.value,
        asked=list(asked[:TOLD]),
        names=len(asked),
        **told,
    )
    return found
