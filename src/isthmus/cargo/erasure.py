"""Erasing what cargo holds of a document or of a declared party.

A party's rows go, the verbatim documents that name it lose their keys, and units are derived anew
without it; goods, routes and weights stay. A document's records go with it, and what amendments
made of them; units that rest on nothing else are emptied, others are derived from what is left.
Ids stay, so that audits and picks still point at something.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import RowMapping, and_, delete, or_, select, update

from isthmus.access.gate import unscoped
from isthmus.cargo import parties, records
from isthmus.cargo.codec import from_plain, to_plain
from isthmus.cargo.derive import Home
from isthmus.cargo.joining import Joiner
from isthmus.cargo.model import Consignment, Declaration
from isthmus.cargo.store import slices
from isthmus.cargo.tables import (
    STANDING,
    mention_table,
    party_table,
    quarantine_table,
    reading_table,
    record_table,
    unit_table,
)
from isthmus.cargo.versions import Version, mentions, version_of
from isthmus.kernel.errors import Conflict
from isthmus.platform import documents
from isthmus.platform.transaction import Transaction

REFERENCES = ("shipper_ref", "consignee_ref", "notify_ref", "declarant_ref", "seller_ref")
# A name shorter than this is looked for in no other text: it would be found everywhere.
SHORTEST_NAME = 4


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and the units that rested on it."""

    counts: Mapping[str, int]
    units: frozenset[str]


@unscoped("a legal hold binds whoever asks for an erasure")
def check_hold(tx: Transaction, subject: str) -> None:
    """Refuse with ``Conflict`` while any row of the subject is under legal hold."""
    held = select(party_table.c.seq).where(
        party_table.c.subject == subject, party_table.c.legal_hold.is_not(None)
    )
    if tx.execute(held.limit(1)).first() is not None:
        raise Conflict("legal_hold", "the data are under legal hold", subject=subject)


@unscoped("a legal hold binds whoever asks for an erasure")
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


@unscoped("whom an erasure means does not depend on offices")
def subject_named(tx: Transaction, text: str) -> str:
    """Return the data subject that a person means: by identifier, else by reference or name.

    Where nothing is declared of it (any more), the subject of the identifier: erasing that does
    nothing, and says so.
    """
    meant = [parties.subject(tx.keys, ref) for ref in parties.references(tx.keys, text)]
    for subject in meant:
        rows = select(party_table.c.seq).where(party_table.c.subject == subject)
        if tx.execute(rows.limit(1)).first() is not None:
            return subject
    return meant[0]


@unscoped("an erasure reaches every office; its asker was checked before")
def erase_party(tx: Transaction, home: Home, subject: str, erasure_id: str) -> Erased:
    """Erase a declared party wherever it stands. Erasing what is gone already does nothing."""
    told = party_table.c
    rows = tx.execute(
        select(told.record_id, told.ref, told.name, told.identifier).where(told.subject == subject)
    ).all()
    behind = _records(tx, {row.record_id for row in rows})
    refs = {row.ref for row in rows}
    named = {row["document_id"] for row in behind} | _strip_parked(tx, subject, refs)
    named |= _quarantined(tx, {text for row in rows for text in (row.name, row.identifier) if text})
    tx.execute(delete(party_table).where(told.subject == subject))
    units = _with_references(tx, refs) | _units_of(tx, behind)
    for part in slices(refs):
        consignee = record_table.c.consignee_ref
        tx.execute(update(record_table).where(consignee.in_(part)).values(consignee_ref=None))
    for document_id in sorted(named):
        documents.erase(tx, document_id, erasure_id)
        _blank_quarantine(tx, document_id)
        _close_reading(tx, document_id)
    _derive_again(tx, home, behind, units)
    for part in slices(refs):  # units that had lapsed keep what they said, but for this
        for name in REFERENCES:
            column = unit_table.c[name]
            tx.execute(update(unit_table).where(column.in_(part)).values({name: None}))
    counts = {"declared_party": len(rows), "document": len(named), "unit": len(units)}
    return Erased(counts, frozenset(units))


@unscoped("an erasure reaches every office; its asker was checked before")
def erase_document(tx: Transaction, home: Home, document_id: str) -> Erased:
    """Erase the records that a document brought, and derive the units that rested on them."""
    brought = select(record_table).where(record_table.c.document_id == document_id)
    rows = list(tx.execute(brought).mappings())
    made_of = _made_of(tx, rows)
    gone = [*rows, *made_of]
    units = _units_of(tx, gone)
    for part in slices(row["id"] for row in gone):
        tx.execute(delete(party_table).where(party_table.c.record_id.in_(part)))
        tx.execute(delete(record_table).where(record_table.c.id.in_(part)))
    _forget_mentions(tx, gone)
    _bring_back(tx, gone, {(row["kind"], row["key"]) for row in made_of if _cancels(row)})
    _blank_quarantine(tx, document_id)
    _close_reading(tx, document_id)
    _derive_again(tx, home, gone, units)
    return Erased({"record": len(gone), "unit": len(units)}, frozenset(units))


def _records(tx: Transaction, ids: Collection[str]) -> list[RowMapping]:
    found: list[RowMapping] = []
    for part in slices(ids):
        found.extend(tx.execute(select(record_table).where(record_table.c.id.in_(part))).mappings())
    return found


def _made_of(tx: Transaction, rows: Iterable[RowMapping]) -> list[RowMapping]:
    """Return later versions that were made from these: they hold what the document said.

    An amendment of a declaration is laid over its parent, and a cancellation repeats what it
    cancels; any other later version says itself what it is, whole, and ends the search.
    """
    found: dict[str, RowMapping] = {}
    for row in rows:
        if row["kind"] == "event" or row["version"] == 0:
            continue
        for later in records.later_versions(tx, row["kind"], row["key"], row["version"]):
            laid_over = row["kind"] == "declaration" and later["function"] != "original"
            if later["document_id"] == row["document_id"]:
                continue
            if not laid_over and not _cancels(later):
                break
            found[later["id"]] = later
    return list(found.values())


