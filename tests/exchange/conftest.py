"""Two nodes that trust each other, in one process: no wire between them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.world import Make, Party, befriend, party
from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing


@pytest.fixture
def make(tmp_path: Path, clock: SetClock) -> Iterator[Make]:
    """Make further nodes on SQLite."""
    opened: list[Database] = []

    def build(code: str, **places: str) -> Party:
        database = Database(f"sqlite:///{tmp_path / code}.db", clock, KeyRing.generate())
        opened.append(database)
        tables.metadata.create_all(database.migrator())
        return party(database, code, **places)

    yield build
    for database in opened:
        database.close()


@pytest.fixture
def panama(database: Database) -> Party:
    """A node on each kind of database in turn."""
    return party(database, "PA-ANA")


@pytest.fixture
def antwerp(make: Make) -> Party:
    """Its partner, on SQLite."""
    return make("BE-DOUANE")


@pytest.fixture
def both(panama: Party, antwerp: Party) -> tuple[Party, Party]:
    """The two, trusting each other."""
    befriend(panama, antwerp)
    return panama, antwerp
