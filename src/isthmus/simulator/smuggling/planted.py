"""What the underworld does with a shipment or on a ship, and what lawful trade does that looks so.

This is truth: nothing that writes documents reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from isthmus.simulator.ais.acts import SeaAct
from isthmus.simulator.smuggling.groups import Group
from isthmus.simulator.smuggling.scheme import Scheme
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.traffic.shipment import Shipment


@dataclass(slots=True)
class Planted:
    """A shipment in which something was planted, or that only looks so.

    A guilty one carries ``kilograms``. A ``cover`` is a lawful shipment of a criminal group's own
    company; any other lawful one is a look-alike, planted for a confuser of the scheme.
    """

    shipment: Shipment
    scheme: Scheme
    kilograms: float
    chances: Mapping[str, float]
    guilty: bool
    left: list[str] = field(default_factory=list)
    group: Group | None = None
    adapted: tuple[str, ...] = ()  # what the group had changed by then
    cover: bool = False

    @property
    def kind(self) -> str:
        """Return its kind in the truth: planted, cover or look_alike."""
        return "planted" if self.guilty else "cover" if self.cover else "look_alike"


@dataclass(slots=True)
class PlantedVoyage:
    """A ship's call, or a craft's trip at sea (no call), that a scheme uses or that looks so."""

    call: Call | None
    vessel: str  # IMO number, or the id of a craft
    scheme: Scheme
    kilograms: float
    guilty: bool
    left: list[str]
    acts: list[SeaAct]
    group: Group | None = None
    adapted: tuple[str, ...] = ()
