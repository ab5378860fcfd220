"""A shipment as it truly is, before anybody writes a paper about it."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from isthmus.cargo.model import ContainerEvent, Regime, Seal
from isthmus.simulator.actors.traders import Trader
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.traffic.free_zone import Lot
from isthmus.simulator.world import Goods


@dataclass(slots=True)
class Box:
    """A container of a shipment. Masses in kilograms."""

    number: str
    size_type: str
    tare: int
    set_point: float | None = None
    seals: list[Seal] = field(default_factory=list)
    gross: int = 0  # all cargo declared in it, packaging included
    hidden: int = 0  # what is inside and on no paper
    misweighed: int = 0  # how much more it holds than its shipper weighed
    verified: bool = False  # the papers give a verified gross mass
    scaled: bool = False  # a scale is on its way

    @property
    def weighs(self) -> int:
        """Return what a scale would show."""
        return self.tare + self.gross + self.misweighed + self.hidden


@dataclass(slots=True)
class Load:
    """What of a shipment is in one box."""

    net: int
    gross: int
    packages: int


@dataclass(slots=True)
class Shipment:
    """One consignment with its boxes and all that happens to them here."""

    regime: Regime
    bill: str
    origin: str  # where its journey begins, and the port it is loaded in
    discharge: str  # the port it is discharged in, in this country or after it
    delivery: str
    language: str
    arrival: Call | None
    departure: Call | None
    goods: Goods | None  # None: empty boxes
    text: str | None = None
    hs: str | None = None
    shipper: Trader | None = None
    consignee: Trader | None = None
    forwarder: Trader | None = None
    boxes: list[Box] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)  # one a box; none when they are empty
    value: Decimal = Decimal(0)  # US dollars, as declared here
    exported: Decimal = Decimal(0)  # US dollars, as declared where it was exported from
    freight: Decimal = Decimal(0)
    master: str | None = None
    house: str | None = None  # the forwarder that reports the houses, by its code
    ordered: bool = False  # made out to order
    consignee_after: Trader | None = None  # the consignee that a change manifest puts in
    misstated: float = 1.0  # factor on the mass that the first manifest gives, until corrected
    lot: Lot | None = None  # the free-zone lot that it makes, or is taken from
    moves: list[ContainerEvent] = field(default_factory=list)
    released_to: str | None = None  # the haulier that fetches it

    @property
    def box(self) -> Box:
        """Return its first box."""
        return self.boxes[0]

    @property
    def carrier(self) -> str:
        """Return the carrier that brings it, or takes it when nobody brought it."""
        call = self.arrival or self.departure
        return call.service.carrier.code if call else ""

    @property
    def reported(self) -> datetime:
        """Return when the first paper speaks of it."""
        told = [call.told for call in (self.arrival,) if call]
        told += [call.listed for call in (self.departure,) if call]
        return min(told)

    @property
    def transferred(self) -> bool:
        """Whether it changes terminals between its two ships."""
        return bool(
            self.arrival
            and self.departure
            and self.arrival.service.terminal != self.departure.service.terminal
        )

    @property
    def reefer(self) -> bool:
        """Whether its boxes are reefers."""
        return self.box.size_type[2:3] == "R"

    @property
    def port_of_loading(self) -> str:
        """Return where it was loaded: abroad, or here when it begins its voyage here."""
        if self.arrival is not None:
            return self.origin
        return self.departure.service.terminal.place if self.departure else self.origin
