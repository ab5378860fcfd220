"""The audit: who did what to which thing, when, and for which purpose.

A row is written in the transaction of the change and carries a code made with the node's audit
key, so an altered row shows at once. A job of its own seals new rows into a hash chain (a chain
locked at every commit would cost most of the database's rate), and writes the head of the chain
to a file beside the database, so that a chain cut short shows too. Rows hold identifiers, codes
and salted digests only; what a person wrote or is called stands elsewhere and can be erased.
"""

import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Column, Index, LargeBinary, RowMapping, Table, Text, func, select

from isthmus.kernel.canonical import canonical
from isthmus.kernel.ids import new_id
from isthmus.kernel.time import to_micros
from isthmus.platform.columns import Instant, Json, Sequence
from isthmus.platform.database import metadata
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
    row["code"] = _code(tx.keys.audit, row)
    tx.insert(audit_table, [row])
    return str(row["id"])


def _code(key: bytes, row: RowMapping | dict[str, Any]) -> bytes:
    covered = {name: row[name] for name in _COVERED}
    covered["at"] = to_micros(row["at"])
    return hmac.digest(key, canonical(covered), "sha256")


def _link(previous: bytes, row: RowMapping) -> bytes:
    return hashlib.sha256(previous + row["id"].encode() + row["code"]).digest()


def seal(tx: Transaction, limit: int = 10_000) -> int:
    """Append rows that are not sealed yet to the chain; return how many.

    Only one sealer runs at a time (a lock on PostgreSQL, the single writer on SQLite). A row
    whose transaction commits late is sealed at a later position; no row is ever left out.
    """
    tx.lock(["audit-seal"])
    head = head_of(tx)
    position, chain = head if head else (0, CHAIN_START)
    unsealed = (
        select(audit_table)
        .where(
            ~select(seal_table.c.position)
            .where(seal_table.c.entry_seq == audit_table.c.seq)
            .exists()
        )
        .where(audit_table.c.seq > _settled(tx))
        .order_by(audit_table.c.seq)
        .limit(limit)
    )
    rows = []
    for row in tx.execute(unsealed).mappings():
        position += 1
        chain = _link(chain, row)
        rows.append(
            {"position": position, "entry_seq": row["seq"], "chain": chain, "sealed_at": tx.now}
        )
    tx.insert(seal_table, rows)
    return len(rows)


def _settled(tx: Transaction) -> int:
    """Return a row number up to which every row is sealed for sure.

    A row number is taken before its commit, so on PostgreSQL a smaller one may still appear for
    as long as its transaction runs; the newest 100,000 are always looked at again.
    """
    newest: int = tx.execute(select(func.max(seal_table.c.entry_seq))).scalar() or 0
    return newest - 100_000 if not tx.is_sqlite else newest


def head_of(tx: Transaction) -> tuple[int, bytes] | None:
    """Return the position and hash at the head of the chain, if anything is sealed."""
    newest = select(seal_table).order_by(seal_table.c.position.desc()).limit(1)
    row = tx.execute(newest).mappings().first()
    return (row["position"], row["chain"]) if row else None


def write_head(path: Path, head: tuple[int, bytes]) -> None:
    """Put the head of the chain into a file, durably, replacing the one before."""
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        file.write(orjson.dumps({"position": head[0], "chain": head[1].hex()}))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def verify(tx: Transaction, head_file: Path | None = None) -> Iterator[Fault]:
    """Check every row's code and the whole chain; yield what is wrong, row by row."""
    previous, expected = CHAIN_START, 0
    sealed: set[int] = set()
    joined = (
        select(seal_table.c.position, seal_table.c.chain, seal_table.c.entry_seq, audit_table)
        .outerjoin(audit_table, audit_table.c.seq == seal_table.c.entry_seq)
        .order_by(seal_table.c.position)
    )
    chain_at: dict[int, bytes] = {}
    wanted = _head_in(head_file)
    for row in tx.execute(joined).mappings():
        expected += 1
        sealed.add(row["entry_seq"])
        if row["position"] != expected:
            yield Fault("audit_seal", str(row["position"]), f"position {expected} is missing")
            expected = row["position"]
        if row["id"] is None:
            yield Fault("audit_entry", f"seq {row['entry_seq']}", "a sealed row is gone")
        elif _link(previous, row) != row["chain"]:
            yield Fault("audit_seal", row["id"], "the chain does not fit this row")
        previous = row["chain"]
        if wanted and row["position"] == wanted[0]:
            chain_at[wanted[0]] = previous
    if wanted and chain_at.get(wanted[0]) != wanted[1]:
        yield Fault("audit_seal", str(wanted[0]), "the chain lacks the head that was noted apart")
    yield from _verify_rows(tx, sealed)


def _verify_rows(tx: Transaction, sealed: set[int]) -> Iterator[Fault]:
    last = 0
    for row in tx.execute(select(audit_table).order_by(audit_table.c.seq)).mappings():
        # SQLite numbers rows without gaps inside the sealed part; PostgreSQL may skip numbers.
        if tx.is_sqlite and row["seq"] != last + 1:
            yield Fault("audit_entry", f"seq {last + 1}", "a row is gone")
        last = row["seq"]
        if not _intact(tx.keys.audit, row):
            where = "sealed" if row["seq"] in sealed else "not sealed yet"
            yield Fault("audit_entry", row["id"], f"the row was altered ({where})")


def _intact(key: bytes, row: RowMapping) -> bool:
    return hmac.compare_digest(_code(key, row), row["code"])


def _head_in(path: Path | None) -> tuple[int, bytes] | None:
    if path is None or not path.exists():
        return None
    head = orjson.loads(path.read_bytes())
    return head["position"], bytes.fromhex(head["chain"])
