"""Verification of all a node holds: what was altered or taken away is named, row by row.

What was lawfully erased is told apart from damage: its row names an erasure, that erasure stands
in the register, and the register's row is what the audit says it was. Areas above add checks of
their own records.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, Table, select
from sqlalchemy.exc import DBAPIError

from isthmus.kernel.errors import Damaged, Unavailable
from isthmus.platform import audit, documents, erasure
from isthmus.platform.audit import Fault, audit_table, shown
from isthmus.platform.database import Database
from isthmus.platform.documents import document_table
from isthmus.platform.erasure import erasure_table
from isthmus.platform.journal import Journal
from isthmus.platform.settings import NodeFolder
from isthmus.platform.transaction import Transaction

RECEIVED = "document.receive"
# Documents checked on one snapshot, so that a long verification does not hold the log back.
_LOT = 100


@dataclass(frozen=True, slots=True)
class ErasedNotice:
    """Something that was lawfully erased, and under which erasure."""

    table: str
    row: str
    erasure: str


Finding = Fault | ErasedNotice
Progress = Callable[[str, int, int], None]
# A check yields what it finds; ``progress`` takes the check's name, how much is done, of how much.
Check = Callable[[Database, NodeFolder, Progress], Iterator[Finding]]


def verify(
    database: Database,
    folder: NodeFolder,
    checks: Sequence[Check] = (),
    progress: Progress = lambda _name, _done, _total: None,
) -> Iterator[Finding]:
    """Check the database file, the audit, the erasures, the documents, then ``checks``."""
    for check in (check_file, check_audit, check_erasures, check_documents, *checks):
        try:
            yield from check(database, folder, progress)
        except (DBAPIError, Unavailable) as error:
            # Pages of the file are so damaged that a query cannot even run.
            yield Fault("database", check.__name__, f"cannot be read: {type(error).__name__}")


def check_file(database: Database, _folder: NodeFolder, progress: Progress) -> Iterator[Fault]:
    """Ask SQLite whether its file is sound; PostgreSQL checks its pages as it reads them."""
    if not database.is_sqlite:
        return
    progress("database", 0, 1)
    query = "PRAGMA integrity_check(20)"
    for (message,) in database.read(lambda tx: tx.connection.exec_driver_sql(query).all()):
        if message != "ok":
            yield Fault("database", "file", message)
    progress("database", 1, 1)


def check_audit(database: Database, folder: NodeFolder, progress: Progress) -> Iterator[Fault]:
    """Check every audit row and the chain; see ``audit.verify``."""
    progress("audit", 0, 1)
    yield from database.read(lambda tx: list(audit.verify(tx, folder.audit_head)))
    progress("audit", 1, 1)


def check_erasures(database: Database, folder: NodeFolder, progress: Progress) -> Iterator[Fault]:
    """Check the register of erasures against the audit and the journal."""
    progress("erasures", 0, 1)
    yield from database.read(lambda tx: list(_register(tx)))
    ids = set(database.read(lambda tx: _ids(tx, erasure_table)))
    noted: set[str] = set()
    if folder.erasures.exists():
        try:
            noted = {line["id"] for line in Journal(folder.erasures).lines()}
        except Damaged as error:
            yield Fault(folder.erasures.name, str(error.where.get("line", "")), error.message)
            noted = ids
    for missing in sorted(ids - noted):
        yield Fault(folder.erasures.name, shown(missing), "the journal lacks this erasure")
    progress("erasures", 1, 1)


def _register(tx: Transaction) -> Iterator[Fault]:
    entries = audit_table.c
    recorded = select(entries.object_id, entries.object_digest).where(
        entries.action == erasure.RECORDED
    )
    digests = {row.object_id: row.object_digest for row in tx.execute(recorded)}
    for name in _ids(tx, erasure_table):
        known = digests.pop(name, None)
        if known is None:
            yield Fault("erasure", shown(name), "no audit row of this erasure")
        elif _digest(tx, name) != known:
            yield Fault("erasure", name, "the row is not what the audit says")
    for gone in sorted(digests):
        yield Fault("erasure", gone, "the erasure's row is gone")


def _ids(tx: Transaction, table: Table) -> list[str]:
    with tx.as_stored():
        return list(tx.execute(select(table.c.id).order_by(table.c.id)).scalars())


def _digest(tx: Transaction, erasure_id: str) -> bytes | None:
    """Return the digest of a register row; none when there is no row, or none that makes sense."""
    query = select(erasure_table).where(erasure_table.c.id == erasure_id)
    try:
        with tx.as_stored():
            row = tx.execute(query).mappings().first()
        return erasure.row_digest(row) if row else None
    except (TypeError, ValueError, OverflowError):  # a value that is not even of its type
        return None


def check_documents(
    database: Database, _folder: NodeFolder, progress: Progress
) -> Iterator[Finding]:
    """Check each document's row against the audit of its receipt, and its bytes."""
    ids = database.read(lambda tx: _ids(tx, document_table))
    for start in range(0, len(ids), _LOT):
        lot = ids[start : start + _LOT]
        yield from database.read(lambda tx, lot=lot: _lot(tx, lot))  # type: ignore[misc]
        progress("documents", start + len(lot), len(ids))
    yield from database.read(_gone)


def _lot(tx: Transaction, lot: Sequence[str]) -> list[Finding]:
    with tx.as_stored():
        return list(itertools.chain.from_iterable(_document(tx, name) for name in lot))


def _document(tx: Transaction, document_id: str) -> Iterator[Finding]:
    try:
        row = documents.get(tx, document_id)
        yield from _against_audit(tx, row)
        if documents.verify(tx, document_id):
            return
    except Damaged as error:
        chunk = error.where.get("chunk")
        place = shown(document_id) + ("" if chunk is None else f" chunk {chunk}")
        yield Fault("document", place, error.message)
        return
    except (TypeError, ValueError, OverflowError):  # a value that is not even of its type
        yield Fault("document", shown(document_id), "the row cannot be read")
        return
    if lawful(tx, row["erasure_id"]):
        yield ErasedNotice("document", document_id, row["erasure_id"])
    else:
        yield Fault("document", document_id, "marked as erased, but there is no such erasure")


def _against_audit(tx: Transaction, row: RowMapping) -> Iterator[Fault]:
    entries = audit_table.c
    receipt = select(entries.object_digest).where(
        entries.object_id == row["id"], entries.action == RECEIVED
    )
    known = tx.execute(receipt).scalars().all()
    if not known:
        yield Fault("document", row["id"], "no audit row of its receipt")
    elif documents.row_digest(row) not in known:
        yield Fault("document", row["id"], "the row is not what the audit of its receipt says")


def lawful(tx: Transaction, erasure_id: str) -> bool:
    """Whether an erasure stands in the register just as the audit says it was entered."""
    entries = audit_table.c
    known = select(entries.object_digest).where(
        entries.object_id == erasure_id, entries.action == erasure.RECORDED
    )
    found = _digest(tx, erasure_id)
    return found is not None and found in tx.execute(known).scalars().all()


def _gone(tx: Transaction) -> list[Fault]:
    """Name documents that the audit says were received and that are not there."""
    entries = audit_table.c
    lost = (
        select(entries.object_id)
        .where(
            entries.action == RECEIVED,
            entries.object_kind == "document",
            ~select(document_table.c.id).where(document_table.c.id == entries.object_id).exists(),
        )
        .distinct()
        .order_by(entries.object_id)
    )
    return [Fault("document", name, "the document is gone") for name in tx.execute(lost).scalars()]
