"""Workers: prompt, tidy, and no job lost when one dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import SetClock, SystemClock
from isthmus.platform import audit, jobs, upkeep
from isthmus.platform.database import Database
from isthmus.platform.jobs import Job
from isthmus.platform.keys import KeyRing
from isthmus.platform.settings import NodeFolder
from isthmus.platform.telemetry import Metrics
from isthmus.platform.worker import Periodic, Worker


@pytest.fixture
def live(database: Database) -> Database:
    """A database on the machine's clock, for threads that really wait."""
    database.clock = SystemClock()
    database.metrics = Metrics()
    return database


def _until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_a_commit_wakes_the_worker_at_once(live: Database) -> None:
    ran: list[float] = []
    worker = Worker(live, {"score": lambda job: ran.append(time.monotonic())}, threads=2)
    worker.start()
    try:
        time.sleep(0.2)
        waits = []
        for turn in range(5):
            began = time.monotonic()
            live.write(lambda tx: jobs.enqueue(tx, "score"))
            _until(lambda turn=turn: len(ran) > turn)
            waits.append(ran[-1] - began)
    finally:
        assert worker.stop(5)
    assert sorted(waits)[2] < 0.5  # the poll alone would take up to a second
    assert (
        live.metrics.registry.get_sample_value(
            "isthmus_jobs_total", {"kind": "score", "outcome": "done"}
        )
        == 5
    )


def test_two_jobs_of_one_commit_run_at_the_same_time(live: Database) -> None:
    together = threading.Barrier(2)
    worker = Worker(live, {"score": lambda job: together.wait(20) and None}, threads=2)
    worker.start()
    try:
        live.write(lambda tx: [jobs.enqueue(tx, "score") for _ in range(2)])
        _until(lambda: live.read(jobs.counts) == {"queued": 0, "running": 0, "dead": 0})
    finally:
        assert worker.stop(5)


def test_a_failing_handler_fails_its_job_only_and_tells_no_values(
    live: Database, clock: SetClock
) -> None:
    def handle(job: Job) -> None:
        if job.payload["n"] == 1:
            raise Invalid("value_impossible", "Jane Example is no weight", value="Jane Example")

    live.clock = clock
    worker = Worker(live, {"score": handle}, threads=1)
    for number in range(3):
        live.write(lambda tx, n=number: jobs.enqueue(tx, "score", {"n": n}))
    assert worker.run_due() == 3
    assert live.read(jobs.counts) == {"queued": 1, "running": 0, "dead": 0}
    for _ in range(12):
        clock.advance(timedelta(minutes=3))
        worker.run_due()
    (letter,) = live.read(jobs.dead)
    assert letter["error"].startswith("Invalid value_impossible at ")
    assert "Jane" not in letter["error"]


def test_stopping_waits_for_what_runs_and_takes_no_more(live: Database) -> None:
    begun, ended = threading.Event(), []

    def handle(job: Job) -> None:
        begun.set()
        time.sleep(0.3)
        ended.append(job.id)

    worker = Worker(live, {"score": handle}, threads=1)
    for _ in range(3):
        live.write(lambda tx: jobs.enqueue(tx, "score"))
    worker.start()
    assert begun.wait(10)
    began = time.monotonic()
    assert worker.stop(10)
    assert time.monotonic() - began < 5
    assert len(ended) == 1
    assert live.read(jobs.counts) == {"queued": 2, "running": 0, "dead": 0}
    assert live.wakers == []


def test_an_idle_worker_stops_promptly(live: Database) -> None:
    worker = Worker(live, {"score": print}, threads=4)
    worker.start()
    time.sleep(0.1)
    began = time.monotonic()
    assert worker.stop(5)
    assert time.monotonic() - began < 1.0


def test_the_lease_of_a_long_job_is_renewed(
    live: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=0.6))
    monkeypatch.setattr("isthmus.platform.worker.HEARTBEAT", 0.1)
    ran: list[int] = []

    def handle(job: Job) -> None:
        ran.append(job.attempts)
        time.sleep(1.5)

    worker = Worker(live, {"score": handle}, threads=3)
    live.write(lambda tx: jobs.enqueue(tx, "score"))
    worker.start()
    _until(lambda: bool(ran))
    _until(lambda: live.read(jobs.counts)["running"] == 0)
    assert worker.stop(5)
    assert ran == [1]


def test_periodic_work_is_asked_for_when_due_and_needed(live: Database, clock: SetClock) -> None:
    live.clock = clock
    wanted = [False]
    ran: list[str] = []
    worker = Worker(
        live,
        {"seal": lambda job: ran.append("seal"), "sweep": lambda job: ran.append("sweep")},
        periodic=(
            Periodic("seal", timedelta(seconds=1), lambda tx: wanted[0]),
            Periodic("sweep", timedelta(hours=1)),
        ),
    )
    assert (worker.ask_periodic(), worker.run_due()) == (1, 1)
    wanted[0] = True
    clock.advance(timedelta(seconds=2))
    assert (worker.ask_periodic(), worker.ask_periodic()) == (1, 0)
    clock.advance(timedelta(seconds=2))
    assert worker.ask_periodic() == 1
    assert worker.run_due() == 1  # asked for twice, run once
    assert ran == ["sweep", "seal"]


def test_upkeep_seals_the_audit_and_notes_its_head(
    live: Database, clock: SetClock, tmp_path: Path
) -> None:
    live.clock = clock
    folder = NodeFolder(tmp_path)
    worker = Worker(live, upkeep.handlers(live, folder), periodic=upkeep.PERIODIC)
    live.write(lambda tx: audit.record(tx, "node", "a", "b", "c"))
    worker.ask_periodic()
    worker.run_due()
    assert folder.audit_head.exists()
    assert live.read(lambda tx: list(audit.verify(tx, folder.audit_head))) == []
    clock.advance(timedelta(seconds=5))
    worker.ask_periodic()
    assert live.read(jobs.counts)["queued"] == 0  # an idle node asks for nothing


_DOOMED = """
import sys, time
from pathlib import Path
from isthmus.kernel.time import SystemClock
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing
from isthmus.platform.worker import Worker
def handle(job):
    print(job.id, flush=True)
    time.sleep(600)
database = Database(sys.argv[1], SystemClock(), KeyRing.load(Path(sys.argv[2])))
worker = Worker(database, {"score": handle}, threads=1)
worker.start()
time.sleep(600)
"""


def test_jobs_of_a_killed_worker_run_again_once_their_lease_is_out(
    live: Database, keys: KeyRing, tmp_path: Path
) -> None:
    keys.save(tmp_path / "node.key")
    live.write(lambda tx: jobs.enqueue(tx, "score", {"n": 0}))
    url = live.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-c", _DOOMED, url, str(tmp_path / "node.key")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    taken = process.stdout.readline().strip()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    ran: list[Job] = []
    clock = SetClock(SystemClock().now())
    live.clock = clock
    worker = Worker(live, {"score": ran.append})
    assert worker.run_due() == 0  # the dead worker's lease still holds
    clock.advance(jobs.LEASE + timedelta(seconds=5))
    assert worker.run_due() == 1
    assert [(job.id, job.attempts) for job in ran] == [(taken, 2)]
