"""Sessions of people: made at sign-in, carried in a cookie, ended by time, by sign-out, by others.

The cookie holds 256 random bits; the node keeps their hash. A session ends when it was idle too
long, at its absolute end, at the end of the person's secondment, and when the person is
deactivated.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from isthmus.access import secret_store, store
from isthmus.access.model import Actor, ActorKind, Grant, Person, Reach
from isthmus.access.roles import ROLES
from isthmus.kernel.errors import Unauthenticated
from isthmus.kernel.ids import new_id
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

# Last use is noted at most this often: a write for each request would cost the database its rate.
NOTE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """How long a session lives: without use, and at the longest."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who acts, and whether the boundary should note the use now (``note_use``)."""

    actor: Actor
    note_due: bool


def digest_of(token: str) -> str:
    """Return the hash under which a random token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def start(tx: Transaction, person: Person, terms: SessionTerms) -> tuple[str, str]:
    """Start a session; return its id and the token for the cookie, which is nowhere kept."""
    token = secrets.token_urlsafe(32)
    session_id = new_id("ses")
    ends = tx.now + terms.absolute
    secret_store.insert_session(
        tx,
        {
            "id": session_id,
            "token_hash": digest_of(token),
            "person_id": person.id,
            "created_at": tx.now,
            "seen_at": tx.now,
            "idle_seconds": int(terms.idle.total_seconds()),
            "expires_at": min(ends, person.access_until) if person.access_until else ends,
            "ended_at": None,
        },
    )
    return session_id, token


def actor_from_session(tx: Transaction, token: str) -> Admitted:
    """Return who acts under a session token; raises ``Unauthenticated`` when it does not hold."""
    row = secret_store.session_by_hash(tx, digest_of(token))
    if row is None or row["ended_at"] is not None:
        raise Unauthenticated("session_unknown", "sign in first")
    idle_since = tx.now - row["seen_at"]
    if tx.now >= row["expires_at"] or idle_since >= timedelta(seconds=row["idle_seconds"]):
        raise Unauthenticated("session_expired", "the session has ended: sign in again")
    person = store.person(tx, row["person_id"])
    if not may_enter(tx, person):
        raise Unauthenticated("session_expired", "the session has ended: sign in again")
    return Admitted(actor_of(tx, person, session_id=row["id"]), idle_since >= NOTE_EVERY)


def may_enter(tx: Transaction, person: Person) -> bool:
    """Whether a person may use the node now: active, and the secondment has not ended."""
    return person.active and (person.access_until is None or tx.now < person.access_until)


def actor_of(tx: Transaction, person: Person, *, session_id: str | None = None) -> Actor:
    """Return a person as actor with the roles that stand now; without any, nothing is allowed."""
    reaches = (
        tuple(_reach(grant, person) for grant in store.grants_of(tx, person.id))
        if may_enter(tx, person)
        else ()
    )
    return Actor(person.id, ActorKind.PERSON, person.agency, reaches, person.locale, session_id)


def _reach(grant: Grant, person: Person) -> Reach:
    terms = ROLES[grant.role]
    ends = [moment for moment in (grant.until, person.access_until) if moment is not None]
    return Reach(
        permissions=terms.permissions,
        agency=grant.agency,
        offices=grant.offices,
        terminals=grant.terminals,
        purpose=terms.purpose,
        until=min(ends, default=None),
    )


def note_use(tx: Transaction, actor: Actor) -> None:
    """Note that a session or token was used now; call it when ``Admitted.note_due``."""
    if actor.session_id is not None:
        secret_store.see_session(tx, actor.session_id)
    elif actor.kind is ActorKind.SYSTEM:
        secret_store.see_token(tx, actor.id)


def sign_out(tx: Transaction, actor: Actor) -> None:
    """End the session the actor came with."""
    if actor.session_id is not None and secret_store.end_session(tx, actor.session_id):
        audit.record(
            tx, actor.id, "session.ended", "session", actor.session_id, agency=actor.agency
        )


def csrf_token(session_token: str) -> str:
    """Return the token that a form of this session carries; it fits no other session."""
    return hmac.digest(session_token.encode(), b"isthmus form 1", "sha256").hex()


def csrf_fits(session_token: str, given: str) -> bool:
    """Whether a form's token belongs to this session."""
    return hmac.compare_digest(csrf_token(session_token).encode(), given.encode())
