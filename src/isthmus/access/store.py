"""All SQL of access."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, or_, select

from isthmus.access.model import Assignment, Purpose
from isthmus.access.tables import assignment_table, lookup_table
from isthmus.platform.transaction import Transaction


def assignment_for(tx: Transaction, person_id: str, object_ids: Sequence[str]) -> Assignment | None:
    """Return a standing task of this person on one of these things, if there is one."""
    tasks = assignment_table.c
    found = (
        select(assignment_table)
        .where(
            tasks.person_id == person_id,
            tasks.object_id.in_(object_ids),
            tasks.since <= tx.now,
            or_(tasks.until.is_(None), tasks.until > tx.now),
        )
        .order_by(tasks.since, tasks.id)
        .limit(1)
    )
    row = tx.execute(found).mappings().first()
    return _assignment(row) if row else None


def _assignment(row: RowMapping) -> Assignment:
    return Assignment(
        id=row["id"],
        person_id=row["person_id"],
        object_kind=row["object_kind"],
        object_id=row["object_id"],
        purpose=Purpose(row["purpose"]),
        since=row["since"],
        until=row["until"],
    )


def insert_lookup(tx: Transaction, row: dict[str, Any]) -> None:
    """Log that a person's data was opened."""
    tx.insert(lookup_table, [row])
