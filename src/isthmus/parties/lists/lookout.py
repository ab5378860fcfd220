"""Own lookouts: what an agency itself watches for, as rows with purpose, owner and expiry.

A row without one of the three is refused: a lookout that nobody answers for and that never ends
is no lawful one (Directive (EU) 2016/680 articles 4 and 5).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import BinaryIO

from isthmus.access.model import Purpose
from isthmus.parties.lists import delimited, remarks
from isthmus.parties.lists.delimited import Row, parts
from isthmus.parties.model import (
    Address,
    Entry,
    EntryKind,
    Fault,
    Identifier,
    IdentifierKind,
    Lookout,
    Name,
    NameKind,
    Reading,
    Rejected,
)
from isthmus.reference.check_digits import imo_valid, normalise_imo

COLUMNS = (
    "key",
    "kind",
    "name",
    "aliases",
    "addresses",
    "identifiers",
    "remarks",
    "purpose",
    "owner",
    "expires_on",
)


def read(streams: Sequence[BinaryIO]) -> Iterator[Reading]:
    """Read the one file of the agency's lookouts.

    Several values of a cell are parted by semicolons; an identifier is written ``imo:9074729``.
    """
    if len(streams) != 1:
        yield Fault("list_one_file", {"files": len(streams)})
        return
    text = delimited.text_of(streams[0])
    if isinstance(text, Fault):
        yield text
        return
    yield from read_rows(delimited.rows(text))


def read_rows(rows: Iterable[Row | Rejected | Fault]) -> Iterator[Reading]:
    """Read rows under a header, from whatever kind of file they come."""
    for record in delimited.by_column(rows, COLUMNS):
        if isinstance(record, Fault | Rejected):
            yield record
        else:
            yield _entry(*record)


def _entry(place: int, row: dict[str, str]) -> Entry | Rejected:
    key = row["key"]
    if missing := next((name for name in ("key", "name", "owner") if not row[name]), None):
        return Rejected(place, f"{missing}_missing", key)
    try:
        kind = EntryKind(row["kind"].casefold())
    except ValueError:
        return Rejected(place, "kind_unknown", key)
    try:
        purpose = Purpose(row["purpose"].casefold())
    except ValueError:
        return Rejected(place, "purpose_missing", key)
    try:
        expires = date.fromisoformat(row["expires_on"])
    except ValueError:
        return Rejected(place, "expiry_missing", key)
    identifiers = []
    for text in parts(row["identifiers"]):
        found = _identifier(text)
        if isinstance(found, str):
            return Rejected(place, found, key)
        identifiers.append(found)
    return Entry(
        key,
        kind,
        (
            Name(row["name"], NameKind.PRIMARY),
            *(Name(text, NameKind.AKA) for text in parts(row["aliases"])),
        ),
        tuple(Address(text) for text in parts(row["addresses"])),
        tuple(identifiers),
        (),
        (),
        () if remarks.may_be_person(kind) else tuple(parts(row["remarks"])),
        Lookout(purpose.value, row["owner"], expires),
    )


def _identifier(text: str) -> Identifier | str:
    """Return the identifier, or why it is none: an own row can be corrected at once."""
    code, _, value = text.partition(":")
    try:
        kind = IdentifierKind(code.strip().casefold())
    except ValueError:
        return "identifier_unknown"
    value = value.strip()
    if not value:
        return "identifier_unknown"
    if kind is IdentifierKind.IMO:
        return Identifier(kind, normalise_imo(value)) if imo_valid(value) else "imo_invalid"
    return Identifier(kind, value)
