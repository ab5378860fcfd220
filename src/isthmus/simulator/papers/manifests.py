"""Manifests: what carriers and forwarders report of each call, in CUSCAR."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from isthmus.cargo.formats.cuscar_writer import write_cuscar
from isthmus.cargo.model import Function, Manifest
from isthmus.simulator.dice import Dice
from isthmus.simulator.papers.clerk import Clerk
from isthmus.simulator.papers.post import Draft, Send
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.traffic.numbers import Numbers
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.world import World

CUSTOMS = "PACUSTOMS"
_LATIN = "UNOC"
_CHARACTERS = {"D.95B": _LATIN, "D.11A": "UNOW"}  # the older systems know no more than Latin-1
_HOUSES_IN = "D.11A"  # forwarders report in the newer directory


class Manifests:
    """Writes the manifests of a run: of arrivals at once, of departures when they are complete."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.seed = seed
        self.dice = Dice(seed, "manifests")
        self.numbers = Numbers(seed, "manifests")
        self._leaving: dict[int, tuple[Call, list[Shipment]]] = {}

    def take(self, calls: Sequence[Call], shipments: Sequence[Shipment], send: Send) -> None:
        """Report what these calls bring, and remember what any call takes away."""
        brought: dict[int, list[Shipment]] = {}
        for shipment in shipments:
            if shipment.arrival:
                brought.setdefault(shipment.arrival.number, []).append(shipment)
            if shipment.departure:
                call = shipment.departure
                self._leaving.setdefault(call.number, (call, []))[1].append(shipment)
        for call in calls:
            if found := brought.get(call.number):
                for draft in self._arrival(call, found):
                    send(draft)

    def close(self, until: datetime, send: Send) -> None:
        """Report every departure whose list is sent before a moment."""
        for number in sorted(self._leaving):
            call, shipments = self._leaving[number]
            if call.listed < until:
                del self._leaving[number]
                head = self._head(call, call.manifest_out, "departure", call.listed)
                send(self._draft(call, head, shipments))

    # -- what is sent ---------------------------------------------------------------------

    def _arrival(self, call: Call, shipments: Sequence[Shipment]) -> Iterator[Draft]:
        head = self._head(call, call.manifest_in, "arrival", call.told)
        yield self._draft(call, head, shipments)
        houses: dict[str, list[Shipment]] = {}
        for shipment in shipments:
            if shipment.house:
                houses.setdefault(shipment.house, []).append(shipment)
        for house in sorted(houses):
            yield self._houses(call, house, houses[house])
        for shipment in shipments:
            if shipment.consignee_after is not None or shipment.misstated != 1.0:
                yield self._change(call, shipment)

    def _change(self, call: Call, shipment: Shipment) -> Draft:
        """Tell, two days before arrival, of another consignee or of the right mass."""
        at = call.arrival - timedelta(minutes=self.dice.whole(40 * 60, 52 * 60))
        head = self._head(call, call.manifest_in, "arrival", at, Function.CHANGE)
        return self._draft(call, head, [shipment])

    def _houses(self, call: Call, house: str, shipments: Sequence[Shipment]) -> Draft:
        at = call.told + timedelta(minutes=self.dice.whole(60, 600))
        head = Manifest(
            reference=self.numbers.own(house),
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
        return self._sent(head, shipments, _HOUSES_IN, house, at)

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

    def _draft(self, call: Call, head: Manifest, shipments: Sequence[Shipment]) -> Draft:
        carrier = call.service.carrier
        at = head.issued_at or call.told
        return self._sent(head, shipments, carrier.directory, carrier.code, at)

    def _sent(
        self,
        head: Manifest,
        shipments: Sequence[Shipment],
        directory: str,
        sender: str,
        at: datetime,
    ) -> Draft:
        control = self.dice.text("0123456789", 9)
        at = (at + timedelta(seconds=self.dice.whole(5, 600))).replace(microsecond=0)

        character_set = _CHARACTERS[directory]

        def write() -> bytes:
            dice = Dice(self.seed, "manifest", control)
            clerk = Clerk(self.world, dice, head, latin=character_set == _LATIN)
            return write_cuscar(
                head,
                clerk.consignments(shipments),
                profile=directory,
                sender=sender,
                recipient=CUSTOMS,
                control_reference=control,
                character_set=character_set,
            )

        return Draft(at, sender, "cuscar", head.reference, write)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
