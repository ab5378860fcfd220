"""The US Consolidated Screening List (Departments of Commerce, State and the Treasury), as CSV.

One row a party, under a header; several values of a cell are parted by semicolons. Source:
International Trade Administration, columns of the published CSV. Citizenships, nationalities and
places of birth are columns of their own and are not read.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from isthmus.parties.lists import delimited, remarks
from isthmus.parties.lists.delimited import parts
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

COLUMNS = (
    "_id",
    "source",
    "type",
    "programs",
    "name",
    "addresses",
    "start_date",
    "end_date",
    "call_sign",
    "vessel_flag",
    "remarks",
    "alt_names",
    "dates_of_birth",
    "ids",
)
_KINDS = {
    "": EntryKind.UNKNOWN,
    "individual": EntryKind.PERSON,
    "entity": EntryKind.COMPANY,
    "vessel": EntryKind.VESSEL,
    "aircraft": EntryKind.AIRCRAFT,
}


def read(streams: Sequence[BinaryIO]) -> Iterator[Reading]:
    """Read the one file of a publication."""
    if len(streams) != 1:
        yield Fault("list_one_file", {"files": len(streams)})
        return
    text = delimited.text_of(streams[0])
    if isinstance(text, Fault):
        yield text
        return
    for record in delimited.records(text, COLUMNS):
        if isinstance(record, Fault | Rejected):
            yield record
        else:
            yield _entry(*record)


def _entry(place: int, row: dict[str, str]) -> Entry | Rejected:
    key = row["_id"]
    if not key:
        return Rejected(place, "key_missing")
    kind = _KINDS.get(row["type"].casefold())
    if kind is None:
        return Rejected(place, "kind_unknown", key)
    if not row["name"]:
        return Rejected(place, "name_missing", key)
    told = remarks.read(row["remarks"], kind)
    identifiers = [*told.identifiers, *_identifiers(row["ids"], kind)]
    if row["call_sign"]:
        identifiers.append(Identifier(IdentifierKind.CALL_SIGN, row["call_sign"]))
    dates = [Date(DateKind.BIRTH, text) for text in parts(row["dates_of_birth"])]
    dates += [
        Date(date, row[column])
        for date, column in ((DateKind.LISTED, "start_date"), (DateKind.EXPIRES, "end_date"))
        if row[column]
    ]
    notes = [f"Flag: {row['vessel_flag']}"] if row["vessel_flag"] else []
    return Entry(
        key,
        kind,
        (
            Name(row["name"], NameKind.PRIMARY),
            *(Name(text, NameKind.AKA) for text in parts(row["alt_names"])),
            *told.names,
        ),
        tuple(Address(text) for text in parts(row["addresses"])),
        tuple(identifiers),
        (row["source"], *parts(row["programs"])),
        (*dates, *told.dates),
        (*notes, *told.remarks),
    )


def _identifiers(cell: str, kind: EntryKind) -> Iterator[Identifier]:
    """Yield the numbers of the cell ``ids``, each written ``type, number, country``.

    The cell holds other particulars in the same form (``Gender, Male``); so of what may be a
    person only known types of numbers are read.
    """
    for text in parts(cell):
        what, _, rest = text.partition(",")
        value, _, country = rest.partition(",")
        phrase = f"{what.strip()} {value.strip()}"
        issuer = country.split(",")[0].strip()
        found = remarks.read(f"{phrase} ({issuer})" if issuer else phrase, kind).identifiers
        if found:
            yield from found
        elif not remarks.may_be_person(kind):
            yield Identifier(IdentifierKind.OTHER, phrase, issuer)
