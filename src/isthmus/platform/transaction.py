"""The unit of work: a connection, the moment it runs at, and what follows when it commits."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, RowMapping, Table, text

from isthmus.platform import bulk, telemetry
from isthmus.platform.keys import KeyRing

_log = telemetry.log("transaction")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one object. The payload holds ids and codes, never persons."""

    id: str
    at: datetime
    kind: str
    object_id: str
    payload: dict[str, Any]


Reactions = Mapping[str, Sequence[Callable[["Transaction", "Event"], None]]]


class Transaction:
    """One unit of work. ``now`` is the same moment throughout it."""

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        keys: KeyRing,
        reactions: Reactions,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.connection = connection
        self.now = now
        self.keys = keys
        self.reactions = reactions
        self.wake = wake  # tells the workers of this process that there is work
        self._after: list[Callable[[], None]] = []

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite, where all writers stand in one queue."""
        return self.connection.dialect.name == "sqlite"

    def execute(
        self,
        statement: Executable,
        values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> CursorResult[Any]:
        """Run one statement; with a list of values, once for each."""
        return self.connection.execute(statement, values)

    def stream(self, query: Executable) -> Iterator[RowMapping]:
        """Run a query and give its rows one by one, without holding them all in memory."""
        options = {"stream_results": True, "yield_per": 1000}
        yield from self.connection.execute(query, execution_options=options).mappings()

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows; each must name the same columns."""
        bulk.insert(self.connection, table, rows)

    def insert_new(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Insert a row unless one with the same unique key stands already; say whether it did."""
        return bulk.insert(self.connection, table, [row], passing_over=True) == 1

    def insert_all_new(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert rows, passing over those whose unique key stands already; return how many new."""
        return bulk.insert(self.connection, table, rows, passing_over=True)

    def lock(self, names: Iterable[str]) -> None:
        """Hold the named things until this unit of work ends, against other writers.

        SQLite has one writer, so nothing needs holding there. On PostgreSQL each name is an
        advisory lock, taken in one order so that two writers cannot wait for each other.
        """
        if self.is_sqlite:
            return
        numbers = {
            int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
            for name in names
        }
        statement = text("SELECT pg_advisory_xact_lock(:number)")
        for number in sorted(numbers):
            self.connection.execute(statement, {"number": number})

    @contextmanager
    def as_stored(self) -> Iterator[None]:
        """Within it, SQLite gives text that is not UTF-8 too, with the bad bytes escaped.

        For verification, which must name a damaged row rather than stumble over it.
        """
        raw = self.connection.connection.dbapi_connection
        if not self.is_sqlite or raw is None:
            yield
            return
        before = raw.text_factory
        raw.text_factory = lambda value: value.decode("utf-8", "surrogateescape")
        try:
            yield
        finally:
            raw.text_factory = before

    def after_commit(self, act: Callable[[], None]) -> None:
        """Do something quick, once, when the work is durable, such as waking a worker."""
        if act not in self._after:
            self._after.append(act)

    def committed(self) -> None:
        """Run what waits for the commit; called by the database only.

        The change is durable by now and the caller must hear so: an act that fails is logged.
        """
        for act in self._after:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - the change is durable all the same
                _log.error("after_commit_failed", exc_info=error)
