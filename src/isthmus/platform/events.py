"""Events: what happened, told in the same transaction as the change, to whoever reacts."""

from typing import Any

from sqlalchemy import Column, Index, Table, Text

from isthmus.kernel.ids import new_id
from isthmus.platform.columns import Instant, Json, Sequence
from isthmus.platform.database import metadata
from isthmus.platform.transaction import Event, Transaction

event_table = Table(
    "event",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("payload", Json, nullable=False),
    Index("ix_event_object_id_seq", "object_id", "seq"),
    sqlite_autoincrement=True,
)


def emit(tx: Transaction, kind: str, object_id: str, **payload: Any) -> Event:
    """Record an event and run what the reactions table says follows, in this transaction."""
    event = Event(new_id("evt"), tx.now, kind, object_id, payload)
    tx.insert(
        event_table,
        [
            {
                "id": event.id,
                "at": event.at,
                "kind": kind,
                "object_id": object_id,
                "payload": payload,
            }
        ],
    )
    for react in tx.reactions.get(kind, ()):
        react(tx, event)
    return event
