"""From readings to versions of records: what is new, what changes what, what must wait.

Nothing is overwritten. The same record received again changes nothing; another content under the
same key is the next version; an amendment or cancellation whose parent is not known is parked
until it is.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from isthmus.cargo import amend, parties, quality, store
from isthmus.cargo.codec import from_plain, to_plain, without_parties
from isthmus.cargo.model import (
    Accepted,
    Consignment,
    ContainerEvent,
    Declaration,
    Flag,
    Function,
    Manifest,
    OutcomeRow,
    Party,
    PartyRole,
    Record,
    Rejected,
)
from isthmus.cargo.tables import party_table, record_table
from isthmus.kernel.canonical import canonical
from isthmus.kernel.ids import new_id
from isthmus.platform.keys import KeyRing
from isthmus.platform.transaction import Transaction


@dataclass(slots=True)
class Version:
    """One version of one record."""

    id: str
    kind: str
    key: str
    version: int
    record: Record
    flags: tuple[Flag, ...]
    digest: bytes
    document_id: str
    ordinal: int
    position: str
    received_at: datetime
    consignee_ref: str | None = None
    current: bool = True
    outcomes: tuple[OutcomeRow, ...] = ()

    @property
    def function(self) -> Function:
        """What the message that made this version did to the record."""
        record = self.record
        if isinstance(record, Consignment):
            whole = record.manifest.function
            return whole if record.function is Function.ORIGINAL else record.function
        return Function.ORIGINAL if isinstance(record, ContainerEvent) else record.function

    @property
    def cancelled(self) -> bool:
        """Whether this version says that the record no longer stands."""
        return self.function is Function.CANCEL


@dataclass(slots=True)
class Tally:
    """What became of the records of a document, or of a part of it."""

    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    parked: int = 0
    duplicates: int = 0
    new_versions: int = 0
    unparked: int = 0

    def add(self, other: "Tally") -> None:
        """Count another part in."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Batch:
    """New versions of one batch, and what they touch."""

    tally: Tally = field(default_factory=Tally)
    made: list[Version] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)  # parked rows that found their parent


def identity(record: Record) -> tuple[str, str, str | None]:
    """Return the kind, the key and the other key of a record."""
    if isinstance(record, Consignment):
        reference = record.manifest.reference
        return "consignment", f"{reference}/{record.bill}", reference
    if isinstance(record, Declaration):
        local = record.local_reference if record.local_reference != record.reference else None
        return "declaration", record.reference, local
    if isinstance(record, ContainerEvent):
        return "event", f"{record.sender}/{record.event_id}", None
    return "manifest", record.reference, None


def digest_of(keys: KeyRing, record: Record) -> bytes:
    """Return the keyed digest of a whole record, parties included: equal records are equal."""
    return hmac.digest(keys.names, canonical(to_plain(record)), "sha256")


