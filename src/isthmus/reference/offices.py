"""Customs offices and control points: where goods and craft can be checked, and what each serves.

Every sort of control point that a border has is one model: sea port, airport, land border,
coastal point, free zone, inland port, post, canal, headquarters (list ``control_point_types``).
Panama's are here, and some of partner countries. Codes are our own, ``PA-BLB``; the code of the
country's administration stands beside it where it was verified.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from isthmus.reference.codelist import Entry, code_list


class ControlPoint(StrEnum):
    """The sort of a control point (list ``control_point_types``)."""

    SEA_PORT = "sea_port"
    AIRPORT = "airport"
    LAND_BORDER = "land_border"
    COASTAL_POINT = "coastal_point"
    FREE_ZONE = "free_zone"
    INLAND_PORT = "inland_port"
    POST = "post"
    CANAL = "canal"
    HEADQUARTERS = "headquarters"


@dataclass(frozen=True, slots=True)
class Office:
    """A customs office or control point. Its name is ``label(code, locale)``."""

    code: str
    country: str  # ISO 3166-1 alpha-2
    type: ControlPoint
    places: tuple[str, ...]  # UN/LOCODEs it serves; a border post may have none
    national_code: str | None
    latitude: float
    longitude: float


def office(code: str) -> Office | None:
    """The office of this code, or None."""
    return _offices().get(code)


def offices(country: str | None = None) -> tuple[Office, ...]:
    """Every office, or those of one country, in the order of the list."""
    return tuple(one for one in _offices().values() if country in (None, one.country))


def office_for(place_code: str) -> Office | None:
    """The office that serves a UN/LOCODE place, or None. A place is served by one office."""
    return _by_place().get(place_code.replace(" ", "").upper())


def label(code: str, locale: str) -> str:
    """The name of the office in the reader's language; an unknown code, itself."""
    return code_list("customs_offices").label(code, locale)


@cache
def _offices() -> dict[str, Office]:
    return {entry.code: _office(entry) for entry in code_list("customs_offices")}


@cache
def _by_place() -> dict[str, Office]:
    return {place: one for one in _offices().values() for place in one.places}


def _office(entry: Entry) -> Office:
    return Office(
        code=entry.code,
        country=entry.extra["country"],
        type=ControlPoint(entry.extra["type"]),
        places=tuple(entry.extra["places"].split()),
        national_code=entry.extra["national_code"] or None,
        latitude=float(entry.extra["latitude"]),
        longitude=float(entry.extra["longitude"]),
    )
