"""Refusals in the audit, at a bounded rate.

A refusal undoes the transaction in which it happened, so the boundary that catches ``Denied``
writes it down in a transaction of its own. Someone who is refused without end writes a bounded
number of rows; how many were left out is said when the next window opens.
"""

from datetime import timedelta

from isthmus.access import store
from isthmus.kernel.errors import Denied
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

WINDOW = timedelta(hours=1)
ROWS_PER_WINDOW = 20


def note(tx: Transaction, refusal: Denied) -> bool:
    """Write a refusal to the audit; false when this actor's window is full already."""
    actor = str(refusal.where.get("actor") or "unknown")
    count, before = store.count_denial(tx, actor, tx.now - WINDOW)
    if before > ROWS_PER_WINDOW:
        audit.record(
            tx,
            actor,
            "access.denials_left_out",
            "actor",
            actor,
            agency=refusal.where.get("agency"),
            count=before - ROWS_PER_WINDOW,
        )
    if count > ROWS_PER_WINDOW:
        return False
    audit.record(
        tx,
        actor,
        "access.denied",
        "permission",
        str(refusal.where.get("permission") or refusal.code),
        agency=refusal.where.get("agency"),
        object=refusal.where.get("object"),
        code=refusal.code,
    )
    return True
