"""A clerk: writes down, for one manifest, what a shipment is said to be."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from isthmus.cargo.model import (
    Consignment,
    Container,
    Function,
    GoodsItem,
    Manifest,
    Packages,
    Party,
    PartyRole,
    Regime,
)
from isthmus.kernel.money import Money
from isthmus.simulator.actors.spelling import plain
from isthmus.simulator.actors.traders import Trader, to_order
from isthmus.simulator.dice import Dice
from isthmus.simulator.traffic.shipment import Box, Shipment
from isthmus.simulator.world import World

_ON_MANIFEST = {Regime.FREE_ZONE_IN: Regime.IMPORT, Regime.FREE_ZONE_OUT: Regime.EXPORT}


class Clerk:
    """Writes the consignments of one manifest, with a stream of chance of its own."""

    def __init__(self, world: World, dice: Dice, head: Manifest, *, latin: bool) -> None:
        """Write with a head; ``latin`` says that the system knows Latin-1 alone."""
        self.world, self.dice, self.head, self.latin = world, dice, head, latin
        carrier = world.carriers.get(head.carrier or "")
        self.shouts = carrier.shouts if carrier else False
        self.forwards = carrier is None  # a forwarder reports its houses, a carrier its own bills

    def consignments(self, shipments: Sequence[Shipment]) -> Iterator[Consignment]:
        """Yield the consignments of a manifest: bills one by one, then the masters of houses."""
        masters: dict[str, list[Shipment]] = {}
        for shipment in shipments:
            if shipment.master is None or self.forwards:
                yield self._consignment(shipment)
            else:
                masters.setdefault(shipment.master, []).append(shipment)
        for bill, houses in masters.items():
            yield self._master(bill, houses)

    def _consignment(self, shipment: Shipment) -> Consignment:
        head = self.head
        leaves = head.direction == "departure"
        bill = shipment.bill
        if shipment.goods is None:
            bill = f"{head.reference}/{shipment.box.number}"
        through = shipment.regime is Regime.TRANSHIPMENT
        return Consignment(
            manifest=head,
            bill=bill,
            master_bill=shipment.master,
            function=head.function,
            regime=_ON_MANIFEST.get(shipment.regime, shipment.regime),
            place_origin=shipment.origin,
            place_loading=head.port if leaves else shipment.port_of_loading,
            place_transhipment=head.port if through else None,
            place_discharge=shipment.discharge,
            place_delivery=shipment.delivery,
            parties=tuple(self._parties(shipment)),
            goods=tuple(self._goods(shipment)),
            containers=tuple(self._container(shipment, box) for box in shipment.boxes),
            freight=Money(shipment.freight, "USD") if shipment.freight else None,
        )

    def _master(self, bill: str, houses: Sequence[Shipment]) -> Consignment:
        """Return the carrier's own bill of a box that a forwarder shares out."""
        first = houses[0]
        count = sum(house.loads[0].packages for house in houses)
        goods = GoodsItem(
            number=1,
            description=self.dice.pick(self.world.texts["groupage"][first.language]),
            language=first.language.upper(),
            gross_kg=Decimal(first.box.gross),
            packages=(Packages(count, "PK"),),
            containers=(first.box.number,),
        )
        parties: tuple[Party, ...] = ()
        if first.forwarder is not None:
            parties = tuple(
                self._party(first.forwarder, role)
                for role in (PartyRole.CONSIGNOR, PartyRole.CONSIGNEE)
            )
        return Consignment(
            manifest=self.head,
            bill=bill,
            regime=_ON_MANIFEST.get(first.regime, first.regime),
            place_origin=first.origin,
            place_loading=first.port_of_loading,
            place_discharge=first.discharge,
            place_delivery=first.delivery,
            parties=parties,
            goods=(goods,),
            containers=(self._container(first, first.box),),
        )

    def _container(self, shipment: Shipment, box: Box) -> Container:
        empty = shipment.goods is None
        gross = self._stated(shipment, box.gross)
        return Container(
            number=box.number,
            size_type=box.size_type,
            empty=empty,
            gross_kg=None if empty else Decimal(gross),
            tare_kg=Decimal(box.tare),
            vgm_kg=Decimal(box.tare + gross) if box.verified and not empty else None,
            temperature_c=None if box.set_point is None else Decimal(str(box.set_point)),
            seals=tuple(box.seals),
        )

    def _goods(self, shipment: Shipment) -> Iterator[GoodsItem]:
        if shipment.goods is None:
            return
        kind = shipment.goods.package[0]
        for number, (box, load) in enumerate(
            zip(shipment.boxes, shipment.loads, strict=True), start=1
        ):
            yield GoodsItem(
                number=number,
                description=self._typed(shipment.text or ""),
                language=shipment.language.upper(),
                hs=shipment.hs,
                gross_kg=Decimal(self._stated(shipment, load.gross)),
                net_kg=Decimal(load.net),
                packages=(Packages(load.packages, kind),),
                containers=(box.number,),
            )

    def _stated(self, shipment: Shipment, kilograms: int) -> int:
        """Return a mass as this manifest gives it: the first one may give a wrong one."""
        if shipment.misstated == 1.0 or self.head.direction == "departure":
            return kilograms
        first = self.head.function is Function.ORIGINAL
        return round(kilograms * shipment.misstated) if first else kilograms

    def _parties(self, shipment: Shipment) -> Iterator[Party]:
        if shipment.shipper is not None:
            yield self._party(shipment.shipper, PartyRole.CONSIGNOR)
        taker = shipment.consignee
        first = self.head.function is Function.ORIGINAL and self.head.direction == "arrival"
        if shipment.consignee_after is not None and not first:
            taker = shipment.consignee_after
        if taker is not None:
            yield from self._takers(shipment, taker)
        if shipment.forwarder is not None and not shipment.master:
            yield self._party(shipment.forwarder, PartyRole.FORWARDER)

    def _takers(self, shipment: Shipment, taker: Trader) -> Iterator[Party]:
        party = self._party(taker, PartyRole.CONSIGNEE)
        if shipment.ordered:
            yield to_order(party, self.world, shipment.port_of_loading[:2])
            yield self._party(taker, PartyRole.NOTIFY)
        else:
            yield party
            if self.dice.chance(0.3):
                yield self._party(taker, PartyRole.NOTIFY)

    def _party(self, trader: Trader, role: PartyRole) -> Party:
        party = trader.as_party(role, self.dice, shouts=self.shouts)
        if not self.latin:
            return party
        return replace(
            party,
            name=self._typed(party.name or ""),
            address=tuple(self._typed(line) for line in party.address),
            city=self._typed(party.city) if party.city else None,
        )

    def _typed(self, text: str) -> str:
        """Return a text as this carrier's system can hold it: other letters lose their accents,
        or become question marks as they do in old systems."""
        if not self.latin or text.isascii():
            return text
        kept = "".join(c if ord(c) < 256 else plain(c) for c in text)
        return kept.encode("iso8859-1", "replace").decode("iso8859-1")
