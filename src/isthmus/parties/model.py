"""A named party as an official list or a lookout gives it: who is named, how, and under what.

An entry says what its publisher says. What a person's entry tells of nationality, citizenship,
birthplace, gender or belief is no part of it: that stands in the document alone, verbatim and
sealed, so that nothing can be computed from it.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from isthmus.kernel.canonical import digest


class EntryKind(StrEnum):
    """What a list entry names."""

    PERSON = "person"
    COMPANY = "company"  # any organisation, public bodies among them
    VESSEL = "vessel"
    AIRCRAFT = "aircraft"
    ADDRESS = "address"  # a place listed by itself, whoever trades from it
    UNKNOWN = "unknown"  # the list does not say


class NameKind(StrEnum):
    """How a name stands for the party."""

    PRIMARY = "primary"
    AKA = "aka"
    WEAK_AKA = "weak_aka"  # too common to accuse anybody by itself
    FORMER = "former"


class IdentifierKind(StrEnum):
    """What sort of number an identifier is."""

    IMO = "imo"  # of a ship, with a right check digit
    MMSI = "mmsi"
    CALL_SIGN = "call_sign"
    AIRCRAFT_TAIL = "aircraft_tail"
    AIRCRAFT_SERIAL = "aircraft_serial"
    REGISTRATION = "registration"
    TAX = "tax"
    CONTAINER_PREFIX = "container_prefix"  # the four letters of a container owner
    LEI = "lei"
    PASSPORT = "passport"
    NATIONAL_ID = "national_id"
    OTHER = "other"


class DateKind(StrEnum):
    """What happened on a date."""

    BIRTH = "birth"
    FOUNDED = "founded"
    BUILT = "built"
    LISTED = "listed"
    EXPIRES = "expires"


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """One name, as written."""

    text: str
    kind: NameKind


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """One address, as written; the country is where it lies, in the list's own words."""

    text: str
    country: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """One number of the party and who gave it, in the list's own words."""

    kind: IdentifierKind
    value: str
    issuer: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Date:
    """One date as written (lists say ``circa 1951`` and ``1951 to 1953``)."""

    kind: DateKind
    text: str


@dataclass(frozen=True, slots=True)
class Lookout:
    """Why an own entry is watched for, whose it is and when it ends."""

    purpose: str
    owner: str
    expires_on: date


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a list. ``key`` is the list's own identifier of it."""

    key: str
    kind: EntryKind
    names: tuple[Name, ...]
    addresses: tuple[Address, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    programmes: tuple[str, ...] = ()
    dates: tuple[Date, ...] = ()
    remarks: tuple[str, ...] = ()
    lookout: Lookout | None = None

    def plain(self) -> dict[str, Any]:
        """Return the entry as plain values, the parts of each field in one fixed order.

        A list that only reorders its rows or the names in them so says nothing new.
        """
        lookout = self.lookout
        return {
            "kind": self.kind.value,
            "names": [[name.kind.value, name.text] for name in sorted(set(self.names))],
            "addresses": [[one.text, one.country] for one in sorted(set(self.addresses))],
            "identifiers": [
                [one.kind.value, one.value, one.issuer] for one in sorted(set(self.identifiers))
            ],
            "programmes": sorted(set(self.programmes)),
            "dates": [[one.kind.value, one.text] for one in sorted(set(self.dates))],
            "remarks": sorted(set(self.remarks)),
            "lookout": None
            if lookout is None
            else {
                "purpose": lookout.purpose,
                "owner": lookout.owner,
                "expires_on": lookout.expires_on.isoformat(),
            },
        }

    def digest(self) -> bytes:
        """Return the SHA-256 of the entry, its key included."""
        return digest({"key": self.key, **self.plain()})


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row or object that is no usable entry: where it stands (from 1) and why, as a code."""

    place: int
    reason: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a whole file cannot be taken, as a code with its particulars."""

    code: str
    detail: dict[str, Any] = field(default_factory=dict)


Reading = Entry | Rejected | Fault
"""What a reader yields: entries and rejections one by one; after a fault nothing more."""