class Versioner:
    """Turns the readings of one document into versions, within one unit of work."""

    def __init__(self, tx: Transaction, document_id: str) -> None:
        self.tx = tx
        self.document_id = document_id
        self.batch = Batch()
        self.newest: dict[tuple[str, str], Version] = {}
        self.by_other: dict[tuple[str, str], list[str]] = {}

    def take(self, readings: Sequence[Accepted]) -> Batch:
        """Make versions of these readings; nothing is written yet."""
        self._prefetch([reading.record for reading in readings])
        for reading in readings:
            self.batch.tally.received += 1
            self._one(reading)
        self._wake_parked()
        return self.batch

    def write(self) -> None:
        """Write what ``take`` made."""
        batch, keys = self.batch, self.tx.keys
        store.supersede(self.tx, batch.superseded)
        store.supersede(self.tx, batch.settled)
        self.tx.insert(record_table, [_row(version) for version in batch.made] + batch.waiting)
        today = self.tx.now.date()
        rows = [
            made
            for version in batch.made
            for party in declared(version.record)
            if (made := parties.row(keys, version.id, party, today))
        ]
        self.tx.insert(party_table, [{**_BLANK_PARTY, **row} for row in rows])

    def _prefetch(self, records: Iterable[Record]) -> None:
        keys: dict[str, set[str]] = {}
        others: dict[str, set[str]] = {}
        for record in records:
            kind, key, other = identity(record)
            keys.setdefault(kind, set()).add(key)
            if isinstance(record, Declaration) and record.parent_reference:
                keys[kind].add(record.parent_reference)
                others.setdefault(kind, set()).add(record.parent_reference)
            if isinstance(record, Declaration) and other:
                others.setdefault(kind, set()).add(other)
            if isinstance(record, Manifest):
                others.setdefault("consignment", set()).add(key)
        rows: list[RowMapping] = []
        for kind, wanted in keys.items():
            rows.extend(store.current_records(self.tx, kind, wanted).values())
        for kind, wanted in others.items():
            rows.extend(store.current_by_other_key(self.tx, kind, wanted))
        self._remember_rows(rows)

    def _remember_rows(self, rows: Sequence[RowMapping]) -> None:
        people = store.parties_of(self.tx, [row["id"] for row in rows])
        for row in rows:
            self._remember(version_of(row, people.get(row["id"], [])))

    def _remember(self, version: Version) -> None:
        self.newest[version.kind, version.key] = version
        other = identity(version.record)[2]
        if other:
            known = self.by_other.setdefault((version.kind, other), [])
            if version.key not in known:
                known.append(version.key)

    def _one(self, reading: Accepted) -> None:
        record = reading.record
        if isinstance(record, Declaration) and record.function is not Function.ORIGINAL:
            self._amend(reading, record)
        elif isinstance(record, Manifest) and record.function is Function.CANCEL:
            self._cancel_manifest(reading, record)
        else:
            self._state(reading, record)

    def _state(self, reading: Accepted, record: Record) -> None:
        """Take a record that says itself what it is, whole."""
        kind, key, _ = identity(record)
        known = self.newest.get((kind, key))
        mark = digest_of(self.tx.keys, record)
        if known and (known.digest == mark or mark in self._earlier(known)):
            self.batch.tally.duplicates += 1
            return
        version = self._version(reading, record, mark, known)
        if known is None and version.function is not Function.ORIGINAL:
            self._park(reading, record, mark, parent=key)
            return
        if known and version.function is Function.ORIGINAL and kind != "event":
            version.flags += (Flag("duplicate_original", "reference", key),)
        self._accept(version, known)

    def _amend(self, reading: Accepted, change: Declaration) -> None:
        wanted = change.parent_reference or change.reference
        known = self._declaration(wanted)
        mark = digest_of(self.tx.keys, change)
        if known is None:
            self._park(reading, change, mark, parent=wanted)
            return
        if mark in self._earlier(known) or known.digest == mark:
            self.batch.tally.duplicates += 1
            return
        self._accept(self._amended(reading, change, mark, known), known)

    def _amended(
        self, reading: Accepted, change: Declaration, mark: bytes, known: Version
    ) -> Version:
        parent = known.record
        if not isinstance(parent, Declaration):
            raise TypeError("only a declaration is amended by a declaration")
        cancels = change.function is Function.CANCEL
        result = amend.cancelled(parent, change) if cancels else amend.amended(parent, change)
        return self._version(reading, result, mark, known)

    def _declaration(self, reference: str) -> Version | None:
        if known := self.newest.get(("declaration", reference)):
            return known
        keys = self.by_other.get(("declaration", reference), [])
        return self.newest.get(("declaration", keys[-1])) if keys else None

    def _cancel_manifest(self, reading: Accepted, manifest: Manifest) -> None:
        """A cancelled manifest cancels each consignment that it reported."""
        keys = self.by_other.get(("consignment", manifest.reference), [])
        standing = [
            known for key in keys if not (known := self.newest["consignment", key]).cancelled
        ]
        mark = digest_of(self.tx.keys, manifest)
        before = self.newest.get(("manifest", manifest.reference))
        if before and before.digest == mark:
            self.batch.tally.duplicates += 1
            return
        if not keys and before is None:
            self._park(reading, manifest, mark, parent=manifest.reference)
            return
        self._accept(self._version(reading, manifest, mark, before), before)
        for known in standing:
            if isinstance(known.record, Consignment):
                record = replace(known.record, manifest=manifest, function=Function.CANCEL)
                version = self._version(reading, record, digest_of(self.tx.keys, record), known)
                self._enter(version, known)

    def _version(
        self, reading: Accepted, record: Record, mark: bytes, known: Version | None
    ) -> Version:
        kind, key, _ = identity(record)
        consignee = parties.first(declared(record), parties.CONSIGNEE)
        return Version(
            id=new_id("rec"),
            kind=kind,
            key=known.key if known else key,
            version=known.version + 1 if known else 1,
            record=record,
            flags=reading.flags + tuple(quality.of_record(record)),
            digest=mark,
            document_id=self.document_id,
            ordinal=reading.ordinal,
            position=reading.position,
            received_at=self.tx.now,
            consignee_ref=parties.reference(self.tx.keys, consignee) if consignee else None,
            outcomes=reading.outcomes,
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

    def _earlier(self, known: Version) -> set[bytes]:
        """Digests of the versions before the newest, so that an old message sent again is one."""
        if known.version == 1:
            return set()
        rows = store.versions_of(self.tx, known.kind, known.key)
        made = [v.digest for v in self.batch.made if (v.kind, v.key) == (known.kind, known.key)]
        return {row["digest"] for row in rows} | set(made)

    def _park(self, reading: Accepted, record: Record, mark: bytes, parent: str) -> None:
        kind, key, other = identity(record)
        twins = store.parked(self.tx, [parent])
        if any(row["digest"] == mark for row in twins) or any(
            row["digest"] == mark for row in self.batch.waiting
        ):
            self.batch.tally.duplicates += 1
            return
        self.batch.tally.parked += 1
        version = self._version(reading, record, mark, None)
        row = _row(version)
        # The parties of a parked record wait inside it: their rows are made when it is applied.
        row |= {"version": 0, "state": "parked", "parent_key": parent, "body": to_plain(record)}
        row |= {"kind": kind, "key": key, "other_key": other}
        self.batch.waiting.append(row)

    def _wake_parked(self) -> None:
        """Apply amendments that waited for a record that is known now."""
        names = {version.key for version in self.batch.made}
        names |= {other for v in self.batch.made if (other := identity(v.record)[2])}
        if not names:
            return
        rows: list[Any] = [*store.parked(self.tx, names)]
        own = [row for row in self.batch.waiting if row["parent_key"] in names]
        for row in own:
            self.batch.waiting.remove(row)
            self.batch.tally.parked -= 1
        for row in [*rows, *own]:
            reading = Accepted(
                position=row["position"],
                ordinal=row["ordinal"],
                record=from_plain(row["kind"], row["body"]),
            )
            before, document = self.batch.tally.accepted, self.document_id
            self.document_id = row["document_id"]
            self._one(reading)
            self.document_id = document
            if row not in own:
                self.batch.settled.append(row["id"])
                self.batch.tally.unparked += 1
                self.batch.tally.accepted = before
                self.batch.tally.new_versions -= 1


_BLANK_PARTY: dict[str, Any] = {"legal_hold": None}


def declared(record: Record) -> Sequence[Party]:
    """Return the parties that a record names; the user of a port system counts as one."""
    if isinstance(record, Consignment | Declaration):
        return record.parties
    if isinstance(record, ContainerEvent) and record.user:
        return (Party(PartyRole.AGENT, identifier=record.user),)
    return ()


def version_of(row: RowMapping, people: Sequence[RowMapping]) -> Version:
    """Return the version of a stored row, its parties put back."""
    record = from_plain(row["kind"], row["body"])
    if isinstance(record, Consignment | Declaration) and people:
        record = replace(record, parties=tuple(party_of(person) for person in people))
    return Version(
        id=row["id"],
        kind=row["kind"],
        key=row["key"],
        version=row["version"],
        record=record,
        flags=tuple(Flag(*flag) for flag in row["flags"]),
        digest=row["digest"],
        document_id=row["document_id"],
        ordinal=row["ordinal"],
        position=row["position"],
        received_at=row["received_at"],
        consignee_ref=row["consignee_ref"],
        current=row["state"] == "current",
    )


def party_of(row: RowMapping) -> Party:
    """Return the party of a stored row."""
    address = row["address"] or {}
    return Party(
        role=PartyRole(row["role"]),
        name=row["name"],
        identifier=row["identifier"],
        address=tuple(address.get("lines", ())),
        city=address.get("city"),
        postcode=address.get("postcode"),
        country=address.get("country"),
        contact=tuple(address.get("contact", ())),
    )


def _row(version: Version) -> dict[str, Any]:
    record = version.record
    return {
        "id": version.id,
        "kind": version.kind,
        "key": version.key,
        "version": version.version,
        "function": version.function.value,
        "state": "current" if version.current else "superseded",
        "other_key": identity(record)[2],
        "parent_key": None,
        "bill": record.bill if isinstance(record, Consignment) else None,
        "container": record.container if isinstance(record, ContainerEvent) else None,
        "consignee_ref": version.consignee_ref,
        "document_id": version.document_id,
        "ordinal": version.ordinal,
        "position": version.position,
        "body": to_plain(without_parties(record)),
        "flags": [[flag.code, flag.field, flag.value] for flag in version.flags],
        "digest": version.digest,
        "received_at": version.received_at,
    }


def quarantine_row(tx: Transaction, document_id: str, rejected: Rejected) -> dict[str, Any]:
    """Return the quarantine row of a rejected part of a document."""
    return {
        "id": new_id("qua"),
        "document_id": document_id,
        "ordinal": rejected.ordinal,
        "position": rejected.position,
        "reason": rejected.reason,
        "message": rejected.message,
        "field": rejected.field,
        "value": rejected.value[:500] if rejected.value else rejected.value,
        "state": "open",
        "at": tx.now,
    }
