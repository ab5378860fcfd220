"""All the SQL of records and of the parties declared in them, as intake needs it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, and_, delete, select, update

from isthmus.access.gate import unscoped
from isthmus.cargo.store import slices
from isthmus.cargo.tables import STANDING, mention_table, party_table, record_table
from isthmus.platform import bulk
from isthmus.platform.transaction import Transaction


@unscoped("intake joins records of every office before any person sees them")
def current_records(tx: Transaction, kind: str, keys: Iterable[str]) -> dict[str, RowMapping]:
    """Return the newest version of each of these records, by key."""
    records = record_table.c
    found = {}
    for part in slices(keys):
        rows = tx.execute(
            select(record_table).where(
                records.kind == kind,
                records.key.in_(part),
                records.state == "current",
                STANDING,
            )
        )
        found.update({row["key"]: row for row in rows.mappings()})
    return found


@unscoped("intake resolves an amendment's parent by the declarant's own reference")
def current_by_other_key(tx: Transaction, kind: str, keys: Iterable[str]) -> list[RowMapping]:
    """Return current records of a kind by local reference, or consignments by their manifest."""
    records = record_table.c
    found: list[RowMapping] = []
    for part in slices(keys):
        rows = tx.execute(
            select(record_table)
            .where(records.kind == kind, records.other_key.in_(part), records.state == "current")
            .order_by(records.seq)
        )
        found.extend(rows.mappings())
    return found


@unscoped("intake looks for amendments that waited for these records")
def parked(tx: Transaction, keys: Iterable[str]) -> list[RowMapping]:
    """Return parked amendments that name one of these keys as their parent, oldest first."""
    records = record_table.c
    found: list[RowMapping] = []
    for part in slices(keys):
        rows = tx.execute(
            select(record_table)
            .where(records.parent_key.in_(part), records.state == "parked")
            .order_by(records.seq)
        )
        found.extend(rows.mappings())
    return found


@unscoped("intake and derivation need every record of a unit, whatever its office")
def consignments_of(tx: Transaction, bills: Iterable[str]) -> list[RowMapping]:
    """Return all versions of the consignments with these bills, oldest first."""
    records = record_table.c
    found: list[RowMapping] = []
    for part in slices(bills):
        rows = tx.execute(
            select(record_table).where(records.bill.in_(part), STANDING).order_by(records.seq)
        )
        found.extend(rows.mappings())
    return found


@unscoped("intake and derivation need every version of a unit's declaration")
def declaration_versions(tx: Transaction, keys: Iterable[str]) -> list[RowMapping]:
    """Return all versions of these declarations, oldest first."""
    records = record_table.c
    found: list[RowMapping] = []
    for part in slices(keys):
        rows = tx.execute(
            select(record_table)
            .where(records.kind == "declaration", records.key.in_(part), STANDING)
            .order_by(records.seq)
        )
        found.extend(rows.mappings())
    return found


@unscoped("intake compares a repeated message with every earlier version")
def digests(tx: Transaction, kind: str, key: str) -> set[bytes]:
    """Return the digests of all versions of one record."""
    records = record_table.c
    rows = tx.execute(
        select(records.digest).where(records.kind == kind, records.key == key, STANDING)
    )
    return set(rows.scalars())


@unscoped("intake resolves an amendment that names an amendment before it")
def aliases(tx: Transaction, references: Iterable[str]) -> dict[str, str]:
    """Return the declarations that amendments with these references have amended."""
    mentions = mention_table.c
    found: dict[str, str] = {}
    for part in slices(references):
        rows = tx.execute(
            select(mentions.value, mentions.record_key).where(
                mentions.what == "reference", mentions.value.in_(part)
            )
        )
        found.update({row.value: row.record_key for row in rows})
    return found


@unscoped("intake joins records of every office by what they name")
def mentioning(tx: Transaction, kind: str, what: str, values: Iterable[str]) -> list[str]:
    """Return the keys of the records of a kind that name, or named, one of these things."""
    mentions = mention_table.c
    found: list[str] = []
    for part in slices(values):
        rows = tx.execute(
            select(mentions.record_key)
            .distinct()
            .where(mentions.what == what, mentions.value.in_(part), mentions.record_kind == kind)
        )
        found.extend(rows.scalars())
    return found


@unscoped("intake joins bills of every office by box")
def bills_carrying(tx: Transaction, containers: Iterable[str]) -> list[str]:
    """Return the bills that name, or named, one of these containers."""
    return _bills_by(tx, "container", containers)


@unscoped("intake joins bills of every office by master")
def houses_of(tx: Transaction, bills: Iterable[str]) -> list[str]:
    """Return the bills that name, or named, one of these as their master."""
    return _bills_by(tx, "master", bills)


@unscoped("intake joins bills of every office by box and by master")
def _bills_by(tx: Transaction, what: str, values: Iterable[str]) -> list[str]:
    mentions, records = mention_table.c, record_table.c
    found: list[str] = []
    for part in slices(values):
        rows = tx.execute(
            select(records.bill)
            .distinct()
            .join(
                mention_table,
                and_(mentions.record_kind == records.kind, mentions.record_key == records.key),
            )
            .where(
                mentions.what == what,
                mentions.value.in_(part),
                records.kind == "consignment",
                STANDING,
            )
        )
        found.extend(rows.scalars())
    return found


@unscoped("an erasure takes later versions that were made from an erased one")
def later_versions(tx: Transaction, kind: str, key: str, after: int) -> list[RowMapping]:
    """Return the versions of one record after this number, oldest first."""
    columns = record_table.c
    rows = tx.execute(
        select(record_table)
        .where(columns.kind == kind, columns.key == key, columns.version > after)
        .order_by(columns.version)
    )
    return list(rows.mappings())


@unscoped("intake and derivation need every event of a box")
def events_of(tx: Transaction, containers: Iterable[str]) -> list[RowMapping]:
    """Return the current events of these containers."""
    records = record_table.c
    found: list[RowMapping] = []
    for part in slices(containers):
        rows = tx.execute(
            select(record_table).where(
                records.container.in_(part),
                records.kind == "event",
                records.state == "current",
            )
        )
        found.extend(rows.mappings())
    return found


@unscoped("derivation reads the parties that records were declared with")
def parties_of(tx: Transaction, record_ids: Iterable[str]) -> dict[str, list[RowMapping]]:
    """Return the declared parties of these records."""
    found: dict[str, list[RowMapping]] = {}
    for part in slices(record_ids):
        rows = tx.execute(
            select(party_table).where(party_table.c.record_id.in_(part)).order_by(party_table.c.seq)
        )
        for row in rows.mappings():
            found.setdefault(row["record_id"], []).append(row)
    return found


def insert_records(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter versions of records."""
    bulk.insert(tx, record_table, rows)


def insert_mentions(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what records name; what is noted already stays."""
    tx.insert_all_new(mention_table, rows)


def insert_parties(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter declared parties."""
    bulk.insert(tx, party_table, rows)


def drop_parked(tx: Transaction, ids: Sequence[str]) -> None:
    """Remove the rows of amendments that wait no longer; their versions stand now."""
    for part in slices(ids):
        tx.execute(delete(record_table).where(record_table.c.id.in_(part)))


def supersede(tx: Transaction, ids: Sequence[str]) -> None:
    """Mark record versions as no longer current."""
    for part in slices(ids):
        tx.execute(
            update(record_table).where(record_table.c.id.in_(part)).values(state="superseded")
        )
