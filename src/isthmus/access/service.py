"""Agencies, people, their roles and tasks: who enters the node, as what, until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from isthmus.access import invitations, secret_store, sessions, store
from isthmus.access.gate import check
from isthmus.access.grants import check_within
from isthmus.access.invitations import InvitationKind, Invited
from isthmus.access.model import (
    Actor,
    Agency,
    AgencyKind,
    Assignment,
    Grant,
    Permission,
    Person,
    Purpose,
    Role,
)
from isthmus.access.permission import PERSON_ONLY
from isthmus.kernel.errors import Conflict, Invalid, NotFound
from isthmus.kernel.ids import new_id
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

LOCALES = ("es", "en", "fr", "nl", "pt")
# Access rights of each user are looked at again every year; the record of a former user is kept
# as long as the acts it explains may be contested.
REVIEW_EVERY = timedelta(days=365)
RETAIN = timedelta(days=3650)
# Roles of systems; a person never holds the one that only tokens have.
NOT_FOR_PEOPLE = frozenset({Role.SYSTEM})


@dataclass(frozen=True, slots=True)
class RoleRequest:
    """A role to give, where, and until when (exclusive; None: until it is taken)."""

    role: Role
    agency: str | None = None  # None: the person's own
    offices: frozenset[str] | None = None
    terminals: frozenset[str] | None = None
    until: datetime | None = None


def found(tx: Transaction, *, code: str, name: str, kind: AgencyKind, country: str) -> Agency:
    """Enter the authority that runs the node, and put every purpose in use.

    Only at set-up: raises ``Conflict`` once there is an agency.
    """
    if store.agencies(tx):
        raise Conflict("node_founded", "the node has an agency already")
    for purpose in Purpose:
        store.set_purpose(tx, purpose, active=True)
    agency = _agency(code, name, kind, country)
    store.insert_agency(tx, agency)
    audit.record(tx, "node", "agency.added", "agency", agency.id, agency=agency.id, code=code)
    return agency


def add_agency(
    tx: Transaction, actor: Actor, *, code: str, name: str, kind: AgencyKind, country: str
) -> Agency:
    """Enter another agency whose people or systems use the node."""
    check(tx, actor, Permission.ADMIN_AGENCIES)
    agency = _agency(code, name, kind, country)
    if not store.insert_agency(tx, agency):
        raise Conflict("agency_code_taken", "another agency has this code", code=code)
    audit.record(tx, actor.id, "agency.added", "agency", agency.id, agency=actor.agency, code=code)
    return agency


def _agency(code: str, name: str, kind: AgencyKind, country: str) -> Agency:
    if not (2 <= len(code) <= 20 and code.isascii() and code == code.upper()):
        raise Invalid("agency_code", "an agency's code is 2 to 20 capitals or digits", field="code")
    if not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
        raise Invalid("country_code", "a country is an ISO 3166-1 alpha-2 code", field="country")
    return Agency(new_id("agy"), code, kind, invitations.check_name(name), country)


def agencies(tx: Transaction, actor: Actor) -> list[Agency]:
    """Return every agency, by code."""
    check(tx, actor, Permission.ADMIN_PEOPLE)
    return store.agencies(tx)


def set_purpose(tx: Transaction, actor: Actor, purpose: Purpose, *, active: bool) -> None:
    """Put a purpose in use, or out of it: then no person's data is opened for it."""
    check(tx, actor, Permission.LEGAL_HOLD_SET)
    store.set_purpose(tx, purpose, active=active)
    audit.record(
        tx, actor.id, "purpose.set", "purpose", purpose.value, agency=actor.agency, active=active
    )


def invite_first_administrator(tx: Transaction, agency_id: str, locale: str = "en") -> Invited:
    """Make the one-time link for the first administrator, who gives name and login there.

    May be repeated until the link is used, for a link that was lost: the one before then holds no
    longer. Raises ``Conflict`` once somebody has entered.
    """
    waiting = [person for person in store.people(tx) if person.active]
    if any(secret_store.credential(tx, person.id) or person.login for person in waiting):
        raise Conflict("administrator_present", "the node has an administrator already")
    if waiting:
        return invitations.create_invitation(tx, "node", waiting[0])
    person = _enter(tx, "node", agency_id, locale=locale)
    _grant(tx, "node", person, [RoleRequest(Role.ADMINISTRATOR)])
    return invitations.create_invitation(tx, "node", person)


