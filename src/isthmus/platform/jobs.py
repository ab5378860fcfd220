"""Jobs: work that must happen after a commit, kept in a table until it has.

A job is leased, run, and finished or failed. A failed one waits longer each time and after its
last try becomes a dead letter, which a person can see and retry; so does one whose worker dies
each time. A job with a key is run once however often it was asked for before it starts, and never
twice at the same time.

Every job runs at least once after the commit that asked for it, so a handler sees what that
commit wrote. SQLite has one writer and simply enters a keyed job once. On PostgreSQL the one that
stands may be starting just before our commit, which its run would not see; so there each asking
enters a row, and the lease that runs one of them removes the others.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    Table,
    Text,
    and_,
    delete,
    func,
    select,
    update,
)

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
    "ix_job_kind_key_open",
    job_table.c.kind,
    job_table.c.key,
    sqlite_where=job_table.c.state.in_(("queued", "running")),
    postgresql_where=job_table.c.state.in_(("queued", "running")),
)

LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Job:
    """A leased piece of work."""

    id: str
    kind: str
    key: str | None
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
    """Ask for work in this transaction; false when a like one with this key waits already.

    One that waits for a later moment than ``run_at``, and has not failed, is brought forward.
    """
    jobs, due = job_table.c, run_at or tx.now
    if key is not None and tx.is_sqlite:
        twin = (jobs.kind == kind) & (jobs.key == key) & (jobs.state == "queued")
        row = tx.execute(select(jobs.id, jobs.run_at, jobs.attempts).where(twin)).first()
        if row is not None:
            if row.run_at > due and row.attempts == 0:
                tx.execute(update(job_table).where(jobs.id == row.id).values(run_at=due))
            return False
    tx.insert(
        job_table,
        [
            {
                "id": new_id("job"),
                "kind": kind,
                "key": key,
                "payload": payload or {},
                "state": "queued",
                "run_at": due,
                "attempts": 0,
                "created_at": tx.now,
            }
        ],
    )
    tx.after_commit(tx.wake)
    return True


def lease(tx: Transaction, worker: str, kinds: list[str]) -> Job | None:
    """Take the oldest job that is due, or whose lease ran out, for this worker."""
    jobs, twin = job_table.c, job_table.alias("twin").c
    tx.lock(["job-lease"])  # leases are short, and a keyed job must not start twice
    _bury(tx)
    due = ((jobs.state == "queued") & (jobs.run_at <= tx.now)) | (
        (jobs.state == "running") & (jobs.leased_until < tx.now)
    )
    free = ~(
        select(twin.id)
        .where(
            twin.kind == jobs.kind,
            twin.key == jobs.key,
            twin.state == "running",
            twin.leased_until >= tx.now,
        )
        .exists()
    )
    oldest = (
        select(job_table)
        .where(due, free, jobs.kind.in_(kinds))
        .order_by(jobs.run_at, jobs.id)
        .limit(1)
        .with_for_update(of=job_table)
    )
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
    if row["key"] is not None:
        tx.execute(
            delete(job_table).where(
                jobs.kind == row["kind"],
                jobs.key == row["key"],
                jobs.state == "queued",
                jobs.run_at <= tx.now,
            )
        )
    return Job(row["id"], row["kind"], row["key"], row["payload"], row["attempts"] + 1)


def _bury(tx: Transaction) -> None:
    """Make dead letters of jobs that took their worker down with them each time they ran."""
    jobs = job_table.c
    tx.execute(
        update(job_table)
        .where(
            jobs.state == "running",
            jobs.leased_until < tx.now,
            jobs.attempts >= MAX_ATTEMPTS,
        )
        .values(
            state="dead",
            finished_at=tx.now,
            leased_until=None,
            error="its worker stopped each time while running it",
        )
    )


def _mine(job: Job, worker: str) -> ColumnElement[bool]:
    """The job as it was leased: the same worker may have lost and taken it again meanwhile."""
    jobs = job_table.c
    return and_(
        jobs.id == job.id,
        jobs.state == "running",
        jobs.leased_by == worker,
        jobs.attempts == job.attempts,
    )


def renew(tx: Transaction, job: Job, worker: str) -> bool:
    """Lengthen the lease of a long job; false when another worker has taken it over."""
    mine = update(job_table).where(_mine(job, worker))
    return tx.execute(mine.values(leased_until=tx.now + LEASE)).rowcount == 1


def finish(tx: Transaction, job: Job, worker: str) -> bool:
    """Mark a job done; false when another worker has taken it over meanwhile."""
    mine = update(job_table).where(_mine(job, worker))
    done = mine.values(state="done", finished_at=tx.now, leased_until=None, error=None)
    return tx.execute(done).rowcount == 1


def fail(tx: Transaction, job: Job, worker: str, error: str) -> bool:
    """Put a failed job back with a longer wait, or among the dead; say whether it is dead.

    ``error`` is shown to people who may not see what the job was about: codes, no values.
    """
    mine = update(job_table).where(_mine(job, worker))
    if job.attempts >= MAX_ATTEMPTS:
        last = mine.values(state="dead", finished_at=tx.now, error=error, leased_until=None)
        return tx.execute(last).rowcount == 1
    wait = FIRST_WAIT * 2 ** (job.attempts - 1)
    tx.execute(mine.values(state="queued", run_at=tx.now + wait, error=error, leased_until=None))
    return False


def counts(tx: Transaction) -> dict[str, int]:
    """Return how many jobs wait, run and are dead letters, by state."""
    jobs = job_table.c
    states = ("queued", "running", "dead")
    rows = tx.execute(
        select(jobs.state, func.count().label("number"))
        .where(jobs.state.in_(states))
        .group_by(jobs.state)
    )
    found = {row.state: row.number for row in rows}
    return {state: found.get(state, 0) for state in states}


def next_due(tx: Transaction, kinds: list[str]) -> datetime | None:
    """Return the moment at which the next job of these kinds is due, or its lease runs out."""
    jobs = job_table.c
    queued = select(func.min(jobs.run_at)).where(jobs.state == "queued", jobs.kind.in_(kinds))
    leased = select(func.min(jobs.leased_until)).where(
        jobs.state == "running", jobs.kind.in_(kinds)
    )
    moments: list[datetime | None] = [tx.execute(query).scalar() for query in (queued, leased)]
    return min((moment for moment in moments if moment is not None), default=None)


def clear(tx: Transaction, older_than: datetime) -> int:
    """Remove jobs that were done before that moment; dead letters stay until somebody looks."""
    jobs = job_table.c
    return tx.execute(
        delete(job_table).where(jobs.state == "done", jobs.finished_at < older_than)
    ).rowcount


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
