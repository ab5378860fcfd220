"""All SQL on agencies, people, their roles and tasks, and the log of look-ups."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, Select, func, or_, select, update

from isthmus.access.model import (
    Agency,
    AgencyKind,
    Assignment,
    Grant,
    Person,
    Purpose,
    Role,
)
from isthmus.access.tables import (
    agency_table,
    assignment_table,
    denial_table,
    grant_table,
    lookup_table,
    person_table,
    purpose_table,
)
from isthmus.kernel.errors import NotFound
from isthmus.platform.transaction import Transaction


def insert_agency(tx: Transaction, agency: Agency) -> bool:
    """Enter an agency; say whether its code was free."""
    return tx.insert_new(
        agency_table,
        {
            "id": agency.id,
            "code": agency.code,
            "kind": agency.kind.value,
            "name": agency.name,
            "country": agency.country,
            "active": agency.active,
        },
    )


def agencies(tx: Transaction) -> list[Agency]:
    """Return every agency, by code."""
    rows = tx.execute(select(agency_table).order_by(agency_table.c.code)).mappings()
    return [_agency(row) for row in rows]


def agency(tx: Transaction, agency_id: str) -> Agency:
    """Return one agency; raises ``NotFound``."""
    row = tx.execute(select(agency_table).where(agency_table.c.id == agency_id)).mappings().first()
    if row is None:
        raise NotFound("agency_unknown", "no such agency", agency=agency_id)
    return _agency(row)


def agency_by_code(tx: Transaction, code: str) -> Agency | None:
    """Return the agency with this code, if there is one."""
    row = tx.execute(select(agency_table).where(agency_table.c.code == code)).mappings().first()
    return _agency(row) if row else None


def _agency(row: RowMapping) -> Agency:
    return Agency(
        id=row["id"],
        code=row["code"],
        kind=AgencyKind(row["kind"]),
        name=row["name"],
        country=row["country"],
        active=row["active"],
    )


def insert_person(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter a person; say whether the login was free."""
    return tx.insert_new(person_table, row)


def person(tx: Transaction, person_id: str) -> Person:
    """Return one person; raises ``NotFound``."""
    row = tx.execute(select(person_table).where(person_table.c.id == person_id)).mappings().first()
    if row is None:
        raise NotFound("person_unknown", "no such person", person=person_id)
    return _person(row)


def person_by_login(tx: Transaction, login: str) -> Person | None:
    """Return the person with this login (lower case), if there is one."""
    row = tx.execute(select(person_table).where(person_table.c.login == login)).mappings().first()
    return _person(row) if row else None


def people(tx: Transaction, agency_id: str | None = None) -> list[Person]:
    """Return people, of one agency or all, in the order of their making."""
    found = select(person_table).order_by(person_table.c.id)
    if agency_id is not None:
        found = found.where(person_table.c.agency_id == agency_id)
    return _people(tx, found)


def due_for_review(tx: Transaction, on: date) -> list[Person]:
    """Return people whose record is due for review on that day, longest due first."""
    due = select(person_table).where(
        person_table.c.review_on <= on, person_table.c.erased_at.is_(None)
    )
    return _people(tx, due.order_by(person_table.c.review_on, person_table.c.id))


def due_for_erasure(tx: Transaction, on: date) -> list[Person]:
    """Return former users whose retention has ended and who are not under legal hold."""
    due = select(person_table).where(
        person_table.c.retain_until <= on,
        person_table.c.active.is_(False),
        person_table.c.legal_hold.is_(False),
        person_table.c.erased_at.is_(None),
    )
    return _people(tx, due.order_by(person_table.c.retain_until, person_table.c.id))


def _people(tx: Transaction, found: Select[Any]) -> list[Person]:
    return [_person(row) for row in tx.execute(found).mappings()]


def update_person(tx: Transaction, person_id: str, **values: Any) -> None:
    """Change columns of one person."""
    tx.execute(update(person_table).where(person_table.c.id == person_id).values(**values))


