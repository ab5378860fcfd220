"""What may be done with records: take readings in, look units up, retry what was set apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, open_person_data, scope
from isthmus.access.model import Actor, Permission
from isthmus.cargo import readings, records, store
from isthmus.cargo.derive import Home
from isthmus.cargo.intake import Intake
from isthmus.cargo.joining import Joined, Joiner
from isthmus.cargo.model import Accepted, ContainerEvent, Reading, Rejected
from isthmus.cargo.tables import quarantine_table
from isthmus.cargo.unit import Unit
from isthmus.cargo.versions import Tally, Version, quarantine_row
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction

# Events after which a box is out of reach: through the gate, or on board.
LEAVES = ("GTOT", "LOAD")
# Records meet in units by bills, boxes and references that neither of two writers need name, so
# writers take turns, as on SQLite they do anyway. What waits is a few milliseconds of work.
TURN = "intake"


@dataclass(slots=True)
class Taken:
    """What taking in one batch did."""

    tally: Tally = field(default_factory=Tally)
    made: list[Version] = field(default_factory=list)
    joined: Joined = field(default_factory=Joined)


def take(
    tx: Transaction, actor: Actor, home: Home, document_id: str, batch: Sequence[Reading]
) -> Taken:
    """Take a batch of readings of one document into records and units.

    Everything happens in the caller's transaction: versions, parties, units, quarantine, the
    audit row and the events that follow.
    """
    check(tx, actor, _permission(batch))
    accepted = [reading for reading in batch if isinstance(reading, Accepted)]
    rejected = [reading for reading in batch if isinstance(reading, Rejected)]
    tx.lock([TURN])
    intake = Intake(tx, document_id)
    taken = intake.take(accepted)
    intake.write()
    joined = Joiner(tx, home).join(taken.made)
    tally = taken.tally
    tally.received += len(rejected)
    tally.quarantined += len(rejected)
    tx.insert(quarantine_table, [quarantine_row(tx, document_id, entry) for entry in rejected])
    _tell(tx, document_id, taken.made, joined)
    return Taken(tally, taken.made, joined)


def _permission(batch: Sequence[Reading]) -> Permission:
    """Events, and what was meant as one, may be sent by a terminal; records need more."""
    records = (reading.record for reading in batch if isinstance(reading, Accepted))
    events_only = all(isinstance(record, ContainerEvent) for record in records)
    return Permission.EVENT_RECEIVE if events_only else Permission.UNIT_RECEIVE


def _tell(tx: Transaction, document_id: str, made: Sequence[Version], joined: Joined) -> None:
    if joined.created or joined.changed:
        events.emit(
            tx,
            "units.changed",
            document_id,
            created=len(joined.created),
            changed=len(joined.changed),
        )
    for version in made:
        record = version.record
        if isinstance(record, ContainerEvent) and not record.planned:
            kind = "container.left" if record.code in LEAVES else "container.event"
            events.emit(
                tx,
                kind,
                record.container,
                code=record.code,
                at=record.at.isoformat(),
                terminal=record.terminal,
                sender=record.sender,
            )


def note_read(
    tx: Transaction, actor: Actor, document_id: str, read: int | None = None
) -> RowMapping:
    """Note, and audit, that a document is read to its end (after ``read`` readings in all).

    Returns its reading.
    """
    check(tx, actor, Permission.EVENT_RECEIVE)
    if read is not None:
        readings.claim(tx, document_id, read)
    row = readings.finish(tx, document_id)
    counts = {name: row[name] for name in readings.COUNTS}
    audit.record(
        tx, actor.id, "document.read", "document", document_id, agency=actor.agency, **counts
    )
    return row


def find_unit(tx: Transaction, actor: Actor, unit_id: str) -> Unit:
    """Return one unit the actor may see; raises ``NotFound``."""
    return store.unit(tx, scope(actor, Permission.UNIT_READ), unit_id)


def records_behind(tx: Transaction, actor: Actor, unit: Unit) -> list[RowMapping]:
    """Return every version of every record behind a unit, oldest first, parties left out."""
    return store.unit_records(tx, scope(actor, Permission.UNIT_READ), unit)


def coverage(tx: Transaction, actor: Actor) -> list[dict[str, Any]]:
    """Return how many known movements were assessed, by regime (mission row 16)."""
    rows = store.coverage(tx, scope(actor, Permission.COVERAGE_READ))
    return [
        {
            "regime": row["regime"],
            "known": row["known"],
            "assessed": row["assessed"],
            "share": round(row["assessed"] / row["known"], 4) if row["known"] else None,
        }
        for row in rows
    ]


def in_quarantine(
    tx: Transaction, actor: Actor, state: str = "open", limit: int = 200
) -> list[RowMapping]:
    """Return what was set apart, newest first."""
    return store.quarantine(tx, scope(actor, Permission.QUARANTINE_READ), state, limit)


def open_parties(
    tx: Transaction, actor: Actor, unit: Unit, reason: str | None = None
) -> list[RowMapping]:
    """Return the parties declared in every version of the records behind a unit, oldest first.

    They may be persons, so opening them needs a purpose and is logged (``open_person_data``).
    Needs a writing transaction.
    """
    open_person_data(tx, actor, "unit", unit.id, reason, office=unit.office, terminal=unit.terminal)
    behind = store.unit_records(tx, scope(actor, Permission.UNIT_READ), unit)
    found = records.parties_of(tx, [record["id"] for record in behind])
    return [party for record in behind for party in found.get(record["id"], ())]
