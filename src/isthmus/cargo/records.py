"""All the SQL of records and of the parties declared in them, as intake needs it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, RowMapping, Select, and_, bindparam, delete, select, update

from isthmus.access.gate import unscoped
from isthmus.cargo.store import slices
from isthmus.cargo.tables import STANDING, mention_table, party_table, record_table
from isthmus.platform.transaction import Transaction

_records, _mentions = record_table.c, mention_table.c
_CURRENT = _records.state == "current"
_KIND: BindParameter[str] = bindparam("kind")


def _any_of() -> Any:
    """Stands for the values of one slice (``_sliced``)."""
    return bindparam("part", expanding=True)


# Made once: making a statement costs more than running it.
_CURRENT_RECORDS = select(record_table).where(
    _records.kind == _KIND, _records.key.in_(_any_of()), _CURRENT, STANDING
)
_CURRENT_BY_OTHER_KEY = (
    select(record_table)
    .where(_records.kind == _KIND, _records.other_key.in_(_any_of()), _CURRENT)
    .order_by(_records.seq)
)
_PARKED = (
    select(record_table)
    .where(_records.parent_key.in_(_any_of()), _records.state == "parked")
    .order_by(_records.seq)
)
_CONSIGNMENTS = (
    select(record_table).where(_records.bill.in_(_any_of()), STANDING).order_by(_records.seq)
)
_DECLARATION_VERSIONS = (
    select(record_table)
    .where(_records.kind == "declaration", _records.key.in_(_any_of()), STANDING)
    .order_by(_records.seq)
)
_ALIASES = select(_mentions.value, _mentions.record_key).where(
    _mentions.what == "reference", _mentions.value.in_(_any_of())
)
_MENTIONING = (
    select(_mentions.record_key)
    .distinct()
    .where(
        _mentions.what == bindparam("what"),
        _mentions.value.in_(_any_of()),
        _mentions.record_kind == _KIND,
    )
)
_PAIRED = select(_mentions.value, _mentions.record_key).where(
    _mentions.what == bindparam("what"),
    _mentions.value.in_(_any_of()),
    _mentions.record_kind == _KIND,
)
_BILLS_BY = (
    select(_records.bill)
    .distinct()
    .join(
        mention_table,
        and_(_mentions.record_kind == _records.kind, _mentions.record_key == _records.key),
    )
    .where(
        _mentions.what == bindparam("what"),
        _mentions.value.in_(_any_of()),
        _records.kind == "consignment",
        STANDING,
    )
)
_EVENTS = select(record_table).where(
    _records.container.in_(_any_of()), _records.kind == "event", _CURRENT
)
_PARTIES = (
    select(party_table).where(party_table.c.record_id.in_(_any_of())).order_by(party_table.c.seq)
)
_DROP = delete(record_table).where(_records.id.in_(_any_of()))
_SUPERSEDE = update(record_table).where(_records.id.in_(_any_of())).values(state="superseded")


@unscoped("whatever is read in slices is narrowed by the statement it is read with")
def _sliced(
    tx: Transaction, statement: Select[Any], values: Iterable[str], **also: str
) -> Iterator[RowMapping]:
    """Give the rows of a statement for values of any number, slice by slice."""
    for part in slices(values):
        yield from tx.execute(statement, {"part": part, **also}).mappings()


@unscoped("intake joins records of every office before any person sees them")
def current_records(tx: Transaction, kind: str, keys: Iterable[str]) -> dict[str, RowMapping]:
    """Return the newest version of each of these records, by key."""
    return {row["key"]: row for row in _sliced(tx, _CURRENT_RECORDS, keys, kind=kind)}


@unscoped("intake resolves an amendment's parent by the declarant's own reference")
def current_by_other_key(tx: Transaction, kind: str, keys: Iterable[str]) -> list[RowMapping]:
    """Return current records of a kind by local reference, or consignments by their manifest."""
    return list(_sliced(tx, _CURRENT_BY_OTHER_KEY, keys, kind=kind))


@unscoped("intake looks for amendments that waited for these records")
def parked(tx: Transaction, keys: Iterable[str]) -> list[RowMapping]:
    """Return parked amendments that name one of these keys as their parent, oldest first."""
    return list(_sliced(tx, _PARKED, keys))


@unscoped("intake and derivation need every record of a unit, whatever its office")
def consignments_of(tx: Transaction, bills: Iterable[str]) -> list[RowMapping]:
    """Return all versions of the consignments with these bills, oldest first."""
    return list(_sliced(tx, _CONSIGNMENTS, bills))


@unscoped("intake and derivation need every version of a unit's declaration")
def declaration_versions(tx: Transaction, keys: Iterable[str]) -> list[RowMapping]:
    """Return all versions of these declarations, oldest first."""
    return list(_sliced(tx, _DECLARATION_VERSIONS, keys))


@unscoped("intake compares a repeated message with every earlier version")
def digests(tx: Transaction, kind: str, key: str) -> set[bytes]:
    """Return the digests of all versions of one record."""
    rows = tx.execute(
        select(_records.digest).where(_records.kind == kind, _records.key == key, STANDING)
    )
    return set(rows.scalars())


@unscoped("intake resolves an amendment that names an amendment before it")
def aliases(tx: Transaction, references: Iterable[str]) -> dict[str, str]:
    """Return the declarations that amendments with these references have amended."""
    return {row["value"]: row["record_key"] for row in _sliced(tx, _ALIASES, references)}


@unscoped("intake joins records of every office by what they name")
def mentioning(tx: Transaction, kind: str, what: str, values: Iterable[str]) -> list[str]:
    """Return the keys of the records of a kind that name, or named, one of these things."""
    rows = _sliced(tx, _MENTIONING, values, kind=kind, what=what)
    return [row["record_key"] for row in rows]


@unscoped("lookouts are met by seal whatever the office, for the node and not for a person")
def seals_on(tx: Transaction, boxes: Iterable[str]) -> list[tuple[str, str]]:
    """Return each of these boxes with every seal that is, or was, told to be on it."""
    rows = _sliced(tx, _PAIRED, boxes, kind="seal", what="box")
    return [(row["value"], row["record_key"]) for row in rows]


@unscoped("lookouts are met by seal whatever the office, for the node and not for a person")
def boxes_under(tx: Transaction, seals: Iterable[str]) -> list[str]:
    """Return the boxes that are, or were, told to be under one of these seals."""
    return [row["record_key"] for row in _sliced(tx, _PAIRED, seals, kind="box", what="seal")]


@unscoped("intake joins bills of every office by box")
def bills_carrying(tx: Transaction, containers: Iterable[str]) -> list[str]:
    """Return the bills that name, or named, one of these containers."""
    return [row["bill"] for row in _sliced(tx, _BILLS_BY, containers, what="container")]


@unscoped("intake joins bills of every office by master")
def houses_of(tx: Transaction, bills: Iterable[str]) -> list[str]:
    """Return the bills that name, or named, one of these as their master."""
    return [row["bill"] for row in _sliced(tx, _BILLS_BY, bills, what="master")]


@unscoped("an erasure takes later versions that were made from an erased one")
def later_versions(tx: Transaction, kind: str, key: str, after: int) -> list[RowMapping]:
    """Return the versions of one record after this number, oldest first."""
    rows = tx.execute(
        select(record_table)
        .where(_records.kind == kind, _records.key == key, _records.version > after)
        .order_by(_records.version)
    )
    return list(rows.mappings())


@unscoped("intake and derivation need every event of a box")
def events_of(tx: Transaction, containers: Iterable[str]) -> list[RowMapping]:
    """Return the current events of these containers."""
    return list(_sliced(tx, _EVENTS, containers))


@unscoped("derivation reads the parties that records were declared with")
def parties_of(tx: Transaction, record_ids: Iterable[str]) -> dict[str, list[RowMapping]]:
    """Return the declared parties of these records."""
    found: dict[str, list[RowMapping]] = {}
    for row in _sliced(tx, _PARTIES, record_ids):
        found.setdefault(row["record_id"], []).append(row)
    return found


def insert_records(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter versions of records."""
    tx.insert(record_table, rows)


def insert_mentions(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what records name; what is noted already stays."""
    tx.insert_all_new(mention_table, rows)


def insert_parties(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter declared parties."""
    tx.insert(party_table, rows)


def drop_parked(tx: Transaction, ids: Sequence[str]) -> None:
    """Remove the rows of amendments that wait no longer; their versions stand now."""
    for part in slices(ids):
        tx.execute(_DROP, {"part": part})


def supersede(tx: Transaction, ids: Sequence[str]) -> None:
    """Mark record versions as no longer current."""
    for part in slices(ids):
        tx.execute(_SUPERSEDE, {"part": part})
