"""People for tests: an agency, somebody in each role, and what they need to sign in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyotp

from isthmus.access import agencies, invitations, service, sessions, store
from isthmus.access.credentials import HashCost, PasswordHasher
from isthmus.access.invitations import Invited
from isthmus.access.model import Actor, Agency, AgencyKind, Role
from isthmus.access.service import RoleRequest
from isthmus.kernel.time import to_micros
from isthmus.platform.database import Database

PASSWORD = "seven blue cranes at noon"
CHEAP = HashCost(memory_kib=64, passes=1, lanes=1)


@dataclass(frozen=True, slots=True)
class Staff(Mapping[Role, Actor]):
    """An agency and an actor for each role that people hold: ``staff[Role.ANALYST]``."""

    agency: Agency
    by_role: dict[Role, Actor]

    def __getitem__(self, role: Role) -> Actor:
        return self.by_role[role]

    def __iter__(self) -> Iterator[Role]:
        return iter(self.by_role)

    def __len__(self) -> int:
        return len(self.by_role)


@dataclass(frozen=True, slots=True)
class Entered:
    """A person who used the link: what they know and hold."""

    person_id: str
    login: str
    seed: str
    recovery: tuple[str, ...]

    def code(self, database: Database, steps: int = 0) -> str:
        """The authenticator's code now, or some steps of 30 s later."""
        now = to_micros(database.clock.now()) // 1_000_000
        return pyotp.TOTP(self.seed).at(now + 30 * steps)


def people(
    database: Database,
    *,
    offices: frozenset[str] | None = None,
    terminals: frozenset[str] | None = None,
) -> Staff:
    """Found the node's agency and enter one person for each role, all at the same places.

    The administrator is limited to no place.
    """

    def build(tx):
        agency = agencies.found(
            tx, code="ANA", name="National Customs", kind=AgencyKind.CUSTOMS, country="PA"
        )
        first = service.invite_first_administrator(tx, agency.id)
        store.update_person(tx, first.person_id, name="First", login="first@customs.example")
        administrator = sessions.actor_of(tx, store.person(tx, first.person_id))
        return agency, administrator

    agency, administrator = database.write(build)
    by_role = {Role.ADMINISTRATOR: administrator}
    for role in Role:
        if role not in (Role.ADMINISTRATOR, Role.SYSTEM):
            by_role[role] = person(
                database, administrator, RoleRequest(role, offices=offices, terminals=terminals)
            )
    return Staff(agency, by_role)


def person(database: Database, administrator: Actor, *roles: RoleRequest, login: str = "") -> Actor:
    """Enter one more person with these roles and return them as actor."""

    def build(tx):
        mail = login or f"user{len(store.people(tx))}@customs.example"
        invited = service.invite(
            tx,
            administrator,
            agency=administrator.agency,
            name="An Officer",
            login=mail,
            roles=roles,
        )
        return sessions.actor_of(tx, store.person(tx, invited.person_id))

    return database.write(build)


def hasher() -> PasswordHasher:
    """A hasher that costs next to nothing."""
    return PasswordHasher(CHEAP)


def enter(
    database: Database,
    cheap: PasswordHasher,
    invited: Invited,
    password: str = PASSWORD,
    **names: str,
) -> Entered:
    """Use a welcome link: set the password and the authenticator."""
    link = database.read(lambda tx: invitations.invitation(tx, invited.secret))
    now = to_micros(database.clock.now()) // 1_000_000
    codes = invitations.accept_invitation(
        database,
        cheap,
        invited.secret,
        password=password,
        code=pyotp.TOTP(link.seed).at(now),
        **names,
    )
    known = database.read(lambda tx: store.person(tx, invited.person_id))
    return Entered(invited.person_id, known.login, link.seed, codes)
