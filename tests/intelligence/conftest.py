"""A database with people, and a short way to the items in it."""

import pytest

from builders import Staff, people
from isthmus.platform.database import Database


@pytest.fixture
def staff(database: Database) -> Staff:
    """Somebody in each role."""
    return people(database)
