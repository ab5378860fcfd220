"""The register of lawful erasures: what was erased, by whom, on which ground, and never again.

An erasure destroys rows and keys in one transaction, leaves a row here, an audit row, and a line
in each journal (see ``journal``). The journals are written as the last act before the commit: an
erasure that a crash cut off is therefore noted, and completed at the next start by ``complete``;
the other way round, a restored backup could bring back what was said to be erased.

Areas above say how their rows are erased for a kind of subject by an ``Eraser``; a replay calls
the same code.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, LargeBinary, RowMapping, Table, Text, select, update

from isthmus.kernel.canonical import digest
from isthmus.kernel.errors import Damaged, Invalid
from isthmus.kernel.ids import new_id
from isthmus.kernel.time import from_micros, to_micros
from isthmus.platform import audit, documents, jobs, telemetry
from isthmus.platform.columns import Instant, Json
from isthmus.platform.database import Database, metadata
from isthmus.platform.journal import Journal, Line
from isthmus.platform.settings import NodeFolder
from isthmus.platform.transaction import Transaction

erasure_table = Table(
    "erasure",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("basis", Text, nullable=False),  # the ground in law, as a code
    Column("subject", LargeBinary, nullable=False),  # commitment under the node's key
    Column("scope", Json, nullable=False),  # how many rows of which kind
)

place_table = Table(
    "backup_place",
    metadata,
    Column("path", Text, primary_key=True),
    Column("added_at", Instant, nullable=False),
    Column("missed_at", Instant),  # an erasure could not be noted there, and has to be yet
)

RECORDED = "erasure.record"
FLUSH = "erasure.flush"

_log = telemetry.log("erasure")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is erased: one thing of a kind, such as a document or a person."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """One lawful erasure."""

    id: str
    at: datetime
    actor: str
    basis: str
    subject: Subject

    def line(self) -> Line:
        """Return the erasure as a line of the journal."""
        return {
            "id": self.id,
            "at": to_micros(self.at),
            "actor": self.actor,
            "basis": self.basis,
            "kind": self.subject.kind,
            "subject": self.subject.id,
        }

    @staticmethod
    def of(line: Line) -> "Erasure":
        """Read a line of the journal."""
        return Erasure(
            line["id"],
            from_micros(line["at"]),
            line["actor"],
            line["basis"],
            Subject(line["kind"], line["subject"]),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an erasure did."""

    id: str
    scope: Mapping[str, int]
    unreached: tuple[str, ...]  # backups that do not know of it yet
    flushed: bool  # false while a reader keeps pages of before; a job tries again


# Erases what one area holds of a subject and returns how many rows of which kind. It must do
# nothing, and not fail, when there is nothing (left) to erase.
Eraser = Callable[[Transaction, Erasure], Mapping[str, int]]
Erasers = Mapping[str, Sequence[Eraser]]


def erase_document(tx: Transaction, erasure: Erasure) -> Mapping[str, int]:
    """The eraser of stored documents."""
    return {"document": documents.erase(tx, erasure.subject.id, erasure.id)}


DOCUMENTS: Erasers = {"document": (erase_document,)}


