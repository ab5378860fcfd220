"""Manifests: what carriers and forwarders report of each call, in CUSCAR."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from isthmus.cargo.formats.cuscar_writer import write_cuscar
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
from isthmus.simulator.calls import Call
from isthmus.simulator.dice import Dice
from isthmus.simulator.numbers import Numbers
from isthmus.simulator.post import Document
from isthmus.simulator.shipment import Box, Shipment
from isthmus.simulator.traders import Trader, to_order
from isthmus.simulator.world import World

CUSTOMS = "PACUSTOMS"
_HOUSES_IN = "D.11A"  # forwarders report in the newer directory
_ON_MANIFEST = {Regime.FREE_ZONE_IN: Regime.IMPORT, Regime.FREE_ZONE_OUT: Regime.EXPORT}


class Manifests:
    """Writes the manifests of a run."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = Dice(seed, "manifests")
        self.numbers = Numbers(seed, "manifests")

    def documents(self, calls: Iterable[Call], shipments: Sequence[Shipment]) -> Iterator[Document]:
        """Yield every manifest of these calls, and the changes of some."""
        brought: dict[int, list[Shipment]] = {}
        taken: dict[int, list[Shipment]] = {}
        for shipment in shipments:
            if shipment.arrival:
                brought.setdefault(id(shipment.arrival), []).append(shipment)
            if shipment.departure:
                taken.setdefault(id(shipment.departure), []).append(shipment)
        for call in calls:
            if found := brought.get(id(call)):
                yield from self._arrival(call, found)
            if found := taken.get(id(call)):
                yield from self._departure(call, found)

    def _arrival(self, call: Call, shipments: Sequence[Shipment]) -> Iterator[Document]:
        head = self._head(call, call.manifest_in, "arrival", call.told)
        houses = [shipment for shipment in shipments if shipment.master]
        masters: dict[str, list[Shipment]] = {}
        for house in houses:
            masters.setdefault(house.master or "", []).append(house)
        said = [self._consignment(head, s) for s in shipments if not s.master]
        said += [self._master(head, bill, parts) for bill, parts in masters.items()]
        yield self._document(call, head, said)
        yield from self._houses(call, masters.values())
        for shipment in shipments:
            if shipment.consignee_after is not None:
                yield self._change(call, shipment)

    def _departure(self, call: Call, shipments: Sequence[Shipment]) -> Iterator[Document]:
        head = self._head(call, call.manifest_out, "departure", call.listed)
        yield self._document(call, head, [self._consignment(head, s) for s in shipments])

    def _change(self, call: Call, shipment: Shipment) -> Document:
        """Tell, two days before arrival, of another consignee."""
        at = call.arrival - timedelta(minutes=self.dice.whole(40 * 60, 52 * 60))
        head = self._head(call, call.manifest_in, "arrival", at, Function.CHANGE)
        shipment.consignee = shipment.consignee_after
        return self._document(call, head, [self._consignment(head, shipment)])

    def _houses(self, call: Call, groups: Iterable[Sequence[Shipment]]) -> Iterator[Document]:
        for houses in groups:
            house = houses[0].house or ""
            at = call.told + timedelta(minutes=self.dice.whole(60, 600))
            reference = self.numbers.own(house)
            head = Manifest(
                reference=reference,
                function=Function.ORIGINAL,
                carrier=house,
                vessel_imo=call.ship.imo,
                vessel_name=call.ship.name,
                voyage=call.voyage,
                mode="1",
                direction="arrival",
                port=call.service.terminal.place,
                arrival_at=_minute(call.arrival),
                issued_at=_minute(at),
            )
            said = [self._consignment(head, shipment) for shipment in houses]
            yield self._sent(head, said, _HOUSES_IN, house, at)

    def _head(
        self,
        call: Call,
        reference: str,
        direction: str,
        at: datetime,
        function: Function = Function.ORIGINAL,
    ) -> Manifest:
        leaves = direction == "departure"
        return Manifest(
            reference=reference,
            function=function,
            carrier=call.service.carrier.code,
            vessel_imo=call.ship.imo,
            vessel_name=call.ship.name,
            voyage=call.voyage,
            mode="1",
            direction=direction,
            port=call.service.terminal.place,
            arrival_at=None if leaves else _minute(call.arrival),
            departure_at=_minute(call.departure) if leaves else None,
            issued_at=_minute(at),
            cutoff_at=_minute(call.cutoff) if leaves else None,
        )

    def _document(self, call: Call, head: Manifest, said: Sequence[Consignment]) -> Document:
        carrier = call.service.carrier
        at = head.issued_at or call.told
        return self._sent(head, said, carrier.directory, carrier.code, at)

    def _sent(
        self, head: Manifest, said: Sequence[Consignment], directory: str, sender: str, at: datetime
    ) -> Document:
        control = self.dice.text("0123456789", 9)
        content = write_cuscar(
            head,
            said,
            profile=directory,
            sender=sender,
            recipient=CUSTOMS,
            control_reference=control,
            character_set="UNOC",
        )
        at = at + timedelta(seconds=self.dice.whole(5, 600))
        return Document(at.replace(microsecond=0), sender, "cuscar", head.reference, content)

    # -- consignments ---------------------------------------------------------------------

    def _consignment(self, head: Manifest, shipment: Shipment) -> Consignment:
        leaves = head.direction == "departure"
        port = head.port
        bill = shipment.bill
        if shipment.goods is None:
            bill = f"{head.reference}/{shipment.box.number}"
        loading = port if leaves else shipment.port_of_loading
        through = shipment.regime is Regime.TRANSHIPMENT
        return Consignment(
            manifest=head,
            bill=bill,
            master_bill=shipment.master,
            function=head.function,
            regime=_ON_MANIFEST.get(shipment.regime, shipment.regime),
            place_origin=shipment.origin,
            place_loading=loading,
            place_transhipment=port if through else None,
            place_discharge=shipment.discharge,
            place_delivery=shipment.delivery,
            parties=tuple(self._parties(head, shipment)),
            goods=tuple(self._goods(shipment)),
            containers=tuple(self._container(shipment, box) for box in shipment.boxes),
            freight=Money(shipment.freight, "USD") if shipment.freight else None,
        )

    def _master(self, head: Manifest, bill: str, houses: Sequence[Shipment]) -> Consignment:
        """Return the carrier's own bill of a box that a forwarder shares out."""
        first = houses[0]
        shouts = self._shouts(head)
        forwarder = first.forwarder
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
        if forwarder is not None:
            parties = tuple(
                forwarder.as_party(role, self.dice, shouts=shouts)
                for role in (PartyRole.CONSIGNOR, PartyRole.CONSIGNEE)
            )
        return Consignment(
            manifest=head,
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
        return Container(
            number=box.number,
            size_type=box.size_type,
            empty=empty,
            gross_kg=None if empty else Decimal(box.gross),
            tare_kg=Decimal(box.tare),
            vgm_kg=Decimal(box.tare + box.gross) if box.verified and not empty else None,
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
                description=shipment.text,
                language=shipment.language.upper(),
                hs=shipment.hs,
                gross_kg=Decimal(load.gross),
                net_kg=Decimal(load.net),
                packages=(Packages(load.packages, kind),),
                containers=(box.number,),
            )

    def _parties(self, head: Manifest, shipment: Shipment) -> Iterator[Party]:
        shouts, dice = self._shouts(head), self.dice
        if shipment.shipper is not None:
            yield shipment.shipper.as_party(PartyRole.CONSIGNOR, dice, shouts=shouts)
        if shipment.consignee is not None:
            yield from self._takers(shipment, shipment.consignee, shouts)
        if shipment.forwarder is not None and not shipment.master:
            yield shipment.forwarder.as_party(PartyRole.FORWARDER, dice, shouts=shouts)

    def _takers(self, shipment: Shipment, taker: Trader, shouts: bool) -> Iterator[Party]:
        party = taker.as_party(PartyRole.CONSIGNEE, self.dice, shouts=shouts)
        if shipment.ordered:
            yield to_order(party, self.world, shipment.port_of_loading[:2])
            yield taker.as_party(PartyRole.NOTIFY, self.dice, shouts=shouts)
        else:
            yield party
            if self.dice.chance(0.3):
                yield taker.as_party(PartyRole.NOTIFY, self.dice, shouts=shouts)

    def _shouts(self, head: Manifest) -> bool:
        carrier = self.world.carriers.get(head.carrier or "")
        return carrier.shouts if carrier else False


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
