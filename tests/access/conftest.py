"""Fixtures of access: the people of a node, and one of them who can sign in."""

import pytest

from builders import enter, hasher, people
from isthmus.access import service
from isthmus.access.model import Role
from isthmus.access.service import RoleRequest


@pytest.fixture
def cheap():
    """A password hasher that costs next to nothing."""
    return hasher()


@pytest.fixture
def staff(database):
    """An agency with somebody in each role."""
    return people(database)


@pytest.fixture
def officer(database, cheap, staff):
    """An analyst who has used the link."""
    invited = database.write(
        lambda tx: service.invite(
            tx,
            staff[Role.ADMINISTRATOR],
            agency=staff.agency.id,
            name="Ana Batista",
            login="Ana.Batista@customs.example",
            roles=[RoleRequest(Role.ANALYST)],
            locale="es",
        )
    )
    return enter(database, cheap, invited)
