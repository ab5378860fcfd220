"""The desk of what could not be read: where, why, and what waits for another document."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.cargo import readings, service
from isthmus.kernel.errors import Conflict, NotFound
from isthmus.platform.transaction import Transaction
from isthmus.web import store
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

MOST = 200
Seen = Annotated[Visitor, Depends(may(Permission.QUARANTINE_READ))]
Retrying = Annotated[Visitor, Depends(may(Permission.QUARANTINE_RETRY))]


@router.get("/quarantine")
def desk(request: Request, visitor: Seen) -> Response:
    """Show what was set apart, what waits, and how far documents have been read."""

    def read(tx: Transaction) -> dict[str, Any]:
        seen = scope(visitor.actor, Permission.QUARANTINE_READ)
        documents = scope(visitor.actor, Permission.DOCUMENT_READ)
        return {
            "entries": service.in_quarantine(tx, visitor.actor, "open", MOST),
            "count": store.count_quarantine(tx, seen),
            "waiting": store.waiting(tx, seen, MOST),
            "documents": readings.documents(tx, documents, 50),
        }

    found = visitor.node.database.read(read)
    sources = {row["document_id"]: row["source"] for row in found["documents"]}
    return page(request, visitor, "quarantine.html", sources=sources, most=MOST, **found)


@router.post("/quarantine/{document_id}/retry")
def retry(visitor: Retrying, document_id: str, _form: Typed) -> Response:
    """Read a document's quarantined parts again."""
    try:
        tally = visitor.node.receiver.retry(visitor.actor, document_id)
    except (Conflict, NotFound) as error:
        return back("/quarantine", problem=error.code)
    return back("/quarantine", done="retry" if tally.received else "retry_nothing")
