"""All the SQL of official lists and lookouts: versions, entries and alarms."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, and_, func, or_, select, true, update

from isthmus.access.gate import Scope, unscoped
from isthmus.parties.tables import alarm_table, entry_table, version_table
from isthmus.platform.transaction import Transaction

SLICE = 4000


def slices(values: Iterable[str]) -> Iterator[list[str]]:
    """Part values into lists that one statement takes."""
    ordered = sorted(set(values))
    for start in range(0, len(ordered), SLICE):
        yield ordered[start : start + SLICE]


# -- versions -----------------------------------------------------------------------------


@unscoped("a new version is compared with the one in force, for the node and not for a person")
def in_force(tx: Transaction, list_code: str) -> RowMapping | None:
    """Return the version of a list that is in force, if there is one."""
    columns = version_table.c
    rows = tx.execute(
        select(version_table).where(columns.list == list_code, columns.state == "in_force")
    )
    return rows.mappings().first()


@unscoped("every list is watched for its age, for the node and not for a person")
def all_in_force(tx: Transaction) -> list[RowMapping]:
    """Return the version in force of every list."""
    columns = version_table.c
    rows = tx.execute(
        select(version_table).where(columns.state == "in_force").order_by(columns.list)
    )
    return list(rows.mappings())


def versions(tx: Transaction, scope: Scope, list_code: str | None = None) -> list[RowMapping]:
    """Return the versions of one list, or of all, newest first."""
    columns = version_table.c
    query = select(version_table).where(scope.where())
    if list_code is not None:
        query = query.where(columns.list == list_code)
    rows = tx.execute(query.order_by(columns.list, columns.number.desc()))
    return list(rows.mappings())


def insert_version(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a version; the one before is no longer in force."""
    columns = version_table.c
    tx.execute(
        update(version_table)
        .where(columns.list == row["list"], columns.state == "in_force")
        .values(state="superseded")
    )
    tx.insert(version_table, [row])


def confirm_version(tx: Transaction, version_id: str, published_on: date | None) -> None:
    """Note that the same content came in again: the version is as fresh as this moment."""
    values: dict[str, Any] = {"confirmed_at": tx.now}
    if published_on is not None:
        values["published_on"] = published_on
    tx.execute(update(version_table).where(version_table.c.id == version_id).values(**values))


# -- entries ------------------------------------------------------------------------------


@unscoped("a new version is compared with what stands, for the node and not for a person")
def standing(tx: Transaction, list_code: str) -> dict[str, bytes | None]:
    """Return the digest of each standing entry by its key; null where it was erased."""
    columns = entry_table.c
    rows = tx.execute(
        select(columns.key, columns.digest).where(
            columns.list == list_code, columns.until_version.is_(None)
        )
    )
    return {row.key: row.digest for row in rows}


@unscoped("what follows an alert is compared with what stands, for the node and not for a person")
def standing_under(tx: Transaction, list_code: str, prefix: str) -> set[str]:
    """Return the keys of the standing entries that begin with a prefix."""
    columns = entry_table.c
    rows = tx.execute(
        select(columns.key).where(
            columns.list == list_code,
            columns.until_version.is_(None),
            columns.key.startswith(prefix, autoescape=True),
        )
    )
    return set(rows.scalars())


