"""A party line as papers carry it, taken apart: the names, the address, the numbers.

A consignee box holds more than a name: "TO THE ORDER OF BANCO X, NOTIFY Y S.A. C/O Z, CALLE 50,
PANAMA, RUC 155-612-44 DV 7". Every name in it is screened by itself, and no part of the line is
lost: what is not a name is kept as address or number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from isthmus.parties.fold import words
from isthmus.parties.model import IdentifierKind
from isthmus.parties.vocabulary import forms, longest_form
from isthmus.reference.check_digits import imo_valid


class Capacity(StrEnum):
    """In what capacity a name stands in the line."""

    NAMED = "named"
    ORDER = "order"
    CARE_OF = "care_of"
    NOTIFY = "notify"
    TRADING_AS = "trading_as"


@dataclass(frozen=True, slots=True)
class NamedPart:
    """One name of the line and its capacity.

    ``readings`` are the names it may be: "X, COLON" is X of Colon, or a person named Colon X.
    """

    readings: tuple[str, ...]
    capacity: Capacity


@dataclass(frozen=True, slots=True)
class Number:
    """An identifying number, without the marks between its characters.

    ``sound`` is False when the number has a check digit and it is wrong.
    """

    kind: IdentifierKind
    value: str
    sound: bool


@dataclass(frozen=True, slots=True)
class PartyLine:
    """A line taken apart. ``order`` is true of any "to order" line, also of one without a name."""

    text: str
    names: tuple[NamedPart, ...]
    address: str
    numbers: tuple[Number, ...]
    vessel: bool
    order: bool


_NUMBERS = (
    (IdentifierKind.IMO, re.compile(r"\bIMO(?:\s*(?:NO|NUMBER|#))?[.:\s#-]*(\d{7})\b", re.I)),
    (IdentifierKind.MMSI, re.compile(r"\bMMSI(?:\s*(?:NO|NUMBER))?[.:\s#-]*(\d{9})\b", re.I)),
    (IdentifierKind.CALL_SIGN, re.compile(r"\bCALL\s*SIGN[.:\s#-]*([A-Z0-9]{4,7})\b", re.I)),
    (
        IdentifierKind.TAX,
        re.compile(
            r"\b(?:RUC|NIT|RFC|RTN|CNPJ|VAT|TIN|TAX\s*ID|INN|EIN|CUIT|RUT|USCI)"
            r"(?:\s*(?:NO|NUMBER|#))?[.:\s#-]*"
            r"([A-Z0-9][A-Z0-9./-]{0,30}\d[A-Z0-9./-]{0,30}(?:\s*D\.?V\.?\s*\d{1,2})?)",
            re.I,
        ),
    ),
    (
        IdentifierKind.REGISTRATION,
        re.compile(
            r"\b(?:REG(?:ISTRATION)?|OGRN|COMPANY|FOLIO|LICEN[CS]E)\s*(?:NO|NUMBER|NR|#)"
            r"[.:\s#-]*([A-Z0-9][A-Z0-9./-]{0,30}\d[A-Z0-9./-]{0,30})",
            re.I,
        ),
    ),
    (
        IdentifierKind.CONTAINER_PREFIX,
        re.compile(r"\b(?:CONTAINER\s+PREFIX|BIC(?:\s*CODE)?)[.:\s#-]*([A-Z]{3}[UJZ])\b", re.I),
    ),
)
_NUMBERED = re.compile(r"\d|@|CALL|BIC|PREFIX", re.I)
_PHONE = re.compile(
    r"\b(?:TEL(?:EPHONE)?|PHONE|FAX|PH|MOB(?:ILE)?|CEL(?:ULAR)?)\b[.:\s]*\+?[\d ()/.-]{6,40}", re.I
)
_MAIL = re.compile(r"\b(?:E-?MAIL[.:\s]*)?[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", re.I)
_ORDER = re.compile(
    r"\b(?:UN)?TO\s+(?:THE\s+)?ORDER(?:\s+OF)?\b|\bA\s+LA\s+ORDEN(?:\s+DE(?:L)?)?\b"
    r"|(?<!\w)[AÀ]\s+(?:L')?ORDRE(?:\s+DE)?\b|\bAAN\s+ORDER(?:\s+VAN)?\b"
    r"|(?<!\w)[AÀ]\s+ORDEM(?:\s+D[EOA])?\b",
    re.I,
)
_MARKS = (
    (Capacity.CARE_OF, r"(?<!\w)C\s*/\s*O\b\.?:?|\bCARE\s+OF\b|\bA/C\b|\bON\s+BEHALF\s+OF\b"),
    (Capacity.NOTIFY, r"\b(?:ALSO\s+)?NOTIFY(?:\s+PARTY)?\b[.:]?|\bNOTIFICAR(?:\s+A)?\b[.:]?"),
    (
        Capacity.TRADING_AS,
        r"\bT/A\b|\bD/?B/?A\b|\b[AFN]\.?K\.?A\.?(?=\s)|\bTRADING\s+AS\b",
    ),
)
_MARK = re.compile("|".join(f"(?P<{kind.value}>{text})" for kind, text in _MARKS), re.I)
_VESSEL = re.compile(
    r"^\s*(?:M\s*[./]?\s*[VTSY]\b\.?|M\s*/\s*T\s*/?S?\b|S\s*[./]?\s*S\b\.?|F\s*[./]\s*V\b\.?|FV\b"
    r"|MTUG\b|LPG/?C?\b|LNG/?C?\b|VESSEL\b:?|BUQUE\b|MOTONAVE\b|NAVIO\b|TUG\b)(?=\s*\S)\s*",
    re.I,
)
_VOYAGE = re.compile(r"\s+(?:V(?:OY)?\.?\s*\d{1,4}[A-Z]?|VOYAGE\s+\w+)\s*$", re.I)
_CUT = re.compile(r"[\n\r;|]+|,(?=\s)|,$")
_STREET = re.compile(
    r"\b(?:P\.?\s*O\.?\s*BOX|APARTADO|APDO|ROAD|RD|STREET|ST|AVENUE|AVENIDA|AVE|AV|CALLE|CARRERA"
    r"|CRA|BOULEVARD|BLVD|LANE|DRIVE|FLOOR|FLR|PISO|SUITE|OFICINA|OFFICE|ROOM|RM|BUILDING|BLDG"
    r"|EDIFICIO|TOWER|PLOT|WAREHOUSE|GALERA|BODEGA|UL|ULITSA|STRASSE|STR|RUE|RUA|STRAAT|VIA"
    r"|NO|KM|APT|DISTRICT|PROVINCE|ZIP|WAY|QUAY|WHARF|FREE\s+ZONE|ZONA\s+(?:LIBRE|FRANCA)"
    r"|INDUSTRIAL\s+(?:PARK|ZONE|ESTATE))\b",
    re.I,
)
_HOUSE = re.compile(r"\s(?:NO\.?\s*)?\d{1,5}[A-Z]?\s+(?=[^\W\d]{2})", re.I)
_BOX = re.compile(r"\s(?=P\.?\s*O\.?\s*BOX\b|APARTADO\b|CALLE\b|AVENIDA\b|CARRERA\b)", re.I)


def read_line(text: str) -> PartyLine:
    """Take a party line apart. Any text can be read; one without a name gives no names."""
    rest, numbers, tails = _numbers(text) if _NUMBERED.search(text) else (text, [], [])
    order = _ORDER.search(rest) is not None
    names: list[NamedPart] = []
    address: list[str] = []
    vessel = any(n.kind in (IdentifierKind.IMO, IdentifierKind.MMSI) for n in numbers)
    for capacity, part in _capacities(rest):
        bare = _VESSEL.sub("", part)
        vessel = vessel or bare != part
        readings, tail = _names_and_tail(_VOYAGE.sub("", bare) if bare != part else bare)
        if readings:
            names.append(NamedPart(readings, capacity))
        address += [tail] if tail else []
    return PartyLine(
        text, tuple(names), ", ".join([*address, *tails]), tuple(numbers), vessel, order
    )


def _numbers(text: str) -> tuple[str, list[Number], list[str]]:
    """The text without its numbers, the identifying ones, and those one only calls or writes to."""
    found: list[Number] = []
    for kind, pattern in _NUMBERS:
        for match in pattern.finditer(text):
            value = re.sub(r"[\s./-]+", "", match[1]).upper()
            sound = imo_valid(value) if kind is IdentifierKind.IMO else True
            found.append(Number(kind, value, sound))
        text = pattern.sub("\n", text)
    tails = [match[0] for pattern in (_PHONE, _MAIL) for match in pattern.finditer(text)]
    return _MAIL.sub("\n", _PHONE.sub("\n", text)).strip(" \t\r\n,;"), found, tails


def _capacities(text: str) -> Iterator[tuple[Capacity, str]]:
    """The parts of the line between "c/o", "notify" and the like, each with its capacity."""
    capacity, start = Capacity.NAMED, 0
    ordered = _ORDER.match(text.lstrip(" \t\r\n,.:"))
    if ordered:
        text, capacity = text.lstrip(" \t\r\n,.:")[ordered.end() :], Capacity.ORDER
    text = _ORDER.sub("\n", text)
    for mark in _MARK.finditer(text):
        yield capacity, text[start : mark.start()].strip(" \t\r\n,.:-(")
        capacity, start = Capacity(mark.lastgroup or ""), mark.end()
    yield capacity, text[start:].strip(" \t\r\n,:-")


def _names_and_tail(text: str) -> tuple[tuple[str, ...], str]:
    """The readings of the name at the head of a part, and the address after it."""
    found = _CUT.search(text)
    pieces = [piece.strip() for piece in _CUT.split(text) if piece.strip()]
    if not pieces:
        return (), ""
    commas = [mark.strip() == "," for mark in _CUT.findall(text)]
    head, tail = _without_street(pieces[0]), pieces[1:]
    whole = [head[0]]
    if not head[1]:
        while found and tail and commas[:1] == [True] and _starts_with_form(words(tail[0])):
            whole, tail, commas = [f"{whole[0]}, {tail[0]}"], tail[1:], commas[1:]
        given, street = _without_street(tail[0]) if tail and commas[:1] == [True] else ("", "")
        if _given_name(given):
            alone = len(commas) == 1 and len(words(whole[0])) < 4
            both = f"{whole[0]}, {given}"
            whole = [both] if alone or len(words(whole[0])) < 2 else [both, whole[0]]
            tail = [street, *tail[1:]]
    readings = tuple(name.strip(" ,") for name in whole if words(name))
    return readings, ", ".join(part for part in (head[1], *tail) if part)


def _without_street(text: str) -> tuple[str, str]:
    """A name without the street that follows it unmarked, and the street."""
    for pattern in (_BOX, _HOUSE):
        found = pattern.search(text)
        if found and words(text[: found.start()]) and _STREET.search(text[found.start() :]):
            return text[: found.start()].strip(" ,"), text[found.start() :].strip()
    return text, ""


def _given_name(piece: str) -> bool:
    said = words(piece)
    return (
        0 < len(said) <= 6
        and not any(word.isdigit() for word in said)
        and not _STREET.search(piece)
    )


def _starts_with_form(said: tuple[str, ...]) -> bool:
    known = forms()
    return any(said[:length] in known for length in range(1, longest_form() + 1))
