"""Fixtures every area may use: a set clock, a database of each kind, the shared sample data."""

import os
import uuid
from collections.abc import Callable, Iterator
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


@pytest.fixture
def empty_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of this kind, dropped after the test."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'isthmus.db'}"
        return
    engine: sqlalchemy.Engine = request.getfixturevalue("postgresql")
    name = f"isthmus_test_{uuid.uuid4().hex}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


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
def database(empty_url: str, open_database: Callable[..., Database]) -> Database:
    """A database with every area's tables, on SQLite and on PostgreSQL in turn."""
    database = open_database(empty_url)
    tables.metadata.create_all(database.migrator())
    return database


@pytest.fixture
def sqlite_database(tmp_path: Path, open_database: Callable[..., Database]) -> Database:
    """A SQLite database with every area's tables, for tests where the kind does not matter."""
    database = open_database(f"sqlite:///{tmp_path / 'isthmus.db'}")
    tables.metadata.create_all(database.migrator())
    return database
