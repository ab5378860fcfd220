"""The only gates: every act passes ``check``, every read is narrowed by ``scope``.

Default deny: what no reach of the actor allows, at the place in question and at this moment, is
refused. A person's data passes ``open_person_data`` besides, which wants a purpose and logs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, and_, false, or_, true

from isthmus.access import store
from isthmus.access.model import Actor, Assignment, Purpose, Reach
from isthmus.access.permission import PERSON_ONLY, PLACED, Permission
from isthmus.kernel.errors import Denied, Invalid, PurposeNeeded
from isthmus.kernel.ids import new_id
from isthmus.platform import audit
from isthmus.platform.transaction import Transaction

F = TypeVar("F", bound=Callable[..., Any])

# A reason shorter than this says nothing to whoever reviews the look-up.
REASON_MIN = 12
REASON_MAX = 2_000


class Unnamed(Enum):
    """Stands where the caller names no place, which is not the same as an unknown one."""

    PLACE = "unnamed"


UNNAMED: Final = Unnamed.PLACE


def check(
    tx: Transaction,
    actor: Actor,
    permission: Permission,
    *,
    office: str | Unnamed | None = UNNAMED,
    terminal: str | Unnamed | None = UNNAMED,
    agency: str | None = None,
    object_id: str | None = None,
) -> None:
    """Pass when the actor may do this here and now; raise ``Denied`` otherwise.

    ``agency`` is named where the thing belongs to one agency: only what was granted for it counts.
    Name both the office and the terminal of the thing acted on. A place given as None is
    unknown: only a reach without limits covers it. Where neither is named the act concerns no
    place (such as writing a rule); acts on placed things (``PLACED``) are then refused to
    whoever is limited to places. The boundary writes the refusal to the audit with
    ``denials.note``, for this transaction will be undone.
    """
    if actor.is_person or permission not in PERSON_ONLY:
        for reach in actor.reaches:
            if (
                permission in reach.permissions
                and reach.stands(tx.now)
                and (agency is None or agency == reach.agency)
                and _covers(reach, permission, office, terminal)
            ):
                return
    raise Denied(
        "permission_missing",
        "this act is not allowed to you here",
        permission=permission.value,
        object=object_id,
        actor=actor.id,
        agency=actor.agency,
    )


def _covers(
    reach: Reach,
    permission: Permission,
    office: str | Unnamed | None,
    terminal: str | Unnamed | None,
) -> bool:
    if reach.offices is None and reach.terminals is None:
        return True
    if office is UNNAMED and terminal is UNNAMED:
        return permission not in PLACED
    return (reach.offices is None or office in reach.offices) and (
        reach.terminals is None or terminal in reach.terminals
    )


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows an actor may see under one permission; a store ANDs it into every read."""

    permission: Permission
    reaches: tuple[Reach, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing at all may be seen."""
        return not self.reaches

    @property
    def everything(self) -> bool:
        """Whether every row may be seen, where rows belong to no agency."""
        return any(reach.offices is None and reach.terminals is None for reach in self.reaches)

    def where(
        self,
        *,
        office_column: ColumnElement[Any] | None = None,
        terminal_column: ColumnElement[Any] | None = None,
        agency_column: ColumnElement[Any] | None = None,
    ) -> ColumnElement[bool]:
        """Return the condition for a select.

        A reach limited to offices sees nothing in a table that has no office column, and the
        same for terminals; rows whose place is null are seen only without limits. With an agency
        column a row is seen only by what was granted for its agency.
        """
        if self.everything and agency_column is None:
            return true()
        conditions = []
        for reach in self.reaches:
            condition = _condition(reach, office_column, terminal_column)
            if agency_column is not None:
                condition = and_(condition, agency_column == reach.agency)
            conditions.append(condition)
        return or_(false(), *conditions)

    def covers(self, *, office: str | None, terminal: str | None) -> bool:
        """Whether a thing at this place may be seen; the same answer as ``where`` gives."""
        return any(
            (reach.offices is None or office in reach.offices)
            and (reach.terminals is None or terminal in reach.terminals)
            for reach in self.reaches
        )


def _condition(
    reach: Reach,
    office_column: ColumnElement[Any] | None,
    terminal_column: ColumnElement[Any] | None,
) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    for places, column in ((reach.offices, office_column), (reach.terminals, terminal_column)):
        if places is not None:
            parts.append(false() if column is None else column.in_(sorted(places)))
    return and_(true(), *parts)


def scope(actor: Actor, permission: Permission) -> Scope:
    """Return what the actor may see under a permission; without it, nothing.

    An actor is made anew at every boundary, with the reaches that stand then, so a scope needs
    no moment of its own.
    """
    if not actor.is_person and permission in PERSON_ONLY:
        return Scope(permission, ())
    return Scope(
        permission, tuple(reach for reach in actor.reaches if permission in reach.permissions)
    )


def unscoped(why: str) -> Callable[[F], F]:
    """Mark a store's read that serves no person directly, and say why it needs no scope.

    An architecture test refuses a read that has neither a scope nor this mark.
    """
    if len(why.split()) < 3:
        raise ValueError("say why this read needs no scope")

    def mark(function: F) -> F:
        return function

    return mark


def open_person_data(
    tx: Transaction,
    actor: Actor,
    subject_kind: str,
    subject_id: str,
    reason: str | None = None,
    *,
    via: Iterable[str] = (),
    purpose: Purpose | None = None,
    office: str | Unnamed | None = UNNAMED,
    terminal: str | Unnamed | None = UNNAMED,
) -> Purpose:
    """Let an actor see a person's data for a purpose, log it, and return the purpose.

    The purpose comes from the actor's task on the subject or on one of the things it belongs to
    (``via``: ids, such as the consignment). Without a task a reason in words is needed
    (``reason``, else the one the actor gave for this request); its purpose is the one given,
    else the one the actor's role serves. Raises ``Denied`` without the permission and
    ``PurposeNeeded`` without task or reason. Needs a writing transaction.

    The log is for supervision alone: who looked at what never becomes a feature of a model.
    """
    check(
        tx,
        actor,
        Permission.PERSON_DATA_READ,
        office=office,
        terminal=terminal,
        object_id=subject_id,
    )
    task = store.assignment_for(tx, actor.id, [subject_id, *via])
    stated = None if task else _stated(actor, reason, subject_id)
    wanted = task.purpose if task else purpose
    found = purpose_for(tx, actor, Permission.PERSON_DATA_READ, wanted, subject_id)
    _log_lookup(tx, actor, (subject_kind, subject_id), found, task, stated)
    return found


def purpose_for(
    tx: Transaction, actor: Actor, permission: Permission, stated: Purpose | None, object_id: str
) -> Purpose:
    """Return the purpose for which persons' data is opened: stated, of the request, of the role.

    Raises ``PurposeNeeded`` without any, ``Denied`` when this node does not serve it.
    """
    found = stated or actor.purpose or _purpose_of_role(actor, permission)
    if found is None:
        raise PurposeNeeded("purpose_needed", "say for which purpose", object=object_id)
    if not store.purpose_active(tx, found):
        raise Denied(
            "purpose_not_in_use",
            "this node opens no person's data for that purpose",
            permission=permission.value,
            purpose=found.value,
            object=object_id,
            actor=actor.id,
            agency=actor.agency,
        )
    return found


def _log_lookup(
    tx: Transaction,
    actor: Actor,
    subject: tuple[str, str],
    purpose: Purpose,
    task: Assignment | None,
    stated: str | None,
) -> None:
    """Write down who opened what (kind and id) and why; the reason in words stays sealed."""
    kind, subject_id = subject
    lookup = new_id("lkp")
    store.insert_lookup(
        tx,
        {
            "id": lookup,
            "at": tx.now,
            "actor_id": actor.id,
            "agency_id": actor.agency,
            "subject_kind": kind,
            "subject_id": subject_id,
            "purpose": purpose.value,
            "assignment_id": task.id if task else None,
            "reason": tx.keys.seal_secret(stated.encode(), lookup) if stated else None,
        },
    )
    audit.record(
        tx,
        actor.id,
        "person_data.opened",
        kind,
        subject_id,
        agency=actor.agency,
        purpose=purpose.value,
        lookup=lookup,
        assigned=task is not None,
    )


def _stated(actor: Actor, reason: str | None, subject_id: str) -> str:
    words = " ".join((reason or actor.reason or "").split())
    if len(words) < REASON_MIN:
        raise PurposeNeeded(
            "reason_needed",
            f"this is not your task: say why, in at least {REASON_MIN} characters",
            object=subject_id,
        )
    if len(words) > REASON_MAX:
        raise Invalid("reason_too_long", f"at most {REASON_MAX} characters", field="reason")
    return words


def _purpose_of_role(actor: Actor, permission: Permission) -> Purpose | None:
    for reach in actor.reaches:
        if permission in reach.permissions and reach.purpose is not None:
            return reach.purpose
    return None
