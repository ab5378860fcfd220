"""What the exchange does for itself from time to time: give ledger entries their places."""

from datetime import timedelta

from isthmus.exchange.proof import ledger
from isthmus.platform.database import Database
from isthmus.platform.jobs import Job
from isthmus.platform.worker import Handler, Periodic

PERIODIC = (Periodic(ledger.SEAL, timedelta(seconds=1), ledger.has_unsealed),)


def handlers(database: Database) -> dict[str, Handler]:
    """Return the handlers of the exchange's own jobs."""

    def seal(_job: Job) -> None:
        seal_ledger(database)

    return {ledger.SEAL: seal}


def seal_ledger(database: Database) -> int:
    """Give every entry there is its place; return how many there were."""
    sealed = 0
    while count := database.write(ledger.seal):
        sealed += count
        if count < ledger.BATCH:
            break
    return sealed
