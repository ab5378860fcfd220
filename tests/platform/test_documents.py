"""Documents: kept as they came, found when they come again, damaged ones named."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from isthmus.kernel.errors import Conflict, Damaged, Erased, NotFound
from isthmus.kernel.time import SetClock
from isthmus.platform import documents
from isthmus.platform.database import Database
from isthmus.platform.documents import CHUNK, Stored, chunk_table, document_table, key_table

FROM = {"kind": "wco", "source": "api", "actor": "usr_1"}


def _put(database: Database, content: bytes) -> Stored:
    return database.write(lambda tx: documents.put(tx, content, **FROM))


def _put_large(database: Database, content: bytes, stream: Any = None) -> Stored:
    salt = database.keys.names
    print_ = documents.fingerprint(salt, io.BytesIO(content))
    return documents.put_large(
        database, stream or io.BytesIO(content), print_, also=lambda tx, stored: None, **FROM
    )


def _read(database: Database, name: str) -> bytes:
    return database.read(lambda tx: b"".join(documents.read(tx, name)))


def _chunks(database: Database) -> int:
    counted = select(func.count()).select_from(chunk_table)
    return int(database.read(lambda tx: tx.execute(counted).scalar_one()))


class _Dribble(io.BytesIO):
    """A stream that gives less than it was asked for, as a socket does."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 300_001) if size and size > 0 else size)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
def test_a_document_comes_back_as_it_came(database: Database, size: int) -> None:
    content = os.urandom(size)
    small = _put(database, content)
    assert _read(database, small.id) == content
    assert database.read(lambda tx: documents.verify(tx, small.id))
    again = _put_large(database, content)
    assert (again.id, again.new, small.new) == (small.id, False, True)
    assert again.digest == small.digest
    assert _chunks(database) == -(-size // CHUNK)


def test_a_large_document_from_a_stream_that_dribbles(database: Database) -> None:
    content = os.urandom(9 * CHUNK + 17)
    stored = _put_large(database, content, _Dribble(content))
    assert _read(database, stored.id) == content
    assert database.read(lambda tx: documents.verify(tx, stored.id))


def test_a_file_that_changes_while_it_is_read_is_refused(database: Database) -> None:
    with pytest.raises(Conflict):
        _put_large(database, b"a" * 5000, io.BytesIO(b"b" * 5000))
    assert _chunks(database) == 0


def test_what_goes_with_a_large_document_is_written_with_it_once(database: Database) -> None:
    content, told = os.urandom(CHUNK + 1), []
    print_ = documents.fingerprint(database.keys.names, io.BytesIO(content))

    def also(tx: object, stored: Stored) -> None:
        told.append(stored.id)

    for _ in range(2):
        stored = documents.put_large(database, io.BytesIO(content), print_, also=also, **FROM)
    assert told == [stored.id]


def test_the_same_bytes_from_eight_writers_are_one_document(database: Database) -> None:
    content = os.urandom(CHUNK + 1)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: (_put, _put_large)[n % 2](database, content), range(8)))
    assert len({stored.id for stored in found}) == 1
    assert sum(stored.new for stored in found) == 1
    assert _chunks(database) == 2


def test_nothing_stored_shows_the_content_or_its_plain_hash(
    sqlite_database: Database, tmp_path: Path
) -> None:
    import hashlib

    content = b"Consignee: Example Trading SA " * 40
    _put(sqlite_database, content)
    sqlite_database.flush_erased()
    raw = (tmp_path / "isthmus.db").read_bytes()
    assert b"Example Trading" not in raw
    assert hashlib.sha256(content).digest() not in raw


def test_an_erased_document_is_gone_and_says_so(database: Database) -> None:
    stored = _put(database, b"secret" * 1000)
    assert database.write(lambda tx: documents.erase(tx, stored.id, "ers_1")) == 1
    assert database.write(lambda tx: documents.erase(tx, stored.id, "ers_2")) == 0
    with pytest.raises(Erased):
        _read(database, stored.id)
    assert database.read(lambda tx: documents.verify(tx, stored.id)) is False
    row = database.read(lambda tx: documents.get(tx, stored.id))
    assert (row["name"], row["erasure_id"]) == (None, "ers_1")
    assert documents.row_digest(row) == stored.digest
    assert _chunks(database) == 0


def test_a_key_gone_without_an_erasure_is_damage(database: Database) -> None:
    stored = _put(database, b"x" * 10)
    database.write(lambda tx: tx.execute(key_table.delete()))
    with pytest.raises(Damaged):
        _read(database, stored.id)


def test_marked_as_erased_with_bytes_left_is_damage(database: Database) -> None:
    stored = _put(database, b"x" * 10)
    database.write(lambda tx: tx.execute(document_table.update().values(erasure_id="ers_1")))
    with pytest.raises(Damaged):
        database.read(lambda tx: documents.verify(tx, stored.id))


def test_an_unknown_document_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound):
        _read(database, "doc_none")


def test_what_a_crash_left_is_swept_and_documents_are_not(database: Database) -> None:
    from isthmus.kernel.time import SystemClock

    stored = _put(database, b"whole")
    content = os.urandom(10)
    print_ = documents.fingerprint(database.keys.names, io.BytesIO(content))
    draft = database.read(lambda tx: documents._Draft(tx, print_, 1))
    database.write(lambda tx: draft.write(tx, 0, [content]))
    now = SystemClock().now()  # identifiers carry the machine's time
    assert database.write(lambda tx: documents.sweep(tx, now - timedelta(hours=1))) == 0
    assert database.write(lambda tx: documents.sweep(tx, now + timedelta(hours=1))) == 1
    with pytest.raises(Conflict):
        database.write(lambda tx: draft.enter(tx, **FROM))
    assert _read(database, stored.id) == b"whole"


def test_a_document_that_takes_too_long_to_store_is_refused(
    database: Database, clock: SetClock
) -> None:
    print_ = documents.fingerprint(database.keys.names, io.BytesIO(b"slow"))
    draft = database.read(lambda tx: documents._Draft(tx, print_, 1))
    database.write(lambda tx: draft.write(tx, 0, [b"slow"]))
    clock.advance(documents.WRITING + timedelta(seconds=1))
    with pytest.raises(Conflict):
        database.write(lambda tx: draft.enter(tx, **FROM))
