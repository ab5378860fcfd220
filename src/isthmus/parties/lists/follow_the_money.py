"""Entities of the FollowTheMoney model as OpenSanctions serves them: one JSON object a line.

An object has ``id``, ``schema`` and ``properties`` (lists of texts). Objects that only relate
others (ownership, family, sanction and so on) are passed over. Of a person neither country nor
nationality, religion, ethnicity, politics, gender, education or birthplace is read. The data
have a licence of their own, which whoever brings the file must state.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from isthmus.parties.lists import delimited, remarks
from isthmus.parties.model import (
    Address,
    Date,
    DateKind,
    Entry,
    EntryKind,
    Fault,
    Identifier,
    IdentifierKind,
    Name,
    NameKind,
    Reading,
    Rejected,
)
from isthmus.reference.check_digits import mmsi_valid

_KINDS = {
    "Person": EntryKind.PERSON,
    "Company": EntryKind.COMPANY,
    "Organization": EntryKind.COMPANY,
    "PublicBody": EntryKind.COMPANY,
    "LegalEntity": EntryKind.UNKNOWN,
    "Vessel": EntryKind.VESSEL,
    "Airplane": EntryKind.AIRCRAFT,
    "Address": EntryKind.ADDRESS,
}
_RELATED = frozenset(
    {
        "Article", "Asset", "Associate", "CryptoWallet", "Debt", "Directorship", "Documentation",
        "Employment", "Event", "Family", "Identification", "Interest", "Interval", "Membership",
        "Occupancy", "Ownership", "Passport", "Payment", "Position", "RealEstate",
        "Representation", "Sanction", "Security", "Succession", "Thing", "UnknownLink", "Vehicle",
    }
)  # fmt: skip
_NAMES = (
    ("name", NameKind.PRIMARY),
    ("alias", NameKind.AKA),
    ("weakAlias", NameKind.WEAK_AKA),
    ("previousName", NameKind.FORMER),
)
_IDENTIFIERS = (
    ("callSign", IdentifierKind.CALL_SIGN),
    ("registrationNumber", IdentifierKind.REGISTRATION),
    ("ogrnCode", IdentifierKind.REGISTRATION),
    ("taxNumber", IdentifierKind.TAX),
    ("vatCode", IdentifierKind.TAX),
    ("innCode", IdentifierKind.TAX),
    ("leiCode", IdentifierKind.LEI),
    ("passportNumber", IdentifierKind.PASSPORT),
    ("idNumber", IdentifierKind.NATIONAL_ID),
    ("serialNumber", IdentifierKind.AIRCRAFT_SERIAL),
)
_DATES = (
    ("birthDate", DateKind.BIRTH),
    ("incorporationDate", DateKind.FOUNDED),
    ("buildDate", DateKind.BUILT),
)


def read(streams: Sequence[BinaryIO]) -> Iterator[Reading]:
    """Read the one file of a publication."""
    if len(streams) != 1:
        yield Fault("list_one_file", {"files": len(streams)})
        return
    text = delimited.text_of(streams[0])
    if isinstance(text, Fault):
        yield text
        return
    lines = text.split("\n")
    for place, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            one = json.loads(line)
        except (ValueError, RecursionError):
            if place == len(lines):
                yield Fault("list_truncated", {"row": place})
                return
            yield Rejected(place, "row_not_well_formed")
            continue
        if found := _entry(place, one):
            yield found


def _entry(place: int, one: Any) -> Entry | Rejected | None:
    members = one if isinstance(one, dict) else {}
    key, schema, properties = (members.get(name) for name in ("id", "schema", "properties"))
    if not isinstance(key, str) or not isinstance(schema, str) or not isinstance(properties, dict):
        return Rejected(place, "member_missing")
    if not key:
        return Rejected(place, "key_missing")
    if schema in _RELATED:
        return None
    kind = _KINDS.get(schema)
    if kind is None:
        return Rejected(place, "kind_unknown", key[:80])
    held = {name: _texts(values) for name, values in properties.items()}
    names = [Name(text, role) for name, role in _NAMES for text in held.get(name, ())]
    if kind is EntryKind.ADDRESS and not names:
        names = [Name(text, NameKind.PRIMARY) for text in held.get("full", ())]
    if not names:
        return Rejected(place, "name_missing", key[:80])
    return Entry(
        key,
        kind,
        tuple(names),
        tuple(Address(text) for text in (*held.get("address", ()), *held.get("full", ()))),
        tuple(_identifiers(held, kind)),
        (*held.get("program", ()), *held.get("programId", ())),
        tuple(Date(date, text) for name, date in _DATES for text in held.get(name, ())),
        ()
        if remarks.may_be_person(kind)
        else tuple(f"Flag: {text}" for text in held.get("flag", ())),
    )


def _texts(values: Any) -> list[str]:
    """Return the texts of a property; a nested object is none."""
    if not isinstance(values, list):
        return []
    return [text for value in values if isinstance(value, str) and (text := value.strip())]


def _identifiers(held: dict[str, list[str]], kind: EntryKind) -> Iterator[Identifier]:
    for text in held.get("imoNumber", ()):
        yield remarks.ship_number(text, kind)
    for text in held.get("mmsi", ()):
        if mmsi_valid(text):
            yield Identifier(IdentifierKind.MMSI, text)
        else:
            yield Identifier(IdentifierKind.OTHER, f"MMSI {text}")
    for name, what in _IDENTIFIERS:
        for text in held.get(name, ()):
            yield Identifier(what, text)
    if kind is EntryKind.AIRCRAFT:
        for text in held.get("registrationNumber", ()):
            yield Identifier(IdentifierKind.AIRCRAFT_TAIL, text)
