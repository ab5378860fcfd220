"""The life of a box in port: discharged, moved, weighed, transferred, fetched or loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from isthmus.cargo.model import ContainerEvent, Regime, Seal
from isthmus.simulator.actors.staff import Staff
from isthmus.simulator.dice import Dice, Odds
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.traffic.shipment import Box, Shipment
from isthmus.simulator.world import Terminal, World

PORT_SYSTEM = "PCSPA"  # the port community system, which keeps the rights of release
RAIL, ROAD = "2", "3"
SHORTEST = 30.0  # hours that customs and the papers take at least
LONGEST = 24 * 21.0  # hours after which nobody leaves a box in port
OTHER_HAULIER = 0.25  # share of boxes that not the usual haulier drives
SCALE = 0.004  # relative error of a weighing
READ = (Seal("?"),)  # stands for the seals on the box, until all its moves are known
STEP = Decimal(20)  # kilograms that a scale tells apart


@dataclass(slots=True)
class Port:
    """Who works in the port: hauliers, some busy and some not, and those with an account."""

    world: World
    dice: Dice
    hauliers: Odds[str]
    staff: Staff
    usual: dict[str, str] = field(default_factory=dict)  # hauliers, by the firm's name

    @staticmethod
    def open(world: World, seed: int) -> "Port":
        """Return the port with its people for a run."""
        dice = Dice(seed, "port")
        hauliers = Odds({f"H{dice.text('0123456789', 5)}": 1 / (rank + 1) for rank in range(160)})
        return Port(world, dice, hauliers, Staff(world, seed))

    def stranger(self) -> str:
        """Return a haulier that never came here before."""
        return f"H{self.dice.text('0123456789', 5)}"

    def live(self, shipments: Sequence[Shipment]) -> None:
        """Let every box of these shipments live through its stay; moves are noted in order."""
        lived: set[str] = set()  # house consignments share a box
        for shipment in shipments:
            shipment.released_to = self._haulier(shipment)
            for box in shipment.boxes:
                if box.number not in lived:
                    lived.add(box.number)
                    moves = sorted(_Stay(self, shipment, box).moves(), key=lambda move: move.at)
                    shipment.moves += _seals_read(moves, box)

    def _haulier(self, shipment: Shipment) -> str:
        """Return who drives for it: mostly who drove for the same firm before."""
        firm = shipment.consignee if shipment.arrival else shipment.shipper
        if firm is None or self.dice.chance(OTHER_HAULIER):
            return self.dice.draw(self.hauliers)
        if firm.name not in self.usual:
            self.usual[firm.name] = self.dice.draw(self.hauliers)
        return self.usual[firm.name]


@dataclass(slots=True)
class _Stay:
    port: Port
    shipment: Shipment
    box: Box

    def moves(self) -> list[ContainerEvent]:
        shipment = self.shipment
        if shipment.regime is Regime.TRANSHIPMENT:
            return self._transhipped()
        if shipment.arrival is not None:
            return self._landed()
        return self._shipped()

    def event(
        self, code: str, at: datetime, terminal: Terminal, *, seals: float = 0.0, **more: object
    ) -> ContainerEvent:
        """Return an event; ``seals`` is the chance that somebody read them."""
        read = self.port.dice.chance(seals)
        return ContainerEvent(
            event_id="",
            sender=terminal.code,
            code=code,
            container=self.box.number,
            at=at.replace(microsecond=0),
            place=terminal.place,
            terminal=terminal.code,
            bill=shipment_bill(self.shipment),
            empty=self.shipment.goods is None,
            seals=READ if read else (),
            **more,  # type: ignore[arg-type]  # the event's own fields
        )

    def _transhipped(self) -> list[ContainerEvent]:
        dice, arrival, departure = self.port.dice, self.shipment.arrival, self.shipment.departure
        if arrival is None or departure is None:
            raise TypeError("a transhipment has two ships")
        here, there = arrival.service.terminal, departure.service.terminal
        landed = arrival.arrival + _hours(dice.between(2, 14))
        loaded = departure.departure - _hours(dice.between(2, 14))
        made = [self.event("DISC", landed, here, seals=0.8, **_ship(arrival))]
        between = (loaded - landed) / 10
        if self.shipment.transferred:
            out = landed + between * dice.between(2, 6)
            mode = RAIL if here.coast != there.coast and dice.chance(0.7) else ROAD
            back = min(out + _hours(dice.between(1.5, 6)), loaded - _hours(1))
            haulier = None if mode == RAIL else self.shipment.released_to
            made += self._yard(landed, out, here)
            made.append(self.event("GTOT", out, here, mode=mode, haulier=haulier, seals=0.7))
            made.append(self.event("GTIN", back, there, mode=mode, haulier=haulier, seals=0.9))
            made += self._weighed(back + _hours(0.1), there)
        else:
            made += self._yard(landed, loaded, here)
            made += self._weighed(landed + _hours(0.2), here)
        made += self._customs(landed, loaded, here if not self.shipment.transferred else there)
        made.append(self.event("LOAD", loaded, there, seals=0.5, **_ship(departure)))
        return made

    def _landed(self) -> list[ContainerEvent]:
        dice, arrival = self.port.dice, self.shipment.arrival
        if arrival is None:
            raise TypeError("what lands has come by a ship")
        here = arrival.service.terminal
        landed = arrival.arrival + _hours(dice.between(2, 14))
        taker = self.shipment.consignee
        cleared = dice.between(28, 100) * (taker.dwell if taker else 1.0)
        called = dice.between(12, 50) * (taker.fetches if taker else 1.0)
        fetched = landed + _hours(min(max(cleared + called, SHORTEST), LONGEST))
        made = [self.event("DISC", landed, here, seals=0.8, **_ship(arrival))]
        made += self._yard(landed, fetched, here)
        made += self._weighed(fetched - _hours(0.2), here)
        if self.shipment.goods is not None:
            made += self._customs(landed, fetched - _hours(14), here)
            made += self._released(landed, fetched, here)
        haulier = self.shipment.released_to
        made.append(self.event("GTOT", fetched, here, mode=ROAD, haulier=haulier, seals=0.9))
        return made

    def _released(
        self, landed: datetime, fetched: datetime, here: Terminal
    ) -> list[ContainerEvent]:
        """Customs lets it go; the right to fetch it passes to the forwarder and to the haulier."""
        dice = self.port.dice
        cleared = fetched - _hours(dice.between(8, 13))
        official = self.port.staff.official(here.office, cleared).id
        made = [self.event("CUSR", cleared, here, user=official)]
        passed = fetched - _hours(dice.between(14, 30))
        made.append(self.right("transfer", landed - _hours(dice.between(1, 20)), here))
        made.append(self.right("transfer", passed, here, self.shipment.released_to))
        for _ in range(dice.whole(1, 2)):
            at = fetched - _hours(dice.between(1, 7))
            made.append(self.right("lookup", at, here, self.shipment.released_to))
        return made

    def right(
        self, act: str, at: datetime, here: Terminal, haulier: str | None = None
    ) -> ContainerEvent:
        """Return a transfer or a look-up of the right of release, as the port system tells it."""
        user = self.port.staff.user(haulier or self.shipment.carrier, at).id
        made = self.event(f"isth:release_right_{act}", at, here, haulier=haulier, user=user)
        return replace(made, sender=PORT_SYSTEM, empty=None)

    def _shipped(self) -> list[ContainerEvent]:
        dice, departure = self.port.dice, self.shipment.departure
        if departure is None:
            raise TypeError("what is shipped leaves by a ship")
        here = departure.service.terminal
        came = departure.cutoff - _hours(dice.between(6, 70))
        loaded = departure.departure - _hours(dice.between(1, 9))
        haulier = self.shipment.released_to
        made = [self.event("GTIN", came, here, mode=ROAD, haulier=haulier, seals=0.9)]
        made += self._weighed(came + _hours(0.1), here)
        made += self._yard(came, loaded, here)
        made += self._customs(came, loaded, here)
        made.append(self.event("LOAD", loaded, here, seals=0.5, **_ship(departure)))
        return made

    def _yard(self, since: datetime, until: datetime, here: Terminal) -> list[ContainerEvent]:
        dice, made = self.port.dice, []
        while dice.chance(self.port.world.shares["moved_in_yard"]):
            at = since + (until - since) * dice.between(0.1, 0.9)
            made.append(self.event("isth:yard_move", at, here, position=_slot(dice)))
        return made

    def _weighed(self, at: datetime, here: Terminal) -> list[ContainerEvent]:
        if not (self.box.scaled or self.port.dice.chance(self.port.world.shares["weighed"])):
            return []
        shown = self.box.weighs * (1 + self.port.dice.between(-SCALE, SCALE))
        mass = (Decimal(round(shown)) / STEP).quantize(Decimal(1)) * STEP
        return [self.event("isth:weigh", at, here, weight_kg=mass)]

    def _customs(self, since: datetime, until: datetime, here: Terminal) -> list[ContainerEvent]:
        """Now and then customs scans a box, or opens it, seals it again and says so."""
        dice, shares = self.port.dice, self.port.world.shares
        if self.shipment.goods is None:
            return []
        at = since + (until - since) * dice.between(0.3, 0.8)
        if dice.chance(shares["scanned"]):
            return [
                self.event("CUSS", at - _hours(2), here),
                self.event("isth:scan", at, here),
            ]
        if dice.chance(shares["customs_seal"]):
            return self.opened_by_customs(at, here)
        return []

    def opened_by_customs(self, at: datetime, here: Terminal) -> list[ContainerEvent]:
        """Customs opens the box, seals it again, and says so."""
        seal = Seal(f"PAC{self.port.dice.text('0123456789', 6)}", affixed_by="customs")
        told = replace(seal, removed_by="customs", removed_why="customs_inspection")
        return [
            self.event("CUSI", at - _hours(3), here),
            replace(self.event("RSEA", at, here), seals=(told,)),
        ]


def _seals_read(moves: list[ContainerEvent], box: Box) -> list[ContainerEvent]:
    """Fill in which seals were on the box whenever somebody read them."""
    seals = tuple(replace(seal, affixed_by=None) for seal in box.seals)
    made = []
    for move in moves:
        if move.code == "RSEA":
            seals = tuple(Seal(seal.number) for seal in move.seals)
        made.append(replace(move, seals=seals) if move.seals == READ else move)
    return made


def stay(port: Port, shipment: Shipment, box: Box) -> _Stay:
    """Return the stay of one box, by which more events of it can be made."""
    return _Stay(port, shipment, box)


def shipment_bill(shipment: Shipment) -> str | None:
    """Return the bill that a terminal knows: the carrier's, never a forwarder's own."""
    return None if shipment.goods is None else shipment.master or shipment.bill


def _ship(call: Call) -> dict[str, str]:
    return {"vessel_imo": call.ship.imo, "voyage": call.voyage}


def _slot(dice: Dice) -> str:
    return f"{dice.pick('ABCDEFGH')}{dice.whole(1, 40):02d}-{dice.whole(1, 6)}"


def _hours(count: float) -> timedelta:
    return timedelta(seconds=round(count * 3600))