def _cancels(row: RowMapping) -> bool:
    return bool(row["function"] == "cancel")


def _bring_back(
    tx: Transaction, gone: Iterable[RowMapping], ended: Collection[tuple[str, str]]
) -> None:
    """Where the newest version is gone, the newest that is left stands.

    But for records that another document cancelled: what was made of the erased one went with it,
    and the cancellation holds all the same.
    """
    for kind, key in sorted({(row["kind"], row["key"]) for row in gone if row["version"] > 0}):
        columns = record_table.c
        left = (
            select(columns.id)
            .where(columns.kind == kind, columns.key == key, STANDING)
            .order_by(columns.version.desc())
            .limit(1)
        )
        newest = tx.execute(left).scalar()
        if newest is not None and (kind, key) not in ended:
            tx.execute(update(record_table).where(columns.id == newest).values(state="current"))


def _forget_mentions(tx: Transaction, gone: Iterable[RowMapping]) -> None:
    """Take away what erased versions named, where no other version of the record names it."""
    columns = mention_table.c
    gone = [row for row in gone if row["kind"] in ("consignment", "declaration")]
    keys = {(row["kind"], row["key"]) for row in gone if row["version"] > 0}
    left = [version for kind, key in sorted(keys) for version in _versions(tx, kind, key)]
    still = {tuple(row.values()) for version in left for row in mentions(version)}
    for row in gone:
        for named in mentions(version_of(row)):
            if tuple(named.values()) not in still:
                same = [columns[name] == value for name, value in named.items()]
                tx.execute(delete(mention_table).where(and_(*same)))
    for kind, key in keys - {(version.kind, version.key) for version in left}:
        alias = and_(columns.what == "reference", columns.record_kind == kind)
        tx.execute(delete(mention_table).where(alias, columns.record_key == key))


def _versions(tx: Transaction, kind: str, key: str) -> list[Version]:
    return [version_of(row) for row in records.later_versions(tx, kind, key, 0)]


def _strip_parked(tx: Transaction, subject: str, refs: set[str]) -> set[str]:
    """Take the subject out of parked records that name it; return their documents."""
    stripped = set()
    waiting = select(record_table).where(record_table.c.state == "parked")
    for row in tx.execute(waiting).mappings().all():
        record = from_plain(row["kind"], row["body"])
        if not isinstance(record, Consignment | Declaration):
            continue
        mine = []
        for party in record.parties:
            ref = parties.reference(tx.keys, party)
            if ref is not None and parties.subject(tx.keys, ref) == subject:
                mine.append(party)
                refs.add(ref)
        if mine:
            stripped.add(row["document_id"])
            others = tuple(party for party in record.parties if party not in mine)
            tx.execute(
                update(record_table)
                .where(record_table.c.id == row["id"])
                .values(body=to_plain(replace(record, parties=others)))
            )
    return stripped


def _quarantined(tx: Transaction, names: Iterable[str]) -> set[str]:
    """Return the documents in whose quarantined parts one of these names shows."""
    entries = quarantine_table.c
    found: set[str] = set()
    for name in names:
        if len(name) >= SHORTEST_NAME:
            shows = or_(
                entries.value.contains(name, autoescape=True),
                entries.message.contains(name, autoescape=True),
            )
            found |= set(tx.execute(select(entries.document_id).where(shows)).scalars())
    return found


def _with_references(tx: Transaction, refs: set[str]) -> set[str]:
    units: set[str] = set()
    for part in slices(refs):
        named = or_(*(unit_table.c[name].in_(part) for name in REFERENCES))
        units |= set(tx.execute(select(unit_table.c.id).where(named)).scalars())
    return units


def _units_of(tx: Transaction, rows: Iterable[RowMapping]) -> set[str]:
    """Return the units that rest on these records."""
    units = unit_table.c
    listed = list(rows)
    found: set[str] = set()
    for column, values in (
        (units.bill, {row["bill"] for row in listed if row["bill"]}),
        (units.declaration_key, {row["key"] for row in listed if row["kind"] == "declaration"}),
        (units.container, {row["container"] for row in listed if row["container"]}),
    ):
        for part in slices(values):
            found |= set(tx.execute(select(units.id).where(column.in_(part))).scalars())
    return found


def _derive_again(
    tx: Transaction, home: Home, rows: Iterable[RowMapping], units: Collection[str]
) -> None:
    """Bring the units of these records up to date with what is left of them."""
    listed = list(rows)
    bills = {row["bill"] for row in listed if row["bill"]}
    bills |= {one for row in listed if (one := row["body"].get("master_bill"))}
    declarations = {row["key"] for row in listed if row["kind"] == "declaration"}
    columns = unit_table.c
    for part in slices(units):
        behind = select(columns.bill, columns.declaration_key).where(columns.id.in_(part))
        for row in tx.execute(behind):
            bills |= {row.bill} if row.bill else set()
            declarations |= {row.declaration_key} if row.declaration_key else set()
    containers = {row["container"] for row in listed if row["container"]}
    Joiner(tx, home).forget(bills, declarations, containers)


def _close_reading(tx: Transaction, document_id: str) -> None:
    tx.execute(
        update(reading_table)
        .where(reading_table.c.document_id == document_id)
        .values(state="erased", source="")
    )


def _blank_quarantine(tx: Transaction, document_id: str) -> None:
    tx.execute(
        update(quarantine_table)
        .where(quarantine_table.c.document_id == document_id)
        .values(value=None, message="", state="abandoned")
    )
