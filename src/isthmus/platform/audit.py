"""The audit: who did what to which thing, when, and for which purpose.

A row is written in the transaction of the change and carries a code made with the node's audit
key, so an altered row shows at once. A job of its own seals new rows into a hash chain (a chain
locked at every commit would cost most of the database's rate), and writes the head of the chain
to a file beside the database, so that a chain cut short shows too. Rows hold identifiers, codes
and salted digests only; what a person wrote or is called stands elsewhere and can be erased.

A row taken away shows by the chain once it is sealed. Before that it shows on SQLite, which
numbers rows without gaps; PostgreSQL leaves gaps of its own for work that was undone, so there
the seconds until the next sealing are not covered against removal (alteration always is).
"""

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    RowMapping,
    Select,
    Table,
    Text,
    func,
    select,
    text,
    type_coerce,
)
from sqlalchemy.types import NullType

from isthmus.kernel.canonical import canonical
from isthmus.kernel.ids import new_id
from isthmus.kernel.time import to_micros
from isthmus.platform.columns import Instant, Json, Sequence
from isthmus.platform.database import metadata
from isthmus.platform.settings import sync_folder
from isthmus.platform.transaction import Transaction

audit_table = Table(
    "audit_entry",
    metadata,
    Column("seq", Sequence, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),  # a person's or system's id, or "node"
    Column("agency", Text),
    Column("action", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("purpose", Text),
    Column("detail", Json, nullable=False),
    Column("object_digest", LargeBinary),  # salted digest of the object as it was written
    Column("code", LargeBinary, nullable=False),
    Index("ix_audit_entry_object_id", "object_id"),
    Index("ix_audit_entry_actor_seq", "actor", "seq"),
    sqlite_autoincrement=True,
)

seal_table = Table(
    "audit_seal",
    metadata,
    Column("position", Sequence, primary_key=True, autoincrement=False),
    Column("entry_seq", Sequence, nullable=False, unique=True),
    Column("chain", LargeBinary, nullable=False),
    Column("sealed_at", Instant, nullable=False),
)

CHAIN_START = hashlib.sha256(b"isthmus audit chain 1").digest()
# So many row numbers may be taken by others between a row's number and its commit.
LATE = 100_000
_COVERED = (
    "id",
    "at",
    "actor",
    "agency",
    "action",
    "object_kind",
    "object_id",
    "purpose",
    "detail",
    "object_digest",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something the audit's verification found wrong, and in which row."""

    table: str
    row: str
    message: str


def shown(value: object) -> str:
    """Return a stored value as text that can be printed, even when it is not UTF-8 any more."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def record(
    tx: Transaction,
    actor: str,
    action: str,
    object_kind: str,
    object_id: str,
    *,
    agency: str | None = None,
    purpose: str | None = None,
    object_digest: bytes | None = None,
    **detail: Any,
) -> str:
    """Write one audit row in this transaction and return its id."""
    row: dict[str, Any] = {
        "id": new_id("aud"),
        "at": tx.now,
        "actor": actor,
        "agency": agency,
        "action": action,
        "object_kind": object_kind,
        "object_id": object_id,
        "purpose": purpose,
        "detail": orjson.loads(canonical(detail)),
        "object_digest": object_digest,
    }
    stored = row | {"at": to_micros(tx.now), "detail": canonical(row["detail"]).decode()}
    row["code"] = _code(tx.keys.audit, stored)
    tx.insert(audit_table, [row])
    return str(row["id"])


def _code(key: bytes, stored: Mapping[str, Any] | RowMapping) -> bytes:
    """Return the code of a row from its values as they are stored, JSON still as text."""
    return hmac.digest(key, canonical({name: stored[name] for name in _COVERED}), "sha256")


def _link(previous: bytes, entry_id: str, code: bytes, sealed_at: int) -> bytes:
    return hashlib.sha256(previous + f"{entry_id}/{sealed_at}/".encode() + code).digest()


def seal(tx: Transaction, limit: int = 10_000) -> int:
    """Append rows that are not sealed yet to the chain; return how many.

    Only one sealer runs at a time (a lock on PostgreSQL, the single writer on SQLite). A row
    whose transaction commits late is sealed at a later position; no row is ever left out.
    """
    tx.lock(["audit-seal"])
    head = head_of(tx)
    position, chain = head if head else (0, CHAIN_START)
    rows = []
    for row in tx.execute(_unsealed(tx).limit(limit)).mappings():
        position += 1
        chain = _link(chain, row["id"], row["code"], to_micros(tx.now))
        rows.append(
            {"position": position, "entry_seq": row["seq"], "chain": chain, "sealed_at": tx.now}
        )
    tx.insert(seal_table, rows)
    return len(rows)


def has_unsealed(tx: Transaction) -> bool:
    """Whether there is anything for ``seal`` to do."""
    return tx.execute(_unsealed(tx).limit(1)).first() is not None


def _unsealed(tx: Transaction) -> Select[Any]:
    sealed = select(seal_table.c.position).where(seal_table.c.entry_seq == audit_table.c.seq)
    entries = select(audit_table).where(~sealed.exists(), audit_table.c.seq > _settled(tx))
    return entries.order_by(audit_table.c.seq)


def _settled(tx: Transaction) -> int:
    """Return a row number up to which every row is sealed for sure.

    A row number is taken before its commit, so on PostgreSQL a smaller one may still appear for
    as long as its transaction runs; the newest ``LATE`` are always looked at again.
    """
    newest: int = tx.execute(select(func.max(seal_table.c.entry_seq))).scalar() or 0
    return newest - LATE if not tx.is_sqlite else newest


def head_of(tx: Transaction) -> tuple[int, bytes] | None:
    """Return the position and hash at the head of the chain, if anything is sealed."""
    newest = select(seal_table).order_by(seal_table.c.position.desc()).limit(1)
    row = tx.execute(newest).mappings().first()
    return (row["position"], row["chain"]) if row else None


def write_head(path: Path, head: tuple[int, bytes]) -> None:
    """Put the head of the chain into a file, durably, replacing the one before."""
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps({"position": head[0], "chain": head[1].hex()}))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def digests_of(tx: Transaction, action: str) -> dict[str, bytes | None]:
    """Return, by object, the digest that the audit row of this action holds."""
    entries = audit_table.c
    rows = tx.execute(
        select(entries.object_id, entries.object_digest).where(entries.action == action)
    )
    return {row.object_id: row.object_digest for row in rows}


def verify(tx: Transaction, head_file: Path | None = None) -> Iterator[Fault]:
    """Check every row's code and the whole chain; yield what is wrong, row by row.

    ``head_file`` is read before the database is, so a chain that grows meanwhile is no fault.
    """
    wanted, fault = _head_in(head_file)
    if fault:
        yield fault
    elif head_file is not None and wanted is None and head_of(tx) is not None:
        yield Fault("audit.head", str(head_file), "the note of the chain's head is missing")
    with tx.as_stored():
        yield from _verify_chain(tx, wanted)
        yield from _verify_rows(tx)


def _verify_chain(tx: Transaction, wanted: tuple[int, str] | None) -> Iterator[Fault]:
    entries, seals = audit_table.c, seal_table.c
    joined = (
        select(
            _stored(seals.position),
            _stored(seals.chain),
            _stored(seals.entry_seq),
            _stored(seals.sealed_at),
            _stored(entries.id),
            _stored(entries.code),
        )
        .select_from(seal_table.outerjoin(audit_table, entries.seq == seals.entry_seq))
        .order_by(seals.position)
    )
    previous, expected, met = CHAIN_START, 0, wanted is None
    for row in tx.stream(joined):
        position, chain = row["position"], row["chain"]
        expected += 1
        if position != expected:
            yield Fault("audit_seal", shown(position), f"position {expected} is missing")
            expected = position if isinstance(position, int) else expected
        if row["id"] is None:
            yield Fault("audit_entry", f"seq {shown(row['entry_seq'])}", "a sealed row is gone")
        elif not _linked(previous, row):
            yield Fault("audit_seal", shown(row["id"]), "the chain does not fit this row")
        previous = chain if isinstance(chain, bytes) else b""
        met = met or (position, previous.hex()) == wanted
    if wanted and not met:
        yield Fault("audit_seal", str(wanted[0]), "the chain lacks the head that was noted apart")


def _linked(previous: bytes, row: RowMapping) -> bool:
    try:
        link = _link(previous, row["id"], row["code"], row["sealed_at"])
        return hmac.compare_digest(link, row["chain"])
    except (TypeError, UnicodeEncodeError):  # a value that is not even of its type
        return False


def _verify_rows(tx: Transaction) -> Iterator[Fault]:
    last = 0
    newest: int = tx.execute(select(func.max(seal_table.c.entry_seq))).scalar() or 0
    rows = (
        select(*(_stored(column) for column in audit_table.c), _stored(seal_table.c.position))
        .select_from(audit_table.outerjoin(seal_table, audit_table.c.seq == seal_table.c.entry_seq))
        .order_by(audit_table.c.seq)
    )
    for row in tx.stream(rows):
        if tx.is_sqlite and row["seq"] != last + 1:
            yield Fault("audit_entry", f"seq {last + 1}", "a row is gone")
        last = row["seq"]
        if not _intact(tx.keys.audit, row):
            where = "not sealed yet" if row["position"] is None else "sealed"
            yield Fault("audit_entry", shown(row["id"]), f"the row was altered ({where})")
        if row["position"] is None and last <= newest - LATE:
            yield Fault("audit_entry", shown(row["id"]), "the row was passed over by the sealing")
    if tx.is_sqlite:
        given = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        ever = tx.execute(given, {"name": audit_table.name}).scalar() or 0
        if ever != last:
            yield Fault("audit_entry", f"seq {last + 1}", "the newest rows are gone")


def _stored(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Read a column without turning its value into anything."""
    return type_coerce(column, NullType()).label(column.key)


def _intact(key: bytes, row: RowMapping) -> bool:
    try:
        return hmac.compare_digest(_code(key, row), row["code"])
    except TypeError:  # a value that is not even of its type
        return False


def _head_in(path: Path | None) -> tuple[tuple[int, str] | None, Fault | None]:
    if path is None or not path.exists():
        return None, None
    try:
        head = orjson.loads(path.read_bytes())
        return (head["position"], head["chain"]), None
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None, Fault(path.name, str(path), "the note of the chain's head cannot be read")
