"""Versions of records: what each is known by, what makes two the same, how they are kept.

Nothing is overwritten. A record received again with another content is the next version of it;
people are kept apart from it, in ``declared_party``.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from isthmus.cargo.codec import from_plain, to_plain
from isthmus.cargo.model import (
    Consignment,
    ContainerEvent,
    Declaration,
    Flag,
    Function,
    OutcomeRow,
    Party,
    PartyRole,
    Record,
    Rejected,
)
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
    alias: str | None = None  # the amendment's own reference, which a later one may name
    plain: dict[str, Any] | None = None  # the record as plain values, where they are at hand

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
    """What became of the records of a document, or of a part of it.

    ``received`` is the sum of accepted, quarantined, parked and duplicates, always.
    """

    received: int = 0
    accepted: int = 0
    quarantined: int = 0
    parked: int = 0
    duplicates: int = 0
    new_versions: int = 0

    def add(self, other: "Tally") -> None:
        """Count another part in."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def identity(record: Record) -> tuple[str, str, str | None]:
    """Return the kind, the key and the other key of a record.

    The other key is a declaration's local reference, and the manifest of a consignment.
    """
    if isinstance(record, Consignment):
        reference = record.manifest.reference
        return "consignment", f"{reference}/{record.bill}", reference
    if isinstance(record, Declaration):
        local = record.local_reference if record.local_reference != record.reference else None
        return "declaration", record.reference, local
    if isinstance(record, ContainerEvent):
        return "event", f"{record.sender}/{record.event_id}", None
    return "manifest", record.reference, None


def digest_of(keys: KeyRing, plain: dict[str, Any]) -> bytes:
    """Return the keyed digest of a whole plain record, parties included: equals are equal."""
    return hmac.digest(keys.names, canonical(plain), "sha256")


def issued_at(record: Record) -> datetime | None:
    """Return when the sender says that it made this message, where it says so."""
    if isinstance(record, Consignment):
        return record.manifest.issued_at
    if isinstance(record, Declaration):
        return record.lodged_at
    return record.at if isinstance(record, ContainerEvent) else record.issued_at


def declared(record: Record) -> Sequence[Party]:
    """Return the parties that a record names; the user of a port system counts as one."""
    if isinstance(record, Consignment | Declaration):
        return record.parties
    if isinstance(record, ContainerEvent) and record.user:
        return (Party(PartyRole.AGENT, identifier=record.user),)
    return ()


def mentions(version: Version) -> list[dict[str, Any]]:
    """Return the rows that find a record by what it names: boxes, bills, references.

    They stay when a later version no longer names the thing, so that the units of before are
    found and brought up to date.
    """
    record, named = version.record, set()
    if isinstance(record, Consignment):
        named = {("container", box.number) for box in record.containers}
        named |= {("master", record.master_bill)} if record.master_bill else set()
    elif isinstance(record, Declaration):
        named = {("container", box.number) for box in record.containers}
        named |= {("bill", bill) for bill in record.bills}
        named |= {("reference", version.alias)} if version.alias else set()
    rows = [
        {"what": what, "value": value, "record_kind": version.kind, "record_key": version.key}
        for what, value in sorted(named)
    ]
    return rows + _sealed(record)


def _sealed(record: Record) -> list[dict[str, Any]]:
    """Return the rows that find a box by a seal, and the seals that were ever on a box."""
    if isinstance(record, ContainerEvent):
        pairs = {(seal.number, record.container) for seal in record.seals}
    elif isinstance(record, Consignment | Declaration):
        pairs = {(seal.number, box.number) for box in record.containers for seal in box.seals}
    else:
        return []
    return [
        {"what": what, "value": value, "record_kind": of, "record_key": key}
        for seal, box in sorted(pairs)
        for what, value, of, key in (("seal", seal, "box", box), ("box", box, "seal", seal))
    ]


def version_of(row: RowMapping, people: Sequence[RowMapping] = ()) -> Version:
    """Return the version of a stored row, with the parties given put back."""
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


def record_row(version: Version) -> dict[str, Any]:
    """Return the row of a version, without what it says of people."""
    record = version.record
    body = to_plain(record) if version.plain is None else dict(version.plain)
    body.pop("user" if isinstance(record, ContainerEvent) else "parties", None)
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
        "body": body,
        "flags": [[flag.code, flag.field, flag.value] for flag in version.flags],
        "digest": version.digest,
        "received_at": version.received_at,
    }


def parked_row(version: Version, parent: str) -> dict[str, Any]:
    """Return the row of an amendment that waits for its parent.

    The parties of a parked record wait inside it: their rows are made when it is applied.
    """
    row = record_row(version)
    body = version.plain if version.plain is not None else to_plain(version.record)
    return row | {"version": 0, "state": "parked", "parent_key": parent, "body": body}


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
