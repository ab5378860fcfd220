"""Documents, verbatim: what was received is kept as it came, before it is read.

A document is encrypted in chunks under a key of its own (AES-256-GCM); the key is wrapped by the
node's. Its name is a hash salted by the node, which finds a document received twice; its
commitment is salted by the document, so that after erasure nobody can test a guess. Erasing
destroys key, salt, name and chunks; the row stays and says so.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    RowMapping,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)

from isthmus.kernel.canonical import digest
from isthmus.kernel.errors import Conflict, Damaged, Erased, NotFound
from isthmus.kernel.ids import encode, new_id
from isthmus.kernel.time import to_micros
from isthmus.platform.columns import Instant
from isthmus.platform.database import Database, metadata
from isthmus.platform.transaction import Transaction

document_table = Table(
    "document",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", LargeBinary, unique=True),  # node-salted hash; null once erased
    Column("commitment", LargeBinary, nullable=False),  # document-salted hash
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("received_by", Text, nullable=False),
    Column("erasure_id", Text),
)

key_table = Table(
    "document_key",
    metadata,
    Column("document_id", Text, ForeignKey("document.id"), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)

chunk_table = Table(
    "document_chunk",
    metadata,
    Column("document_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

CHUNK = 1 << 20
# Documents up to this size are stored in one transaction with what follows from them.
SMALL = 4 << 20
# A large one must be whole by then; chunks twice as old belong to nobody and may be swept.
WRITING = timedelta(hours=12)
# Made once: making a statement costs more than running it.
_NAMED = select(document_table).where(document_table.c.name == bindparam("name_"))
_CHUNKS = select(func.count()).where(chunk_table.c.document_id == bindparam("document"))
_IMMUTABLE = ("id", "kind", "source", "size", "chunks", "received_by")


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that is on the disk."""

    id: str
    new: bool  # false when the very same bytes were received before
    digest: bytes  # of the row, for the audit
    size: int


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What one pass over the bytes tells: the node-salted name, a plain hash and the size."""

    name: bytes
    plain: bytes
    size: int


def fingerprint(tx_salt: bytes, stream: BinaryIO) -> Fingerprint:
    """Read a stream once and return its fingerprint; the stream is left at its end."""
    named, plain, size = hmac.new(tx_salt, digestmod="sha256"), hashlib.sha256(), 0
    while block := stream.read(CHUNK):
        named.update(block)
        plain.update(block)
        size += len(block)
    return Fingerprint(named.digest(), plain.digest(), size)


def put(tx: Transaction, content: bytes, *, kind: str, source: str, actor: str) -> Stored:
    """Store a small document in this transaction, unless the same bytes are there already."""
    print_ = Fingerprint(
        hmac.digest(tx.keys.names, content, "sha256"),
        hashlib.sha256(content).digest(),
        len(content),
    )
    if found := find(tx, print_):
        return found
    blocks = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
    document = _Draft(tx, print_, len(blocks))
    document.write(tx, 0, blocks)
    return document.enter(tx, kind=kind, source=source, actor=actor)


def put_large(
    database: Database,
    stream: BinaryIO,
    print_: Fingerprint,
    *,
    kind: str,
    source: str,
    actor: str,
    also: Callable[[Transaction, Stored], None],
) -> Stored:
    """Store a large document in several transactions; it exists once the last one is durable.

    ``also`` runs in that last transaction when the document is new: its audit row, its job.
    ``stream`` must give the bytes that ``print_`` was made from; raises ``Conflict`` when it does
    not, as when a file is changed while it is read. Chunks left by a crash belong to no document
    and are removed by ``sweep``.
    """
    if found := database.read(lambda tx: find(tx, print_)):
        return found
    count = -(-print_.size // CHUNK)
    document = database.read(lambda tx: _Draft(tx, print_, count))
    number, plain = 0, hashlib.sha256()
    while blocks := _blocks(stream, 8):
        for block in blocks:
            plain.update(block)
        start = number
        database.write(lambda tx, s=start, b=blocks: document.write(tx, s, b))  # type: ignore[misc]
        number += len(blocks)
    if plain.digest() != print_.plain:
        database.write(document.discard)
        raise Conflict("document_changed", "the bytes changed while they were read", source=source)

    def enter(tx: Transaction) -> Stored:
        stored = document.enter(tx, kind=kind, source=source, actor=actor)
        if stored.new:
            also(tx, stored)
        return stored

    return database.write(enter)


def _blocks(stream: BinaryIO, count: int) -> list[bytes]:
    """Read up to ``count`` blocks, each whole but the stream's last, however it deals them out."""
    blocks = []
    for _ in range(count):
        block = bytearray()
        while len(block) < CHUNK and (part := stream.read(CHUNK - len(block))):
            block += part
        if not block:
            break
        blocks.append(bytes(block))
    return blocks


