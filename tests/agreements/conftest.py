"""Persons of a node that works on agreements, and an agreement in force."""

import pytest

from isthmus.access.model import Actor, ActorKind, Reach, Role
from isthmus.access.roles import ROLES
from isthmus.agreements import lifecycle, shipped


def person(number: int, role: Role = Role.LEGAL_OFFICER) -> Actor:
    """A person with one role everywhere."""
    reach = Reach(ROLES[role].permissions, "agy_1")
    return Actor(f"usr_{number}", ActorKind.PERSON, "agy_1", (reach,))


def believe(_node: str, _agreement: str, _hash: str, signature: bytes) -> bool:
    """A verifier that knows one good signature."""
    return signature == b"good"


class Desk:
    """A database with the acts of three legal officers on it."""

    def __init__(self, database) -> None:
        self.database = database
        self.drafter, self.first, self.second = person(1), person(2), person(3)

    def write(self, act, *arguments, **named):
        return self.database.write(lambda tx: act(tx, *arguments, **named))

    def read(self, act, *arguments, **named):
        return self.database.read(lambda tx: act(tx, *arguments, **named))

    def tested(self, text: str) -> str:
        """Bring a version through both reviews."""
        version = self.write(lifecycle.enter, self.drafter, text)
        assert self.write(lifecycle.review, self.first, version) == "legal_review"
        assert self.write(lifecycle.review, self.second, version) == "tested"
        return version

    def sign(self, version: str, *nodes: str) -> None:
        for node in nodes:
            self.write(lifecycle.record_signature, self.second, version, node, b"good", believe)

    def in_force(self, agreement: str = "PA-NL-2026") -> str:
        """Bring a fictional agreement into force."""
        version = self.tested(shipped.text_of(agreement))
        (held,) = [one for one in shipped.fictional() if one.id == agreement]
        self.sign(version, *held.nodes)
        self.write(lifecycle.activate, self.second, version, fictional=True)
        return version


@pytest.fixture
def desk(database) -> Desk:
    """On SQLite and on PostgreSQL in turn."""
    return Desk(database)


@pytest.fixture
def lite(sqlite_database) -> Desk:
    """Where the kind of database does not matter."""
    return Desk(sqlite_database)
