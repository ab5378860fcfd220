"""Tokens of connected systems: ``ist_`` and 256 random bits, of which the node keeps the hash.

A token never allows more than its role does today, more than was asked for, or an act that
belongs to persons. It is checked on every request, so its hash is a plain SHA-256.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from isthmus.access import secret_store, store
from isthmus.access.gate import check
from isthmus.access.grants import check_within
from isthmus.access.model import Actor, ActorKind, Permission, Reach, Role
from isthmus.access.permission import PERSON_ONLY
from isthmus.access.roles import ROLES
from isthmus.access.sessions import NOTE_EVERY, Admitted, digest_of
from isthmus.kernel.errors import Invalid, NotFound, Unauthenticated
from isthmus.kernel.ids import new_id
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

PREFIX = "ist_"
LONGEST = timedelta(days=366)
LABEL_MAX = 120
TOKEN_ROLES = (Role.SYSTEM, Role.TERMINAL)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token just issued; ``secret`` is shown once and nowhere kept."""

    id: str
    secret: str = field(repr=False)
    expires_at: datetime


def issue_token(
    tx: Transaction,
    actor: Actor,
    *,
    label: str,
    agency: str,
    role: Role,
    permissions: frozenset[Permission] | None = None,
    offices: frozenset[str] | None = None,
    terminals: frozenset[str] | None = None,
    holds: timedelta = timedelta(days=90),
) -> IssuedToken:
    """Issue a token to a system of an agency, with some or all of a role's permissions.

    The places must lie within those where the actor may issue tokens. Raises ``Invalid`` when a
    permission lies outside the role or belongs to persons, or the time is too long.
    """
    check_within(tx, actor, Permission.TOKEN_ISSUE, agency, offices=offices, terminals=terminals)
    store.agency(tx, agency)
    if role not in TOKEN_ROLES:
        raise Invalid("token_role", "a system cannot have this role", role=role.value)
    allowed = ROLES[role].permissions - PERSON_ONLY
    wanted = allowed if permissions is None else permissions
    if not wanted or not wanted <= allowed:
        beyond = sorted(code.value for code in wanted - allowed)
        raise Invalid("token_scope", "the role does not allow this", permissions=beyond)
    if not timedelta(0) < holds <= LONGEST:
        raise Invalid("token_expiry", f"a token holds at most {LONGEST.days} days", field="holds")
    words = " ".join(label.split())
    if not 1 <= len(words) <= LABEL_MAX:
        raise Invalid("token_label", f"a label has 1 to {LABEL_MAX} characters", field="label")
    token_id, secret = new_id("tok"), PREFIX + secrets.token_urlsafe(32)
    expires = tx.now + holds
    secret_store.insert_token(
        tx,
        {
            "id": token_id,
            "token_hash": digest_of(secret),
            "label": words,
            "agency_id": agency,
            "role": role.value,
            "permissions": sorted(code.value for code in wanted),
            "offices": store.places(offices),
            "terminals": store.places(terminals),
            "issued_by": actor.id,
            "issued_at": tx.now,
            "expires_at": expires,
            "used_at": None,
            "revoked_at": None,
        },
    )
    audit.record(
        tx,
        actor.id,
        "token.issued",
        "token",
        token_id,
        agency=actor.agency,
        to_agency=agency,
        role=role.value,
        permissions=sorted(code.value for code in wanted),
        offices=store.places(offices),
        terminals=store.places(terminals),
        expires_at=expires,
    )
    return IssuedToken(token_id, secret, expires)


def revoke_token(tx: Transaction, actor: Actor, token_id: str) -> None:
    """Revoke a token; raises ``NotFound`` when there is none such in force."""
    row = secret_store.token(tx, token_id)
    if row is None:
        check(tx, actor, Permission.TOKEN_ISSUE, object_id=token_id)
        raise NotFound("token_unknown", "no such token in force", token=token_id)
    check_within(
        tx,
        actor,
        Permission.TOKEN_ISSUE,
        row["agency_id"],
        offices=store.place_set(row["offices"]),
        terminals=store.place_set(row["terminals"]),
    )
    if not secret_store.revoke_token(tx, token_id):
        raise NotFound("token_unknown", "no such token in force", token=token_id)
    audit.record(tx, actor.id, "token.revoked", "token", token_id, agency=actor.agency)


def tokens(tx: Transaction, actor: Actor) -> list[dict[str, Any]]:
    """Return all tokens without their secrets, newest first."""
    check(tx, actor, Permission.TOKEN_ISSUE)
    return secret_store.tokens(tx)


def actor_from_token(tx: Transaction, secret: str) -> Admitted:
    """Return which system acts under a token; raises ``Unauthenticated`` when it does not hold."""
    hashed = digest_of(secret)
    row = secret_store.token_by_hash(tx, hashed) if secret.startswith(PREFIX) else None
    if (
        row is None
        or not hmac.compare_digest(row["token_hash"], hashed)
        or row["revoked_at"] is not None
        or tx.now >= row["expires_at"]
        or not store.agency(tx, row["agency_id"]).active
    ):
        raise Unauthenticated("token_unknown", "the token is unknown, revoked or expired")
    terms = ROLES[Role(row["role"])]
    # Kept codes that no longer exist allow nothing, so an old token outlives a renamed act.
    kept = {code for code in Permission if code.value in row["permissions"]}
    reach = Reach(
        permissions=(terms.permissions & kept) - PERSON_ONLY,
        agency=row["agency_id"],
        offices=store.place_set(row["offices"]),
        terminals=store.place_set(row["terminals"]),
        purpose=terms.purpose,
        until=row["expires_at"],
    )
    actor = Actor(row["id"], ActorKind.SYSTEM, row["agency_id"], (reach,))
    due = row["used_at"] is None or tx.now - row["used_at"] >= NOTE_EVERY
    return Admitted(actor, due)