def find(tx: Transaction, print_: Fingerprint) -> Stored | None:
    """Return the document with these very bytes, if it was received before."""
    row = tx.execute(_NAMED, {"name_": print_.name}).mappings().first()
    return Stored(row["id"], False, row_digest(row), row["size"]) if row else None


class _Draft:
    """A document while it is being written: its key exists only in memory until it is entered."""

    def __init__(self, tx: Transaction, print_: Fingerprint, chunks: int) -> None:
        self.id = new_id("doc")
        self.print = print_
        self.chunks = chunks
        self.key = os.urandom(32)
        self.began = tx.now
        self.wrapped = tx.keys.wrap(self.key, self.id)

    def write(self, tx: Transaction, start: int, blocks: Iterable[bytes]) -> None:
        tx.insert(
            chunk_table,
            [
                {
                    "document_id": self.id,
                    "number": number,
                    "body": _encrypt(self.key, self.id, number, self.chunks, block),
                }
                for number, block in enumerate(blocks, start)
            ],
        )

    def discard(self, tx: Transaction) -> None:
        tx.execute(delete(chunk_table).where(chunk_table.c.document_id == self.id))

    def enter(self, tx: Transaction, *, kind: str, source: str, actor: str) -> Stored:
        row: dict[str, Any] = {
            "id": self.id,
            "name": self.print.name,
            "commitment": hmac.digest(self.key, self.print.plain, "sha256"),
            "kind": kind,
            "source": source,
            "size": self.print.size,
            "chunks": self.chunks,
            "received_at": tx.now,
            "received_by": actor,
            "erasure_id": None,
        }
        if not tx.insert_new(document_table, row):
            # Another writer was first with the same bytes: its document stands, ours goes.
            self.discard(tx)
            found = find(tx, self.print)
            if found is None:
                raise Conflict("document_contested", "two writers stored the same bytes; try again")
            return found
        if tx.now - self.began > WRITING or _chunks_of(tx, self.id) != self.chunks:
            raise Conflict("document_contested", "the document took too long to store; try again")
        tx.insert(key_table, [{"document_id": self.id, "wrapped": self.wrapped}])
        return Stored(self.id, True, row_digest(row), self.print.size)


def row_digest(row: RowMapping | dict[str, Any]) -> bytes:
    """Return the digest of a document's unchanging columns, as the audit row of its receipt has."""
    fixed: dict[str, Any] = {name: row[name] for name in _IMMUTABLE}
    fixed["received_at"] = to_micros(row["received_at"])
    fixed["commitment"] = row["commitment"]
    return digest(fixed)


def read(tx: Transaction, document_id: str) -> Iterator[bytes]:
    """Yield a document's plain bytes block by block.

    Raises ``Erased`` when it was lawfully erased, ``Damaged`` naming the chunk when stored bytes
    were altered or are gone.
    """
    row = get(tx, document_id)
    key = _key(tx, row)
    for number in range(row["chunks"]):
        yield _block(tx, row, key, number)


def _chunks_of(tx: Transaction, document_id: str) -> int:
    return int(tx.execute(_CHUNKS, {"document": document_id}).scalar_one())


def chunk(tx: Transaction, document_id: str, number: int) -> bytes:
    """Return one plain block of a document, for reading it piece by piece."""
    row = get(tx, document_id)
    return _block(tx, row, _key(tx, row), number)


