"""People, their roles and tasks: who enters the node, as what, until when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.access import invitations, secret_store, store
from isthmus.access.gate import check
from isthmus.access.grants import check_within
from isthmus.access.invitations import InvitationKind, Invited
from isthmus.access.model import Actor, Assignment, Grant, Permission, Person, Purpose, Role
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.kernel.ids import new_id
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

LOCALES = ("es", "en", "fr", "nl", "pt")
# Access rights of each user are looked at again every year; the record of a former user is kept
# as long as the acts it explains may be contested.
REVIEW_EVERY = timedelta(days=365)
RETAIN = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class RoleRequest:
    """A role to give, where, and until when (exclusive; None: until it is taken)."""

    role: Role
    agency: str | None = None  # None: the person's own
    offices: frozenset[str] | None = None
    terminals: frozenset[str] | None = None
    until: datetime | None = None


def invite_first_administrator(tx: Transaction, agency_id: str, locale: str = "en") -> Invited:
    """Make the one-time link for the first administrator, who gives name and login there.

    May be repeated until the link is used, for a link that was lost: the one before then holds no
    longer. Raises ``Conflict`` once somebody has entered.
    """
    tx.lock(["administrators"])
    for waiting in store.people(tx):
        if waiting.active and waiting.login is None:
            return invitations.create_invitation(tx, "node", waiting)
    if store.count_holders(tx, Role.ADMINISTRATOR):
        raise Conflict("administrator_present", "the node has an administrator already")
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
    _check_future(tx, access_until)
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


def invite_again(tx: Transaction, actor: Actor, person_id: str) -> Invited:
    """Make a new link for a person who never entered; the one before holds no longer."""
    person = _administered(tx, actor, person_id)
    if person.name is None:  # the console's operator, and a first administrator not yet here
        raise Conflict("person_not_invited", "this person was never invited", person=person_id)
    if secret_store.credential(tx, person_id) is not None:
        raise Conflict("person_entered", "this person has entered already", person=person_id)
    return invitations.create_invitation(tx, actor.id, person)


def change_roles(
    tx: Transaction, actor: Actor, person_id: str, roles: Sequence[RoleRequest]
) -> None:
    """Take a person's roles and give these; nobody changes their own."""
    person = _administered(tx, actor, person_id)
    if actor.id == person_id:
        raise Conflict("own_roles", "nobody changes their own roles", person=person_id)
    _check_roles(tx, actor, person.agency, roles)
    if not any(request.role is Role.ADMINISTRATOR for request in roles):
        _keep_an_administrator(tx, person)
    store.end_grants(tx, person_id)
    audit.record(tx, actor.id, "roles.taken", "person", person_id, agency=actor.agency)
    _grant(tx, actor.id, person, roles)


def set_access_end(
    tx: Transaction, actor: Actor, person_id: str, access_until: datetime | None
) -> None:
    """Set or move the end of a person's secondment (exclusive); None for no end."""
    person = _administered(tx, actor, person_id)
    _check_future(tx, access_until)
    if access_until is not None:
        _keep_an_administrator(tx, person)
    store.update_person(tx, person_id, access_until=access_until)
    secret_store.end_sessions(tx, person_id)
    audit.record(
        tx,
        actor.id,
        "person.access_end_set",
        "person",
        person_id,
        agency=actor.agency,
        access_until=access_until,
    )


def deactivate(
    tx: Transaction, actor: Actor, person_id: str, *, retain: timedelta = RETAIN
) -> None:
    """End a person's use of the node at once: sessions, links, roles, tasks, credentials.

    The record is kept for ``retain`` from now; a return needs a new person.
    """
    person = _administered(tx, actor, person_id)
    _keep_an_administrator(tx, person)
    store.update_person(tx, person_id, active=False, retain_until=(tx.now + retain).date())
    sessions_ended = secret_store.end_sessions(tx, person_id)
    secret_store.drop_invitations(tx, person_id)
    secret_store.drop_credential(tx, person_id)
    store.end_grants(tx, person_id)
    tasks_ended = store.end_assignments(tx, person_id)
    audit.record(
        tx,
        actor.id,
        "person.deactivated",
        "person",
        person_id,
        agency=actor.agency,
        sessions=sessions_ended,
        tasks=tasks_ended,
    )


def reset_second_factor(tx: Transaction, actor: Actor, person_id: str) -> Invited:
    """Drop a person's authenticator and recovery codes; return the link to set up another.

    The link wants the person's password, so it makes nobody else that person.
    """
    person = _administered(tx, actor, person_id)
    if secret_store.credential(tx, person_id) is None:
        raise Conflict("person_not_entered", "this person has not entered yet", person=person_id)
    secret_store.put_credential(tx, person_id, totp=None)
    secret_store.put_recovery_codes(tx, person_id, [])
    secret_store.end_sessions(tx, person_id)
    audit.record(tx, actor.id, "second_factor.reset", "person", person_id, agency=actor.agency)
    return invitations.create_invitation(tx, actor.id, person, InvitationKind.SECOND_FACTOR)


