"""The Specially Designated Nationals list of the US Office of Foreign Assets Control, as CSV.

Three files without headers: entries (12 columns), aliases (5), addresses (6), joined by the entry
number. ``-0-`` stands for nothing, a Ctrl-Z for the end. Source: OFAC, SDN data specification.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from isthmus.parties.lists import delimited, remarks
from isthmus.parties.lists.delimited import END_MARK
from isthmus.parties.model import (
    Address,
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

_PARTS = {12: "entries", 5: "aliases", 6: "addresses"}
_KINDS = {
    "": EntryKind.COMPANY,
    "individual": EntryKind.PERSON,
    "vessel": EntryKind.VESSEL,
    "aircraft": EntryKind.AIRCRAFT,
}
_ALIASES = {"aka": NameKind.AKA, "fka": NameKind.FORMER, "nka": NameKind.AKA}
_SHIP = ((6, "Vessel type"), (7, "Tonnage"), (8, "Gross registered tonnage"), (9, "Flag"),
         (10, "Owner"))  # fmt: skip


@dataclass(slots=True)
class _Parts:
    """The rows of the parts, by the number of their entry."""

    entries: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, list[list[str]]] = field(default_factory=dict)
    addresses: dict[str, list[list[str]]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def read(streams: Sequence[BinaryIO]) -> Iterator[Reading]:
    """Read the files of one publication, in whatever order; each is known by its columns."""
    held = _Parts()
    for stream in streams:
        for found in _part(stream, held):
            yield found
            if isinstance(found, Fault):
                return
    if "entries" not in held.seen:
        yield Fault("list_part_missing", {"part": "entries"})
        return
    for part in (held.aliases, held.addresses):
        for key in sorted(part.keys() - held.entries.keys()):
            yield Rejected(0, "entry_unknown", key[:40])
    for key, cells in held.entries.items():
        yield _entry(key, cells, held)


def _part(stream: BinaryIO, held: _Parts) -> Iterator[Rejected | Fault]:
    text = delimited.text_of(stream)
    if isinstance(text, Fault):
        yield text
        return
    part, width, ended = "", 0, False
    for row in delimited.rows(text):
        if isinstance(row, Fault | Rejected):
            yield row
            if isinstance(row, Fault):
                return
            continue
        place, raw = row
        cells = ["" if cell.strip() == "-0-" else cell.strip() for cell in raw]
        if cells[0] == END_MARK:
            ended = True
            break
        if not part:
            width, part = len(cells), _PARTS.get(len(cells), "")
            if not part or not cells[0].isdecimal():
                yield Fault("list_schema_wrong", {"columns": width})
                return
            if part in held.seen:
                yield Fault("list_part_twice", {"part": part})
                return
            held.seen.add(part)
        if rejected := _keep(held, part, width, place, cells):
            yield rejected
    if not ended:
        yield Fault("list_truncated", {"part": part})


def _keep(held: _Parts, part: str, width: int, place: int, cells: list[str]) -> Rejected | None:
    key = cells[0][:40]
    if len(cells) != width:
        return Rejected(place, "row_of_other_width", key)
    if not key.isdecimal():
        return Rejected(place, "key_invalid", key)
    if part == "entries":
        if reason := _fault_of(cells, held):
            return Rejected(place, reason, key)
        held.entries[key] = cells
    elif part == "aliases":
        if cells[2] not in _ALIASES or not cells[3]:
            return Rejected(place, "alias_invalid", key)
        held.aliases.setdefault(key, []).append(cells)
    else:
        held.addresses.setdefault(key, []).append(cells)
    return None


def _fault_of(cells: list[str], held: _Parts) -> str:
    if cells[0] in held.entries:
        return "key_twice"
    if cells[2] not in _KINDS:
        return "kind_unknown"
    return "" if cells[1] else "name_missing"


def _entry(key: str, cells: list[str], held: _Parts) -> Entry:
    kind = _KINDS[cells[2]]
    told = remarks.read(cells[11], kind)
    names = [Name(cells[1], NameKind.PRIMARY)]
    names += [Name(row[3], _ALIASES[row[2]]) for row in held.aliases.get(key, ())]
    identifiers = list(told.identifiers)
    notes = list(told.remarks)
    if cells[5]:
        identifiers.append(Identifier(IdentifierKind.CALL_SIGN, cells[5]))
    if kind is EntryKind.AIRCRAFT:
        identifiers.append(Identifier(IdentifierKind.AIRCRAFT_TAIL, cells[1]))
    if kind is not EntryKind.PERSON:
        notes += [f"{label}: {cells[place]}" for place, label in _SHIP if cells[place]]
    addresses = [
        Address(", ".join(cell for cell in (row[2], row[3]) if cell), row[4])
        for row in held.addresses.get(key, ())
        if row[2] or row[3] or row[4]
    ]
    return Entry(
        key,
        kind,
        (*names, *told.names),
        tuple(addresses),
        tuple(identifiers),
        tuple(delimited.parts(cells[3].replace("] [", ";"))),
        tuple(told.dates),
        tuple(notes),
    )
