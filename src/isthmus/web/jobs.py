"""Work of the node that failed for good: seen by a person, and tried again."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from isthmus.access.gate import check
from isthmus.access.model import Permission
from isthmus.kernel.errors import Conflict
from isthmus.platform import audit, jobs
from isthmus.platform.transaction import Transaction
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

Seen = Annotated[Visitor, Depends(may(Permission.JOB_READ))]
Retrying = Annotated[Visitor, Depends(may(Permission.JOB_RETRY))]


@router.get("/jobs")
def desk(request: Request, visitor: Seen) -> Response:
    """Show how much waits and runs, and the dead letters."""

    def read(tx: Transaction) -> dict[str, Any]:
        check(tx, visitor.actor, Permission.JOB_READ)
        return {"counts": jobs.counts(tx), "dead": jobs.dead(tx)}

    return page(request, visitor, "jobs.html", **visitor.node.database.read(read))


@router.post("/jobs/{job_id}/retry")
def retry(visitor: Retrying, job_id: str, _form: Typed) -> Response:
    """Put a dead letter back into the queue."""
    actor = visitor.actor

    def work(tx: Transaction) -> None:
        check(tx, actor, Permission.JOB_RETRY, object_id=job_id)
        jobs.retry(tx, job_id)
        audit.record(tx, actor.id, "job.retry", "job", job_id, agency=actor.agency)
        tx.after_commit(tx.wake)

    try:
        visitor.node.database.write(work)
    except Conflict as error:
        return back("/jobs", problem=error.code)
    return back("/jobs", done="job_retry")
