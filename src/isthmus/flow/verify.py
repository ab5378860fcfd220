"""Verify: what the loop adds to the checks of the platform; see ``platform.verification``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from isthmus.platform import audit
from isthmus.platform.audit import Fault
from isthmus.platform.database import Database
from isthmus.platform.settings import NodeFolder
from isthmus.platform.transaction import Transaction
from isthmus.platform.verification import Check, ErasedNotice, Finding, Progress
from isthmus.risk import assessments

SCORED = "units.score"


@dataclass(slots=True)
class Recomputed:
    """What recomputing assessments came to."""

    same: int = 0
    erased: int = 0
    faults: list[Fault] = field(default_factory=list)


def check_assessments(
    database: Database, _folder: NodeFolder, progress: Progress
) -> Iterator[Finding]:
    """Check every assessment against its digest and the audit row of its scoring."""
    progress("assessments", 0, 1)
    for checked in database.read(_findings):
        if checked.state == "erased":
            yield ErasedNotice("assessment", checked.id, checked.message)
        else:
            yield Fault("assessment", checked.id, checked.message)
    progress("assessments", 1, 1)


def _findings(tx: Transaction) -> list[assessments.Checked]:
    vouched = audit.digests_of(tx, SCORED)
    with tx.as_stored():
        return list(assessments.check_batches(tx, vouched))


def recompute(tx: Transaction, count: int) -> Recomputed:
    """Recompute ``count`` assessments spread over all there are, from what is stored alone."""
    result = Recomputed()
    for checked in assessments.recompute_sample(tx, count) if count else ():
        if checked.state == "intact":
            result.same += 1
        elif checked.state == "erased":
            result.erased += 1
        else:
            result.faults.append(Fault("assessment", checked.id, checked.message))
    return result


CHECKS: Sequence[Check] = (check_assessments,)
