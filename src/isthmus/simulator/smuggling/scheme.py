"""One way of smuggling: by whom, in which shipments, what it carries, which traces it may leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from isthmus.simulator.traffic.shipment import Shipment

FRONT, HIJACKED, TRADER, INSIDER, CREW = "front", "hijacked", "trader", "insider", "crew"
SHIPMENT, CALL, PASSAGE, CRAFT = "shipment", "call", "passage", "craft"
ROUTE, COMMODITY, TRADERS, METHOD = "route", "commodity", "trader", "method"


@dataclass(frozen=True, slots=True)
class Confuser:
    """What lawful trade does that looks like the scheme."""

    each: float
    traces: Mapping[str, float]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Starts:
    """When a scheme is first used, and how its use grows."""

    day: float = 0  # days after the world's start
    growth: float = 0  # share of its weight that it gains in thirty days

    def weight(self, weight: float, since: timedelta) -> float:
        """Return a weight as it stands so long after the world's start; 0 before the first use."""
        used = since - timedelta(days=self.day)
        if self.day and used < timedelta():
            return 0.0
        return max(0.0, weight * (1 + self.growth * max(0.0, used / timedelta(days=30))))


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, and in which rhythm.

    ``who``: ``front`` (companies that the group owns, which trade lawfully too), ``hijacked`` (the
    name of a firm that knows nothing of it), ``trader`` (an established trader takes part, or is
    used without knowing), ``insider`` (the same, with one user of the port's system), ``crew``
    (aboard).
    """

    who: str = TRADER
    roles: tuple[str, ...] = ()
    shipments: tuple[int, int] = (1, 1)
    every: tuple[float, float] = (3, 20)  # days of rest after it
    lawful: float = 0.0  # lawful shipments of a front for each that carries something
    tests: tuple[int, int] = (0, 0)  # lawful shipments before its first


@dataclass(frozen=True, slots=True)
class Adapts:
    """What a group changes once something was found: the chance of each change."""

    chances: Mapping[str, float]
    after: tuple[float, float] = (3, 20)  # days until it does


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of smuggling."""

    code: str
    name: Mapping[str, str]
    objective: str
    weight: float
    where: Mapping[str, Any]
    goods: str
    kilograms: tuple[float, float]
    zone: str
    traces: Mapping[str, float]
    confusers: tuple[Confuser, ...]
    found_by: Mapping[str, float]
    share: tuple[float, float] | None = None  # of the net mass, instead of kilograms
    uses: str = SHIPMENT  # shipments, ships in port, ships in the canal, or craft
    starts: Starts = Starts()
    by: By = By()
    adapts: Adapts = Adapts({})
    source: str | None = None
    basis: str = "domain"

    def fits(self, shipment: Shipment) -> bool:
        """Whether this scheme could use a shipment."""
        return self.fits_kind(shipment) and self.fits_way(shipment)

    def fits_kind(self, shipment: Shipment) -> bool:
        """Whether regime, goods and box are such that this scheme could use it."""
        where = self.where
        goods = shipment.goods.code if shipment.goods else ""
        chapter = (shipment.goods.hs if shipment.goods else "")[:2]
        kind = shipment.box.size_type
        return (
            shipment.regime.value in where.get("regimes", (shipment.regime.value,))
            and goods in where.get("goods", (goods,))
            and chapter in where.get("chapters", (chapter,))
            and kind in where.get("equipment", (kind,))
            and where.get("groupage", False) == bool(shipment.master)
            and where.get("reefer", shipment.reefer) == shipment.reefer
            and where.get("transferred", shipment.transferred) == shipment.transferred
        )

    def fits_way(self, shipment: Shipment) -> bool:
        """Whether the ports between which it goes are such that this scheme could use it."""
        where = self.where
        port, destination = shipment.port_of_loading, shipment.discharge
        return port in where.get("origins", (port,)) and destination in where.get(
            "destinations", (destination,)
        )
