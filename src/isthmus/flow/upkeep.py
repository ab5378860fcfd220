"""What the loop does by itself: score what is new, read on, offer again, notice silence."""

from datetime import timedelta

from isthmus.access.model import node_actor
from isthmus.cases import holds, picks
from isthmus.flow.receive import Receiver
from isthmus.flow.score import Scorer
from isthmus.platform.database import Database
from isthmus.platform.jobs import Job
from isthmus.platform.transaction import Transaction
from isthmus.platform.worker import Handler, Periodic

PERIODIC = (Periodic("queue.settle", timedelta(seconds=20)),)


def handlers(database: Database, receiver: Receiver, scorer: Scorer) -> dict[str, Handler]:
    """Return the handlers of the loop's jobs, by kind."""

    def read(job: Job) -> None:
        receiver.read_on(node_actor(), job.payload["document"])

    def score(_job: Job) -> None:
        scorer.score_all()

    def settle(tx: Transaction) -> None:
        picks.settle_overdue(tx)
        holds.note_unanswered(tx)

    return {
        "read": read,
        "score": score,
        "queue.settle": lambda _job: database.write(settle),
    }
