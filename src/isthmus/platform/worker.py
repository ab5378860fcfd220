"""Workers: threads that lease jobs, run them, and see that none is lost.

A worker that dies leaves its leases behind; when they run out, another runs the jobs again. So a
handler must come to the same end when it is run twice.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.kernel.errors import IsthmusError
from isthmus.kernel.ids import new_id
from isthmus.kernel.time import Clock
from isthmus.platform import jobs, telemetry
from isthmus.platform.database import Database
from isthmus.platform.jobs import Job
from isthmus.platform.transaction import Transaction

Handler = Callable[[Job], None]

# Work that another process asked for is seen at the latest after this many seconds.
POLL = 1.0
# Leases are renewed well before they run out, so that a slow disk does not cost one.
HEARTBEAT = jobs.LEASE.total_seconds() / 4

_log = telemetry.log("worker")


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work asked for again and again; it stands once in the queue, however many nodes ask.

    ``needed`` looks first whether there is anything to do, so that an idle node writes nothing.
    """

    kind: str
    every: timedelta
    needed: Callable[[Transaction], bool] | None = None


class Worker:
    """Runs the jobs of the kinds it has handlers for, on threads of its own."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        threads: int = 2,
        clock: Clock | None = None,
        periodic: Sequence[Periodic] = (),
    ) -> None:
        self.database = database
        self.handlers = dict(handlers)
        self.clock = clock or database.clock
        self.periodic = tuple(periodic)
        self.stopping = threading.Event()  # a long handler may look at it and give up early
        self._names = [new_id("wrk") for _ in range(threads)]
        self._threads: list[threading.Thread] = []
        self._running: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._calls = 0
        self._last: dict[str, datetime] = {}

    def start(self) -> None:
        """Start the threads; each takes jobs until ``stop``."""
        self.database.wakers.append(self.wake)
        loops: list[tuple[Callable[..., None], tuple[str, ...]]] = [
            (self._work, (name,)) for name in self._names
        ]
        loops += [(self._beat, ()), (self._keep_time, ())]
        for loop, arguments in loops:
            thread = threading.Thread(target=loop, args=arguments, name=loop.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)

    def wake(self) -> None:
        """Have one thread look for work at once; called when a commit brought some."""
        with self._changed:
            self._calls += 1
            self._changed.notify()

    def stop(self, timeout: float = 30.0) -> bool:
        """Take no more jobs and wait for the running ones; false when one would not end in time.

        A job left behind is run again, by whoever leases it once its lease has run out.
        """
        self.stopping.set()
        with self._changed:
            self._calls += 1
            self._changed.notify_all()
        if self.wake in self.database.wakers:
            self.database.wakers.remove(self.wake)
        for thread in self._threads:
            thread.join(timeout)
        ended = not any(thread.is_alive() for thread in self._threads)
        self._threads.clear()
        return ended

    def run_due(self) -> int:
        """Run in this thread all jobs that are due now, those they bring too; return how many."""
        count = 0
        while self._run_one(self._names[0]):
            count += 1
        return count

    def _work(self, name: str) -> None:
        while not self.stopping.is_set():
            seen = self._calls
            try:
                if self._run_one(name):
                    continue
                wait = self._until_due()
            except IsthmusError as error:  # the database is away: keep trying
                _log.error("worker_waits", worker=name, exc_info=error)
                wait = POLL
            with self._changed:
                self._changed.wait_for(
                    lambda seen=seen: self._calls != seen,  # type: ignore[misc]
                    timeout=wait,
                )

    def _until_due(self) -> float:
        kinds = list(self.handlers)
        due = self.database.read(lambda tx: jobs.next_due(tx, kinds))
        if due is None:
            return POLL
        return min(POLL, max(0.01, (due - self.clock.now()).total_seconds()))

    def _run_one(self, name: str) -> bool:
        kinds = list(self.handlers)
        due = self.database.read(lambda tx: jobs.next_due(tx, kinds))
        if due is None or due > self.clock.now():
            return False
        job = self.database.write(lambda tx: jobs.lease(tx, name, kinds))
        if job is None:
            return False
        self.wake()  # a commit may bring more than one job: the next thread looks for the next
        self._running[name] = job
        try:
            self._run(name, job)
        finally:
            del self._running[name]
        return True

    def _run(self, name: str, job: Job) -> None:
        try:
            self.handlers[job.kind](job)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the job has failed
            told = telemetry.describe(error)
            dead = self.database.write(lambda tx: jobs.fail(tx, job, name, told))
            self.database.metrics.job(job.kind, "dead" if dead else "failed")
            _log.error(
                "job_failed",
                kind=job.kind,
                job=job.id,
                attempts=job.attempts,
                dead=dead,
                exc_info=error,
            )
            return
        finished = self.database.write(lambda tx: jobs.finish(tx, job, name))
        self.database.metrics.job(job.kind, "done" if finished else "taken_over")

    def _beat(self) -> None:
        """Renew the leases of what runs."""
        while not self.stopping.wait(HEARTBEAT):
            for name, job in tuple(self._running.items()):
                try:
                    self.database.write(lambda tx, j=job, n=name: jobs.renew(tx, j, n))  # type: ignore[misc]
                except IsthmusError as error:  # the lease runs on; the next beat may get through
                    _log.error("lease_not_renewed", job=job.id, exc_info=error)

    def _keep_time(self) -> None:
        """Ask for periodic work when it is due, and tell the state of the queue."""
        while not self.stopping.is_set():
            try:
                self.ask_periodic()
                found = self.database.read(jobs.counts)
                self.database.metrics.queue(found["queued"], found["dead"])
            except IsthmusError as error:  # the database is away: keep trying
                _log.error("periodic_not_asked", exc_info=error)
            self.stopping.wait(POLL)

    def ask_periodic(self) -> int:
        """Ask for the periodic work that is due and needed; return how many jobs were asked for."""
        now, asked = self.clock.now(), 0
        for entry in self.periodic:
            if entry.kind in self._last and now - self._last[entry.kind] < entry.every:
                continue
            self._last[entry.kind] = now
            if entry.needed is None or self.database.read(entry.needed):
                kind = entry.kind
                self.database.write(lambda tx, k=kind: jobs.enqueue(tx, k, key="periodic"))  # type: ignore[misc]
                asked += 1
        return asked
