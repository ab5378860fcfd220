"""Verify: what the loop adds to the checks of the platform; see ``platform.verification``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from isthmus.platform import audit
from isthmus.platform.audit import Fault
from isthmus.platform.database import Database
from isthmus.platform.settings import NodeFolder
from isthmus.platform.transaction import Transaction
from isthmus.platform.verification import Check, ErasedNotice, Finding, Progress, lawful
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
    yield from database.read(_findings)
    progress("assessments", 1, 1)


def _findings(tx: Transaction) -> list[Finding]:
    vouched = audit.digests_of(tx, SCORED)
    with tx.as_stored():
        found = list(assessments.check_batches(tx, vouched))
        named = {checked.message for checked in found if checked.state == "erased"}
        known = {erasure for erasure in named if lawful(tx, erasure)}
    return [_finding(checked, known) for checked in found]


def _finding(checked: assessments.Checked, known: set[str]) -> Finding:
    if checked.state != "erased":
        return Fault("assessment", checked.id, checked.message)
    if checked.message in known:
        return ErasedNotice("assessment", checked.id, checked.message)
    words = "marked as erased, but there is no such erasure"
    return Fault("assessment", checked.id, words)


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
