"""The unit of work: durable when acknowledged, alone in its failure, many at once."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, func, select, text
from sqlalchemy.exc import IntegrityError

from isthmus.kernel.errors import Invalid, Unavailable
from isthmus.kernel.time import SetClock
from isthmus.platform import audit
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from isthmus.platform.telemetry import Metrics
from isthmus.platform.transaction import Transaction

entry = Table(
    "entry",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("writer", Text, nullable=False),
)


@pytest.fixture
def book(database: Database) -> Database:
    """A database with a table of the tests' own."""
    entry.create(database.migrator())
    return database


def _put(number: int, writer: str = "w") -> Callable[[Transaction], int]:
    def work(tx: Transaction) -> int:
        tx.insert(entry, [{"id": number, "writer": writer}])
        return number

    return work


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.001)


@contextmanager
def _held(database: Database) -> Iterator[None]:
    """Keep the writer busy, so that what is asked for within queues up and shares one commit."""
    begun, gate = threading.Event(), threading.Event()
    holder = threading.Thread(
        target=lambda: database.write(lambda tx: (begun.set(), gate.wait(20)))
    )
    holder.start()
    assert begun.wait(20)
    try:
        yield
    finally:
        gate.set()
        holder.join()


def _ids(database: Database) -> list[int]:
    return database.read(
        lambda tx: list(tx.execute(select(entry.c.id).order_by(entry.c.id)).scalars())
    )


def test_eight_writers_at_once_lose_nothing(book: Database) -> None:
    def write(writer: int) -> None:
        for turn in range(40):
            number = writer * 1000 + turn
            book.write(
                lambda tx, n=number: (
                    tx.insert(entry, [{"id": n, "writer": str(writer)}]),
                    audit.record(tx, f"u{writer}", "entry.add", "entry", str(n)),
                )
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert _ids(book) == sorted(w * 1000 + t for w in range(8) for t in range(40))
    assert book.write(audit.seal) == 320
    assert book.read(lambda tx: list(audit.verify(tx))) == []


def test_a_failing_unit_of_work_takes_nobody_with_it(sqlite_database: Database) -> None:
    entry.create(sqlite_database.migrator())
    metrics = sqlite_database.metrics = Metrics()
    results: dict[int, object] = {}

    def write(number: int) -> None:
        def work(tx: Transaction) -> int:
            tx.insert(entry, [{"id": number, "writer": "w"}])
            if number % 3 == 0:
                raise ValueError(f"no {number}")
            if number % 5 == 0:
                tx.insert(entry, [{"id": number, "writer": "again"}])
            return number

        try:
            results[number] = sqlite_database.write(work)
        except (ValueError, IntegrityError) as error:
            results[number] = error

    threads = [threading.Thread(target=write, args=(n,)) for n in range(1, 31)]
    with _held(sqlite_database):
        for thread in threads:
            thread.start()
        _until(lambda: sqlite_database._queue.qsize() == 30)
    for thread in threads:
        thread.join()
    whole = [n for n in range(1, 31) if n % 3 and n % 5]
    assert _ids(sqlite_database) == whole
    assert [n for n in range(1, 31) if results[n] == n] == whole
    assert isinstance(results[3], ValueError)
    assert isinstance(results[5], IntegrityError)
    shared = metrics.registry.get_sample_value("isthmus_commit_units_sum")
    commits = metrics.registry.get_sample_value("isthmus_commit_units_count")
    assert (shared, commits) == (1 + len(whole), 2)


def test_when_sqlite_undoes_the_shared_transaction_nobody_is_told_it_worked(
    sqlite_database: Database,
) -> None:
    entry.create(sqlite_database.migrator())
    outcomes: dict[str, object] = {}

    def attempt(name: str, work: Callable[[Transaction], object]) -> None:
        try:
            outcomes[name] = sqlite_database.write(work)
        except (Unavailable, ValueError) as error:
            outcomes[name] = error

    def undo(tx: Transaction) -> None:
        # What SQLite does by itself when the disk is full.
        tx.connection.connection.dbapi_connection.execute("ROLLBACK")
        raise ValueError("disk full")

    threads = []
    with _held(sqlite_database):
        for name, work in (("before", _put(1)), ("undoes", undo), ("after", _put(2))):
            thread = threading.Thread(target=attempt, args=(name, work))
            thread.start()
            threads.append(thread)
            _until(lambda: sqlite_database._queue.qsize() == len(threads))
    for thread in threads:
        thread.join()
    assert isinstance(outcomes["before"], Unavailable)
    assert isinstance(outcomes["after"], Unavailable)
    assert _ids(sqlite_database) == []
    assert sqlite_database.write(_put(3)) == 3
    assert _ids(sqlite_database) == [3]


def test_an_error_undoes_the_whole_unit_of_work(book: Database) -> None:
    with pytest.raises(IntegrityError):
        book.write(lambda tx: (_put(1)(tx), _put(1)(tx)))
    assert _ids(book) == []


def test_a_failing_act_after_the_commit_does_not_deny_the_commit(book: Database) -> None:
    ran = []

    def work(tx: Transaction) -> int:
        tx.after_commit(lambda: 1 / 0)
        tx.after_commit(lambda: ran.append(len(_ids(book))))
        return _put(7)(tx)

    assert book.write(work) == 7
    assert ran == [1]
    assert book.write(_put(8)) == 8


def test_nothing_follows_a_unit_of_work_that_failed(book: Database) -> None:
    ran = []

    def work(tx: Transaction) -> None:
        tx.after_commit(lambda: ran.append(1))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        book.write(work)
    assert ran == []


def test_a_unit_of_work_may_not_open_another(book: Database) -> None:
    with pytest.raises(RuntimeError):
        book.write(lambda tx: book.write(_put(1)))
    assert book.write(_put(2)) == 2


def test_a_reader_sees_one_snapshot_and_may_not_write(book: Database) -> None:
    book.write(_put(1))
    counted = select(func.count()).select_from(entry)

    def read(tx: Transaction) -> tuple[int, int]:
        before = tx.execute(counted).scalar_one()
        writer = threading.Thread(target=lambda: book.write(_put(2)))
        writer.start()
        writer.join()
        return before, tx.execute(counted).scalar_one()

    assert book.read(read) == (1, 1)
    assert _ids(book) == [1, 2]
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        book.read(_put(3))
    assert _ids(book) == [1, 2]


def test_named_things_are_held_against_other_writers(book: Database) -> None:
    """Eight writers read a number and write it back plus one: none may read between."""
    book.write(lambda tx: tx.insert(entry, [{"id": 1, "writer": "0"}]))

    def add(_turn: int) -> None:
        def work(tx: Transaction) -> None:
            tx.lock(["counter", "other"])
            value = int(tx.execute(select(entry.c.writer)).scalar_one())
            tx.execute(entry.update().values(writer=str(value + 1)))

        book.write(work)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(80)))
    assert book.read(lambda tx: tx.execute(select(entry.c.writer)).scalar_one()) == "80"


