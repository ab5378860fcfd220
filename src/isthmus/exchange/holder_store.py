"""All the SQL of what holders told of an item: opened, used, acted on."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, false, select

from isthmus.access.gate import Scope
from isthmus.platform.events import event_table
from isthmus.platform.transaction import Transaction

TOLD = ("envelope.opened", "envelope.used")


def told(tx: Transaction, scope: Scope, envelope_ids: Sequence[str]) -> list[RowMapping]:
    """Return what partners told of envelopes beyond their delivery, oldest first."""
    events = event_table.c
    those = events.object_id.in_(envelope_ids) if envelope_ids else false()
    rows = tx.execute(
        select(events.at, events.kind, events.object_id, events.payload)
        .where(scope.where(), events.kind.in_(TOLD), those)
        .order_by(events.seq)
    )
    return list(rows.mappings())
