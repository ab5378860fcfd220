"""Erasing what cargo holds of a document or of a declared party.

A party's rows go, the verbatim documents that name it lose their keys, and its references leave
the units; goods, routes and weights stay. A document's records go with it, and units that rest on
nothing else are emptied. Ids stay, so that audits and picks still point at something.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import delete, select, update

from isthmus.cargo import parties
from isthmus.cargo.codec import from_plain, to_plain, without_parties
from isthmus.cargo.model import Consignment, Declaration
from isthmus.cargo.tables import (
    party_table,
    quarantine_table,
    reading_table,
    record_table,
    unit_table,
)
from isthmus.cargo.unit import Unit, UnitState
from isthmus.kernel.errors import Conflict
from isthmus.platform import documents
from isthmus.platform.transaction import Transaction

REFERENCES = ("shipper_ref", "consignee_ref", "notify_ref", "declarant_ref", "seller_ref")
SLICE = 4000


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and the units that rested on it."""

    counts: Mapping[str, int]
    units: frozenset[str]


def check_hold(tx: Transaction, subject: str) -> None:
    """Refuse with ``Conflict`` while any row of the subject is under legal hold."""
    held = select(party_table.c.seq).where(
        party_table.c.subject == subject, party_table.c.legal_hold.is_not(None)
    )
    if tx.execute(held.limit(1)).first() is not None:
        raise Conflict("legal_hold", "the data are under legal hold", subject=subject)


def check_document_hold(tx: Transaction, document_id: str) -> None:
    """Refuse with ``Conflict`` while a party named in the document is under legal hold."""
    held = (
        select(party_table.c.seq)
        .join(record_table, record_table.c.id == party_table.c.record_id)
        .where(record_table.c.document_id == document_id, party_table.c.legal_hold.is_not(None))
    )
    if tx.execute(held.limit(1)).first() is not None:
        raise Conflict("legal_hold", "the data are under legal hold", document=document_id)


def set_hold(tx: Transaction, subject: str, hold: str | None) -> int:
    """Put all rows of a subject under a legal hold, or lift it with ``None``; return how many."""
    outcome = tx.execute(
        update(party_table).where(party_table.c.subject == subject).values(legal_hold=hold)
    )
    return outcome.rowcount


def erase_party(tx: Transaction, subject: str, erasure_id: str) -> Erased:
    """Erase a declared party wherever it stands. Erasing what is gone already does nothing."""
    rows = tx.execute(
        select(party_table.c.record_id, party_table.c.ref).where(party_table.c.subject == subject)
    ).all()
    refs = {row.ref for row in rows}
    records = {row.record_id for row in rows}
    named = _documents_of(tx, records) | _strip_parked(tx, subject, refs)
    tx.execute(delete(party_table).where(party_table.c.subject == subject))
    units = _forget_references(tx, refs)
    for document_id in sorted(named):
        documents.erase(tx, document_id, erasure_id)
        _blank_quarantine(tx, document_id)
    return Erased(
        {"declared_party": len(rows), "document": len(named), "unit": len(units)},
        frozenset(units),
    )


def erase_document(tx: Transaction, document_id: str) -> Erased:
    """Erase the records that a document brought, and empty the units that rest on them alone."""
    records = record_table.c
    rows = tx.execute(
        select(records.id, records.kind, records.key, records.bill, records.container).where(
            records.document_id == document_id
        )
    ).all()
    units = _units_of(tx, rows)
    for part in _slices(row.id for row in rows):
        tx.execute(delete(party_table).where(party_table.c.record_id.in_(part)))
        tx.execute(delete(record_table).where(records.id.in_(part)))
    _blank_quarantine(tx, document_id)
    tx.execute(
        update(reading_table)
        .where(reading_table.c.document_id == document_id)
        .values(state="erased", source="")
    )
    emptied = _empty(tx, units)
    return Erased({"record": len(rows), "unit": emptied}, frozenset(units))


def _documents_of(tx: Transaction, records: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for part in _slices(records):
        named = select(record_table.c.document_id).where(record_table.c.id.in_(part)).distinct()
        found |= set(tx.execute(named).scalars())
    return found


def _strip_parked(tx: Transaction, subject: str, refs: set[str]) -> set[str]:
    """Take the parties out of parked records that name the subject; return their documents."""
    stripped = set()
    waiting = select(record_table).where(record_table.c.state == "parked")
    for row in tx.execute(waiting).mappings().all():
        record = from_plain(row["kind"], row["body"])
        if not isinstance(record, Consignment | Declaration):
            continue
        named = {ref for party in record.parties if (ref := parties.reference(tx.keys, party))}
        mine = {ref for ref in named if parties.subject(tx.keys, ref) == subject}
        if mine:
            refs |= mine
            stripped.add(row["document_id"])
            tx.execute(
                update(record_table)
                .where(record_table.c.id == row["id"])
                .values(body=to_plain(without_parties(record)), consignee_ref=None)
            )
    return stripped


def _forget_references(tx: Transaction, refs: set[str]) -> set[str]:
    units: set[str] = set()
    for part in _slices(refs):
        for name in REFERENCES:
            column = unit_table.c[name]
            units |= set(tx.execute(select(unit_table.c.id).where(column.in_(part))).scalars())
            tx.execute(update(unit_table).where(column.in_(part)).values({name: None}))
        consignee = record_table.c.consignee_ref
        tx.execute(update(record_table).where(consignee.in_(part)).values(consignee_ref=None))
    return units


def _units_of(tx: Transaction, rows: Iterable[Any]) -> set[str]:
    units = unit_table.c
    found: set[str] = set()
    listed = list(rows)
    for column, values in (
        (units.bill, {row.bill for row in listed if row.bill}),
        (units.declaration_key, {row.key for row in listed if row.kind == "declaration"}),
    ):
        for part in _slices(values):
            found |= set(tx.execute(select(units.id).where(column.in_(part))).scalars())
    return found


def _empty(tx: Transaction, unit_ids: Iterable[str]) -> int:
    """Empty the units for which no record is left; return how many."""
    units, records = unit_table.c, record_table.c
    emptied = 0
    blank: dict[str, Any] = {
        field.name: None
        for field in fields(Unit)
        if unit_table.c[field.name].nullable and field.name not in ("created_at", "superseded_by")
    }
    blank |= {"state": UnitState.CANCELLED, "flags": [], "extra": []}
    for unit_id in sorted(unit_ids):
        row = tx.execute(select(units.bill, units.declaration_key).where(units.id == unit_id)).one()
        left = select(records.id).where(
            ((records.kind == "consignment") & (records.bill == row.bill))
            | ((records.kind == "declaration") & (records.key == row.declaration_key))
        )
        if tx.execute(left.limit(1)).first() is None:
            tx.execute(update(unit_table).where(units.id == unit_id).values(**blank))
            emptied += 1
    return emptied


def _blank_quarantine(tx: Transaction, document_id: str) -> None:
    tx.execute(
        update(quarantine_table)
        .where(quarantine_table.c.document_id == document_id)
        .values(value=None, message="", state="abandoned")
    )


def _slices(values: Iterable[str]) -> list[list[str]]:
    ordered = sorted(set(values))
    return [ordered[start : start + SLICE] for start in range(0, len(ordered), SLICE)]
