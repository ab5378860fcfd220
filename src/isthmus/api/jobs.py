"""Jobs that failed for good: seen by a person, and tried again."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, At, Done, IdPath, Limit
from isthmus.platform import audit, jobs
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
Reader = Annotated[Actor, Depends(allowed(Permission.JOB_READ))]
Retrier = Annotated[Actor, Depends(allowed(Permission.JOB_RETRY))]


class DeadLetter(Answer):
    """A job that failed each time."""

    id: str
    kind: str
    key: str | None
    attempts: int
    error: str | None = Field(description="type, code and path through the program; no values")
    created_at: At
    finished_at: At | None


class JobsNow(Answer):
    """How many jobs wait and run, and those that died."""

    queued: int
    running: int
    dead: int
    dead_letters: list[DeadLetter] = Field(description="newest first")


@router.get("", responses=answers())
def read_jobs(node: NodeServed, actor: Reader, limit: Limit = 100) -> JobsNow:
    """Return the state of the queue and its dead letters."""

    def work(tx: Transaction) -> JobsNow:
        check(tx, actor, Permission.JOB_READ)
        letters = [DeadLetter.model_validate(row) for row in jobs.dead(tx, limit)]
        return JobsNow(**jobs.counts(tx), dead_letters=letters)

    return node.database.read(work)


@router.post("/{job_id}/retry", responses=answers(409))
def retry_job(node: NodeServed, actor: Retrier, job_id: IdPath) -> Done:
    """Put a dead letter back into the queue."""

    def work(tx: Transaction) -> None:
        check(tx, actor, Permission.JOB_RETRY, object_id=job_id)
        jobs.retry(tx, job_id)
        audit.record(tx, actor.id, "job.retry", "job", job_id, agency=actor.agency)
        tx.after_commit(tx.wake)

    node.database.write(work)
    return Done(id=job_id, state="queued")
