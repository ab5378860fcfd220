"""From readings to versions of records: what is new, what changes what, what must wait.

The same record received again changes nothing; another content under the same key is the next
version; an amendment or cancellation whose parent is not known is parked until it is. What was
parked is then applied in the order in which its senders issued it, where they say so, else in the
order in which it was received.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping

from isthmus.cargo import amend, parties, quality, readings, records
from isthmus.cargo.codec import to_plain
from isthmus.cargo.model import (
    Accepted,
    Consignment,
    Declaration,
    Flag,
    Function,
    Manifest,
    Record,
)
from isthmus.cargo.versions import (
    Tally,
    Version,
    declared,
    digest_of,
    identity,
    issued_at,
    mentions,
    parked_row,
    record_row,
    version_of,
)
from isthmus.kernel.ids import new_id
from isthmus.platform.transaction import Transaction

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Batch:
    """New versions of one batch, and what they touch."""

    tally: Tally = field(default_factory=Tally)
    made: list[Version] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    waiting: list["Waiting"] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)  # parked rows that found their parent
    unparked: dict[str, Tally] = field(default_factory=dict)  # by the document they came in


@dataclass(slots=True)
class Waiting:
    """A reading that waits, or waited, for its parent."""

    reading: Accepted
    version: Version
    parent: str
    stored: bool = False


class Intake:
    """Turns the readings of one document into versions, within one unit of work."""

    def __init__(self, tx: Transaction, document_id: str) -> None:
        self.tx = tx
        self.document_id = document_id
        self.received_at = tx.now
        self.batch = Batch()
        self.newest: dict[tuple[str, str], Version] = {}
        self.by_other: dict[tuple[str, str], list[str]] = {}
        self.aliases: dict[str, str] = {}  # an amendment's own reference → its declaration

    def take(self, batch: Sequence[Accepted]) -> Batch:
        """Make versions of these readings; nothing is written yet."""
        self._prefetch([reading.record for reading in batch])
        for reading in batch:
            self.batch.tally.received += 1
            self._one(reading)
        self._wake(self.batch.made)
        return self.batch

    def write(self) -> None:
        """Write what ``take`` made."""
        batch, tx = self.batch, self.tx
        records.supersede(tx, batch.superseded)
        records.drop_parked(tx, batch.settled)
        rows = [record_row(version) for version in batch.made]
        rows += [parked_row(entry.version, entry.parent) for entry in batch.waiting]
        records.insert_records(tx, rows)
        records.insert_mentions(tx, [row for version in batch.made for row in mentions(version)])
        today = tx.now.date()
        records.insert_parties(
            tx,
            [
                row
                for version in batch.made
                for party in declared(version.record)
                if (row := parties.row(tx.keys, version.id, party, today))
            ],
        )
        for document_id, tally in batch.unparked.items():
            readings.recount(tx, document_id, tally)

    # -- what is known ------------------------------------------------------------------

    def _prefetch(self, told: Iterable[Record]) -> None:
        keys: dict[str, set[str]] = {}
        others: dict[str, set[str]] = {}
        for record in told:
            kind, key, other = identity(record)
            keys.setdefault(kind, set()).add(key)
            if isinstance(record, Declaration) and record.function is not Function.ORIGINAL:
                parent = record.parent_reference or record.reference
                keys[kind].add(parent)
                others.setdefault(kind, set()).add(parent)
            if isinstance(record, Manifest):
                others.setdefault("consignment", set()).add(key)
            if isinstance(record, Consignment) and other:
                keys.setdefault("manifest", set()).add(other)
        self.aliases = records.aliases(self.tx, others.get("declaration", ()))
        keys.setdefault("declaration", set()).update(self.aliases.values())
        rows: list[RowMapping] = []
        for kind, wanted in keys.items():
            rows.extend(records.current_records(self.tx, kind, wanted).values())
        for kind, wanted in others.items():
            rows.extend(records.current_by_other_key(self.tx, kind, wanted))
        people = records.parties_of(self.tx, [row["id"] for row in rows])
        for row in rows:
            self._remember(version_of(row, people.get(row["id"], [])))

    def _remember(self, version: Version) -> None:
        self.newest[version.kind, version.key] = version
        other = identity(version.record)[2]
        if other:
            known = self.by_other.setdefault((version.kind, other), [])
            if version.key not in known:
                known.append(version.key)
        if version.alias:
            self.aliases[version.alias] = version.key

    def _declaration(self, reference: str) -> Version | None:
        """Find a declaration by its reference, its local one, or that of an amendment of it.

        A local reference that several declarations bear names none of them.
        """
        if known := self.newest.get(("declaration", reference)):
            return known
        if key := self.aliases.get(reference):
            return self.newest.get(("declaration", key))
        keys = self.by_other.get(("declaration", reference), [])
        return self.newest.get(("declaration", keys[0])) if len(keys) == 1 else None

    # -- what each reading does -----------------------------------------------------------

    def _one(self, reading: Accepted, mark: bytes | None = None) -> None:
        record = reading.record
        if isinstance(record, Declaration) and record.function is not Function.ORIGINAL:
            self._amend(reading, record, mark)
        elif isinstance(record, Manifest) and record.function is not Function.ORIGINAL:
            self._revise(reading, record, mark)
        else:
            self._state(reading, record, mark)

    def _state(self, reading: Accepted, record: Record, mark: bytes | None) -> None:
        """Take a record that says itself what it is, whole."""
        kind, key, _ = identity(record)
        known = self.newest.get((kind, key))
        version = self._version(reading, record, known, mark)
        if self._again(version.digest, known):
            return
        if known is None and version.function is not Function.ORIGINAL:
            self._park(reading, version, key)
            return
        if known and version.function is Function.ORIGINAL and kind != "event":
            version.flags += (Flag("duplicate_original", "reference", key),)
        self._accept(version, known)
        if isinstance(record, Consignment):
            self._follow_head(reading, version)

    def _follow_head(self, reading: Accepted, version: Version) -> None:
        """What a message on the manifest's head did holds for consignments issued before it.

        They may come after it: a long manifest is read in batches, and messages overtake.
        """
        record = version.record
        if not isinstance(record, Consignment) or version.cancelled:
            return
        head = self.newest.get(("manifest", record.manifest.reference))
        if head is None or not isinstance(head.record, Manifest):
            return
        issued, revised = record.manifest.issued_at, head.record.issued_at
        if issued is None or revised is None or issued > revised:
            return
        if head.function is not Function.ORIGINAL:
            self._restate(reading, version, head.record)

    def _amend(self, reading: Accepted, change: Declaration, mark: bytes | None) -> None:
        wanted = change.parent_reference or change.reference
        known = self._declaration(wanted)
        plain = to_plain(change)
        mark = mark or digest_of(self.tx.keys, plain)
        if known is None or not isinstance(known.record, Declaration):
            self._park(reading, self._version(reading, change, None, mark, plain), wanted)
            return
        if self._again(mark, known):
            return
        cancels = change.function is Function.CANCEL
        act = amend.cancelled if cancels else amend.amended
        version = self._version(reading, act(known.record, change), known, mark)
        if change.reference != known.key:
            version.alias = change.reference
        self._accept(version, known)

    def _revise(self, reading: Accepted, manifest: Manifest, mark: bytes | None) -> None:
        """A change or cancellation of a manifest's head is one of each consignment under it."""
        keys = self.by_other.get(("consignment", manifest.reference), [])
        before = self.newest.get(("manifest", manifest.reference))
        version = self._version(reading, manifest, before, mark)
        if self._again(version.digest, before):
            return
        if not keys and before is None:
            self._park(reading, version, manifest.reference)
            return
        self._accept(version, before)
        for key in keys:
            known = self.newest["consignment", key]
            if not known.cancelled:
                self._restate(reading, known, manifest)

    def _restate(self, reading: Accepted, known: Version, manifest: Manifest) -> None:
        """Enter a consignment as a message on its manifest's head leaves it."""
        if not isinstance(known.record, Consignment):
            return
        head = amend.filled(known.record.manifest, manifest)
        record = replace(known.record, manifest=head, function=manifest.function)
        self._enter(self._version(reading, record, known), known)

    def _version(
        self,
        reading: Accepted,
        record: Record,
        known: Version | None,
        mark: bytes | None = None,
        plain: dict[str, Any] | None = None,
    ) -> Version:
        kind, key, _ = identity(record)
        keys = self.tx.keys
        plain = to_plain(record) if plain is None else plain
        consignee = parties.first(declared(record), parties.CONSIGNEE)
        return Version(
            id=new_id("rec"),
            kind=kind,
            key=known.key if known else key,
            version=known.version + 1 if known else 1,
            record=record,
            flags=tuple(dict.fromkeys((*reading.flags, *quality.of_record(record)))),
            digest=mark or digest_of(keys, plain),
            document_id=self.document_id,
            ordinal=reading.ordinal,
            position=reading.position,
            received_at=self.received_at,
            consignee_ref=parties.reference(keys, consignee) if consignee else None,
            outcomes=reading.outcomes,
            plain=plain,
        )

    def _accept(self, version: Version, known: Version | None) -> None:
        self.batch.tally.accepted += 1
        self.batch.tally.new_versions += known is not None
        self._enter(version, known)

    def _enter(self, version: Version, known: Version | None) -> None:
        if known:
            known.current = False
            self.batch.superseded.append(known.id)
        self.batch.made.append(version)
        self._remember(version)

    def _again(self, mark: bytes, known: Version | None) -> bool:
        """Count a message that is, or was, a version of the record as a duplicate."""
        if known is None or (mark != known.digest and mark not in self._earlier(known)):
            return False
        self.batch.tally.duplicates += 1
        return True

    def _earlier(self, known: Version) -> set[bytes]:
        if known.version == 1:
            return set()
        made = {v.digest for v in self.batch.made if (v.kind, v.key) == (known.kind, known.key)}
        return made | records.digests(self.tx, known.kind, known.key)

    # -- what waits -----------------------------------------------------------------------

    def _park(self, reading: Accepted, version: Version, parent: str) -> None:
        waiting = {entry.version.digest for entry in self.batch.waiting}
        waiting |= {row["digest"] for row in records.parked(self.tx, [parent])}
        if version.digest in waiting:
            self.batch.tally.duplicates += 1
            return
        self.batch.tally.parked += 1
        self.batch.waiting.append(Waiting(reading, version, parent))

    def _wake(self, made: Sequence[Version]) -> None:
        """Apply what waited for records that are known now, and what waited for that."""
        while made and (ready := self._ready(made)):
            start = len(self.batch.made)
            for entry in ready:
                self._apply(entry)
            made = self.batch.made[start:]

    def _ready(self, made: Sequence[Version]) -> list[Waiting]:
        names = {(version.kind, version.key) for version in made}
        for version in made:
            other = identity(version.record)[2]
            if other and version.kind == "declaration" and self._declaration(other):
                names.add((version.kind, other))
            if other and version.kind == "consignment":
                names.add(("manifest", other))
            if version.alias:
                names.add((version.kind, version.alias))
        ready = [w for w in self.batch.waiting if (w.version.kind, w.parent) in names]
        self.batch.waiting = [w for w in self.batch.waiting if w not in ready]
        self.batch.tally.parked -= len(ready)
        for row in records.parked(self.tx, {name for _, name in names}):
            if (row["kind"], row["parent_key"]) in names and row["id"] not in self.batch.settled:
                ready.append(_woken(row))
        return sorted(ready, key=_order)

    def _apply(self, entry: Waiting) -> None:
        """Apply what waited; what came in another document is counted in that document."""
        if not entry.stored:
            self._one(entry.reading, entry.version.digest)
            return
        here = self.batch.tally, self.document_id, self.received_at
        told = Tally(parked=-1)
        self.batch.tally, self.document_id = told, entry.version.document_id
        self.received_at = entry.version.received_at
        self._one(entry.reading, entry.version.digest)
        self.batch.tally, self.document_id, self.received_at = here
        self.batch.settled.append(entry.version.id)
        self.batch.unparked.setdefault(entry.version.document_id, Tally()).add(told)


def _woken(row: RowMapping) -> Waiting:
    version = version_of(row)
    reading = Accepted(row["position"], row["ordinal"], version.record, version.flags)
    return Waiting(reading, version, row["parent_key"], stored=True)


def _order(entry: Waiting) -> tuple[bool, datetime, datetime, str]:
    issued = issued_at(entry.version.record)
    return issued is None, issued or _LAST, entry.version.received_at, entry.version.id
