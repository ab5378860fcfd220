"""Days of a world without their documents: what was drawn, planted, inspected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby

from isthmus.simulator import world
from isthmus.simulator.dice import Dice
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.officers import Inspection, Inspector
from isthmus.simulator.smuggling.planted import Planted, PlantedVoyage
from isthmus.simulator.smuggling.scheme import Scheme
from isthmus.simulator.smuggling.traces import Kit
from isthmus.simulator.smuggling.underworld import Underworld
from isthmus.simulator.traffic.calls import AHEAD, calls
from isthmus.simulator.traffic.life import Port
from isthmus.simulator.traffic.numbers import Numbers
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.traffic.trade import Trade

START = datetime(2026, 8, 31, tzinfo=UTC)


@dataclass(slots=True)
class Lived:
    """What some days came to."""

    underworld: Underworld
    kit: Kit
    shipments: list[Shipment] = field(default_factory=list)
    planted: list[tuple[date, Planted]] = field(default_factory=list)
    voyages: list[PlantedVoyage] = field(default_factory=list)
    inspections: list[tuple[Shipment, Planted | None, Inspection]] = field(default_factory=list)

    @property
    def guilty(self) -> list[Planted]:
        """Return what carries something."""
        return [entry for _, entry in self.planted if entry.guilty]


def live(
    count: int,
    days: int,
    rate: float,
    *,
    seed: int = 5,
    methods: Sequence[Scheme] | None = None,
    catches: bool = False,
) -> Lived:
    """Live days; ``catches``: each guilty shipment is found two days after its first paper."""
    here = world.load()
    found = schemes.shipped() if methods is None else methods
    drawn = calls(here, seed, START + AHEAD, days + 15)
    trade = Trade(here, seed, drawn, START + AHEAD + timedelta(days=days), count)
    underworld = Underworld(here, found, seed, rate, START, days)
    inspector = Inspector(here, found, seed)
    port = Port.open(here, seed)
    kit = Kit(here, Dice(seed, "traces"), trade.traders, Numbers(seed, "traces"), port)
    lived = Lived(underworld, kit)
    for day, opening in groupby(drawn, key=lambda call: call.opens):
        morning, these = datetime.combine(day, time(), UTC), list(opening)
        trade.traders.day(morning)
        shipments = trade.draw(these)
        planted = underworld.choose(morning, shipments)
        underworld.on_papers(planted, kit)
        port.live(shipments)
        underworld.on_moves(planted, kit)
        by_shipment = {id(entry.shipment): entry for entry in planted}
        for shipment in shipments:
            entry = by_shipment.get(id(shipment))
            if (made := inspector.inspect(shipment, entry)) is not None:
                lived.inspections.append((shipment, entry, made))
        for entry in planted if catches else ():
            underworld.told(entry, morning + timedelta(days=2))
        lived.voyages += underworld.voyages(morning, these)
        lived.shipments += shipments
        lived.planted += [(day, entry) for entry in planted]
    return lived