class Register:
    """The register of one node."""

    def __init__(self, database: Database, folder: NodeFolder, erasers: Erasers) -> None:
        self.database = database
        self.journal = Journal(folder.erasures)
        self.erasers = erasers

    def erase(
        self,
        subject: Subject,
        *,
        actor: str,
        basis: str,
        check: Callable[[Transaction], None] = lambda _tx: None,
    ) -> Outcome:
        """Erase a subject for good; returns once nothing acknowledged can bring it back.

        ``check`` runs first in the same transaction and refuses by raising (no permission, legal
        hold). Raises ``Invalid`` when nobody knows how to erase this kind of subject.
        """
        self._erasers(subject.kind)
        erasure_id = new_id("ers")
        unreached: list[str] = []

        def work(tx: Transaction) -> Mapping[str, int]:
            check(tx)
            unreached.clear()
            erasure = Erasure(erasure_id, tx.now, actor, basis, subject)
            scope = self._apply(tx, erasure)
            jobs.enqueue(tx, FLUSH, key="flush")
            unreached.extend(self._note(tx, [erasure.line()]))
            return scope

        scope = self.database.write(work)
        flushed = self.database.flush_erased()
        _log.info("erased", erasure=erasure_id, kind=subject.kind, count=len(unreached))
        return Outcome(erasure_id, scope, tuple(unreached), flushed)

    def complete(self) -> list[str]:
        """Finish what a crash cut off, and tell backups that were out of reach; at each start."""
        self.database.write(self._begin)
        done = self.replay(self.journal.lines())
        self.database.write(self.reach)
        return done

    def replay(self, lines: Iterable[Line]) -> list[str]:
        """Apply noted erasures that this database does not know; return their ids, in order."""
        done = []
        for line in lines:
            erasure = Erasure.of(line)
            if self.database.write(lambda tx, e=erasure: self._replay(tx, e)):  # type: ignore[misc]
                done.append(erasure.id)
        if done:
            self.database.flush_erased()
        return done

    def add_place(self, path: Path) -> None:
        """Make a backup's folder known: all erasures, past and to come, are noted there."""

        def work(tx: Transaction) -> None:
            tx.lock(["erasures"])
            self.journal.begin()
            Journal(path / self.journal.path.name).begin(self.journal.lines())
            tx.insert_new(place_table, {"path": str(path.resolve()), "added_at": tx.now})

        self.database.write(work)

    def reach(self, tx: Transaction) -> list[str]:
        """Bring the journals beside all backups up to date; return the places out of reach."""
        return self._note(tx, [])

    def _begin(self, tx: Transaction) -> None:
        tx.lock(["erasures"])
        self.journal.begin()

    def _replay(self, tx: Transaction, erasure: Erasure) -> bool:
        tx.lock(["erasures"])
        known = select(erasure_table.c.id).where(erasure_table.c.id == erasure.id)
        if tx.execute(known).first() is not None:
            return False
        self._apply(tx, erasure, replayed=True)
        self.journal.begin([erasure.line()])
        return True

    def _apply(
        self, tx: Transaction, erasure: Erasure, *, replayed: bool = False
    ) -> Mapping[str, int]:
        scope: dict[str, int] = {}
        for eraser in self._erasers(erasure.subject.kind):
            for kind, count in eraser(tx, erasure).items():
                scope[kind] = scope.get(kind, 0) + count
        row = {
            "id": erasure.id,
            "at": erasure.at,
            "actor": erasure.actor,
            "basis": erasure.basis,
            "subject": bytes.fromhex(tx.keys.pseudonym(erasure.subject.kind, erasure.subject.id)),
            "scope": scope,
        }
        tx.insert(erasure_table, [row])
        audit.record(
            tx,
            erasure.actor,
            RECORDED,
            "erasure",
            erasure.id,
            object_digest=row_digest(row),
            basis=erasure.basis,
            replayed=replayed,
        )
        return scope

    def _erasers(self, kind: str) -> Sequence[Eraser]:
        if kind not in self.erasers:
            raise Invalid("erasure_unknown", "nobody knows how to erase this", kind=kind)
        return self.erasers[kind]

    def _note(self, tx: Transaction, lines: Sequence[Line]) -> list[str]:
        tx.lock(["erasures"])
        self.journal.begin(lines)
        everything = self.journal.lines()
        unreached = []
        places = place_table.c
        for row in tx.execute(select(places.path, places.missed_at)).all():
            path, missed = row.path, row.missed_at
            try:
                Journal(Path(path) / self.journal.path.name).append(everything)
            except (OSError, Damaged) as error:
                # A backup on a shelf must not forbid the erasure; a restore from a copy that
                # lacks lines asks for a journal that has them.
                _log.warning("backup_not_reached", exc_info=error)
                unreached.append(path)
                moment = tx.now if missed is None else missed
            else:
                moment = None
            if moment != missed:
                tx.execute(update(place_table).where(places.path == path).values(missed_at=moment))
        return unreached


def row_digest(row: RowMapping | Mapping[str, Any]) -> bytes:
    """Return the digest of a register row, as the audit row of its erasure has it."""
    return digest(
        {
            "id": row["id"],
            "at": to_micros(row["at"]),
            "actor": row["actor"],
            "basis": row["basis"],
            "subject": row["subject"],
            "scope": row["scope"],
        }
    )