def reset_password(tx: Transaction, actor: Actor, person_id: str) -> Invited:
    """Return the link with which a person sets a new password, holding the authenticator."""
    person = _administered(tx, actor, person_id)
    credential = secret_store.credential(tx, person_id)
    if credential is None or credential["totp"] is None:
        raise Conflict("person_not_entered", "this person has no authenticator", person=person_id)
    secret_store.end_sessions(tx, person_id)
    audit.record(tx, actor.id, "password.reset", "person", person_id, agency=actor.agency)
    return invitations.create_invitation(tx, actor.id, person, InvitationKind.PASSWORD)


def people(tx: Transaction, actor: Actor) -> list[Person]:
    """Return the people of the agencies the actor administers, in the order of their making."""
    check(tx, actor, Permission.ADMIN_PEOPLE)
    return [person for person in store.people(tx) if _administers(tx, actor, person.agency)]


def grants(tx: Transaction, actor: Actor, person_id: str) -> list[Grant]:
    """Return the roles a person has now; for administrators of the person, and for the person."""
    person = store.person(tx, person_id)
    if actor.id != person_id:
        _check_administers(tx, actor, person.agency)
    return store.grants_of(tx, person_id)


def assign(
    tx: Transaction,
    actor: Actor,
    person_id: str,
    object_kind: str,
    object_id: str,
    *,
    purpose: Purpose,
    until: datetime | None = None,
) -> Assignment:
    """Give a person a task on a thing; it is the purpose for opening its persons' data.

    Called from above by the act that makes the task (a pick taken, an inspection ordered), which
    has passed its own check. The same task given twice stands once.
    """
    present = [
        task
        for task in store.assignments_on(tx, object_id)
        if task.person_id == person_id and task.purpose is purpose and task.until == until
    ]
    if present:
        return present[0]
    if not store.person(tx, person_id).active:
        raise Conflict("person_inactive", "this person no longer uses the node", person=person_id)
    task = Assignment(new_id("asg"), person_id, object_kind, object_id, purpose, tx.now, until)
    store.insert_assignment(tx, task)
    audit.record(
        tx,
        actor.id,
        "task.given",
        object_kind,
        object_id,
        agency=actor.agency,
        purpose=purpose.value,
        person=person_id,
        assignment=task.id,
        until=until,
    )
    return task


def unassign(
    tx: Transaction, actor: Actor, person_id: str, object_kind: str, object_id: str
) -> None:
    """End a person's tasks on a thing; nothing happens when there are none."""
    if store.end_assignments(tx, person_id, object_id):
        audit.record(
            tx,
            actor.id,
            "task.ended",
            object_kind,
            object_id,
            agency=actor.agency,
            person=person_id,
        )


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


def _grant(tx: Transaction, by: str, person: Person, roles: Sequence[RoleRequest]) -> None:
    given = [
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
    store.insert_grants(tx, given)
    for grant in given:
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


def _check_roles(tx: Transaction, actor: Actor, agency: str, roles: Sequence[RoleRequest]) -> None:
    _check_administers(tx, actor, agency)
    for request in roles:
        if request.role is Role.SYSTEM:
            raise Invalid("role_of_system", "only tokens have this role", role=request.role.value)
        _check_future(tx, request.until)
        store.agency(tx, request.agency or agency)
        check_within(
            tx,
            actor,
            Permission.ADMIN_PEOPLE,
            request.agency or agency,
            offices=request.offices,
            terminals=request.terminals,
        )


def _administered(tx: Transaction, actor: Actor, person_id: str) -> Person:
    """Return an active person over whom the actor has a say: all roles lie within the actor's."""
    check(tx, actor, Permission.ADMIN_PEOPLE, object_id=person_id)
    person = store.person(tx, person_id)
    _check_administers(tx, actor, person.agency)
    for grant in store.grants_of(tx, person_id):
        check_within(
            tx,
            actor,
            Permission.ADMIN_PEOPLE,
            grant.agency,
            offices=grant.offices,
            terminals=grant.terminals,
        )
    if not person.active:
        raise Conflict("person_inactive", "this person no longer uses the node", person=person_id)
    return person


def _administers(tx: Transaction, actor: Actor, agency: str) -> bool:
    return any(
        Permission.ADMIN_PEOPLE in actor.allowed(reach)
        and reach.stands(tx.now)
        and (reach.agency == agency or Permission.ADMIN_AGENCIES in reach.permissions)
        for reach in actor.reaches
    )


def _check_administers(tx: Transaction, actor: Actor, agency: str) -> None:
    if not _administers(tx, actor, agency):
        check(tx, actor, Permission.ADMIN_PEOPLE, agency=agency)


def _check_future(tx: Transaction, until: datetime | None) -> None:
    if until is not None and until <= tx.now:
        raise Invalid("end_past", "the end is past already", field="until")


def _keep_an_administrator(tx: Transaction, person: Person) -> None:
    """Refuse what would leave the node without an administrator for every place."""
    tx.lock(["administrators"])
    held = store.grants_of(tx, person.id)
    administers = any(grant.role is Role.ADMINISTRATOR for grant in held)
    if administers and not store.count_holders(tx, Role.ADMINISTRATOR, except_for=person.id):
        raise Conflict("last_administrator", "the node needs an administrator", person=person.id)


def enter_console(tx: Transaction, agency_id: str, login: str, roles: Sequence[Role]) -> Person:
    """Enter the person who stands behind acts from the console; it has no way to sign in."""
    person = _enter(tx, "node", agency_id, locale="en", login=login)
    _grant(tx, "node", person, [RoleRequest(role) for role in roles])
    return person
