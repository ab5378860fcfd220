"""The node's database: SQLite by default, PostgreSQL by one URL, through SQLAlchemy Core.

The unit of work is a function that takes a ``Transaction``. Only a boundary (a request, a job, a
command) calls ``write`` or ``read``; nothing below commits. On SQLite one thread writes: requests
that arrive while a commit is on its way to the disk share the next one, each inside a savepoint
of its own, so one that fails takes nobody with it. ``write`` returns after the commit is durable.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from isthmus.kernel.errors import Invalid, Unavailable
from isthmus.kernel.time import Clock
from isthmus.platform import telemetry
from isthmus.platform.keys import KeyRing
from isthmus.platform.transaction import Reactions, Transaction

T = TypeVar("T")
Work = Callable[[Transaction], Any]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# A shared commit carries at most this many units of work, so that one slow batch does not
# hold back the answers of all.
GROUP = 128
BUSY_MS = 60_000
# Serialisation failure and deadlock: PostgreSQL asks for the transaction to be run again.
RETRIABLE = {"40001", "40P01"}
ATTEMPTS = 8


class Database:
    """Opens transactions. Close it when the process ends."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        keys: KeyRing,
        reactions: Reactions | None = None,
        metrics: telemetry.Metrics | None = None,
    ):
        self.url = make_url(url)
        self.clock = clock
        self.keys = keys
        self.reactions: Reactions = reactions or {}
        self.metrics = metrics or telemetry.metrics
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.url.get_backend_name() not in ("sqlite", "postgresql"):
            shown = self.url.render_as_string(hide_password=True)
            raise Invalid("setting_invalid", "database must be sqlite or postgresql", url=shown)
        self.wakers: list[Callable[[], None]] = []  # called when a commit brought work
        self._reader = _engine(self.url, read_only=True)
        self._writer = _engine(self.url, read_only=False)
        self._queue: SimpleQueue[tuple[Work, Future[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()
        self._closed = False
        self._working = threading.local()

    @property
    def path(self) -> Path | None:
        """The database file of a SQLite node, else nothing."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run one unit of work and return its result once it is durable on disk.

        An error raised by the work undoes all of it and is raised here again. On PostgreSQL the
        work is run again when the database asks for it, so it must change nothing but the
        database.
        """
        if getattr(self._working, "busy", False):
            raise RuntimeError("a unit of work may not open another one")
        if not self.is_sqlite:
            return self._write_direct(work)
        future: Future[T] = Future()
        with self._start:  # nothing enters the queue behind the one who closes it
            self._running()
            self._queue.put((work, future))
        return future.result()

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a reading unit of work on one consistent snapshot; it cannot change anything."""
        try:
            with self._reader.connect() as connection, connection.begin() as snapshot:
                result = work(self._transaction(connection))
                snapshot.rollback()
                return result
        except OperationalError as error:
            raise _unavailable(error) from error

    def flush_erased(self, patience: float = 30.0) -> bool:
        """Bring the write-ahead log into the database file and empty it, so that no page from
        before an erasure is left; false when readers held on to it for ``patience`` seconds.

        What is erased is overwritten in the database file itself (``secure_delete``). PostgreSQL
        frees old rows by its own vacuum, and there is nothing to do here.
        """
        if not self.is_sqlite:
            return True
        end = time.monotonic() + patience
        while True:
            with self._writer.connect() as connection:
                raw = connection.connection.dbapi_connection
                if raw is None:
                    return False
                raw.execute("PRAGMA busy_timeout=1000")
                try:
                    busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                finally:
                    raw.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            if not busy:
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.05)

    def migrator(self) -> Engine:
        """Return the writing engine, for schema migrations at start only."""
        return self._writer

    def close(self) -> None:
        """Finish what is queued and let go of all connections."""
        with self._start:
            self._closed = True
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join()
        self._reader.dispose()
        self._writer.dispose()

    def _transaction(self, connection: Connection) -> Transaction:
        return Transaction(connection, self.clock.now(), self.keys, self.reactions, self._wake)

    def _wake(self) -> None:
        for wake in tuple(self.wakers):
            wake()

    def _run_work(self, work: Work, transaction: Transaction) -> Any:
        self._working.busy = True
        try:
            return work(transaction)
        finally:
            self._working.busy = False

    def _running(self) -> None:
        if self._closed:
            raise Unavailable("database_closed", "the database is closed")
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
            self._thread.start()

    def _write_direct(self, work: Callable[[Transaction], T]) -> T:
        if self._closed:
            raise Unavailable("database_closed", "the database is closed")
        attempt, began = 0, time.monotonic()
        while True:
            attempt += 1
            try:
                with self._writer.begin() as connection:
                    transaction = self._transaction(connection)
                    result: T = self._run_work(work, transaction)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) in RETRIABLE and attempt < ATTEMPTS:
                    continue
                raise _unavailable(error) from error
            self.metrics.commit(1, time.monotonic() - began)
            transaction.committed()
            return result

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, stopping = self._gather(first)
            self._commit(group)
            if stopping:
                return

    def _gather(
        self, first: tuple[Work, Future[Any]]
    ) -> tuple[list[tuple[Work, Future[Any]]], bool]:
        group = [first]
        while len(group) < GROUP:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is None:
                return group, True
            group.append(item)
        return group, False

    def _commit(self, group: list[tuple[Work, Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any, Transaction]] = []
        began = time.monotonic()
        try:
            with self._writer.connect() as connection, connection.begin():
                for work, future in group:
                    transaction = self._transaction(connection)
                    try:
                        with _apart(connection):
                            result = self._run_work(work, transaction)
                    except BaseException as error:  # noqa: BLE001 - the caller gets it, whatever it is
                        future.set_exception(_told(error))
                    else:
                        done.append((future, result, transaction))
                    _still_open(connection)
        except BaseException as error:  # noqa: BLE001 - a failed commit fails all who shared it
            for _, future in group:
                if not future.done():
                    future.set_exception(_told(error))
            return
        self.metrics.commit(len(done), time.monotonic() - began)
        for future, result, transaction in done:
            transaction.committed()
            future.set_result(result)


@contextmanager
def _apart(connection: Connection) -> Iterator[None]:
    """Undo what one unit of work did when it fails, and nothing of the others' in the group."""
    connection.exec_driver_sql("SAVEPOINT unit_of_work")
    try:
        yield
    except BaseException:  # whatever failed, and raised again: it must not stay half done
        connection.exec_driver_sql("ROLLBACK TO unit_of_work")
        connection.exec_driver_sql("RELEASE unit_of_work")
        raise
    connection.exec_driver_sql("RELEASE unit_of_work")


def _still_open(connection: Connection) -> None:
    """Raise when the shared transaction is gone.

    SQLite undoes a whole transaction by itself on some errors (disk full, I/O). What came before
    in the group is lost then and must not be acknowledged, and a savepoint opened afterwards
    would commit alone.
    """
    raw = connection.connection.dbapi_connection
    if raw is None or not raw.in_transaction:
        raise Unavailable("database_unavailable", "the database undid the shared transaction")


def _told(error: BaseException) -> BaseException:
    return _unavailable(error) if isinstance(error, OperationalError) else error


def _unavailable(error: OperationalError) -> Exception:
    return Unavailable("database_unavailable", f"the database does not answer: {error.orig}")


def _engine(url: URL, *, read_only: bool) -> Engine:
    if url.get_backend_name() == "postgresql":
        engine = create_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True)
        if read_only:

            @event.listens_for(engine, "begin")
            def _snapshot(connection: Connection) -> None:
                connection.execute(
                    text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                )

        return engine
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=8 if read_only else 1,
        max_overflow=16 if read_only else 4,
        connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by the listener below
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",  # an answer given is on the disk
            "foreign_keys=ON",
            "secure_delete=ON",  # what is erased is overwritten, not only unlinked
            "temp_store=MEMORY",
            "cache_size=-65536",
            "query_only=ON" if read_only else "query_only=OFF",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
