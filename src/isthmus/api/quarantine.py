"""What could not be read: where, why, and trying again after a fix."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, At, IdPath, Limit, Listed, page
from isthmus.cargo import service

router = APIRouter(prefix="/api/quarantine", tags=["quarantine"])
Reader = Annotated[Actor, Depends(allowed(Permission.QUARANTINE_READ))]
Retrier = Annotated[Actor, Depends(allowed(Permission.QUARANTINE_RETRY))]


class QuarantineState(StrEnum):
    """Where an entry stands."""

    OPEN = "open"
    RESOLVED = "resolved"
    ABANDONED = "abandoned"


class SetApart(Answer):
    """A part of a document that could not become a record."""

    id: str
    document_id: str
    ordinal: int = Field(description="in the document; 0: the document as a whole")
    position: str = Field(description="row, line or segment", examples=["row 17"])
    reason: str = Field(description="code list `quarantine_reasons`")
    message: str
    field: str | None
    value: str | None
    state: QuarantineState
    at: At
    settled_at: At | None


class Retried(Answer):
    """What reading it again came to."""

    received: int
    accepted: int
    parked: int
    duplicates: int
    new_versions: int


@router.get("", responses=answers())
def list_quarantine(
    node: NodeServed,
    actor: Reader,
    state: QuarantineState = QuarantineState.OPEN,
    limit: Limit = 100,
) -> Listed[SetApart]:
    """Return what was set apart, newest first."""
    rows = node.database.read(lambda tx: service.in_quarantine(tx, actor, state, limit + 1))
    return page([SetApart.model_validate(dict(row)) for row in rows], limit)


@router.post("/{document_id}/retry", responses=answers(404, 409, 410))
def retry_quarantine(node: NodeServed, actor: Retrier, document_id: IdPath) -> Retried:
    """Read again what of a document stands in quarantine, after a fix of reader or mapping."""
    return Retried.model_validate(node.receiver.retry(actor, document_id))
