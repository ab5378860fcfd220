"""Jobs: at least once after the commit that asked, keyed ones once, none lost."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from isthmus.kernel.errors import Conflict
from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform import jobs
from isthmus.platform.database import Database
from isthmus.platform.jobs import Job, job_table
from isthmus.platform.keys import KeyRing

KINDS = ["score", "seal"]


def _lease(database: Database, worker: str = "w") -> Job | None:
    return database.write(lambda tx: jobs.lease(tx, worker, KINDS))


def _states(database: Database) -> list[str]:
    return database.read(lambda tx: sorted(tx.execute(select(job_table.c.state)).scalars()))


def test_a_job_is_leased_once_and_finished(database: Database) -> None:
    database.write(lambda tx: jobs.enqueue(tx, "score", {"unit": "u1"}))
    job = _lease(database)
    assert job is not None
    assert (job.kind, job.payload, job.attempts) == ("score", {"unit": "u1"}, 1)
    assert _lease(database, "other") is None
    assert database.write(lambda tx: jobs.finish(tx, job, "w"))
    assert _states(database) == ["done"]


def test_eight_workers_never_share_a_job(database: Database) -> None:
    for number in range(60):
        database.write(lambda tx, n=number: jobs.enqueue(tx, "score", {"n": n}))

    def drain(worker: int) -> list[str]:
        taken = []
        while job := _lease(database, f"w{worker}"):
            taken.append(job.id)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = list(itertools.chain(*pool.map(drain, range(8))))
    assert len(taken) == len(set(taken)) == 60


def test_a_keyed_job_runs_once_however_often_it_was_asked_for(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda n: database.write(lambda tx: jobs.enqueue(tx, "seal", key="k")), range(24)
            )
        )
    job = _lease(database)
    assert job is not None
    assert _lease(database) is None
    database.write(lambda tx: jobs.finish(tx, job, "w"))
    assert _lease(database) is None


def test_a_keyed_job_asked_for_while_it_runs_waits_and_runs_again(
    database: Database, clock: SetClock
) -> None:
    database.write(lambda tx: jobs.enqueue(tx, "seal", key="k"))
    job = _lease(database)
    assert job is not None
    assert database.write(lambda tx: jobs.enqueue(tx, "seal", key="k")) is True
    assert _lease(database, "other") is None  # never twice at the same time
    due = database.read(lambda tx: jobs.next_due(tx, KINDS))
    assert due == clock.now() + jobs.LEASE  # nobody need look again before the first has ended
    database.write(lambda tx: jobs.finish(tx, job, "w"))
    assert database.read(lambda tx: jobs.next_due(tx, KINDS)) == clock.now()
    assert _lease(database, "other") is not None


def test_a_commit_that_overlaps_the_start_of_its_job_is_not_missed(
    database: Database,
) -> None:
    """The job that waits may start before our commit: its run would not see our change."""
    if database.is_sqlite:
        pytest.skip("SQLite has one writer: nothing overlaps there")
    database.write(lambda tx: jobs.enqueue(tx, "seal", key="k"))
    with database.migrator().begin() as connection:
        overlapping = database._transaction(connection)
        jobs.enqueue(overlapping, "seal", key="k")
        first = _lease(database)
        assert first is not None
        database.write(lambda tx: jobs.finish(tx, first, "w"))
    assert _lease(database) is not None


def test_a_job_asked_for_later_is_brought_forward(database: Database, clock: SetClock) -> None:
    later = clock.now() + timedelta(hours=1)
    database.write(lambda tx: jobs.enqueue(tx, "seal", key="k", run_at=later))
    assert _lease(database) is None
    database.write(lambda tx: jobs.enqueue(tx, "seal", key="k"))
    assert _lease(database) is not None


def test_a_failed_job_waits_longer_each_time_and_then_is_dead(
    database: Database, clock: SetClock
) -> None:
    database.write(lambda tx: jobs.enqueue(tx, "score"))
    waits = []
    while True:
        waited = 0
        while (job := _lease(database)) is None:
            clock.advance(timedelta(seconds=1))
            waited += 1
        waits.append(waited)
        if database.write(lambda tx, j=job: jobs.fail(tx, j, "w", "Boom")):
            break
    assert waits == [0, 1, 2, 4, 8, 16, 32, 64]
    (letter,) = database.read(jobs.dead)
    assert letter["error"] == "Boom"
    assert database.read(jobs.counts) == {"queued": 0, "running": 0, "dead": 1}
    database.write(lambda tx: jobs.retry(tx, letter["id"]))
    assert _lease(database) is not None
    with pytest.raises(Conflict):
        database.write(lambda tx: jobs.retry(tx, letter["id"]))


def test_a_dead_keyed_letter_can_be_retried_beside_its_twin(database: Database) -> None:
    database.write(lambda tx: jobs.enqueue(tx, "seal", key="k"))
    database.write(lambda tx: tx.execute(update(job_table).values(state="dead")))
    database.write(lambda tx: jobs.enqueue(tx, "seal", key="k"))
    (letter,) = database.read(jobs.dead)
    database.write(lambda tx: jobs.retry(tx, letter["id"]))
    assert _lease(database) is not None
    assert _lease(database) is None


def test_a_job_that_kills_its_worker_each_time_becomes_a_dead_letter(
    database: Database, clock: SetClock
) -> None:
    database.write(lambda tx: jobs.enqueue(tx, "score"))
    for _ in range(jobs.MAX_ATTEMPTS):
        assert _lease(database) is not None
        clock.advance(jobs.LEASE + timedelta(seconds=1))
    assert _lease(database) is None
    assert len(database.read(jobs.dead)) == 1


def test_a_worker_that_lost_its_lease_changes_nothing(database: Database, clock: SetClock) -> None:
    database.write(lambda tx: jobs.enqueue(tx, "score"))
    first = _lease(database, "slow")
    assert first is not None
    assert database.write(lambda tx: jobs.renew(tx, first, "slow"))
    clock.advance(jobs.LEASE + timedelta(seconds=1))
    second = _lease(database, "slow")  # the same worker may take it again
    assert second is not None
    assert second.id == first.id
    assert not database.write(lambda tx: jobs.renew(tx, first, "slow"))
    assert not database.write(lambda tx: jobs.finish(tx, first, "slow"))
    assert not database.write(lambda tx: jobs.fail(tx, first, "slow", "late"))
    assert _states(database) == ["running"]
    assert database.write(lambda tx: jobs.finish(tx, second, "slow"))


def test_finished_jobs_are_forgotten_and_dead_letters_are_not(
    database: Database, clock: SetClock
) -> None:
    for state in ("done", "dead", "queued"):
        database.write(lambda tx: jobs.enqueue(tx, "score"))
        database.write(
            lambda tx, s=state: tx.execute(
                update(job_table)
                .where(job_table.c.state == "queued")
                .values(state=s, finished_at=tx.now)
            )
        )
    clock.advance(timedelta(days=8))
    assert database.write(lambda tx: jobs.clear(tx, tx.now - timedelta(days=7))) == 1
    assert _states(database) == ["dead", "queued"]


_ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(["a", "b", None])),
        st.tuples(st.just("lease"), st.sampled_from(["w1", "w2", "w3"])),
        st.tuples(st.just("finish"), st.sampled_from(["w1", "w2", "w3"])),
        st.tuples(st.just("fail"), st.sampled_from(["w1", "w2", "w3"])),
        st.tuples(st.just("wait"), st.integers(1, 200)),
    ),
    max_size=40,
)


@given(acts=_ACTS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_asking_is_followed_by_a_whole_run(
    acts: list[tuple[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever workers do, each asking is followed by a run that starts later and ends well."""
    clock = SetClock()
    path: Path = tmp_path_factory.mktemp("jobs") / "jobs.db"
    database = Database(f"sqlite:///{path}", clock, KeyRing.generate())
    tables.metadata.create_all(database.migrator())
    held: dict[str, tuple[Job, int]] = {}
    asked: list[tuple[str, int]] = []  # key, tick
    ended: list[tuple[str, int]] = []  # key, tick at which the run started
    tick = itertools.count()

    def name_of(job: Job) -> str:
        return job.key or str(job.payload["n"])

    def lease(worker: str) -> bool:
        job = database.write(lambda tx: jobs.lease(tx, worker, ["score"]))
        if job is None:
            return False
        if job.key is not None:
            alive = database.read(
                lambda tx: list(
                    tx.execute(
                        select(job_table.c.id).where(
                            job_table.c.key == job.key,
                            job_table.c.state == "running",
                            job_table.c.leased_until >= tx.now,
                        )
                    )
                )
            )
            assert len(alive) == 1
        held[worker] = (job, next(tick))
        return True

    def finish(worker: str) -> None:
        job, started = held.pop(worker)
        if database.write(lambda tx: jobs.finish(tx, job, worker)):
            ended.append((name_of(job), started))

    try:
        for act, what in acts:
            if act == "ask":
                number = next(tick)
                payload = {"n": number}
                database.write(lambda tx, k=what, p=payload: jobs.enqueue(tx, "score", p, key=k))
                asked.append((what or str(number), number))
            elif act == "wait":
                clock.advance(timedelta(seconds=what))
            elif act == "lease" and what not in held:
                lease(what)
            elif act == "finish" and what in held:
                finish(what)
            elif act == "fail" and what in held:
                job, _ = held.pop(what)
                database.write(lambda tx, j=job, w=what: jobs.fail(tx, j, w, "x"))
        held.clear()  # all workers die
        for _ in range(400):
            if not lease("last"):
                clock.advance(timedelta(seconds=60))
                if not database.read(jobs.counts)["queued"] + database.read(jobs.counts)["running"]:
                    break
                continue
            finish("last")
        dead = {letter["key"] or str(letter["payload"]["n"]) for letter in database.read(jobs.dead)}
        for key, when in asked:
            assert key in dead or any(k == key and started > when for k, started in ended)
    finally:
        database.close()
