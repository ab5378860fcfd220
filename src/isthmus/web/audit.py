"""Supervision: the audit, and who opened whose data for which purpose."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from isthmus.access import lookups as access_lookups
from isthmus.access import store as people
from isthmus.access import trail
from isthmus.access.model import Permission
from isthmus.platform.transaction import Transaction
from isthmus.web.page import page
from isthmus.web.visitor import Visitor, may

router = APIRouter()

PAGE = 100
Seen = Annotated[Visitor, Depends(may(Permission.AUDIT_READ))]
Supervising = Annotated[Visitor, Depends(may(Permission.LOOKUP_READ))]
Short = Annotated[str, Query(max_length=200)]


@router.get("/audit")
def desk(
    request: Request,
    visitor: Seen,
    by: Short = "",
    object_id: Annotated[str, Query(alias="object", max_length=200)] = "",
    action: Short = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Show the audit, newest first."""

    def read(tx: Transaction) -> dict[str, Any]:
        rows = trail.entries(
            tx,
            visitor.actor,
            by=by or None,
            object_id=object_id or None,
            action=action or None,
            before=before,
            limit=PAGE + 1,
        )
        return {"rows": rows[:PAGE], "more": len(rows) > PAGE, "names": _names(tx)}

    found = visitor.node.database.read(read)
    return page(request, visitor, "audit.html", by=by, object_id=object_id, action=action, **found)


@router.get("/audit/lookups")
def lookups(
    request: Request, visitor: Supervising, subject: Short = "", by: Short = ""
) -> Response:
    """Show who opened data of persons; that this was read is written down too."""

    def read(tx: Transaction) -> dict[str, Any]:
        rows = access_lookups.lookups(tx, visitor.actor, subject_id=subject or None, by=by or None)
        return {"rows": rows, "names": _names(tx)}

    found = visitor.node.database.write(read)
    return page(request, visitor, "lookups.html", subject=subject, by=by, **found)


def _names(tx: Transaction) -> dict[str, str]:
    return {one.id: one.name or "–" for one in people.people(tx)}