def _person(row: RowMapping) -> Person:
    return Person(
        id=row["id"],
        agency=row["agency_id"],
        name=row["name"],
        login=row["login"],
        locale=row["locale"],
        active=row["active"],
        created_at=row["created_at"],
        access_until=row["access_until"],
        category=row["category"],
        purpose=Purpose(row["purpose"]),
        review_on=row["review_on"],
        retain_until=row["retain_until"],
        legal_hold=row["legal_hold"],
        erased_at=row["erased_at"],
    )


def insert_grants(tx: Transaction, grants: Sequence[Grant]) -> None:
    """Enter roles given."""
    tx.insert(
        grant_table,
        [
            {
                "id": grant.id,
                "person_id": grant.person_id,
                "role": grant.role.value,
                "agency_id": grant.agency,
                "offices": places(grant.offices),
                "terminals": places(grant.terminals),
                "since": grant.since,
                "until": grant.until,
            }
            for grant in grants
        ],
    )


def end_grants(tx: Transaction, person_id: str) -> None:
    """End the roles of a person now; a role that has not begun never does."""
    grants = grant_table.c
    tx.execute(
        update(grant_table)
        .where(grants.person_id == person_id, or_(grants.until.is_(None), grants.until > tx.now))
        .values(until=tx.now)
    )


def grants_of(tx: Transaction, person_id: str) -> list[Grant]:
    """Return the roles of a person that stand now."""
    found = select(grant_table).where(grant_table.c.person_id == person_id, _standing(tx))
    return [_grant(row) for row in tx.execute(found.order_by(grant_table.c.id)).mappings()]


def count_holders(tx: Transaction, role: Role, *, except_for: str = "") -> int:
    """Count the active people, other than one, who hold a role now at every place."""
    holders = (
        select(func.count(func.distinct(person_table.c.id)))
        .join(grant_table, grant_table.c.person_id == person_table.c.id)
        .where(
            person_table.c.active.is_(True),
            person_table.c.id != except_for,
            or_(person_table.c.access_until.is_(None), person_table.c.access_until > tx.now),
            grant_table.c.role == role.value,
            grant_table.c.offices.is_(None),
            grant_table.c.terminals.is_(None),
            _standing(tx),
        )
    )
    return int(tx.execute(holders).scalar_one())


def _standing(tx: Transaction) -> Any:
    grants = grant_table.c
    return (grants.since <= tx.now) & or_(grants.until.is_(None), grants.until > tx.now)


def _grant(row: RowMapping) -> Grant:
    return Grant(
        id=row["id"],
        person_id=row["person_id"],
        role=Role(row["role"]),
        agency=row["agency_id"],
        offices=place_set(row["offices"]),
        terminals=place_set(row["terminals"]),
        since=row["since"],
        until=row["until"],
    )


def places(codes: frozenset[str] | None) -> list[str] | None:
    """Write a set of places for keeping; None stands for all."""
    return None if codes is None else sorted(codes)


def place_set(codes: list[str] | None) -> frozenset[str] | None:
    """Read such a set back."""
    return None if codes is None else frozenset(codes)


def set_purpose(tx: Transaction, purpose: Purpose, *, active: bool) -> None:
    """Say whether data about persons may be opened for a purpose at this node."""
    row = {"code": purpose.value, "active": active}
    if not tx.insert_new(purpose_table, row):
        tx.execute(update(purpose_table).where(purpose_table.c.code == purpose.value).values(row))


def purpose_active(tx: Transaction, purpose: Purpose) -> bool:
    """Whether a purpose is in use at this node; one that was never entered is not."""
    found = select(purpose_table.c.active).where(purpose_table.c.code == purpose.value)
    return bool(tx.execute(found).scalar())


def insert_assignment(tx: Transaction, task: Assignment) -> None:
    """Enter a task."""
    tx.insert(
        assignment_table,
        [
            {
                "id": task.id,
                "person_id": task.person_id,
                "object_kind": task.object_kind,
                "object_id": task.object_id,
                "purpose": task.purpose.value,
                "since": task.since,
                "until": task.until,
            }
        ],
    )


def end_assignments(tx: Transaction, person_id: str, object_id: str | None = None) -> int:
    """End a person's tasks on one thing, or all of them; return how many ended."""
    tasks = assignment_table.c
    ending = update(assignment_table).where(
        tasks.person_id == person_id, or_(tasks.until.is_(None), tasks.until > tx.now)
    )
    if object_id is not None:
        ending = ending.where(tasks.object_id == object_id)
    return tx.execute(ending.values(until=tx.now)).rowcount


