"""Verify: what the loop adds to the checks of the platform; see ``platform.verification``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from isthmus.cases import runs
from isthmus.flow import replay
from isthmus.flow.target import MADE
from isthmus.kernel.errors import IsthmusError
from isthmus.platform import audit
from isthmus.platform.audit import Fault, shown
from isthmus.platform.database import Database
from isthmus.platform.settings import NodeFolder
from isthmus.platform.transaction import Transaction
from isthmus.platform.verification import Check, ErasedNotice, Finding, Progress, lawful
from isthmus.risk import integrity
from isthmus.risk.assessments import SCORED
from isthmus.risk.integrity import Checked

RUNS = 20
"""How many of the newest targeting runs are replayed. A default of ours: each costs as much as it
did, up to a second. Every run is compared with its audit row."""


@dataclass(slots=True)
class Recomputed:
    """What recomputing assessments came to."""

    same: int = 0
    erased: int = 0
    faults: list[Fault] = field(default_factory=list)


def check_assessments(
    database: Database, _folder: NodeFolder, progress: Progress
) -> Iterator[Finding]:
    """Check assessments against their digests and the audit, and what they were made with."""
    progress("assessments", 0, 1)
    yield from database.read(_findings)
    progress("assessments", 1, 1)


def _findings(tx: Transaction) -> list[Finding]:
    vouched = audit.digests_of(tx, SCORED)
    with tx.as_stored():
        found = list(
            chain(
                integrity.check_batches(tx, vouched),
                integrity.check_bodies(tx),
                integrity.check_erased(tx),
            )
        )
        named = {checked.message for checked in found if checked.state == "erased"}
        known = {erasure for erasure in named if lawful(tx, erasure)}
    return [_finding(checked, known) for checked in found]


def _finding(checked: Checked, known: set[str]) -> Finding:
    if checked.state != "erased":
        return Fault(checked.table, shown(checked.id), checked.message)
    if checked.message in known:
        return ErasedNotice(checked.table, shown(checked.id), checked.message)
    words = "marked as erased, but there is no such erasure"
    return Fault(checked.table, shown(checked.id), words)


def recompute(tx: Transaction, count: int) -> Recomputed:
    """Recompute ``count`` assessments spread over all there are, from what is stored alone."""
    result = Recomputed()
    with tx.as_stored():
        for checked in integrity.recompute_sample(tx, count) if count else ():
            if checked.state == "intact":
                result.same += 1
            elif checked.state == "erased":
                result.erased += 1
            else:
                result.faults.append(Fault("assessment", shown(checked.id), checked.message))
    return result


def check_runs(database: Database, _folder: NodeFolder, progress: Progress) -> Iterator[Fault]:
    """Check every targeting run against its audit row, and replay the newest."""
    vouched = database.read(lambda tx: audit.digests_of(tx, MADE))
    ids = database.read(_run_ids)
    for name in sorted(set(vouched) - set(ids)):
        yield Fault("target_run", name, "the run that the audit tells of is gone")
    for done, run_id in enumerate(ids):
        progress("runs", done, len(ids))
        yield from database.read(
            lambda tx, name=run_id, again=done < RUNS: _run(tx, name, vouched, again=again)  # type: ignore[misc]
        )
    progress("runs", len(ids), len(ids))


def _run_ids(tx: Transaction) -> list[str]:
    with tx.as_stored():
        return runs.run_ids(tx)


def _run(
    tx: Transaction, run_id: str, vouched: Mapping[str, bytes | None], *, again: bool
) -> list[Fault]:
    name = shown(run_id)
    if run_id not in vouched:
        return [Fault("target_run", name, "no audit row tells of this run")]
    try:
        with tx.as_stored():
            intact = runs.digest_of_run(tx, run_id) == vouched[run_id]
    except (TypeError, ValueError):  # a value that is not even of its type
        intact = False
    if not intact:
        return [Fault("target_run", name, "not the run, or not the picks, that the audit tells of")]
    try:
        return _replayed(tx, run_id) if again else []
    except (IsthmusError, TypeError, ValueError, KeyError) as error:
        return [Fault("target_run", name, f"cannot be replayed: {error}")]


def _replayed(tx: Transaction, run_id: str) -> list[Fault]:
    return [
        Fault("target_run", run_id, f"a replay does not agree on {shown(unit)}")
        for unit in replay.differences(tx, run_id)
    ]


CHECKS: Sequence[Check] = (check_assessments, check_runs)
