"""A world: ports, terminals, carriers, services, goods and habits of trade, read from data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from isthmus.kernel.errors import Invalid, NotFound
from isthmus.reference.check_digits import imo_check_digit
from isthmus.reference.offices import office_for

SHIPS_FROM = 300_000  # the IMO has never given out numbers that begin with 3


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal of this country."""

    place: str
    code: str
    coast: str
    office: str


@dataclass(frozen=True, slots=True)
class Ship:
    """A ship of a carrier."""

    name: str
    imo: str


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier: in which directory it writes, whose boxes it moves."""

    code: str
    name: str
    directory: str
    shouts: bool
    boxes: tuple[str, ...]
    ships: tuple[Ship, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """A weekly call at one terminal that brings boxes from its ports and takes boxes to them."""

    code: str
    carrier: Carrier
    terminal: Terminal
    weekday: int
    hour: int
    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the world: its ports (weight of loading, of taking), goods, onward trade."""

    loads: Mapping[str, float]
    takes: Mapping[str, float]
    sends: Mapping[str, float]
    onward: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Goods:
    """A commodity. Masses in kilograms, value in US dollars a kilogram of net mass."""

    code: str
    hs: str
    box: str
    load: tuple[float, float]
    package: tuple[str, float]
    value: tuple[float, float]
    tare: float
    set_point: float | None


@dataclass(frozen=True, slots=True)
class World:
    """All of a world. What only one module needs stays a plain mapping (``texts``)."""

    code: str
    country: str
    regimes: Mapping[str, float]
    shares: Mapping[str, float]
    terminals: Mapping[str, Terminal]
    carriers: Mapping[str, Carrier]
    forwarders: tuple[str, ...]
    services: tuple[Service, ...]
    regions: Mapping[str, Region]
    goods: Mapping[str, Goods]
    imports: Mapping[str, float]
    free_zone: Mapping[str, float]
    exports: Mapping[str, Mapping[str, float]]
    re_exports: Mapping[str, Mapping[str, float]]
    texts: Mapping[str, Any]

    def region_of(self, port: str) -> str:
        """Return the region in which a port lies."""
        return next(name for name, region in self.regions.items() if port in region.loads)

    def language_of(self, port: str) -> str:
        """Return the language in which papers of this port's country are written."""
        language = str(self.texts["countries"][port[:2]]["language"])
        return "en" if language == "zh" else language


@cache
def load(name: str = "panama") -> World:
    """Return a shipped world; raises ``NotFound``, or ``Invalid`` naming the file and key."""
    folder = files(__package__).joinpath("worlds")
    file = folder.joinpath(f"{name}.yaml")
    if not file.is_file():
        raise NotFound("world_unknown", "no such world", world=name)
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    texts = yaml.safe_load(folder.joinpath("texts.yaml").read_text(encoding="utf-8"))
    try:
        return _world(raw, texts)
    except KeyError as missing:
        raise Invalid("world_invalid", f"{missing} is missing", file=file.name) from None


def _world(raw: Mapping[str, Any], texts: Mapping[str, Any]) -> World:
    terminals = {entry["code"]: _terminal(entry) for entry in raw["terminals"]}
    number = iter(range(SHIPS_FROM, SHIPS_FROM + 10_000, 7))
    carriers = {
        entry["code"]: Carrier(
            code=entry["code"],
            name=entry["name"],
            directory=entry["directory"],
            shouts=entry["shouts"],
            boxes=tuple(entry["boxes"]),
            ships=tuple(_ship(name, next(number)) for name in entry["ships"]),
        )
        for entry in raw["carriers"]
    }
    return World(
        code=raw["code"],
        country=raw["country"],
        regimes=raw["regimes"],
        shares=raw["shares"],
        terminals=terminals,
        carriers=carriers,
        forwarders=tuple(raw["forwarders"]),
        services=tuple(
            Service(
                code=entry["code"],
                carrier=carriers[entry["carrier"]],
                terminal=terminals[entry["terminal"]],
                weekday=entry["weekday"],
                hour=entry["hour"],
                ports=tuple(entry["ports"]),
            )
            for entry in raw["services"]
        ),
        regions={name: _region(entry) for name, entry in raw["regions"].items()},
        goods={code: _goods(code, entry) for code, entry in raw["goods"].items()},
        imports=raw["imports"],
        free_zone=raw["free_zone"],
        exports=raw["exports"],
        re_exports=raw["re_exports"],
        texts=texts,
    )


def _terminal(entry: Mapping[str, str]) -> Terminal:
    office = office_for(entry["place"])
    if office is None:
        raise Invalid("world_invalid", "no customs office serves it", terminal=entry["code"])
    return Terminal(entry["place"], entry["code"], entry["coast"], office.code)


def _ship(name: str, number: int) -> Ship:
    return Ship(name, f"{number}{imo_check_digit(str(number))}")


def _region(entry: Mapping[str, Any]) -> Region:
    return Region(
        loads={port: weights[0] for port, weights in entry["ports"].items()},
        takes={port: weights[1] for port, weights in entry["ports"].items()},
        sends=entry["sends"],
        onward=entry["onward"],
    )


def _goods(code: str, entry: Mapping[str, Any]) -> Goods:
    return Goods(
        code=code,
        hs=entry["hs"],
        box=entry["box"],
        load=(entry["load"][0], entry["load"][1]),
        package=(entry["package"][0], entry["package"][1]),
        value=(entry["value"][0], entry["value"][1]),
        tare=entry["tare"],
        set_point=entry.get("set"),
    )
