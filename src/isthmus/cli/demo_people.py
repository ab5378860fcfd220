"""The people of a demonstration: one for each role, with what they sign in with.

Passwords and authenticator seeds are made afresh for every demonstration and stand in its folder
alone, in a file that only its owner may read.
"""

import os
import secrets
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
from isthmus.reference.places import terminals

FILE = "demo-people.json"
_DOMAIN = "demo.example"
_PORTS = ("PABLB", "PAROD", "PACTB", "PAMIT", "PAONX")


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


def enter(node: Node) -> list[Entry]:
    """Enter one person for each role; returns them with their passwords and seeds."""
    hasher = PasswordHasher()

    def first(tx: Transaction) -> Invited:
        agency = store.agency_by_code(tx, node.settings.agency.code)
        if agency is None:
            raise NotFound("agency_unknown", "the node lacks its own agency")
        return service.invite_first_administrator(tx, agency.id, node.settings.node.locale)

    login = _login(Role.ADMINISTRATOR)
    entries = [_accept(node, hasher, node.database.write(first), Role.ADMINISTRATOR, login)]
    administrator = node.database.write(lambda tx: console.officer(tx, login))
    for role in Role:
        if role not in (Role.ADMINISTRATOR, Role.SYSTEM):
            invited = _invite(node, administrator, role)
            entries.append(_accept(node, hasher, invited, role))
    return entries


def _login(role: Role) -> str:
    return f"{role.value.replace('_', '.')}@{_DOMAIN}"


def _invite(node: Node, administrator: Actor, role: Role) -> Invited:
    places = None
    if role is Role.TERMINAL:
        places = frozenset(terminal.code for port in _PORTS for terminal in terminals(port))
    return node.database.write(
        lambda tx: service.invite(
            tx,
            administrator,
            agency=administrator.agency,
            name=f"Demo {role.value.replace('_', ' ')}",
            login=_login(role),
            roles=[RoleRequest(role, terminals=places)],
            locale=node.settings.node.locale,
        )
    )


def _accept(
    node: Node, hasher: PasswordHasher, invited: Invited, role: Role, login: str | None = None
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
        login=login,
        name="Demo administrator" if login else None,
    )
    return Entry(role.value, _login(role), password, seed)


def actor(node: Node, role: Role) -> Actor:
    """Return the demonstration's person of this role, acting."""
    return node.database.write(lambda tx: console.officer(tx, _login(role)))


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
