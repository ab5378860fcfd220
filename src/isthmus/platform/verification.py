"""Verification of all a node holds: what was altered or taken away is named, row by row.

What was lawfully erased is told apart from damage: its row names an erasure, that erasure stands
in the register, and the register's row is what the audit says it was. Areas above add checks of
their own records.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.exc import DBAPIError

from isthmus.kernel.errors import Damaged
from isthmus.platform import audit, documents, erasure
from isthmus.platform.audit import Fault, audit_table
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
        except DBAPIError as error:
            # Pages of the file are so damaged that a query cannot even run.
            yield Fault("database", check.__name__, f"the database cannot be read: {error.orig}")


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
    ids = database.read(lambda tx: set(tx.execute(select(erasure_table.c.id)).scalars()))
    noted: set[str] = set()
    if folder.erasures.exists():
        try:
            noted = {line["id"] for line in Journal(folder.erasures).lines()}
        except Damaged as error:
            yield Fault(folder.erasures.name, str(error.where.get("line", "")), error.message)
            noted = ids
    for missing in sorted(ids - noted):
        yield Fault(folder.erasures.name, missing, "the journal lacks this erasure")
    progress("erasures", 1, 1)


def _register(tx: Transaction) -> Iterator[Fault]:
    entries = audit_table.c
    recorded = select(entries.object_id, entries.object_digest).where(
        entries.action == erasure.RECORDED
    )
    digests = {row.object_id: row.object_digest for row in tx.execute(recorded)}
    with tx.as_stored():
        for row in tx.execute(select(erasure_table).order_by(erasure_table.c.id)).mappings():
            known = digests.pop(row["id"], None)
            if known is None:
                yield Fault("erasure", row["id"], "no audit row of this erasure")
            elif erasure.row_digest(row) != known:
                yield Fault("erasure", row["id"], "the row is not what the audit says")
    for gone in sorted(digests):
        yield Fault("erasure", gone, "the erasure's row is gone")


def check_documents(
    database: Database, _folder: NodeFolder, progress: Progress
) -> Iterator[Finding]:
    """Check each document's row against the audit of its receipt, and its bytes."""
    ids = database.read(_document_ids)
    for start in range(0, len(ids), _LOT):
        lot = ids[start : start + _LOT]
        yield from database.read(lambda tx, lot=lot: _lot(tx, lot))  # type: ignore[misc]
        progress("documents", start + len(lot), len(ids))
    yield from database.read(_gone)


def _document_ids(tx: Transaction) -> list[str]:
    with tx.as_stored():
        return list(tx.execute(select(document_table.c.id).order_by(document_table.c.id)).scalars())


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
        place = document_id if chunk is None else f"{document_id} chunk {chunk}"
        yield Fault("document", place, error.message)
        return
    except (TypeError, ValueError, OverflowError):  # a value that is not even of its type
        yield Fault("document", _shown(document_id), "the row cannot be read")
        return
    if _lawful(tx, row["erasure_id"]):
        yield ErasedNotice("document", document_id, row["erasure_id"])
    else:
        yield Fault("document", document_id, "marked as erased, but there is no such erasure")


def _shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()


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


def _lawful(tx: Transaction, erasure_id: str) -> bool:
    entries = audit_table.c
    row = tx.execute(select(erasure_table).where(erasure_table.c.id == erasure_id)).mappings()
    found: Any = row.first()
    if found is None:
        return False
    known = select(entries.object_digest).where(
        entries.object_id == erasure_id, entries.action == erasure.RECORDED
    )
    return erasure.row_digest(found) in tx.execute(known).scalars().all()


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
