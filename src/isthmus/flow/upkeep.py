"""What the loop does by itself: score what is new, read on, offer again, notice silence, tidy.

Open units are assessed again when rules or models changed, in batches between which new units go
first; looking for them every hour also takes a rule that expired at midnight out of the queue.
"""

from datetime import timedelta

from isthmus.access import sign_in
from isthmus.access.model import node_actor
from isthmus.cases import clocks
from isthmus.flow.receive import Receiver
from isthmus.flow.score import Scorer
from isthmus.parties.lists import alarms
from isthmus.platform.database import Database
from isthmus.platform.jobs import Job
from isthmus.platform.worker import Handler, Periodic

PERIODIC = (
    Periodic("queue.settle", timedelta(seconds=20), clocks.needed),
    Periodic("reassess", timedelta(hours=1)),
    Periodic("access.sweep", timedelta(hours=6)),
    Periodic("lists.watch", timedelta(hours=1)),
)


def handlers(database: Database, receiver: Receiver, scorer: Scorer) -> dict[str, Handler]:
    """Return the handlers of the loop's jobs, by kind."""

    def read(job: Job) -> None:
        receiver.read_on(node_actor(), job.payload["document"])

    def score(_job: Job) -> None:
        scorer.score_soon()

    def reassess(_job: Job) -> None:
        scorer.score_all()

    def sweep() -> None:
        database.write(sign_in.sweep)

    def watch() -> None:
        database.write(alarms.watch)

    return {
        "read": read,
        "score": score,
        "reassess": reassess,
        "queue.settle": lambda _job: database.write(clocks.settle),
        "access.sweep": lambda _job: sweep(),
        "lists.watch": lambda _job: watch(),
    }
