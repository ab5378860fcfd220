"""What a node does for itself from time to time: seal the audit, sweep, forget finished jobs."""

from datetime import timedelta

from isthmus.kernel.errors import Unavailable
from isthmus.platform import audit, documents, erasure, jobs
from isthmus.platform.database import Database
from isthmus.platform.settings import NodeFolder
from isthmus.platform.worker import Handler, Periodic

SEAL, SWEEP, CLEAR = "audit.seal", "documents.sweep", "jobs.clear"
# What a crash left half stored is swept once nobody can be writing it any more.
STALE = 2 * documents.WRITING
# How long the trace of a finished job is kept for people who look into a fault.
KEPT = timedelta(days=7)
_BATCH = 10_000

PERIODIC = (
    Periodic(SEAL, timedelta(seconds=1), audit.has_unsealed),
    Periodic(SWEEP, timedelta(hours=6)),
    Periodic(CLEAR, timedelta(hours=6)),
)


def handlers(database: Database, folder: NodeFolder) -> dict[str, Handler]:
    """Return the handlers of the platform's own jobs."""
    return {
        SEAL: lambda _job: _seal(database, folder),
        SWEEP: lambda _job: _sweep(database),
        erasure.FLUSH: lambda _job: _flush(database, folder),
        CLEAR: lambda _job: _clear(database),
    }


def seal_audit(database: Database, folder: NodeFolder) -> int:
    """Seal all audit rows there are and note the head of the chain apart; return how many."""
    sealed = 0
    while count := database.write(lambda tx: audit.seal(tx, _BATCH)):
        sealed += count
        if count < _BATCH:
            break
    head = database.read(audit.head_of)
    if head is not None:
        audit.write_head(folder.audit_head, head)
    return sealed


def _seal(database: Database, folder: NodeFolder) -> None:
    seal_audit(database, folder)


def _flush(database: Database, folder: NodeFolder) -> None:
    register = erasure.Register(database, folder, erasure.DOCUMENTS)
    unreached = database.write(register.reach)
    if not database.flush_erased() or unreached:
        raise Unavailable("erasure_unfinished", "a reader or a backup out of reach holds on")


def _sweep(database: Database) -> None:
    database.write(lambda tx: documents.sweep(tx, tx.now - STALE))


def _clear(database: Database) -> None:
    database.write(lambda tx: jobs.clear(tx, tx.now - KEPT))
