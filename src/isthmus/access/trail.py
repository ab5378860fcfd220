"""The audit as supervision reads it: its entries, for the agencies one answers for."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, RowMapping, or_, select

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.platform.audit import audit_table
from isthmus.platform.transaction import Transaction


def entries(
    tx: Transaction,
    actor: Actor,
    *,
    by: str | None = None,
    object_id: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int = 200,
) -> Sequence[RowMapping]:
    """Return audit entries, newest first; ``before`` is the number of the last one seen.

    Entries of an agency are seen by whom it gave the task; those of the node's own doing by whoever
    reads the audit for every place.
    """
    check(tx, actor, Permission.AUDIT_READ)
    rows, seen = audit_table.c, scope(actor, Permission.AUDIT_READ)
    mine: ColumnElement[bool] = seen.where(agency_column=rows.agency)
    if seen.everything:
        mine = or_(mine, rows.agency.is_(None), rows.actor == "node")
    found = select(audit_table).where(mine)
    for column, value in ((rows.actor, by), (rows.object_id, object_id), (rows.action, action)):
        if value is not None:
            found = found.where(column == value)
    if before is not None:
        found = found.where(rows.seq < before)
    return tx.execute(found.order_by(rows.seq.desc()).limit(limit)).mappings().all()
