"""The audit and the log of look-ups, for supervision."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from isthmus.access import lookups, trail
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import LINE, Answer, At, CodeQuery, Limit, Listed, Moment, page

router = APIRouter(prefix="/api", tags=["supervision"])
Auditor = Annotated[Actor, Depends(allowed(Permission.AUDIT_READ))]
Supervisor = Annotated[Actor, Depends(allowed(Permission.LOOKUP_READ))]
ObjectQuery = Annotated[str | None, Query(min_length=1, max_length=200, pattern=LINE)]


class AuditEntry(Answer):
    """Who did what to which thing, when, and for which purpose."""

    seq: int
    id: str
    at: At
    actor: str
    agency: str | None
    action: str
    object_kind: str
    object_id: str
    purpose: str | None
    detail: dict[str, Any]


class Lookup(Answer):
    """One opening of a person's data."""

    id: str
    at: At
    actor_id: str
    agency: str
    subject_kind: str
    subject_id: str
    purpose: Purpose
    assignment_id: str | None
    reason: str | None = Field(description="null with a task, and once erased")


@router.get("/audit", responses=answers())
def read_audit(
    node: NodeServed,
    actor: Auditor,
    by: CodeQuery = None,
    object_id: ObjectQuery = None,
    action: CodeQuery = None,
    before: Annotated[int | None, Query(ge=1, le=(1 << 53) - 1)] = None,
    limit: Limit = 100,
) -> Listed[AuditEntry]:
    """Return audit entries, newest first."""
    rows = node.database.read(
        lambda tx: trail.entries(
            tx,
            actor,
            by=by,
            object_id=object_id,
            action=action,
            before=before,
            limit=limit + 1,
        )
    )
    return page([AuditEntry.model_validate(dict(row)) for row in rows], limit)


@router.get("/lookups", responses=answers())
def read_lookups(
    node: NodeServed,
    actor: Supervisor,
    by: CodeQuery = None,
    subject_id: ObjectQuery = None,
    before: Annotated[Moment | None, Query()] = None,
    limit: Limit = 100,
) -> Listed[Lookup]:
    """Return who opened whose data, why; the reading is itself audited."""
    found = node.database.write(
        lambda tx: lookups.lookups(
            tx, actor, by=by, subject_id=subject_id, before=before, limit=limit + 1
        )
    )
    return page([Lookup.model_validate(one) for one in found], limit)
