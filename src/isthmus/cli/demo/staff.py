"""The people of a demonstration: one for each role or more, with what they sign in with.

Passwords and authenticator seeds are made afresh for every demonstration and stand in its folder
alone, in a file that only its owner may read.
"""

import os
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import pyotp

from isthmus.access import console, invitations, service, store
from isthmus.access.credentials import PasswordHasher
from isthmus.access.invitations import Invited
from isthmus.access.model import Actor, Role
from isthmus.access.service import RoleRequest
from isthmus.kernel.errors import NotFound
from isthmus.kernel.time import to_micros
from isthmus.node import Node
from isthmus.platform.transaction import Transaction
from isthmus.reference.offices import offices
from isthmus.reference.places import terminals

FILE = "demo-people.json"
_DOMAIN = "demo.example"


@dataclass(frozen=True, slots=True)
class Entry:
    """One person and what they sign in with."""

    role: str
    login: str
    password: str
    seed: str

    def code(self) -> str:
        """Return the authenticator's code of this moment."""
        return pyotp.TOTP(self.seed).now()


def enter(node: Node, more: Sequence[Role] = (), domain: str = _DOMAIN) -> list[Entry]:
    """Enter one person for each role, and ``more`` of some; returns them with what they sign in
    with. Two people of one role are told apart by number."""
    hasher = PasswordHasher()

    def first(tx: Transaction) -> Invited:
        agency = store.agency_by_code(tx, node.settings.agency.code)
        if agency is None:
            raise NotFound("agency_unknown", "the node lacks its own agency")
        return service.invite_first_administrator(tx, agency.id, node.settings.node.locale)

    login = _login(Role.ADMINISTRATOR, domain)
    invited = node.database.write(first)
    entries = [_accept(node, hasher, invited, Role.ADMINISTRATOR, login, "Demo administrator")]
    administrator = node.database.write(lambda tx: console.officer(tx, login))
    everybody = [role for role in Role if role not in (Role.ADMINISTRATOR, Role.SYSTEM)]
    numbers: Counter[Role] = Counter()
    for role in (*everybody, *more):
        numbers[role] += 1
        login = _login(role, domain, numbers[role])
        invited = _invite(node, administrator, role, login, numbers[role])
        entries.append(_accept(node, hasher, invited, role, login))
    return entries


def _login(role: Role, domain: str, number: int = 1) -> str:
    return f"{role.value.replace('_', '.')}{'' if number == 1 else number}@{domain}"


def _invite(node: Node, administrator: Actor, role: Role, login: str, number: int) -> Invited:
    places = None
    if role is Role.TERMINAL:
        places = _terminals(node.settings.agency.country)
    return node.database.write(
        lambda tx: service.invite(
            tx,
            administrator,
            agency=administrator.agency,
            name=f"Demo {role.value.replace('_', ' ')}{'' if number == 1 else f' {number}'}",
            login=login,
            roles=[RoleRequest(role, terminals=places)],
            locale=node.settings.node.locale,
        )
    )


def _terminals(country: str) -> frozenset[str]:
    """Every terminal of a country: the demonstration has one person for all of them."""
    ports = (port for office in offices(country) for port in office.places)
    return frozenset(terminal.code for port in ports for terminal in terminals(port))


def _accept(
    node: Node,
    hasher: PasswordHasher,
    invited: Invited,
    role: Role,
    login: str,
    name: str | None = None,
) -> Entry:
    link = node.database.read(lambda tx: invitations.invitation(tx, invited.secret))
    seed = link.seed or ""
    password = secrets.token_urlsafe(12)
    now = to_micros(node.clock.now()) // 1_000_000
    invitations.accept_invitation(
        node.database,
        hasher,
        invited.secret,
        password=password,
        code=pyotp.TOTP(seed).at(now),
        login=login if name else None,  # the first administrator chooses both
        name=name,
    )
    return Entry(role.value, login, password, seed)


def actor(node: Node, role: Role, number: int = 1) -> Actor:
    """Return the demonstration's person of this role, the first or a further one, acting."""
    entered = [entry.login for entry in kept(node.folder.root) if entry.role == role]
    return node.database.write(lambda tx: console.officer(tx, entered[number - 1]))


def keep(folder: Path, entries: Sequence[Entry]) -> Path:
    """Write who there is to the folder, readable by its owner alone; returns the file."""
    path = folder / FILE
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps([asdict(entry) for entry in entries], option=orjson.OPT_INDENT_2))
    return path


def kept(folder: Path) -> list[Entry]:
    """Return who there is in a demonstration's folder; ``NotFound`` where there is none."""
    path = folder / FILE
    if not path.is_file():
        raise NotFound("demo_missing", "no demonstration here: run isthmus demo", folder=folder)
    return [Entry(**row) for row in orjson.loads(path.read_bytes())]
