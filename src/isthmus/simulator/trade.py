"""Trade: which shipments there are, between whom, of what, on which ships."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from isthmus.cargo.model import Regime, Seal
from isthmus.kernel.errors import Invalid
from isthmus.reference.size_types import size_type
from isthmus.simulator.calls import Call
from isthmus.simulator.dice import Dice
from isthmus.simulator.numbers import Numbers
from isthmus.simulator.shipment import Box, Load, Shipment
from isthmus.simulator.traders import Trader, Traders
from isthmus.simulator.world import Goods, World

SHORTEST_STAY = timedelta(hours=48)
LONGEST_STAY = timedelta(days=11)
NO_MACHINERY = 0.04  # dry goods in a reefer whose machinery stands still: cheap repositioning
PALLETISED = 60  # packages lighter than this, in kilograms, stand on pallets
SEALS = ("EC", "ML", "HL", "UL", "SG", "PA")
FREIGHT = (0.04, 0.11)  # US dollars a kilogram


@dataclass(slots=True)
class _Route:
    regime: Regime
    origin: str
    discharge: str
    arrival: Call | None
    departure: Call | None
    goods: str | None

    @property
    def reported(self) -> object:
        call = self.arrival or self.departure
        return (call.told if call is self.arrival else call.listed) if call else None


class Trade:
    """Draws the shipments of a run."""

    def __init__(self, world: World, seed: int, calls: Sequence[Call], arrivals: int) -> None:
        self.world = world
        self.calls = calls
        self.arrivals = calls[:arrivals]  # later calls only take boxes away
        self.route_dice = Dice(seed, "routes")
        self.dice = Dice(seed, "shipments")
        self.numbers = Numbers(seed, "trade")
        self.traders = Traders(world, seed)

    def shipments(self, count: int) -> list[Shipment]:
        """Return this many shipments, in the order in which papers first speak of them."""
        routes = [self._route() for _ in range(count)]
        routes.sort(key=lambda route: (str(route.reported), route.origin, route.discharge))
        made: list[Shipment] = []
        while routes:
            made.extend(self._shipments(routes))
        return made

    # -- routes ---------------------------------------------------------------------------

    def _route(self) -> _Route:
        dice, world = self.route_dice, self.world
        regime = Regime(dice.weighed(world.regimes))
        if regime is Regime.TRANSHIPMENT:
            return self._transhipment()
        if regime in (Regime.IMPORT, Regime.FREE_ZONE_IN):
            sources = world.imports if regime is Regime.IMPORT else world.free_zone
            region = world.regions[dice.weighed(sources)]
            origin = dice.weighed(region.loads)
            arrival = dice.pick(self._serving(self.arrivals, origin))
            return _Route(
                regime,
                origin,
                arrival.service.terminal.place,
                arrival,
                None,
                dice.weighed(region.sends),
            )
        if regime in (Regime.EXPORT, Regime.FREE_ZONE_OUT):
            trade = world.exports if regime is Regime.EXPORT else world.re_exports
            takes = world.regions[dice.weighed(trade["to"])].takes
            discharge = dice.weighed(takes)
            departure = dice.pick(self._serving(self.arrivals, discharge))
            place = departure.service.terminal.place
            return _Route(regime, place, discharge, None, departure, dice.weighed(trade["sends"]))
        return self._empty()

    def _transhipment(self) -> _Route:
        dice, world = self.route_dice, self.world
        loads = {name: sum(region.loads.values()) for name, region in world.regions.items()}
        region = world.regions[dice.weighed(loads)]
        origin = dice.weighed(region.loads)
        discharge = dice.weighed(world.regions[dice.weighed(region.onward)].takes)
        arrival = dice.pick(self._serving(self.arrivals, origin))
        onward = self._onward(arrival, discharge)
        return _Route(
            Regime.TRANSHIPMENT, origin, discharge, arrival, onward, dice.weighed(region.sends)
        )

    def _onward(self, arrival: Call, port: str) -> Call:
        """Return the call that takes a box on: the next one, now and then a later one."""
        fitting = [
            call
            for call in self._serving(self.calls, port)
            if SHORTEST_STAY <= call.departure - arrival.arrival <= LONGEST_STAY
        ]
        if not fitting:
            raise Invalid("world_invalid", "no service takes boxes there within days", port=port)
        same = [c for c in fitting if c.service.terminal == arrival.service.terminal]
        other = [c for c in fitting if c.service.terminal != arrival.service.terminal]
        moves = self.route_dice.chance(self.world.shares["transfer"])
        choice = (other or same) if moves else (same or other)
        return choice[0] if self.route_dice.chance(0.85) else choice[-1]

    def _empty(self) -> _Route:
        dice = self.route_dice
        call = dice.pick(self.arrivals)
        port = dice.pick(call.service.ports)
        place = call.service.terminal.place
        if dice.chance(0.5):
            return _Route(Regime.EMPTY, port, place, call, None, None)
        return _Route(Regime.EMPTY, place, port, None, call, None)

    def _serving(self, calls: Sequence[Call], port: str) -> list[Call]:
        found = [call for call in calls if port in call.service.ports]
        if not found:
            raise Invalid("world_invalid", "no service calls there in these days", port=port)
        return found

    # -- shipments ------------------------------------------------------------------------

    def _shipments(self, routes: list[_Route]) -> Iterator[Shipment]:
        """Make the next shipment, or the several that share the next box."""
        route = routes.pop(0)
        shared = (
            route.regime is Regime.IMPORT
            and route.goods is not None
            and self.world.goods[route.goods].set_point is None
            and self.dice.chance(self.world.shares["groupage"])
        )
        if not shared:
            yield self._shipment(route)
            return
        several = [route]
        while routes and len(several) < 3:
            several.append(_Route(**{n: getattr(route, n) for n in _Route.__slots__}))
            routes.pop()  # the count stays what was asked
        yield from self._groupage(several)

    def _groupage(self, routes: Sequence[_Route]) -> Iterator[Shipment]:
        made = [self._shipment(route) for route in routes]
        first = made[0]
        forwarder = self.traders.forwarder(first.origin[:2])
        house = self.dice.pick(self.world.forwarders)
        box, master = first.box, first.bill
        for shipment in made:
            full = shipment.loads[0]
            part = Load(
                max(1, full.net // len(made)),
                max(1, full.gross // len(made)),
                max(1, full.packages // len(made)),
            )
            shipment.value = (shipment.value / len(made)).quantize(Decimal("0.01"))
            shipment.freight = (shipment.freight / len(made)).quantize(Decimal("0.01"))
            shipment.master, shipment.bill = master, self.numbers.bill(house, shipment.origin)
            shipment.forwarder, shipment.house = forwarder, house
            shipment.boxes, shipment.loads = [box], [part]
        box.gross = sum(shipment.loads[0].gross for shipment in made)
        yield from made

    def _shipment(self, route: _Route) -> Shipment:
        dice, world = self.dice, self.world
        call = route.arrival or route.departure
        if call is None:
            raise TypeError("a route has a ship")
        carrier = call.service.carrier
        bill = self.numbers.bill(carrier.code, route.origin)
        goods = world.goods[route.goods] if route.goods else None
        delivery = "PACFZ" if route.regime is Regime.FREE_ZONE_IN else route.discharge
        origin = "PACFZ" if route.regime is Regime.FREE_ZONE_OUT else route.origin
        made = Shipment(
            regime=route.regime,
            bill=bill,
            origin=origin,
            discharge=route.discharge,
            delivery=delivery,
            language=world.language_of(route.origin),
            arrival=route.arrival,
            departure=route.departure,
            goods=goods,
            text=None,
            hs=goods.hs if goods else None,
            shipper=None,
            consignee=None,
            forwarder=None,
            boxes=[],
            loads=[],
        )
        if goods is None:
            made.boxes = [self._empty_box(carrier.boxes)]
            return made
        made.text = dice.pick(world.texts["descriptions"][goods.code][made.language])
        made.shipper = self.traders.shipper(route.origin, goods.code)
        made.consignee = self.traders.buyer(made.shipper, delivery[:2], goods.code)
        if dice.chance(0.2):
            made.forwarder = self.traders.forwarder(delivery[:2])
        made.ordered = dice.chance(world.shares["to_order"])
        count = dice.whole(2, 3) if dice.chance(world.shares["many_boxes"]) else 1
        for _ in range(count):
            load = self._load(goods, made.shipper)
            made.loads.append(load)
            made.boxes.append(self._full_box(goods, carrier.boxes, load))
        net = sum(load.net for load in made.loads)
        price = dice.between(*goods.value) * made.shipper.price
        made.value = Decimal(f"{net * price:.2f}")
        gross = sum(load.gross for load in made.loads)
        made.freight = Decimal(f"{gross * dice.between(*FREIGHT):.2f}")
        return made

    def _empty_box(self, prefixes: Sequence[str]) -> Box:
        kind = self.dice.weighed({"22G1": 4.0, "45G1": 5.0, "45R1": 3.0})
        return Box(self.numbers.container(self.dice.pick(prefixes)), kind, self._tare(kind))

    def _load(self, goods: Goods, shipper: Trader) -> Load:
        each = goods.package[1]
        packages = max(1, round(self.dice.between(*goods.load) * shipper.fill / each))
        net = round(packages * each)
        pallets = self.dice.whole(250, 420) if each < PALLETISED else 0
        return Load(net, round(net / (1 - goods.tare)) + pallets, packages)

    def _full_box(self, goods: Goods, prefixes: Sequence[str], load: Load) -> Box:
        dice = self.dice
        kind, set_point = goods.box, goods.set_point
        if kind == "45G1" and dice.chance(NO_MACHINERY):
            kind = "45R1"
        box = Box(self.numbers.container(dice.pick(prefixes)), kind, self._tare(kind), set_point)
        box.gross = load.gross
        box.seals = [Seal(self.numbers.seal(dice.pick(SEALS)), affixed_by="shipper")]
        if dice.chance(0.15):
            box.seals.append(Seal(self.numbers.seal("CL"), affixed_by="carrier"))
        box.verified = dice.chance(0.7)
        return box

    def _tare(self, kind: str) -> int:
        decoded = size_type(kind)
        nominal = (decoded.nominal_tare_kg if decoded else None) or 3800
        return round(nominal * self.dice.between(0.97, 1.03) / 10) * 10
