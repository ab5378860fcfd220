"""Places of the trade: UN/LOCODE, and the terminals of the ports that matter on the lanes.

The list is the UN/LOCODE edition 2023-1 that pyunlocode ships, read from its database file.
Two of its faults are corrected here. It stores degrees and minutes as if they were a decimal
number (8.58 for 8 degrees 58 minutes) and 91 for "none", so coordinates are converted and absurd
ones dropped; and a third of all ports, Balboa, Manzanillo and Callao among them, have none in
UN/LOCODE, and names have lost their accents. The own file ``ports.csv`` therefore gives name and
coordinates of the ports, airports and border posts that matter here and goes first. UN/LOCODE
coordinates name a town to the minute of arc (1.9 km), not a berth.

Terminals carry SMDG codes (SMDG Secretariat, Terminal Code List, CC BY 4.0). Where no SMDG code
was verified the code is our own and its namespace ``ISTH`` says so.
"""

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pyunlocode

from isthmus.reference.codelist import read_rows

EDITION = "UN/LOCODE 2023-1"
_NO_COORDINATE = 91
_COLUMNS = (
    "country_code, location_code, name, subdivision, latitude, longitude, is_port, is_airport,"
    " is_border_cross"
)
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Place:
    """A place: five-character UN/LOCODE, degrees north and east where they are known."""

    code: str
    name: str
    country: str  # ISO 3166-1 alpha-2
    subdivision: str | None  # ISO 3166-2, without the country
    latitude: float | None
    longitude: float | None
    port: bool
    airport: bool
    border: bool


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal of a port. Codes are unique within their place and namespace, not beyond."""

    place: str
    code: str
    namespace: str  # SMDG, or ISTH for a code of our own
    name: str
    latitude: float
    longitude: float


@lru_cache(maxsize=50_000)
def place(code: str) -> Place | None:
    """The place of a UN/LOCODE (``PABLB``, ``PA BLB``), or None when there is none."""
    text = code.replace(" ", "").upper()
    if len(text) != 5 or not text.isascii():
        return None
    with _lock:
        row = (
            _database()
            .execute(
                f"SELECT {_COLUMNS} FROM location WHERE country_code = ? AND location_code = ?",
                (text[:2], text[2:]),
            )
            .fetchone()
        )
    return None if row is None else _place(row)


def place_known(code: str) -> bool:
    """Whether UN/LOCODE has this place."""
    return place(code) is not None


def all_places() -> Iterator[Place]:
    """Every place of UN/LOCODE, more than a hundred thousand: for tables, not for pages."""
    with _lock:
        rows = _database().execute(f"SELECT {_COLUMNS} FROM location").fetchall()
    return (_place(row) for row in rows)


@cache
def ports() -> tuple[Place, ...]:
    """The ports, airports and border posts that matter on the lanes, in the order of the file."""
    found = (place(code) for code in _own())
    return tuple(one for one in found if one is not None)


def terminals(place_code: str) -> tuple[Terminal, ...]:
    """The terminals of a place, in the order of the file; empty when none are listed."""
    return _terminals().get(place_code.replace(" ", "").upper(), ())


def terminal(place_code: str, code: str) -> Terminal | None:
    """The terminal of this code at this place, whatever its namespace, or None."""
    return next((one for one in terminals(place_code) if one.code == code), None)


@cache
def _database() -> sqlite3.Connection:
    # Opened by ourselves: the library's own opening runs DDL on the file, which fails where the
    # package folder is read-only. One connection serves all threads, under _lock.
    file = Path(pyunlocode.DB_PATH).resolve().as_uri()
    return sqlite3.connect(f"{file}?mode=ro&immutable=1", uri=True, check_same_thread=False)


@cache
def _own() -> dict[str, dict[str, str]]:
    return {row["code"]: row for row in read_rows("ports.csv")}


@cache
def _terminals() -> dict[str, tuple[Terminal, ...]]:
    found: dict[str, tuple[Terminal, ...]] = {}
    for row in read_rows("terminals.csv"):
        one = Terminal(
            place=row["place"],
            code=row["code"],
            namespace=row["namespace"],
            name=row["name"],
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
        )
        found[one.place] = (*found.get(one.place, ()), one)
    return found


def _place(row: tuple[Any, ...]) -> Place:
    country, location, name, subdivision, latitude, longitude, port, airport, border = row
    code = f"{country}{location}"
    own = _own().get(code)
    if own is not None:
        name, north, east = own["name"], float(own["latitude"]), float(own["longitude"])
        coordinates: tuple[float, float] | None = (north, east)
    else:
        coordinates = _coordinates(latitude, longitude)
    return Place(
        code=code,
        name=name,
        country=country,
        subdivision=subdivision or None,
        latitude=None if coordinates is None else coordinates[0],
        longitude=None if coordinates is None else coordinates[1],
        port=bool(port),
        airport=bool(airport),
        border=bool(border),
    )


def _coordinates(latitude: float, longitude: float) -> tuple[float, float] | None:
    """Decimal degrees of what the library stores, or None when it is absent or impossible."""
    if latitude == _NO_COORDINATE:
        return None
    north, east = _decimal_degrees(latitude), _decimal_degrees(longitude)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180:
        return None
    return north, east


def _decimal_degrees(stored: float) -> float | None:
    """8.58, which stands for 8 degrees 58 minutes, as 8.966667; None for 60 minutes and more."""
    hundredths = round(abs(stored) * 100)
    degrees, minutes = divmod(hundredths, 100)
    if minutes >= 60:
        return None
    return round((degrees + minutes / 60) * (-1 if stored < 0 else 1), 6)
