"""One-time links: to enter a node for the first time, or to set one of the two factors anew.

A link is shown once to whoever makes it, holds for a day and for one use; the node keeps its
hash. Setting one factor anew wants the other, so that no administrator can become somebody else
by making a link for them.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import RowMapping

from isthmus.access import credentials, secret_store, sessions, sign_in, store
from isthmus.access.credentials import PasswordHasher
from isthmus.access.model import Person
from isthmus.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from isthmus.kernel.ids import new_id
from isthmus.platform import audit
from isthmus.platform.database import Database
from isthmus.platform.transaction import Transaction

HOLDS = timedelta(hours=24)
NAME_MAX = 200
WELCOME_PATH = "/welcome/"


class InvitationKind(StrEnum):
    """What a link lets its holder do."""

    WELCOME = "welcome"  # set password and authenticator, for the first time
    SECOND_FACTOR = "second_factor"  # set up an authenticator anew, knowing the password
    PASSWORD = "password"  # noqa: S105 - set a password anew, holding the authenticator


@dataclass(frozen=True, slots=True)
class Invited:
    """A link just made. The secret is nowhere kept."""

    person_id: str
    kind: InvitationKind
    secret: str = field(repr=False)
    expires_at: datetime

    @property
    def path(self) -> str:
        """The path of the link on this node."""
        return WELCOME_PATH + self.secret


@dataclass(frozen=True, slots=True, repr=False)
class Invitation:
    """What the holder of a link sees: whose it is and, if one is to be set up, the TOTP seed."""

    id: str
    kind: InvitationKind
    person: Person
    seed: str | None
    expires_at: datetime

    @property
    def wants_name(self) -> bool:
        """Whether the person has no login yet (the first administrator)."""
        return self.person.login is None


def create_invitation(
    tx: Transaction, by: str, person: Person, kind: InvitationKind = InvitationKind.WELCOME
) -> Invited:
    """Make a link for a person; links made before for the same person hold no longer."""
    secret_store.drop_invitations(tx, person.id)
    secret = secrets.token_urlsafe(32)
    link = new_id("inv")
    seed = None
    if kind is not InvitationKind.PASSWORD:
        seed = tx.keys.seal_secret(credentials.new_totp_seed().encode(), link)
    expires = tx.now + HOLDS
    secret_store.insert_invitation(
        tx,
        {
            "id": link,
            "secret_hash": sessions.digest_of(secret),
            "person_id": person.id,
            "kind": kind.value,
            "totp": seed,
            "created_at": tx.now,
            "expires_at": expires,
            "used_at": None,
        },
    )
    audit.record(
        tx,
        by,
        "invitation.made",
        "person",
        person.id,
        agency=person.agency,
        invitation=link,
        kind=kind.value,
    )
    return Invited(person.id, kind, secret, expires)


def invitation(tx: Transaction, secret: str) -> Invitation:
    """Return what a link stands for; ``NotFound`` alike when unknown, used or expired."""
    row = secret_store.invitation_by_hash(tx, sessions.digest_of(secret))
    if row is None or row["used_at"] is not None or tx.now >= row["expires_at"]:
        raise NotFound("invitation_unknown", "this link is unknown, used or expired")
    person = store.person(tx, row["person_id"])
    if not sessions.may_enter(tx, person):
        raise NotFound("invitation_unknown", "this link is unknown, used or expired")
    return _invitation(tx, row, person)


def _invitation(tx: Transaction, row: RowMapping, person: Person) -> Invitation:
    seed = tx.keys.open_secret(row["totp"], row["id"]).decode() if row["totp"] else None
    return Invitation(row["id"], InvitationKind(row["kind"]), person, seed, row["expires_at"])


def accept_invitation(
    database: Database,
    hasher: PasswordHasher,
    secret: str,
    *,
    password: str,
    code: str,
    login: str | None = None,
    name: str | None = None,
) -> tuple[str, ...]:
    """Use a link and return fresh recovery codes, to be shown once (none for a new password).

    ``welcome``: sets the password and the authenticator, which ``code`` proves; ``login`` (an
    e-mail address) and ``name`` are needed when the person has none yet. ``second_factor``:
    ``password`` is the present one, ``code`` comes from the new authenticator. ``password``:
    ``password`` is the new one, ``code`` comes from the present authenticator. Like sign-in this
    is a boundary of its own, and wrong tries at the factor that stands are counted the same way.
    """
    link = database.read(lambda tx: invitation(tx, secret))
    if link.kind is InvitationKind.SECOND_FACTOR:
        this = database.write(lambda tx: sign_in.begin(tx, link.person.login or ""))
        sign_in.refuse_if_locked(this, database.clock.now())
        if not hasher.verify(this.password, password).holds:
            raise Unauthenticated("sign_in_refused", "login, password or code is wrong")
        return database.write(lambda tx: _accept(tx, secret, None, code, this.login_hash))
    if link.wants_name:
        person_login, person_name = _entry(login, name)
    else:
        person_login, person_name = None, None
    credentials.check_password(password, person_login or link.person.login)
    if link.kind is InvitationKind.PASSWORD:
        this = database.write(lambda tx: sign_in.begin(tx, link.person.login or ""))
        sign_in.refuse_if_locked(this, database.clock.now())
        hashed = hasher.hash(password)
        return database.write(lambda tx: _accept(tx, secret, hashed, code, this.login_hash))
    hashed = hasher.hash(password)

    def welcome(tx: Transaction) -> tuple[str, ...]:
        if person_login is not None:
            _name(tx, link.person, person_login, person_name)
        return _accept(tx, secret, hashed, code, None)

    return database.write(welcome)


def _accept(
    tx: Transaction, secret: str, hashed: str | None, code: str, login_hash: str | None
) -> tuple[str, ...]:
    link = invitation(tx, secret)
    person = link.person
    changes: dict[str, object] = {} if hashed is None else {"password": hashed}
    if link.seed is not None:
        step = credentials.totp_step(link.seed, credentials.plain_code(code), tx.now)
        if step is None:
            raise Invalid("code_wrong", "the code does not fit the new authenticator", field="code")
        sealed = tx.keys.seal_secret(link.seed.encode(), person.id)
        changes |= {"totp": sealed, "totp_step": step}
    elif not sign_in.time_code_holds(tx, person.id, credentials.plain_code(code)):
        raise Unauthenticated("sign_in_refused", "login, password or code is wrong")
    if not secret_store.use_invitation(tx, link.id):
        raise NotFound("invitation_unknown", "this link is unknown, used or expired")
    secret_store.put_credential(tx, person.id, **changes)
    secret_store.end_sessions(tx, person.id)
    if login_hash is not None:
        secret_store.drop_attempt(tx, login_hash)
    audit.record(
        tx,
        person.id,
        "invitation.used",
        "person",
        person.id,
        agency=person.agency,
        invitation=link.id,
        kind=link.kind.value,
    )
    return renew_recovery_codes(tx, person) if link.seed is not None else ()


def renew_recovery_codes(tx: Transaction, person: Person) -> tuple[str, ...]:
    """Replace a person's recovery codes and return the new ones, to be shown once."""
    codes = credentials.new_recovery_codes()
    hashed = [
        tx.keys.pseudonym("recovery", f"{person.id}\0{credentials.plain_code(code)}")
        for code in codes
    ]
    secret_store.put_recovery_codes(tx, person.id, hashed)
    audit.record(tx, person.id, "recovery_codes.renewed", "person", person.id, agency=person.agency)
    return codes


def _entry(login: str | None, name: str | None) -> tuple[str, str]:
    return check_login(login), check_name(name)


def _name(tx: Transaction, person: Person, login: str, name: str | None) -> None:
    if store.person_by_login(tx, login) is not None:
        raise Conflict("login_taken", "somebody else has this login", field="login")
    store.update_person(tx, person.id, login=login, name=name)


def check_login(login: str | None) -> str:
    """Return a login in its kept form; raises ``Invalid`` when it is no e-mail address."""
    plain = sign_in.plain_login(login or "")
    local, _, domain = plain.partition("@")
    if not local or "." not in domain or any(character.isspace() for character in plain):
        raise Invalid("login_invalid", "a login is an e-mail address", field="login")
    return plain


def check_name(name: str | None) -> str:
    """Return a name without stray spaces; raises ``Invalid`` when empty or too long."""
    plain = " ".join((name or "").split())
    if not 1 <= len(plain) <= NAME_MAX:
        raise Invalid("name_invalid", f"a name has 1 to {NAME_MAX} characters", field="name")
    return plain