def test_insert_new_says_whether_it_did(book: Database) -> None:
    row = {"id": 1, "writer": "a"}
    assert book.write(lambda tx: tx.insert_new(entry, row)) is True
    assert book.write(lambda tx: tx.insert_new(entry, row | {"writer": "b"})) is False


def test_a_closed_database_refuses_and_keeps_what_was_queued(
    sqlite_database: Database,
) -> None:
    entry.create(sqlite_database.migrator())
    threads = [
        threading.Thread(target=lambda n=n: sqlite_database.write(_put(n))) for n in range(5)
    ]
    with _held(sqlite_database):
        for thread in threads:
            thread.start()
        _until(lambda: sqlite_database._queue.qsize() == 5)
        closer = threading.Thread(target=sqlite_database.close)
        closer.start()
    for thread in [closer, *threads]:
        thread.join(10)
        assert not thread.is_alive()
    with sqlite3.connect(str(sqlite_database.path)) as raw:
        assert raw.execute("SELECT count(*) FROM entry").fetchone() == (5,)
    with pytest.raises(Unavailable):
        sqlite_database.write(_put(9))


def test_two_processes_share_a_sqlite_file(
    sqlite_database: Database, open_database: Callable[..., Database]
) -> None:
    entry.create(sqlite_database.migrator())
    other = open_database(str(sqlite_database.url))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: (sqlite_database if n % 2 else other).write(_put(n)), range(100)))
    assert len(_ids(other)) == 100


def test_every_commit_is_synced(sqlite_database: Database) -> None:
    for engine in (sqlite_database._writer, sqlite_database._reader):
        with engine.connect() as connection:
            values = {
                name: connection.execute(text(f"PRAGMA {name}")).scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
            }
        assert values == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "secure_delete": 1,
        }


def test_other_databases_are_refused_without_their_password(clock: SetClock, keys: KeyRing) -> None:
    with pytest.raises(Invalid) as caught:
        Database("mysql://me:hushhush@localhost/x", clock, keys)
    assert "hushhush" not in str(caught.value)


_WRITER = """
import sys, threading
from isthmus.kernel.time import SystemClock
from isthmus.platform import audit
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from pathlib import Path
database = Database(sys.argv[1], SystemClock(), KeyRing.load(Path(sys.argv[2])))
lock = threading.Lock()
def post(writer):
    for turn in range(100000):
        name = f"{sys.argv[3]}-{writer}-{turn}"
        database.write(lambda tx: audit.record(tx, "node", "entry.add", "entry", name))
        with lock:
            sys.stdout.write(name + "\\n"); sys.stdout.flush()
for writer in range(4):
    threading.Thread(target=post, args=(writer,)).start()
"""


@pytest.fixture
def key_file(tmp_path: Path, keys: KeyRing) -> Path:
    path = tmp_path / "node.key"
    keys.save(path)
    return path


def _acknowledged(process: subprocess.Popen[str], count: int) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip("\n")
        count -= 1
        if count == 0:
            os.kill(process.pid, signal.SIGKILL)


def test_what_was_acknowledged_survives_a_kill(database: Database, key_file: Path) -> None:
    url = database.url.render_as_string(hide_password=False)
    told: list[str] = []
    for life in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, url, str(key_file), str(life)],
            stdout=subprocess.PIPE,
            text=True,
        )
        told += [line for line in _acknowledged(process, 150) if line.count("-") == 2]
        process.wait()
    stored = database.read(
        lambda tx: list(tx.execute(select(audit.audit_table.c.object_id)).scalars())
    )
    assert len(told) >= 450
    assert set(told) <= set(stored)
    assert len(stored) == len(set(stored))
    database.write(audit.seal)
    assert database.read(lambda tx: list(audit.verify(tx))) == []