def assignment_for(tx: Transaction, person_id: str, object_ids: Sequence[str]) -> Assignment | None:
    """Return a standing task of this person on one of these things, if there is one."""
    tasks = assignment_table.c
    found = (
        _standing_tasks(tx)
        .where(tasks.person_id == person_id, tasks.object_id.in_(object_ids))
        .limit(1)
    )
    row = tx.execute(found).mappings().first()
    return _assignment(row) if row else None


def assignments_of(tx: Transaction, person_id: str) -> list[Assignment]:
    """Return the tasks a person has now, oldest first."""
    found = _standing_tasks(tx).where(assignment_table.c.person_id == person_id)
    return [_assignment(row) for row in tx.execute(found).mappings()]


def assignments_on(tx: Transaction, object_id: str) -> list[Assignment]:
    """Return the tasks people have now on one thing, oldest first."""
    found = _standing_tasks(tx).where(assignment_table.c.object_id == object_id)
    return [_assignment(row) for row in tx.execute(found).mappings()]


def _standing_tasks(tx: Transaction) -> Select[Any]:
    tasks = assignment_table.c
    return (
        select(assignment_table)
        .where(tasks.since <= tx.now, or_(tasks.until.is_(None), tasks.until > tx.now))
        .order_by(tasks.since, tasks.id)
    )


def _assignment(row: RowMapping) -> Assignment:
    return Assignment(
        id=row["id"],
        person_id=row["person_id"],
        object_kind=row["object_kind"],
        object_id=row["object_id"],
        purpose=Purpose(row["purpose"]),
        since=row["since"],
        until=row["until"],
    )


def insert_lookup(tx: Transaction, row: dict[str, Any]) -> None:
    """Log that a person's data was opened."""
    tx.insert(lookup_table, [row])


def lookups(
    tx: Transaction,
    *,
    subject_id: str | None = None,
    actor_id: str | None = None,
    before: datetime | None = None,
    limit: int = 200,
) -> list[dict[str, Any]]:
    """Return logged look-ups, newest first, of a subject or by an actor."""
    logged = lookup_table.c
    found = select(lookup_table).order_by(logged.at.desc(), logged.id.desc()).limit(limit)
    if subject_id is not None:
        found = found.where(logged.subject_id == subject_id)
    if actor_id is not None:
        found = found.where(logged.actor_id == actor_id)
    if before is not None:
        found = found.where(logged.at < before)
    return [dict(row) for row in tx.execute(found).mappings()]


def erase_reasons(tx: Transaction, subject_id: str) -> int:
    """Forget the words with which look-ups of a subject were justified; return how many."""
    logged = lookup_table.c
    return tx.execute(
        update(lookup_table)
        .where(logged.subject_id == subject_id, logged.reason.is_not(None))
        .values(reason=None)
    ).rowcount


def erase_reasons_by(tx: Transaction, actor_id: str) -> int:
    """Forget the words with which a person justified look-ups; return how many."""
    logged = lookup_table.c
    return tx.execute(
        update(lookup_table)
        .where(logged.actor_id == actor_id, logged.reason.is_not(None))
        .values(reason=None)
    ).rowcount


def count_denial(tx: Transaction, actor_id: str, since: datetime) -> tuple[int, int]:
    """Count one more refusal of an actor in a window that began at or after ``since``.

    Returns the count in the present window and, when this opens a new one, that of the window
    before (else 0).
    """
    tx.lock([f"denial/{actor_id}"])
    denials = denial_table.c
    row = tx.execute(select(denial_table).where(denials.actor_id == actor_id)).mappings().first()
    mine = update(denial_table).where(denials.actor_id == actor_id)
    if row is None:
        tx.insert(denial_table, [{"actor_id": actor_id, "since": tx.now, "count": 1}])
        return 1, 0
    if row["since"] < since:
        tx.execute(mine.values(since=tx.now, count=1))
        return 1, row["count"]
    tx.execute(mine.values(count=row["count"] + 1))
    return row["count"] + 1, 0
