"""Events: what happened, told in the same transaction as the change, to whoever reacts."""

from collections.abc import Sequence as Many
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told of one object."""

    kind: str
    object_id: str
    payload: dict[str, Any]


def emit(tx: Transaction, kind: str, object_id: str, **payload: Any) -> Event:
    """Record an event and run what the reactions table says follows, in this transaction."""
    return emit_all(tx, [Told(kind, object_id, payload)])[0]


def emit_all(tx: Transaction, told: Many[Told]) -> list[Event]:
    """Record many events at once; then run what follows from each, in their order."""
    made = [Event(new_id("evt"), tx.now, one.kind, one.object_id, one.payload) for one in told]
    tx.insert(
        event_table,
        [
            {
                "id": event.id,
                "at": event.at,
                "kind": event.kind,
                "object_id": event.object_id,
                "payload": event.payload,
            }
            for event in made
        ],
    )
    for event in made:
        for react in tx.reactions.get(event.kind, ()):
            react(tx, event)
    return made
