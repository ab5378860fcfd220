"""Trade: which shipments each call brings and takes, between whom, of what, on which ships."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from isthmus.cargo.model import Regime, Seal
from isthmus.kernel.errors import Invalid
from isthmus.simulator.actors.traders import Trader, Traders
from isthmus.simulator.actors.wording import goods_text
from isthmus.simulator.dice import Dice, Odds
from isthmus.simulator.traffic.boxes import Boxes, nominal_tare
from isthmus.simulator.traffic.calls import Call, Timetable
from isthmus.simulator.traffic.flows import Flows
from isthmus.simulator.traffic.free_zone import FreeZone, Lot
from isthmus.simulator.traffic.numbers import Numbers
from isthmus.simulator.traffic.shipment import Box, Load, Shipment
from isthmus.simulator.world import Goods, World

SHORTEST_STAY = timedelta(hours=48)
LONGEST_STAY = timedelta(days=11)
NO_MACHINERY = 0.04  # dry goods in a reefer whose machinery stands still: cheap repositioning
PALLETISED = 60  # packages lighter than this, in kilograms, stand on pallets
NEXT = 0.85  # share of transhipped boxes that take the next ship, not a later one
SEALS = ("EC", "ML", "HL", "UL", "SG", "PA")
FREIGHT = (0.04, 0.11)  # US dollars a kilogram
FREE_ZONE = "PACFZ"
_ARRIVING = (Regime.TRANSHIPMENT, Regime.IMPORT, Regime.FREE_ZONE_IN)


class Trade:
    """Draws the shipments of a run, call by call."""

    def __init__(
        self, world: World, seed: int, calls: Sequence[Call], until: datetime, count: int
    ) -> None:
        """Share ``count`` shipments out to the calls that arrive before ``until``; later calls
        only take transhipped boxes away."""
        self.world = world
        self.timetable = Timetable(calls)
        self.flows = Flows(world)
        self.traders = Traders(world, seed)
        self.free_zone = FreeZone(world, seed, self.traders)
        self.boxes = Boxes(seed)
        self.numbers = Numbers(seed, "trade")
        self.dice = Dice(seed, "shipments")
        self._routes = Dice(seed, "routes")
        arriving = [call for call in calls if call.arrival < until]
        self._quotas = self._shared_out(arriving, count, Dice(seed, "volumes"))
        self._sends: dict[tuple[str, int], Odds[str]] = {}

    def draw(self, calls: Sequence[Call]) -> list[Shipment]:
        """Return what these calls bring and take, the transhipped among what they bring."""
        made: list[Shipment] = []
        for call in calls:
            brought, taken = self._quotas.get(call.number, (0, 0))
            made += self._brought(call, brought)
            made += [self._taken(call) for _ in range(taken)]
        return made

    def _shared_out(
        self, calls: Sequence[Call], count: int, dice: Dice
    ) -> Mapping[int, tuple[int, int]]:
        """Share shipments out by what each service carries; the sum is exact."""
        weights = [
            self.flows.odds(call.service, leaving).whole * dice.around(1.0, 0.15)
            for call in calls
            for leaving in (False, True)
        ]
        whole, ended, given = sum(weights), 0.0, 0
        shares = []
        for weight in weights:
            ended += weight
            upto = round(count * ended / whole)
            shares.append(upto - given)
            given = upto
        pairs = zip(shares[::2], shares[1::2], strict=True)
        return {call.number: pair for call, pair in zip(calls, pairs, strict=True)}

    # -- what comes and goes --------------------------------------------------------------

    def _brought(self, call: Call, count: int) -> Iterator[Shipment]:
        odds = self.flows.odds(call.service, leaving=False)
        while count > 0:
            regime, port = self._routes.draw(odds)
            if regime is Regime.EMPTY:
                several = [self._empty(port, call, None)]
            elif regime is Regime.TRANSHIPMENT:
                several = [self._transhipped(port, call)]
            else:
                several = self._landed(regime, port, call, count)
            count -= len(several)
            yield from several

    def _taken(self, call: Call) -> Shipment:
        regime, port = self._routes.draw(self.flows.odds(call.service, leaving=True))
        if regime is Regime.EMPTY:
            return self._empty(port, None, call)
        here = call.service.terminal.place
        if regime is Regime.FREE_ZONE_OUT:
            kind = self._routes.weighed(self.world.re_exports["sends"])
            lot = self.free_zone.lot(self.world.goods[kind], call.arrival)
            return self._shipment(regime, FREE_ZONE, port, None, call, lot.goods, lot)
        goods = self._routes.weighed(self.world.exports["sends"])
        return self._shipment(regime, here, port, None, call, self.world.goods[goods])

    def _landed(self, regime: Regime, port: str, call: Call, room: int) -> list[Shipment]:
        """Return one landed shipment, or the two or three that share a forwarder's box."""
        here = call.service.terminal.place
        goods = self._goods(port, call)
        shared = (
            regime is Regime.IMPORT
            and goods.set_point is None
            and self._routes.chance(self.world.shares["groupage"])
        )
        if not shared:
            return [self._shipment(regime, port, here, call, None, goods)]
        several = min(room, self._routes.whole(2, 3))
        kinds = [goods, *(self._dry(port, call) for _ in range(several - 1))]
        return self._grouped([self._shipment(regime, port, here, call, None, g) for g in kinds])

    def _dry(self, port: str, call: Call) -> Goods:
        while (goods := self._goods(port, call)).set_point is not None:
            pass
        return goods

    def _goods(self, port: str, call: Call) -> Goods:
        """Return what a port sends in this month."""
        region, month = self.world.region_of(port), call.arrival.month
        if (region, month) not in self._sends:
            self._sends[region, month] = Odds(self.world.sends(region, call.arrival.date()))
        return self.world.goods[self._routes.draw(self._sends[region, month])]

    def _transhipped(self, origin: str, arrival: Call) -> Shipment:
        goods = self._goods(origin, arrival)
        onward = self.world.regions[self.world.region_of(origin)].onward
        moves = self._routes.chance(self.world.shares["transfer"])
        fallback: tuple[str, Call] | None = None
        for _ in range(20):  # some pairs of ports have no connection within days, or not here
            takes = self.world.regions[self._routes.weighed(onward)].takes
            discharge = self._routes.weighed(takes)
            departure = self._connection(arrival, discharge, moves=moves)
            if departure is None:
                continue
            fallback = fallback or (discharge, departure)
            if moves == (departure.service.terminal != arrival.service.terminal):
                fallback = discharge, departure
                break
        if fallback is None:
            raise Invalid("world_invalid", "no service takes boxes on within days", port=origin)
        regime = Regime.TRANSHIPMENT
        return self._shipment(regime, origin, fallback[0], arrival, fallback[1], goods)

    def _connection(self, arrival: Call, port: str, *, moves: bool) -> Call | None:
        """Return the call that takes a box on: the next one, now and then a later one; from
        another terminal when the box moves and there is such a call."""
        since, until = arrival.arrival + SHORTEST_STAY, arrival.arrival + LONGEST_STAY
        fitting = self.timetable.leaving(port, since, until)
        same = [c for c in fitting if c.service.terminal == arrival.service.terminal]
        other = [c for c in fitting if c.service.terminal != arrival.service.terminal]
        choice = (other or same) if moves else (same or other)
        if not choice:
            return None
        return choice[0] if self._routes.chance(NEXT) else choice[-1]

    def _empty(self, port: str, arrival: Call | None, departure: Call | None) -> Shipment:
        call = arrival or departure
        if call is None:
            raise TypeError("an empty box has a ship")
        here = call.service.terminal.place
        origin, discharge = (port, here) if arrival else (here, port)
        made = self._bare(Regime.EMPTY, origin, discharge, arrival, departure, None)
        kind = self.dice.weighed({"22G1": 4.0, "45G1": 5.0, "45R1": 3.0})
        made.boxes = [self._box(call, kind)]
        return made

    # -- shipments ------------------------------------------------------------------------

    def _bare(
        self,
        regime: Regime,
        origin: str,
        discharge: str,
        arrival: Call | None,
        departure: Call | None,
        goods: Goods | None,
    ) -> Shipment:
        """Return a shipment that nobody has filled yet."""
        call = arrival or departure
        if call is None:
            raise TypeError("a shipment has a ship")
        return Shipment(
            regime=regime,
            bill=self.numbers.bill(call.service.carrier.code, origin),
            origin=origin,
            discharge=discharge,
            delivery=FREE_ZONE if regime is Regime.FREE_ZONE_IN else discharge,
            language=self.world.language_of(origin),
            arrival=arrival,
            departure=departure,
            goods=goods,
        )

    def _shipment(
        self,
        regime: Regime,
        origin: str,
        discharge: str,
        arrival: Call | None,
        departure: Call | None,
        goods: Goods,
        lot: Lot | None = None,
    ) -> Shipment:
        dice, world = self.dice, self.world
        made = self._bare(regime, origin, discharge, arrival, departure, goods)
        made.hs, made.lot = goods.hs, lot
        made.shipper = lot.owner if lot else self.traders.shipper(origin, goods.code)
        made.consignee = self.traders.buyer(made.shipper, made.delivery[:2], goods.code)
        if dice.chance(world.shares["forwarded"]):
            made.forwarder = self.traders.forwarder(made.delivery[:2], made.consignee)
        made.ordered = dice.chance(world.shares["to_order"])
        self._fill(made, goods, made.shipper)
        packages = sum(load.packages for load in made.loads)
        made.text = goods_text(world, goods, made.language, made.shipper, packages, dice)
        if regime is Regime.FREE_ZONE_IN and arrival is not None:
            net = sum(load.net for load in made.loads)
            owner = made.consignee
            made.lot = self.free_zone.enters(owner, goods, origin[:2], net, arrival.arrival)
        return made

    def _fill(self, made: Shipment, goods: Goods, shipper: Trader) -> None:
        """Load its boxes and price its goods, by the shipper's habits."""
        dice = self.dice
        call = made.arrival or made.departure
        if call is None:
            raise TypeError("a shipment has a ship")
        many = made.lot is None and dice.chance(self.world.shares["many_boxes"])
        for _ in range(dice.whole(2, 3) if many else 1):
            load = self._load(goods, shipper, made.lot)
            made.loads.append(load)
            made.boxes.append(self._full_box(goods, call, load, shipper))
        net = sum(load.net for load in made.loads)
        price = self._price(goods, made.origin, shipper) * dice.around(1.0, shipper.price_spread)
        made.value = Decimal(f"{net * price:.2f}")
        made.exported = made.value
        gross = sum(load.gross for load in made.loads)
        made.freight = Decimal(f"{gross * dice.between(*FREIGHT):.2f}")

    def _price(self, goods: Goods, origin: str, shipper: Trader) -> float:
        """Return what a shipper usually asks, in US dollars a kilogram: its own place in the band
        of the goods, moved by where they come from."""
        low, high = goods.value
        habit = low + (high - low) * (shipper.words % 997) / 997
        region = self.world.ports.get(origin)
        return habit * shipper.price * (goods.factor(region) if region else 1.0)

    def _grouped(self, houses: list[Shipment]) -> list[Shipment]:
        """Let house shipments share the first one's box under its bill as master."""
        first = houses[0]
        forwarder = self.traders.forwarder(first.origin[:2])
        house = self.dice.pick(self.world.forwarders)
        box, master, parts = first.box, first.bill, len(houses)
        for shipment in houses:
            full = shipment.loads[0]
            part = Load(*(max(1, n // parts) for n in (full.net, full.gross, full.packages)))
            share = Decimal(part.net) / sum(load.net for load in shipment.loads)
            shipment.value = (shipment.value * share).quantize(Decimal("0.01"))
            shipment.exported = shipment.value
            shipment.freight = (shipment.freight * share).quantize(Decimal("0.01"))
            shipment.master = master
            shipment.bill = self.numbers.bill(house, shipment.origin)
            shipment.forwarder, shipment.house = forwarder, house
            shipment.boxes, shipment.loads = [box], [part]
        box.gross = sum(shipment.loads[0].gross for shipment in houses)
        return houses

    def _load(self, goods: Goods, shipper: Trader, lot: Lot | None) -> Load:
        each = goods.package[1]
        usual = self.dice.between(*goods.load) * shipper.fill
        packages = max(1, round(usual / each))
        net = round(packages * each if packages > 1 else usual)
        if lot is not None:
            net = lot.take(net)
            packages = max(1, round(net / each))
        pallets = self.dice.whole(250, 420) if each < PALLETISED else 0
        return Load(net, round(net / (1 - goods.tare)) + pallets, packages)

    def _full_box(self, goods: Goods, call: Call, load: Load, shipper: Trader) -> Box:
        dice = self.dice
        kind = dice.weighed(goods.boxes)
        if kind == "45G1" and dice.chance(NO_MACHINERY):
            kind = "45R1"
        box = self._box(call, kind)
        box.set_point, box.gross = goods.set_point, load.gross
        box.misweighed = round(load.gross * (dice.around(1.0, shipper.weighs) - 1))
        box.seals = [Seal(self.numbers.seal(dice.pick(SEALS)), affixed_by="shipper")]
        if dice.chance(0.15):
            box.seals.append(Seal(self.numbers.seal("CL"), affixed_by="carrier"))
        box.verified = dice.chance(0.7)
        return box

    def _box(self, call: Call, kind: str) -> Box:
        prefixes = call.service.carrier.boxes
        return self.boxes.take(prefixes, kind, nominal_tare(kind), call.arrival)
