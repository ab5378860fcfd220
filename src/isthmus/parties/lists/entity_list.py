"""Lists without numbers of their own: the BIS Entity List and nonproliferation sanctions.

The official CSV has one row for each party, address and alternate name (columns of the Bureau of
Industry and Security's consolidated party list); the JSON form has one object a party. Neither
numbers its parties: the key is the digest of name and country, so rows of the same two are one
entry. The lists do not say what a party is, so each may be a person.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from isthmus.kernel.canonical import digest
from isthmus.parties.lists import delimited
from isthmus.parties.model import (
    Address,
    Date,
    DateKind,
    Entry,
    EntryKind,
    Fault,
    Name,
    NameKind,
    Reading,
    Rejected,
)

COLUMNS = (
    "Source List",
    "Name",
    "Address",
    "City",
    "Country",
    "Federal Register Notice",
    "Effective Date",
    "License Requirement",
    "License Policy",
    "Alternate Name",
)
MEMBERS = ("name", "aliases", "country", "address", "effective_date", "federal_register", "notes")


def read(streams: Sequence[BinaryIO]) -> Iterator[Reading]:
    """Read the one file of a publication, as CSV or as JSON."""
    if len(streams) != 1:
        yield Fault("list_one_file", {"files": len(streams)})
        return
    text = delimited.text_of(streams[0])
    if isinstance(text, Fault):
        yield text
        return
    readings = _objects(text) if text.lstrip().startswith(("{", "[")) else _rows(text)
    entries: dict[str, Entry] = {}
    for reading in readings:
        if isinstance(reading, Entry):
            known = entries.get(reading.key)
            entries[reading.key] = _joined(known, reading) if known else reading
        else:
            yield reading
            if isinstance(reading, Fault):
                return
    yield from entries.values()


def _key(name: str, country: str) -> str:
    plain = [" ".join(text.split()).casefold() for text in (name, country)]
    return digest(plain).hex()[:24]


def _joined(first: Entry, second: Entry) -> Entry:
    return replace(
        first,
        names=(*first.names, *second.names[1:]),
        addresses=(*first.addresses, *second.addresses),
        programmes=(*first.programmes, *second.programmes),
        dates=(*first.dates, *second.dates),
        remarks=(*first.remarks, *second.remarks),
    )


def _rows(text: str) -> Iterator[Reading]:
    above = 1 if text.lstrip('"').startswith("Last updated") else 0
    for record in delimited.records(text, COLUMNS, skip=above):
        if isinstance(record, Fault | Rejected):
            yield record
            continue
        place, row = record
        name, country = row["name"], row["country"]
        if not name:
            yield Rejected(place, "name_missing")
            continue
        address = ", ".join(part for part in (row["address"], row["city"]) if part)
        other = row["alternate name"]
        yield Entry(
            _key(name, country),
            EntryKind.UNKNOWN,
            (Name(name, NameKind.PRIMARY), *([Name(other, NameKind.AKA)] if other else [])),
            (Address(address, country),) if address or country else (),
            (),
            (row["source list"],) if row["source list"] else (),
            _listed(row["effective date"]),
            _notes(
                row["federal register notice"], row["license requirement"], row["license policy"]
            ),
        )


def _listed(text: str | None) -> tuple[Date, ...]:
    return (Date(DateKind.LISTED, text),) if text else ()


def _notes(*texts: str | None) -> tuple[str, ...]:
    return tuple(text for text in texts if text)


def _objects(text: str) -> Iterator[Reading]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = getattr(error, "pos", 0)
        late = place >= len(text.rstrip()) - 1 or "Unterminated" in str(error)
        yield Fault("list_truncated" if late else "list_schema_wrong", {"character": place})
        return
    found = whole.get("entities") if isinstance(whole, dict) else None
    if not isinstance(found, list):
        yield Fault("list_columns_missing", {"missing": ["entities"]})
        return
    if not found:
        yield Fault("list_empty")
        return
    if isinstance(stated := whole.get("count"), int) and stated != len(found):
        yield Fault("list_truncated", {"stated": stated, "found": len(found)})
        return
    held = {member for one in found if isinstance(one, dict) for member in one}
    if missing := [member for member in MEMBERS if member not in held]:
        yield Fault("list_columns_missing", {"missing": missing})
        return
    programme = str(whole.get("list_id") or "")
    for place, one in enumerate(found, 1):
        yield _object(place, one, programme)


def _object(place: int, one: Any, programme: str) -> Entry | Rejected:
    if not isinstance(one, dict):
        return Rejected(place, "object_expected")
    texts = {member: one.get(member) for member in MEMBERS if member != "aliases"}
    aliases = one.get("aliases") or []
    if not all(value is None or isinstance(value, str) for value in texts.values()):
        return Rejected(place, "text_expected")
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        return Rejected(place, "text_expected")
    plain = {member: (value or "").strip() for member, value in texts.items()}
    name, country = plain["name"], plain["country"]
    if not name:
        return Rejected(place, "name_missing")
    address = plain["address"]
    return Entry(
        _key(name, country),
        EntryKind.UNKNOWN,
        (Name(name, NameKind.PRIMARY), *(Name(a, NameKind.AKA) for a in _aliases(aliases))),
        (Address(address, country),) if address or country else (),
        (),
        (programme,) if programme else (),
        _listed(plain["effective_date"]),
        _notes(plain["federal_register"], plain["notes"]),
    )


def _aliases(texts: Sequence[str]) -> Iterator[str]:
    """Yield the alternate names without the words that introduce them."""
    for text in texts:
        clean = text.strip()
        if clean.casefold().startswith("also known as"):
            clean = clean[len("also known as") :].lstrip(" :")
        if clean:
            yield clean
