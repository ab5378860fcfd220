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
    BindParameter,
    Column,
    Index,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
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

_jobs, _twin = job_table.c, job_table.alias("twin").c
_now: BindParameter[datetime] = bindparam("now", type_=Instant)
_kinds: BindParameter[str] = bindparam("kinds", expanding=True)
# No other job of the same kind and key is running.
_FREE = ~(
    select(_twin.id)
    .where(
        _twin.kind == _jobs.kind,
        _twin.key == _jobs.key,
        _twin.state == "running",
        _twin.leased_until >= _now,
    )
    .exists()
)
# The same job as it was leased: its worker may have lost and taken it again meanwhile.
_MINE = and_(
    _jobs.id == bindparam("job"),
    _jobs.state == "running",
    _jobs.leased_by == bindparam("worker"),
    _jobs.attempts == bindparam("attempt"),
)

STOPPED = "its worker stopped each time while running it"

# Made once: making a statement costs more than running it.
_WAITING = select(_jobs.id, _jobs.run_at, _jobs.attempts).where(
    _jobs.kind == bindparam("kind_"), _jobs.key == bindparam("key_"), _jobs.state == "queued"
)
_BURY = (
    update(job_table)
    .where(_jobs.state == "running", _jobs.leased_until < _now, _jobs.attempts >= MAX_ATTEMPTS)
    .values(
        state="dead",
        finished_at=_now,
        leased_until=None,
        error=STOPPED,
    )
)
_OLDEST = (
    select(job_table)
    .where(
        ((_jobs.state == "queued") & (_jobs.run_at <= _now))
        | ((_jobs.state == "running") & (_jobs.leased_until < _now)),
        _FREE,
        _jobs.kind.in_(_kinds),
    )
    .order_by(_jobs.run_at, _jobs.id)
    .limit(1)
    .with_for_update(of=job_table)
)
_LEASE = (
    update(job_table)
    .where(_jobs.id == bindparam("job"))
    .values(
        state="running",
        leased_by=bindparam("worker"),
        leased_until=bindparam("until"),
        attempts=bindparam("attempt"),
    )
)
_DROP_LIKE = delete(job_table).where(
    _jobs.kind == bindparam("kind_"),
    _jobs.key == bindparam("key_"),
    _jobs.state == "queued",
    _jobs.run_at <= _now,
)
_RENEW = update(job_table).where(_MINE).values(leased_until=bindparam("until"))
_FINISH = (
    update(job_table)
    .where(_MINE)
    .values(state="done", finished_at=_now, leased_until=None, error=None)
)
_NEXT_DUE = select(
    select(func.min(_jobs.run_at))
    .where(_jobs.state == "queued", _jobs.kind.in_(_kinds), _FREE)
    .scalar_subquery()
    .label("queued"),
    select(func.min(_jobs.leased_until))
    .where(_jobs.state == "running", _jobs.kind.in_(_kinds))
    .scalar_subquery()
    .label("leased"),
)


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
        row = tx.execute(_WAITING, {"kind_": kind, "key_": key}).first()
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
    tx.lock(["job-lease"])  # leases are short, and a keyed job must not start twice
    # Dead letters are made of jobs that took their worker down with them each time they ran.
    tx.execute(_BURY, {"now": tx.now})
    row = tx.execute(_OLDEST, {"now": tx.now, "kinds": kinds}).mappings().first()
    if row is None:
        return None
    attempt = row["attempts"] + 1
    leased = {"job": row["id"], "worker": worker, "until": tx.now + LEASE, "attempt": attempt}
    tx.execute(_LEASE, leased)
    if row["key"] is not None:
        tx.execute(_DROP_LIKE, {"kind_": row["kind"], "key_": row["key"], "now": tx.now})
    return Job(row["id"], row["kind"], row["key"], row["payload"], attempt)


def _mine(job: Job, worker: str) -> dict[str, Any]:
    """The values of the condition ``_MINE``."""
    return {"job": job.id, "worker": worker, "attempt": job.attempts}


def renew(tx: Transaction, job: Job, worker: str) -> bool:
    """Lengthen the lease of a long job; false when another worker has taken it over."""
    return tx.execute(_RENEW, {"until": tx.now + LEASE, **_mine(job, worker)}).rowcount == 1


def finish(tx: Transaction, job: Job, worker: str) -> bool:
    """Mark a job done; false when another worker has taken it over meanwhile."""
    return tx.execute(_FINISH, {"now": tx.now, **_mine(job, worker)}).rowcount == 1


def fail(tx: Transaction, job: Job, worker: str, error: str) -> bool:
    """Put a failed job back with a longer wait, or among the dead; say whether it is dead.

    ``error`` is shown to people who may not see what the job was about: codes, no values.
    """
    mine = update(job_table).where(_MINE)
    if job.attempts >= MAX_ATTEMPTS:
        last = mine.values(state="dead", finished_at=tx.now, error=error, leased_until=None)
        return tx.execute(last, _mine(job, worker)).rowcount == 1
    wait = FIRST_WAIT * 2 ** (job.attempts - 1)
    again = mine.values(state="queued", run_at=tx.now + wait, error=error, leased_until=None)
    tx.execute(again, _mine(job, worker))
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
    """Return the moment at which the next job of these kinds is due, or its lease runs out.

    A job that waits for one like it to end is not due before that: whoever runs that one, or
    takes it over, looks again when it has ended.
    """
    moments = tx.execute(_NEXT_DUE, {"kinds": kinds, "now": tx.now}).one()
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
