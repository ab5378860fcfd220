"""Fixtures every area may use: a set clock, a database of each kind, the shared sample data."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy.engine import make_url

from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing

ROOT = Path(__file__).resolve().parent.parent
POSTGRESQL = os.environ.get(
    "ISTHMUS_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
)


@pytest.fixture
def shared_data() -> Path:
    """The folder of shared sample data beside the project."""
    path = ROOT.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the shared sample data (../shared/data) is not here")
    return path


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands at 2026-01-01 until a test moves it."""
    return SetClock()


@pytest.fixture
def keys() -> KeyRing:
    """Fresh secrets."""
    return KeyRing.generate()


@pytest.fixture(scope="session")
def postgresql() -> sqlalchemy.Engine:
    """An engine that may create databases on the PostgreSQL server of the tests."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: PostgreSQL tests are skipped")
    engine = sqlalchemy.create_engine(
        POSTGRESQL, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3}
    )
    try:
        engine.connect().close()
    except sqlalchemy.exc.OperationalError:
        pytest.skip("no PostgreSQL answers (set ISTHMUS_TEST_POSTGRESQL to its URL)")
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return str(request.param)


@contextmanager
def _postgresql_database(engine: sqlalchemy.Engine) -> Iterator[str]:
    """Make a PostgreSQL database of its own, tell its URL, and drop it afterwards."""
    name = f"isthmus_test_{uuid.uuid4().hex}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgresql_tables(postgresql: sqlalchemy.Engine) -> Iterator[str]:
    """The URL of a PostgreSQL database with every area's tables, shared by the tests in turn."""
    with _postgresql_database(postgresql) as url:
        engine = sqlalchemy.create_engine(url)
        tables.metadata.create_all(engine)
        engine.dispose()
        yield url


def _wipe(url: str) -> None:
    """Leave a shared database as it was made: making a fresh one would take a hundred times longer."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        # Whoever a test killed or forgot may still hold locks.
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for name in sqlalchemy.inspect(connection).get_table_names():
            if name not in tables.metadata.tables:
                connection.exec_driver_sql(f'DROP TABLE "{name}" CASCADE')
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())
        for name in sqlalchemy.inspect(connection).get_sequence_names():
            connection.exec_driver_sql(f'ALTER SEQUENCE "{name}" RESTART')
    engine.dispose()


@pytest.fixture
def empty_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of this kind, dropped after the test."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'isthmus.db'}"
        return
    with _postgresql_database(request.getfixturevalue("postgresql")) as url:
        yield url


@pytest.fixture
def tables_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of this kind with every area's tables and no rows."""
    if backend == "postgresql":
        url: str = request.getfixturevalue("postgresql_tables")
        yield url
        _wipe(url)
        return
    url = f"sqlite:///{tmp_path / 'isthmus.db'}"
    engine = sqlalchemy.create_engine(url)
    tables.metadata.create_all(engine)
    engine.dispose()
    yield url


@pytest.fixture
def open_database(clock: SetClock, keys: KeyRing) -> Iterator[Callable[..., Database]]:
    """Open databases with the test's clock and keys; they are closed after the test."""
    opened: list[Database] = []

    def open_(url: str, **options: object) -> Database:
        database = Database(url, clock, keys, **options)  # type: ignore[arg-type]
        opened.append(database)
        return database

    yield open_
    for database in opened:
        database.close()


@pytest.fixture
def database(tables_url: str, open_database: Callable[..., Database]) -> Database:
    """A database with every area's tables, on SQLite and on PostgreSQL in turn."""
    return open_database(tables_url)


@pytest.fixture
def sqlite_database(tmp_path: Path, open_database: Callable[..., Database]) -> Database:
    """A SQLite database with every area's tables, for tests where the kind does not matter."""
    database = open_database(f"sqlite:///{tmp_path / 'isthmus.db'}")
    tables.metadata.create_all(database.migrator())
    return database
