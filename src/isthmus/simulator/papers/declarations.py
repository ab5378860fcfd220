"""Goods declarations of what Panama imports, exports, and moves into and out of its free zone.

Brokers lodge them in the WCO form: some before arrival, some simplified and completed later; some
name the container, some only the bill, some neither. A few are amended or cancelled.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from isthmus.cargo.model import (
    Container,
    Declaration,
    Function,
    GoodsItem,
    Packages,
    Party,
    PartyRole,
    Regime,
)
from isthmus.kernel.money import Money
from isthmus.simulator.actors.traders import Trader, Traders
from isthmus.simulator.dice import Dice
from isthmus.simulator.papers.gateway import Gateway
from isthmus.simulator.traffic.numbers import Numbers
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.world import World

DECLARED = (Regime.IMPORT, Regime.EXPORT, Regime.FREE_ZONE_IN, Regime.FREE_ZONE_OUT)
_PROCEDURES = {
    Regime.IMPORT: "4000",
    Regime.EXPORT: "1000",
    Regime.FREE_ZONE_IN: "7800",
    Regime.FREE_ZONE_OUT: "1078",
}
_DUTIES = (Decimal(0), Decimal(5), Decimal(10), Decimal(15))  # per cent; invented, by chapter
_ZONE = "PA-CFZ"

Lodged = tuple[Declaration, str, datetime]
"""What is lodged, at which office, and when."""


class Declarations:
    """Makes the declarations of a run and gives them to the gateway of their office."""

    def __init__(self, world: World, seed: int, traders: Traders, gateway: Gateway) -> None:
        self.world = world
        self.traders = traders
        self.gateway = gateway
        self.dice = Dice(seed, "declarations")
        self.numbers = Numbers(seed, "declarations")
        self.declared = 0  # originals, supplementary ones among them

    def take(self, shipments: Sequence[Shipment]) -> None:
        """Declare these shipments, and amend or cancel a few of the declarations."""
        for shipment in shipments:
            if shipment.regime in DECLARED:
                self._declare(shipment)

    def _declare(self, shipment: Shipment) -> None:
        dice, shares = self.dice, self.world.shares
        lodged, before = self._lodged(shipment)
        leaves = shipment.departure is not None
        early = leaves is False and not before and dice.chance(shares["released_early"])
        kind = ("EX" if leaves else "IM") + ("C" if early else "D" if before else "A")
        ours = shipment.shipper if leaves else shipment.consignee
        broker = self.traders.broker(self.world.country, ours)
        made = self._declaration(shipment, kind, lodged, broker)
        self.declared += 1
        office = made.office or ""
        self.gateway.take(made, office, lodged)
        if early:
            self.gateway.take(*self._supplementary(made, office, lodged))
        elif dice.chance(shares["amended"]):
            self.gateway.take(*self._amendment(made, office, lodged))
        elif dice.chance(shares["cancelled"]) and self.gateway.form(office) != "table":
            self.gateway.take(*self._cancellation(made, office, lodged))

    def _lodged(self, shipment: Shipment) -> tuple[datetime, bool]:
        """Return when it is lodged, and whether that is before the goods come."""
        dice = self.dice
        if shipment.arrival is not None:
            arrival = shipment.arrival.arrival
            if dice.chance(0.4):
                return _second(arrival - timedelta(minutes=dice.whole(120, 40 * 60))), True
            return _second(arrival + timedelta(minutes=dice.whole(240, 36 * 60))), False
        if shipment.departure is None:
            raise TypeError("a declared shipment has a ship")
        cutoff = shipment.departure.cutoff
        return _second(cutoff - timedelta(minutes=dice.whole(20 * 60, 80 * 60))), False

    def _declaration(
        self, shipment: Shipment, kind: str, lodged: datetime, broker: Trader
    ) -> Declaration:
        dice, shares = self.dice, self.world.shares
        call = shipment.arrival or shipment.departure
        if call is None:
            raise TypeError("a declared shipment has a ship")
        named = dice.weighed(
            {
                "box": shares["names_box"],
                "bill": shares["names_bill"],
                "neither": 1 - shares["names_box"] - shares["names_bill"],
            }
        )
        zone = shipment.regime in (Regime.FREE_ZONE_IN, Regime.FREE_ZONE_OUT)
        goods = tuple(self._goods(shipment, named == "box"))
        gross = sum((item.gross_kg or Decimal(0) for item in goods), Decimal(0))
        leaves = shipment.departure is not None
        return Declaration(
            reference=self.numbers.declaration(self.world.country, lodged),
            function=Function.ORIGINAL,
            local_reference=self.numbers.own("L"),
            type_code=kind,
            regime=shipment.regime,
            office=_ZONE if zone else call.service.terminal.office,
            lodged_at=lodged,
            accepted_at=lodged + timedelta(minutes=dice.whole(1, 30)),
            mode="1",
            vessel_imo=call.ship.imo,
            dispatch_country=shipment.port_of_loading[:2],
            destination_country=shipment.discharge[:2],
            place_loading=shipment.port_of_loading,
            place_discharge=shipment.discharge,
            goods_location=call.service.terminal.code,
            bills=() if named == "neither" else (shipment.bill,),
            payment=dice.pick(("A", "E", "E", "J")),
            invoice=Money(shipment.value, "USD"),
            freight=Money(shipment.freight, "USD"),
            gross_kg=gross,
            packages=sum(load.packages for load in shipment.loads),
            parties=tuple(self._parties(shipment, leaves, broker)),
            goods=goods,
            extra=(("Lote", shipment.lot.number),) if shipment.lot else (),
            containers=tuple(
                Container(box.number, box.size_type, empty=False, seals=tuple(box.seals[:1]))
                for box in shipment.boxes
                if named == "box"
            ),
        )

    def _goods(self, shipment: Shipment, names_box: bool) -> Iterator[GoodsItem]:
        if shipment.goods is None:
            return
        whole = sum(load.net for load in shipment.loads)
        hs = shipment.hs or shipment.goods.hs
        for number, (box, load) in enumerate(
            zip(shipment.boxes, shipment.loads, strict=True), start=1
        ):
            part = (shipment.value * load.net / whole).quantize(Decimal("0.01"))
            yield GoodsItem(
                number=number,
                description=(shipment.text or "").capitalize(),
                language=shipment.language,
                hs=hs + "00",
                gross_kg=Decimal(load.gross),
                net_kg=Decimal(load.net),
                packages=(Packages(load.packages, shipment.goods.package[0]),),
                price=Money(part, "USD"),
                customs_value=Money(part, "USD"),
                origin=_origin(shipment),
                procedure=_PROCEDURES[shipment.regime],
                duty_rate=_DUTIES[int(hs[:2]) % len(_DUTIES)],
                containers=(box.number,) if names_box else (),
            )

    def _parties(self, shipment: Shipment, leaves: bool, broker: Trader) -> Iterator[Party]:
        dice = self.dice
        yield broker.as_party(PartyRole.DECLARANT, dice)
        ours, theirs = shipment.consignee, shipment.shipper
        if leaves:
            ours, theirs = theirs, ours
        if ours is not None:
            yield ours.as_party(PartyRole.EXPORTER if leaves else PartyRole.IMPORTER, dice)
        if theirs is not None:
            yield theirs.as_party(PartyRole.CONSIGNEE if leaves else PartyRole.SELLER, dice)

    # -- what follows ---------------------------------------------------------------------

    def _supplementary(self, made: Declaration, office: str, lodged: datetime) -> Lodged:
        """Complete a simplified declaration days after the goods were released."""
        at = lodged + timedelta(days=self.dice.whole(5, 9), minutes=self.dice.whole(0, 600))
        self.declared += 1
        later = replace(
            made,
            reference=self.numbers.declaration(self.world.country, at),
            local_reference=self.numbers.own("L"),
            type_code=f"{(made.type_code or 'IM')[:2]}Y",
            lodged_at=at,
            accepted_at=at + timedelta(minutes=5),
            bills=(),
            containers=(),
            goods=tuple(replace(item, containers=()) for item in made.goods),
        )
        return later, office, at

    def _amendment(self, made: Declaration, office: str, lodged: datetime) -> Lodged:
        """Correct the price of the first line."""
        at = lodged + timedelta(minutes=self.dice.whole(30, 900))
        first = made.goods[0]
        price = first.price.amount if first.price else Decimal(0)
        corrected = Money((price * Decimal("1.07")).quantize(Decimal("0.01")), "USD")
        if self.gateway.form(office) == "table":  # a table of movements gives the row again
            goods = (replace(first, price=corrected, customs_value=corrected), *made.goods[1:])
            return replace(made, goods=goods), office, at
        change = Declaration(
            reference=made.reference,
            function=Function.CHANGE,
            parent_reference=made.reference,
            local_reference=self.numbers.own("L"),
            type_code="COR",
            lodged_at=at,
            goods=(GoodsItem(number=1, price=corrected, customs_value=corrected),),
            amended_fields=("GoodsShipment/GovernmentAgencyGoodsItem[1]",),
            reason="32",
        )
        return change, office, at

    def _cancellation(self, made: Declaration, office: str, lodged: datetime) -> Lodged:
        at = lodged + timedelta(minutes=self.dice.whole(60, 900))
        cancel = Declaration(
            reference=made.reference,
            function=Function.CANCEL,
            parent_reference=made.reference,
            local_reference=self.numbers.own("L"),
            type_code="INV",
            lodged_at=at,
            reason="1",
        )
        return cancel, office, at


def _origin(shipment: Shipment) -> str:
    """Return the country that made the goods: what the free zone sends on was made elsewhere."""
    return shipment.lot.origin if shipment.lot else shipment.port_of_loading[:2]


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
