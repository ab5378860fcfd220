"""What the loop does by itself: score what is new, read on, offer again, notice silence, tidy.

Open units are assessed again when rules or models changed, in batches between which new units go
first; looking for them every hour also takes a rule that expired at midnight out of the queue.
"""

from collections.abc import Mapping
from datetime import timedelta

from isthmus.access import sign_in
from isthmus.access.model import node_actor
from isthmus.agreements import commitments
from isthmus.agreements.prohibitions import overlay
from isthmus.agreements.service import clauses_between
from isthmus.cases import clocks
from isthmus.cases.partner_model import PACE, Pace
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.flow import accept, erase
from isthmus.flow.receive import Receiver
from isthmus.flow.rescreen import Rescreener
from isthmus.flow.score import Scorer
from isthmus.flow.screen import heed
from isthmus.flow.sharing import reconsider, telling, together, told
from isthmus.intelligence import retention
from isthmus.parties import hits
from isthmus.parties.lists import alarms
from isthmus.platform.database import Database
from isthmus.platform.erasure import Register
from isthmus.platform.jobs import Job
from isthmus.platform.transaction import Transaction
from isthmus.platform.worker import Handler, Periodic

PERIODIC = (
    Periodic("queue.settle", timedelta(seconds=20), clocks.needed),
    Periodic("reassess", timedelta(hours=1)),
    Periodic("access.sweep", timedelta(hours=6)),
    Periodic("lists.watch", timedelta(hours=1)),
    Periodic("rescreen", timedelta(hours=1)),
    Periodic("hits.watch", timedelta(hours=1)),
    Periodic("commitments.watch", timedelta(hours=6)),
    Periodic("items.watch", timedelta(minutes=10)),
)


def handlers(
    database: Database,
    receiver: Receiver,
    scorer: Scorer,
    rescreener: Rescreener,
    register: Register,
    pace: Pace = PACE,
) -> dict[str, Handler]:
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

    def again() -> None:
        rescreener.rescreen_due()

    def take_in(job: Job) -> None:
        accept.accept(database, job.payload["envelope"])

    def work_together(job: Job) -> None:
        together.do(database, job.payload, pace)

    def share(job: Job) -> None:
        database.write(lambda tx: told.learn(tx, job.payload["kind"], job.payload["id"]))

    def again_by_agreements() -> None:
        reconsider.reconsider(database, ByAgreements(clauses_between, overlay))

    def erase_told(told: Mapping[str, str]) -> None:
        erase.erase_recalled(register, told["item"], told["envelope"])

    def fall_due() -> None:
        database.write(commitments.fall_due)

    return {
        "read": read,
        accept.JOB: take_in,
        telling.JOB: work_together,
        told.JOB: share,
        erase.JOB: lambda job: erase_told(job.payload),
        reconsider.JOB: lambda _job: again_by_agreements(),
        "score": score,
        "reassess": reassess,
        "commitments.watch": lambda _job: fall_due(),
        "queue.settle": lambda _job: database.write(clocks.settle),
        "access.sweep": lambda _job: sweep(),
        "lists.watch": lambda _job: watch(),
        "rescreen": lambda _job: again(),
        "hits.watch": lambda _job: database.write(watch_hits),
        "items.watch": lambda _job: database.write(watch_items),
    }


def watch_hits(tx: Transaction) -> None:
    """End hits on lookouts that ran out, ask again what is judged no longer, sweep what is past."""
    heed(tx, hits.expire(tx), "upkeep")
    hits.sweep(tx, node_actor())


def watch_items(tx: Transaction) -> None:
    """Put items that ran out out of use, and erase those that may be kept no longer."""
    retention.expire(tx, node_actor())
    erase.sweep_items(tx, node_actor())