def verify(tx: Transaction, document_id: str) -> bool:
    """Check a document's bytes against its commitment and its name.

    Returns false when it was lawfully erased and nothing of it is left; raises ``Damaged`` saying
    what does not fit.
    """
    row = get(tx, document_id)
    if row["erasure_id"] is not None:
        _check_gone(tx, row)
        return False
    key = _key(tx, row)
    plain, name = hashlib.sha256(), hmac.new(tx.keys.names, digestmod="sha256")
    for number in range(row["chunks"]):
        block = _block(tx, row, key, number)
        plain.update(block)
        name.update(block)
    if hmac.digest(key, plain.digest(), "sha256") != row["commitment"]:
        raise Damaged("document_damaged", "the bytes are not those received", document=document_id)
    if name.digest() != row["name"]:
        raise Damaged("document_damaged", "the name is not that of the bytes", document=document_id)
    if _chunks_of(tx, document_id) != row["chunks"]:
        raise Damaged("chunk_extra", "there are chunks too many", document=document_id)
    return True


def _check_gone(tx: Transaction, row: RowMapping) -> None:
    keyed = select(func.count()).where(key_table.c.document_id == row["id"])
    if row["name"] is not None or tx.execute(keyed).scalar_one() or _chunks_of(tx, row["id"]):
        raise Damaged(
            "erasure_unfinished", "marked as erased, yet something is left", document=row["id"]
        )


def get(tx: Transaction, document_id: str) -> RowMapping:
    """Return a document's row; raises ``NotFound``."""
    row = (
        tx.execute(select(document_table).where(document_table.c.id == document_id))
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("document_unknown", "no such document", document=document_id)
    return row


def erase(tx: Transaction, document_id: str, erasure_id: str) -> int:
    """Destroy a document's key, name and chunks for good; the row stays and names the erasure.

    Returns 1, or 0 when there is no such document or it was erased before.
    """
    documents = document_table.c
    marked = tx.execute(
        update(document_table)
        .where(documents.id == document_id, documents.erasure_id.is_(None))
        .values(name=None, erasure_id=erasure_id)
    ).rowcount
    if marked:
        tx.execute(delete(key_table).where(key_table.c.document_id == document_id))
        tx.execute(delete(chunk_table).where(chunk_table.c.document_id == document_id))
    return marked


def sweep(tx: Transaction, older_than: datetime) -> int:
    """Remove chunks that a crash left without a document, made before ``older_than``.

    That moment must lie more than ``WRITING`` back, so that no document still being written loses
    its chunks. Ids carry their time of making.
    """
    known = select(document_table.c.id)
    orphans = delete(chunk_table).where(
        chunk_table.c.document_id.not_in(known), chunk_table.c.document_id < _id_at(older_than)
    )
    return tx.execute(orphans).rowcount


def _id_at(moment: datetime) -> str:
    return f"doc_{encode(to_micros(moment) // 1000 << 80, 26)}"


def _key(tx: Transaction, row: RowMapping) -> bytes:
    if row["erasure_id"] is not None:
        raise Erased("document_erased", "the document was lawfully erased", document=row["id"])
    wrapped = tx.execute(
        select(key_table.c.wrapped).where(key_table.c.document_id == row["id"])
    ).scalar()
    if wrapped is None:
        raise Damaged("document_key_missing", "the document's key is gone", document=row["id"])
    return tx.keys.unwrap(wrapped, row["id"])


def _block(tx: Transaction, row: RowMapping, key: bytes, number: int) -> bytes:
    chunks = chunk_table.c
    body = tx.execute(
        select(chunks.body).where(chunks.document_id == row["id"], chunks.number == number)
    ).scalar()
    if body is None:
        raise Damaged("chunk_missing", "a chunk is gone", document=row["id"], chunk=number)
    try:
        return AESGCM(key).decrypt(body[:12], body[12:], _bound(row["id"], number, row["chunks"]))
    except (InvalidTag, ValueError, TypeError):
        raise Damaged(
            "chunk_damaged", "a stored chunk was altered", document=row["id"], chunk=number
        ) from None


def _encrypt(key: bytes, document_id: str, number: int, chunks: int, block: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, block, _bound(document_id, number, chunks))


def _bound(document_id: str, number: int, chunks: int) -> bytes:
    return f"{document_id}/{number}/{chunks}".encode()