def invite(
    tx: Transaction,
    actor: Actor,
    *,
    agency: str,
    name: str,
    login: str,
    roles: Sequence[RoleRequest],
    locale: str = "en",
    access_until: datetime | None = None,
) -> Invited:
    """Enter a person with roles and return the one-time link to hand over.

    ``access_until`` ends a secondment by itself. Raises ``Conflict`` when the login is taken and
    ``Denied`` for roles at places where the actor may not give any.
    """
    _check_roles(tx, actor, agency, roles)
    if not store.agency(tx, agency).active:
        raise Conflict("agency_inactive", "this agency no longer uses the node", agency=agency)
    if locale not in LOCALES:
        raise Invalid("locale_unknown", f"one of {', '.join(LOCALES)}", field="locale")
    if access_until is not None and access_until <= tx.now:
        raise Invalid("access_over", "the end of access is past", field="access_until")
    person = _enter(
        tx,
        actor.id,
        agency,
        locale=locale,
        name=invitations.check_name(name),
        login=invitations.check_login(login),
        access_until=access_until,
    )
    _grant(tx, actor.id, person, roles)
    return invitations.create_invitation(tx, actor.id, person)


def _enter(
    tx: Transaction,
    by: str,
    agency_id: str,
    *,
    locale: str,
    name: str | None = None,
    login: str | None = None,
    access_until: datetime | None = None,
) -> Person:
    person_id = new_id("per")
    row = {
        "id": person_id,
        "agency_id": agency_id,
        "name": name,
        "login": login,
        "locale": locale,
        "active": True,
        "created_at": tx.now,
        "access_until": access_until,
        "category": "officer",
        "purpose": Purpose.ADMINISTRATION.value,
        "review_on": (tx.now + REVIEW_EVERY).date(),
        "retain_until": (tx.now + RETAIN).date(),
        "legal_hold": False,
        "erased_at": None,
    }
    if not store.insert_person(tx, row):
        raise Conflict("login_taken", "somebody else has this login", field="login")
    audit.record(
        tx, by, "person.invited", "person", person_id, agency=agency_id, access_until=access_until
    )
    return store.person(tx, person_id)


def _check_roles(tx: Transaction, actor: Actor, agency: str, roles: Sequence[RoleRequest]) -> None:
    check_within(tx, actor, Permission.ADMIN_PEOPLE, agency, **_widest(roles))
    for request in roles:
        if request.role in NOT_FOR_PEOPLE:
            raise Invalid("role_of_system", "only tokens have this role", role=request.role.value)
        if request.until is not None and request.until <= tx.now:
            raise Invalid("role_over", "the end of the role is past", field="until")
        check_within(
            tx,
            actor,
            Permission.ADMIN_PEOPLE,
            request.agency or agency,
            offices=request.offices,
            terminals=request.terminals,
        )
        store.agency(tx, request.agency or agency)


def _widest(roles: Sequence[RoleRequest]) -> dict[str, frozenset[str] | None]:
    """Return the places of all requests together; no request needs no place."""
    widest: dict[str, frozenset[str] | None] = {}
    for name in ("offices", "terminals"):
        parts = [getattr(request, name) for request in roles]
        widest[name] = None if None in parts else frozenset().union(*parts)
    return widest


def _grant(tx: Transaction, by: str, person: Person, roles: Sequence[RoleRequest]) -> None:
    grants = [
        Grant(
            id=new_id("grt"),
            person_id=person.id,
            role=request.role,
            agency=request.agency or person.agency,
            offices=request.offices,
            terminals=request.terminals,
            since=tx.now,
            until=request.until,
        )
        for request in roles
    ]
    store.insert_grants(tx, grants)
    for grant in grants:
        audit.record(
            tx,
            by,
            "role.given",
            "person",
            person.id,
            agency=person.agency,
            role=grant.role.value,
            for_agency=grant.agency,
            offices=store.places(grant.offices),
            terminals=store.places(grant.terminals),
            until=grant.until,
        )


def people(tx: Transaction, actor: Actor) -> list[Person]:
    """Return the people the actor may administer, in the order of their making."""
    check(tx, actor, Permission.ADMIN_PEOPLE)
    if Permission.ADMIN_AGENCIES in actor.permissions:
        return store.people(tx)
    return store.people(tx, actor.agency)


def grants(tx: Transaction, actor: Actor, person_id: str) -> list[Grant]:
    """Return the roles a person has now; for administrators, and for the person."""
    person = store.person(tx, person_id)
    if actor.id != person_id:
        check(tx, actor, Permission.ADMIN_PEOPLE, object_id=person.id)
    return store.grants_of(tx, person_id)