def insert_entries(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter entries as they stand from a version on."""
    tx.insert(entry_table, rows)


def end_entries(
    tx: Transaction, list_code: str, keys: Iterable[str], number: int, retain_until: date
) -> None:
    """Let the standing entries of these keys end with a version, exclusively."""
    columns = entry_table.c
    for part in slices(keys):
        tx.execute(
            update(entry_table)
            .where(
                columns.list == list_code, columns.key.in_(part), columns.until_version.is_(None)
            )
            .values(until_version=number, retain_until=retain_until)
        )


def forget_entries(tx: Transaction, list_code: str, keys: Iterable[str], erasure_id: str) -> None:
    """Keep nothing of what ended entries said."""
    columns = entry_table.c
    for part in slices(keys):
        tx.execute(
            update(entry_table)
            .where(
                columns.list == list_code,
                columns.key.in_(part),
                columns.until_version.is_not(None),
            )
            .values(body=None, digest=None, erasure_id=erasure_id)
        )


def touched(
    tx: Transaction, scope: Scope, list_code: str, first: int, last: int
) -> list[RowMapping]:
    """Return the entries that came or went between two versions: after one, up to the other."""
    columns = entry_table.c
    rows = tx.execute(
        select(entry_table)
        .where(
            columns.list == list_code,
            scope.where(),
            or_(
                and_(columns.from_version > first, columns.from_version <= last),
                and_(columns.until_version > first, columns.until_version <= last),
            ),
        )
        .order_by(columns.key, columns.from_version)
    )
    return list(rows.mappings())


@unscoped("parties are compared with every standing entry, for the node and not for a person")
def entries_in_force(tx: Transaction, list_code: str, today: date) -> Iterator[RowMapping]:
    """Yield the standing entries of a list that have not expired and were not erased."""
    columns = entry_table.c
    yield from tx.stream(
        select(entry_table)
        .where(
            columns.list == list_code,
            columns.until_version.is_(None),
            columns.body.is_not(None),
            or_(columns.expires_on.is_(None), columns.expires_on >= today),
        )
        .order_by(columns.seq)
    )


@unscoped("lists held in memory are loaded anew after an erasure, for the node")
def count_erased(tx: Transaction) -> int:
    """Return how many entries were erased so far."""
    erased = entry_table.c.erasure_id.is_not(None)
    return int(tx.execute(select(func.count()).select_from(entry_table).where(erased)).scalar_one())


def entry(tx: Transaction, scope: Scope, list_code: str, key: str) -> RowMapping | None:
    """Return the newest row of an entry, if the list ever had it."""
    columns = entry_table.c
    rows = tx.execute(
        select(entry_table)
        .where(columns.list == list_code, columns.key == key, scope.where())
        .order_by(columns.from_version.desc())
        .limit(1)
    )
    return rows.mappings().first()


@unscoped("an erasure reaches every version; its asker was checked before")
def erase_entry(
    tx: Transaction, list_code: str, key: str, erasure_id: str
) -> tuple[list[str], int]:
    """Erase an entry in every version; return the documents that carried it, and how many rows."""
    columns, versions_ = entry_table.c, version_table.c
    spans = tx.execute(
        select(columns.from_version, columns.until_version).where(
            columns.list == list_code, columns.key == key, columns.erasure_id.is_(None)
        )
    ).all()
    carried: dict[str, None] = {}
    for span in spans:
        until = span.until_version
        rows = tx.execute(
            select(versions_.documents).where(
                versions_.list == list_code,
                versions_.number >= span.from_version,
                true() if until is None else versions_.number < until,
            )
        )
        carried.update((document, None) for row in rows for document in row.documents)
    outcome = tx.execute(
        update(entry_table)
        .where(columns.list == list_code, columns.key == key, columns.erasure_id.is_(None))
        .values(body=None, digest=None, erasure_id=erasure_id)
    )
    return list(carried), outcome.rowcount


# -- alarms -------------------------------------------------------------------------------


def insert_alarms(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter alarms."""
    tx.insert(alarm_table, rows)


def end_alarms(tx: Transaction, list_code: str) -> None:
    """End the open alarms of a list: a good version came in."""
    columns = alarm_table.c
    tx.execute(
        update(alarm_table)
        .where(columns.list == list_code, columns.ended_at.is_(None))
        .values(ended_at=tx.now)
    )


@unscoped("an alarm that is open is not raised again, for the node and not for a person")
def has_open_alarm(tx: Transaction, list_code: str, code: str) -> bool:
    """Whether this alarm about a list is open."""
    columns = alarm_table.c
    found = tx.execute(
        select(func.count()).where(
            columns.list == list_code, columns.code == code, columns.ended_at.is_(None)
        )
    )
    return bool(found.scalar_one())


def open_alarms(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return the alarms that no good version has ended yet, oldest first."""
    columns = alarm_table.c
    rows = tx.execute(
        select(alarm_table)
        .where(scope.where(), columns.ended_at.is_(None))
        .order_by(columns.list, columns.seq)
    )
    return list(rows.mappings())
