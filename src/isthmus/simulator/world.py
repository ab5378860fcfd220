"""A world: ports, terminals, carriers, services, goods and habits of trade, read from data.

A world is a folder of ``worlds/``: ``world.yaml`` (regimes, shares, terminals),
``services.yaml``, ``regions.yaml``, ``goods.yaml`` and ``facts.yaml`` (what is publicly known of
the real trade, to hold the world against). The words of papers are in ``worlds/texts``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from isthmus.kernel.errors import Invalid, NotFound
from isthmus.reference import places
from isthmus.reference.check_digits import imo_check_digit
from isthmus.reference.offices import office_for

SHIPS_FROM = 300_000  # the IMO has never given out numbers that begin with 3
LINERS_FROM = SHIPS_FROM + 50_000
LANGUAGES = ("es", "en", "fr", "nl", "pt")  # of papers; firms of other tongues write English
PARTS = ("world", "services", "regions", "goods", "facts")
FLAT = (1.0,) * 12


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal of this country. Degrees north and east."""

    place: str
    code: str
    coast: str
    office: str
    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Ship:
    """A ship of a carrier."""

    name: str
    imo: str
    teu: int


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
    """A weekly call at one terminal that brings boxes from its ports and takes boxes to them.

    Its own ships take turns: as many as the rotation has weeks. Ports beyond the ships' own
    rotation, reached by another line's feeder, stand among the ports as well.
    """

    code: str
    carrier: Carrier
    terminal: Terminal
    weekday: int
    hour: int
    ports: tuple[str, ...]
    ships: tuple[Ship, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the world: its ports (weight of loading, of taking), goods, onward trade."""

    loads: Mapping[str, float]
    takes: Mapping[str, float]
    sends: Mapping[str, float]
    onward: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Goods:
    """A commodity. Masses in kilograms, value in US dollars a kilogram of net mass.

    ``density`` is that of the stowed cargo, packaging included, in kilograms a cubic metre.
    """

    code: str
    sector: str
    hs: str
    box: str  # the usual size and type
    boxes: Mapping[str, float]  # weights of the sizes and types it is shipped in
    load: tuple[float, float]
    package: tuple[str, float]
    value: tuple[float, float]
    tare: float
    set_point: float | None
    density: float
    seasons: Mapping[str, tuple[float, ...]]  # weights of the months, by region; "" elsewhere
    factors: Mapping[str, float]  # of the price, by region of origin
    grades: tuple[str, ...]  # sizes, grades and specifications that papers add

    def season(self, region: str, month: int) -> float:
        """Return the weight of a month, 1 to 12; 1 is an average month."""
        return self.seasons.get(region, self.seasons.get("", FLAT))[month - 1]

    def factor(self, region: str) -> float:
        """Return the factor on the usual price for goods of this region."""
        return self.factors.get(region, 1.0)


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known or assumed of the real trade, in its unit.

    ``public`` says that a public source, named in words, gives it; otherwise it is an assumption.
    """

    code: str
    value: float
    unit: str
    source: str
    year: int | None
    public: bool
    says: str


@dataclass(frozen=True, slots=True)
class World:
    """All of a world. What only one module needs stays a plain mapping (``texts``)."""

    code: str
    country: str
    regimes: Mapping[str, float]
    shares: Mapping[str, float]
    traders: Mapping[str, float]  # how firms are born, rest, die and belong together
    inspected: Mapping[str, float]  # share of consignments that are inspected, by regime
    faults: Mapping[str, float]  # clerical errors: shares of papers or documents
    offices: Mapping[str, str]  # the format of declarations at an office: wco, json or table
    terminals: Mapping[str, Terminal]
    carriers: Mapping[str, Carrier]
    forwarders: tuple[str, ...]
    services: tuple[Service, ...]
    regions: Mapping[str, Region]
    ports: Mapping[str, str]  # the region of each foreign port
    goods: Mapping[str, Goods]
    imports: Mapping[str, float]
    free_zone: Mapping[str, float]
    exports: Mapping[str, Mapping[str, float]]
    re_exports: Mapping[str, Mapping[str, float]]
    facts: Mapping[str, Fact]
    texts: Mapping[str, Any]

    def region_of(self, port: str) -> str:
        """Return the region in which a foreign port lies."""
        return self.ports[port]

    def language_of(self, port: str) -> str:
        """Return the language in which papers of this port's country are written."""
        language = str(self.texts["countries"][port[:2]]["language"])
        return language if language in LANGUAGES else "en"

    def sends(self, region: str, on: date) -> Mapping[str, float]:
        """Return the weights of the goods that a region sends on a day, seasons included."""
        return {
            code: weight * self.goods[code].season(region, on.month)
            for code, weight in self.regions[region].sends.items()
        }


@cache
def load(name: str = "panama") -> World:
    """Return a shipped world; raises ``NotFound``, or ``Invalid`` naming the file and key."""
    folder = files(__package__).joinpath("worlds")
    if not folder.joinpath(name, "world.yaml").is_file():
        raise NotFound("world_unknown", "no such world", world=name)
    raw: dict[str, Any] = {}
    for part in PARTS:
        raw.update(_read(folder.joinpath(name, f"{part}.yaml")))
    try:
        made = _world(raw, _texts(folder.joinpath("texts")))
    except KeyError as missing:
        raise Invalid("world_invalid", f"{missing} is missing", world=name) from None
    for where, key in _unknown(made):
        raise Invalid("world_invalid", f"{key} is not known", world=name, where=where)
    return made


def _read(file: Traversable) -> dict[str, Any]:
    read = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return dict(read)


def _texts(folder: Traversable) -> dict[str, Any]:
    texts: dict[str, Any] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            texts.update(_read(file))
    texts["descriptions"] = {}
    for file in sorted(folder.joinpath("goods").iterdir(), key=lambda file: file.name):
        texts["descriptions"].update(_read(file))
    return texts


def _world(raw: Mapping[str, Any], texts: Mapping[str, Any]) -> World:
    terminals = {entry["code"]: _terminal(entry) for entry in raw["terminals"]}
    carriers, services = _fleet(raw, terminals)
    regions = {name: _region(entry) for name, entry in raw["regions"].items()}
    return World(
        code=raw["code"],
        country=raw["country"],
        regimes=raw["regimes"],
        shares=raw["shares"],
        traders=raw["traders"],
        inspected=raw["inspected"],
        faults=raw["faults"],
        offices=raw["offices"],
        terminals=terminals,
        carriers=carriers,
        forwarders=tuple(raw["forwarders"]),
        services=services,
        regions=regions,
        ports={port: name for name, region in regions.items() for port in region.loads},
        goods={
            code: _goods(code, sector, entry, raw["seasons"])
            for sector, entries in raw["goods"].items()
            for code, entry in entries.items()
        },
        imports=raw["imports"],
        free_zone=raw["free_zone"],
        exports=raw["exports"],
        re_exports=raw["re_exports"],
        facts={code: Fact(code=code, **entry) for code, entry in raw["facts"].items()},
        texts=texts,
    )


def _terminal(entry: Mapping[str, str]) -> Terminal:
    place, code = entry["place"], entry["code"]
    office, listed = office_for(place), places.terminal(place, code)
    if office is None:
        raise Invalid("world_invalid", "no customs office serves it", terminal=code)
    if listed is None:
        raise Invalid("world_invalid", "no such terminal at its place", terminal=code)
    return Terminal(
        place, code, entry["coast"], office.code, listed.name, listed.latitude, listed.longitude
    )


def _fleet(
    raw: Mapping[str, Any], terminals: Mapping[str, Terminal]
) -> tuple[dict[str, Carrier], tuple[Service, ...]]:
    number = iter(range(LINERS_FROM, LINERS_FROM + 20_000, 7))
    names = {entry["code"]: _ship_names(entry) for entry in raw["carriers"]}
    ships = {
        entry["code"]: tuple(
            _ship(next(names[entry["carrier"]]), next(number), entry["teu"])
            for _ in range(entry["weeks"])
        )
        for entry in raw["services"]
    }
    carriers = {
        entry["code"]: Carrier(
            code=entry["code"],
            name=entry["name"],
            directory=entry["directory"],
            shouts=entry["shouts"],
            boxes=tuple(entry["boxes"]),
            ships=tuple(
                ship
                for service in raw["services"]
                if service["carrier"] == entry["code"]
                for ship in ships[service["code"]]
            ),
        )
        for entry in raw["carriers"]
    }
    services = tuple(
        Service(
            code=entry["code"],
            carrier=carriers[entry["carrier"]],
            terminal=terminals[entry["terminal"]],
            weekday=entry["weekday"],
            hour=entry["hour"],
            ports=tuple(entry["ports"]),
            ships=ships[entry["code"]],
        )
        for entry in raw["services"]
    )
    return carriers, services


def _ship_names(carrier: Mapping[str, Any]) -> Iterator[str]:
    for first in carrier["ships"]["first"]:
        for last in carrier["ships"]["last"]:
            yield f"{first} {last}"
    raise Invalid("world_invalid", "has more ships than names", carrier=carrier["code"])


def _ship(name: str, number: int, teu: int) -> Ship:
    return Ship(name, f"{number}{imo_check_digit(str(number))}", teu)


def _region(entry: Mapping[str, Any]) -> Region:
    return Region(
        loads={port: weights[0] for port, weights in entry["ports"].items()},
        takes={port: weights[1] for port, weights in entry["ports"].items()},
        sends=entry["sends"],
        onward=entry["onward"],
    )


def _goods(
    code: str, sector: str, entry: Mapping[str, Any], seasons: Mapping[str, list[float]]
) -> Goods:
    season = entry.get("season", {})
    named = season if isinstance(season, dict) else {"": season}
    boxes = entry["boxes"]
    return Goods(
        code=code,
        sector=sector,
        hs=entry["hs"],
        box=max(boxes, key=boxes.__getitem__),
        boxes=boxes,
        load=(entry["load"][0], entry["load"][1]),
        package=(entry["package"][0], entry["package"][1]),
        value=(entry["value"][0], entry["value"][1]),
        tare=entry["tare"],
        set_point=entry.get("set"),
        density=entry["density"],
        seasons={region: _months(seasons[name]) for region, name in named.items()},
        factors=entry.get("factors", {}),
        grades=tuple(entry.get("grades", ())),
    )


def _months(weights: list[float]) -> tuple[float, ...]:
    """Return twelve weights that are 1 on average."""
    return tuple(weight * 12 / sum(weights) for weight in weights)


def _unknown(world: World) -> Iterator[tuple[str, str]]:
    """Yield what a world speaks of without saying what it is: where, and the key."""
    for service in world.services:
        yield from ((service.code, port) for port in service.ports if port not in world.ports)
    for name, region in world.regions.items():
        yield from ((name, code) for code in region.sends if code not in world.goods)
        yield from ((name, other) for other in region.onward if other not in world.regions)
    for name, weights in (("imports", world.imports), ("free_zone", world.free_zone)):
        yield from ((name, region) for region in weights if region not in world.regions)
    for name, trade in (("exports", world.exports), ("re_exports", world.re_exports)):
        yield from ((name, code) for code in trade["sends"] if code not in world.goods)
        yield from ((name, region) for region in trade["to"] if region not in world.regions)
    served = {port for service in world.services for port in service.ports}
    yield from (("services", port) for port in world.ports if port not in served)
    countries = world.texts["countries"]
    yield from (("countries", port[:2]) for port in world.ports if port[:2] not in countries)
    yield from (
        ("descriptions", code) for code in world.goods if code not in world.texts["descriptions"]
    )
