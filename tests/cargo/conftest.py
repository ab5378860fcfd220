"""A node's intake on each kind of database, made once for a module and emptied for each test."""

import uuid
from collections.abc import Iterator

import pytest
from intake_samples import Port
from sqlalchemy import delete

from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def standing_database(request, tmp_path_factory) -> Iterator[Database]:
    """A database with every area's tables, for all tests of a module."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('cargo') / 'isthmus.db'}"
        engine, name = None, ""
    else:
        engine = request.getfixturevalue("postgresql")
        name = f"isthmus_test_{uuid.uuid4().hex}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
        url = engine.url.set(database=name).render_as_string(hide_password=False)
    database = Database(url, SetClock(), KeyRing.generate())
    try:
        tables.metadata.create_all(database.migrator())
        yield database
    finally:
        database.close()
        if engine is not None:
            with engine.connect() as connection:
                connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def port(standing_database) -> Port:
    """The intake of a node that knows nothing yet."""
    empty(standing_database)
    standing_database.clock.moment = SetClock().moment
    return Port(standing_database)


def empty(database: Database) -> None:
    """Delete every row."""

    def work(tx) -> None:
        for table in reversed(tables.metadata.sorted_tables):
            tx.execute(delete(table))

    database.write(work)
