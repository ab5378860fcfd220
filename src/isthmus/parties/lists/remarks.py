"""What the remarks of a sanctions entry hold: dates, numbers, weak aliases; and what is left out.

The Office of Foreign Assets Control writes them as phrases between semicolons (``DOB 08 Aug 1959``,
``Vessel Registration Identification IMO 7406784``, ``a.k.a. 'BNC'``). Of a natural person only
phrases of known, neutral kinds are kept: nationality, birthplace, gender, office held and free
text stay in the sealed document. Who issued a passport or an identity card is left out too, for
it tells the nationality.
"""

import re
from dataclasses import dataclass, field

from isthmus.parties.model import (
    Date,
    DateKind,
    EntryKind,
    Identifier,
    IdentifierKind,
    Name,
    NameKind,
)
from isthmus.reference.check_digits import imo_valid, mmsi_valid, normalise_imo

_NUMBERS: tuple[tuple[IdentifierKind, str], ...] = (
    (IdentifierKind.MMSI, r"MMSI"),
    (IdentifierKind.AIRCRAFT_TAIL, r"Aircraft Tail Number"),
    (
        IdentifierKind.AIRCRAFT_SERIAL,
        r"Aircraft Manufacturer's Serial Number \(MSN\)"
        r"|Aircraft Construction Number \(also called L/N or S/N or F/N\)",
    ),
    (IdentifierKind.LEI, r"Legal Entity Number"),
    (
        IdentifierKind.TAX,
        r"Tax ID No\.|NIT #|RUC #|RIF #|R\.F\.C\.|US FEIN|V\.A\.T\. Number|C\.U\.I\.T\.|RTN",
    ),
    (IdentifierKind.PASSPORT, r"Passport|Stateless Person Passport|Diplomatic Passport"),
    (
        IdentifierKind.NATIONAL_ID,
        r"National ID No\.|Cedula No\.|C\.U\.R\.P\.|SSN|D\.N\.I\.|Personal ID Card"
        r"|Driver's License No\.|Identification Number|Tarjeta Identidad|I\.F\.E\."
        r"|Cartilla de Servicio Militar Nacional|Electoral Registry No\.",
    ),
    (
        IdentifierKind.REGISTRATION,
        r"(?:Business |Company )?Registration (?:Number|ID|Document #)|Commercial Registry Number"
        r"|Company Number|Unified Social Credit Code \(USCC\)|Trade License No\.|License"
        r"|Government Gazette Number|Folio Mercantil No\.|Economic Register Number \(CBLS\)"
        r"|Chamber of Commerce Number|C\.R\. No\.|Matricula Mercantil No|Enterprise Number"
        r"|Vessel Registration Identification|Business Number|Public Registration Number"
        r"|UK Company Number|(?:Istanbul|Dubai) Chamber of Comm(?:erce Membership|\.) No\."
        r"|Certificate of Incorporation Number|Registered Charity No\.|Permit Number",
    ),
    (
        IdentifierKind.OTHER,
        r"Digital Currency Address - \w+|Email Address|Phone Number|Website"
        r"|D-U-N-S Number|BIK \(RU\)|SWIFT/BIC",
    ),
)
_NUMBER = tuple((kind, re.compile(rf"(?:alt\. )?(?:{words}) (.+)")) for kind, words in _NUMBERS)
_ISSUED = re.compile(r"(.+?)(?: \(([^()]*)\))?(?: (?:issued|expires) .*)?")
_IMO = re.compile(
    r"(?:alt\. )?(?:Vessel Registration Identification|Identification Number) (IMO .+)"
)
_DATES = (
    (DateKind.BIRTH, re.compile(r"(?:alt\. )?DOB (.+)")),
    (DateKind.FOUNDED, re.compile(r"(?:alt\. )?Organization Established Date (.+)")),
    (DateKind.BUILT, re.compile(r"(?:Aircraft Manufacture Date|Vessel Year of Build) (.+)")),
)
_ALIAS = re.compile(r"(a|f|n)\.k\.a\. '(.+)'")
_ALIAS_KINDS = {"a": NameKind.WEAK_AKA, "f": NameKind.FORMER, "n": NameKind.AKA}
_NEUTRAL = re.compile(
    r"Linked To:|Additional Sanctions Information|Secondary sanctions risk|"
    r"Transactions Prohibited For Persons|(?:alt\. )?Executive Order"
)
_UNISSUED = {IdentifierKind.PASSPORT, IdentifierKind.NATIONAL_ID}


@dataclass(slots=True)
class Told:
    """What remarks tell."""

    names: list[Name] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)
    dates: list[Date] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def may_be_person(kind: EntryKind) -> bool:
    """Whether an entry is, or may be, about a natural person; where a list is silent it may."""
    return kind in (EntryKind.PERSON, EntryKind.UNKNOWN)


def ship_number(text: str, kind: EntryKind) -> Identifier:
    """Return an IMO number; one of wrong digits, or of no ship, is kept as some other number."""
    if kind is EntryKind.VESSEL and imo_valid(text):
        return Identifier(IdentifierKind.IMO, normalise_imo(text))
    return Identifier(IdentifierKind.OTHER, text if text.startswith("IMO") else f"IMO {text}")


def read(text: str, kind: EntryKind) -> Told:
    """Read the remarks of an entry of this kind."""
    told = Told()
    for phrase in text.removesuffix(".").split(";"):
        if clean := phrase.strip():
            _take(clean, kind, told)
    return told


def _take(phrase: str, kind: EntryKind, told: Told) -> None:
    if alias := _ALIAS.fullmatch(phrase):
        told.names.append(Name(alias[2], _ALIAS_KINDS[alias[1]]))
    elif ship := _IMO.fullmatch(phrase):
        told.identifiers.append(ship_number(ship[1], kind))
    elif date := next(((k, m) for k, p in _DATES if (m := p.fullmatch(phrase))), None):
        told.dates.append(Date(date[0], date[1][1]))
    elif number := next(((k, m) for k, p in _NUMBER if (m := p.fullmatch(phrase))), None):
        told.identifiers.append(_identifier(number[0], number[1][1], phrase))
    elif not may_be_person(kind) or _NEUTRAL.match(phrase):
        told.remarks.append(phrase)


def _identifier(kind: IdentifierKind, text: str, phrase: str) -> Identifier:
    if kind is IdentifierKind.OTHER:  # a number of no kind of ours says nothing without its label
        return Identifier(kind, phrase.removeprefix("alt. "))
    match = _ISSUED.fullmatch(text)
    value, issuer = (match[1], match[2] or "") if match else (text, "")
    if kind is IdentifierKind.MMSI and not mmsi_valid(value):
        return Identifier(IdentifierKind.OTHER, f"MMSI {value}")
    return Identifier(kind, value, "" if kind in _UNISSUED else issuer)
