"""Jobs: work that must happen after a commit, kept in a table until it has.

A job is leased, run, and finished or failed. A failed one waits longer each time and after its
last try becomes a dead letter, which a person can see and retry. A job with a key stands once in
the queue however often it is asked for, until it starts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Index, Integer, Table, Text, select, update

from isthmus.kernel.errors import Conflict
from isthmus.kernel.ids import new_id
from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import metadata
from isthmus.platform.transaction import Transaction

job_table = Table(
    "job",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text),
    Column("payload", Json, nullable=False),
    Column("state", Text, nullable=False),  # queued, running, done, dead
    Column("run_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("leased_by", Text),
    Column("leased_until", Instant),
    Column("error", Text),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index("ix_job_state_run_at", "state", "run_at"),
)
Index(
    "uq_job_kind_key_queued",
    job_table.c.kind,
    job_table.c.key,
    unique=True,
    sqlite_where=job_table.c.state == "queued",
    postgresql_where=job_table.c.state == "queued",
)

LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Job:
    """A leased piece of work."""

    id: str
    kind: str
    payload: dict[str, Any]
    attempts: int


def enqueue(
    tx: Transaction,
    kind: str,
    payload: dict[str, Any] | None = None,
    *,
    key: str | None = None,
    run_at: datetime | None = None,
) -> bool:
    """Ask for work in this transaction; say whether it is new (a keyed job stands once)."""
    return tx.insert_new(
        job_table,
        {
            "id": new_id("job"),
            "kind": kind,
            "key": key,
            "payload": payload or {},
            "state": "queued",
            "run_at": run_at or tx.now,
            "attempts": 0,
            "created_at": tx.now,
        },
    )


def lease(tx: Transaction, worker: str, kinds: list[str]) -> Job | None:
    """Take the oldest job that is due, or whose lease ran out, for this worker."""
    jobs = job_table.c
    due = ((jobs.state == "queued") & (jobs.run_at <= tx.now)) | (
        (jobs.state == "running") & (jobs.leased_until < tx.now)
    )
    oldest = (
        select(job_table).where(due, jobs.kind.in_(kinds)).order_by(jobs.run_at, jobs.id).limit(1)
    )
    if not tx.is_sqlite:
        oldest = oldest.with_for_update(skip_locked=True)
    row = tx.execute(oldest).mappings().first()
    if row is None:
        return None
    tx.execute(
        update(job_table)
        .where(jobs.id == row["id"])
        .values(
            state="running",
            leased_by=worker,
            leased_until=tx.now + LEASE,
            attempts=row["attempts"] + 1,
        )
    )
    return Job(row["id"], row["kind"], row["payload"], row["attempts"] + 1)


def renew(tx: Transaction, job: Job, worker: str) -> bool:
    """Lengthen the lease of a long job; false when another worker has taken it over."""
    outcome = tx.execute(
        update(job_table)
        .where(job_table.c.id == job.id, job_table.c.leased_by == worker)
        .values(leased_until=tx.now + LEASE)
    )
    return outcome.rowcount == 1


def finish(tx: Transaction, job: Job, worker: str) -> None:
    """Mark a job done, unless another worker has taken it over meanwhile."""
    tx.execute(
        update(job_table)
        .where(job_table.c.id == job.id, job_table.c.leased_by == worker)
        .values(state="done", finished_at=tx.now, leased_until=None, error=None)
    )


def fail(tx: Transaction, job: Job, worker: str, error: str) -> bool:
    """Put a failed job back with a longer wait, or among the dead; say whether it is dead.

    A keyed job whose like was asked for again meanwhile is closed: the newer one does the work.
    """
    jobs = job_table.c
    row = tx.execute(select(job_table).where(jobs.id == job.id)).mappings().one()
    mine = update(job_table).where(jobs.id == job.id, jobs.leased_by == worker)
    if job.attempts >= MAX_ATTEMPTS:
        tx.execute(mine.values(state="dead", finished_at=tx.now, error=error, leased_until=None))
        return True
    twin = select(jobs.id).where(
        jobs.kind == job.kind, jobs.key == row["key"], jobs.state == "queued"
    )
    if row["key"] is not None and tx.execute(twin).first() is not None:
        tx.execute(mine.values(state="done", finished_at=tx.now, error=error, leased_until=None))
        return False
    wait = FIRST_WAIT * 2 ** (job.attempts - 1)
    tx.execute(mine.values(state="queued", run_at=tx.now + wait, error=error, leased_until=None))
    return False


def dead(tx: Transaction, limit: int = 200) -> list[dict[str, Any]]:
    """Return the dead letters, newest first."""
    jobs = job_table.c
    rows = tx.execute(
        select(job_table).where(jobs.state == "dead").order_by(jobs.finished_at.desc()).limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


def retry(tx: Transaction, job_id: str) -> None:
    """Put a dead letter back into the queue; raises ``Conflict`` when it is not dead."""
    jobs = job_table.c
    outcome = tx.execute(
        update(job_table)
        .where(jobs.id == job_id, jobs.state == "dead")
        .values(state="queued", attempts=0, run_at=tx.now, finished_at=None)
    )
    if outcome.rowcount != 1:
        raise Conflict("job_not_dead", "only a dead letter can be retried", job=job_id)
