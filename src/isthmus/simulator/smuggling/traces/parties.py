"""Traces in who ships, who takes, and where they say they are."""

from collections.abc import Mapping
from copy import copy

from isthmus.cargo.model import Regime
from isthmus.simulator.actors.traders import Trader
from isthmus.simulator.smuggling.groups import ship_by
from isthmus.simulator.smuggling.traces.kit import Act, Kit, named
from isthmus.simulator.traffic.shipment import Shipment


def new_shipper(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A shipper that nobody has seen before, in a mature trade."""
    if shipment.shipper is None:
        return False
    ship_by(shipment, _newcomer(shipment, kit, shipment.shipper), kit.world, kit.dice)
    return True


def new_consignee(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A consignee that nobody has seen before."""
    if shipment.consignee is None:
        return False
    shipment.consignee = _newcomer(shipment, kit, shipment.consignee)
    return True


def consignee_changed(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Two days before arrival the manifest is changed and names another consignee."""
    if shipment.consignee is None or shipment.arrival is None or shipment.master:
        return False
    shipment.consignee_after = _newcomer(shipment, kit, shipment.consignee)
    return True


def consignee_forwards(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The consignee is a forwarder: the true buyer is on no paper."""
    if shipment.consignee is None:
        return False
    shipment.consignee = shipment.forwarder = kit.traders.forwarder(shipment.consignee.country)
    return True


def consignee_of_other_trade(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The consignee is known for quite other goods: nothing it does needs these."""
    if shipment.consignee is None or shipment.goods is None:
        return False
    country, chapter = shipment.consignee.country, shipment.goods.hs[:2]
    others = [code for code, goods in kit.world.goods.items() if goods.hs[:2] != chapter]
    # A newcomer sells to whoever buys such goods, and nobody's usual buyers change.
    seller = kit.traders.newcomer(shipment.port_of_loading[:2])
    shipment.consignee = kit.traders.buyer(seller, country, kit.dice.pick(others))
    return True


def contact_differs(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A known consignee gives another telephone, or another address, than it always did."""
    known = shipment.consignee
    if known is None:
        return False
    used = kit.dice.chance(0.5)  # a number that the same hand gave for others
    other = _house(kit, known.country) if used else _newcomer(shipment, kit, known)
    posed = copy(known)
    posed.contact = other.contact
    if not other.contact or kit.dice.chance(0.3):
        posed.address, posed.city, posed.postcode = other.address, other.city, other.postcode
    if (posed.contact, posed.address) == (known.contact, known.address):
        return False  # a sister firm in the same house
    shipment.consignee = posed
    return True


def shared_address(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The consignee gives the address of another firm of the same hand."""
    return _shared(shipment, kit, address=True)


def shared_telephone(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The consignee gives the telephone of another firm of the same hand."""
    return _shared(shipment, kit, address=False)


def to_order(shipment: Shipment, _kit: Kit, _kilograms: float) -> bool:
    """The bill is made out to order: whoever holds it may claim the goods."""
    if shipment.goods is None or shipment.master:
        return False
    shipment.ordered = True
    return True


def delivered_elsewhere(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The place of delivery lies in another country than the port of discharge."""
    if shipment.goods is None or shipment.regime is Regime.FREE_ZONE_IN:
        return False
    region = (
        kit.world.regions[kit.world.region_of(shipment.discharge)]
        if (shipment.regime is Regime.TRANSHIPMENT)
        else kit.dice.pick(tuple(kit.world.regions.values()))
    )
    others = [port for port in region.takes if port[:2] != shipment.discharge[:2]]
    if not others:
        return False
    shipment.delivery = kit.dice.pick(others)
    return True


def sent_back(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The goods are to be delivered near to where they came from: the way makes no sense."""
    if shipment.regime is not Regime.TRANSHIPMENT:
        return False
    near = kit.world.regions[kit.world.region_of(shipment.origin)].takes
    others = [port for port in near if port not in (shipment.origin, shipment.discharge)]
    if not others:
        return False
    shipment.delivery = kit.dice.pick(others)
    return True


ON_PAPERS: Mapping[str, Act] = named(
    new_shipper,
    new_consignee,
    consignee_forwards,
    consignee_of_other_trade,
    contact_differs,
    shared_address,
    shared_telephone,
    consignee_changed,
    to_order,
    delivered_elsewhere,
    sent_back,
)


def _newcomer(shipment: Shipment, kit: Kit, instead: Trader) -> Trader:
    """Return a firm that nobody has seen before where another one was, in the same goods."""
    goods = shipment.goods.code if shipment.goods else None
    return kit.traders.newcomer(instead.country, goods)


def _shared(shipment: Shipment, kit: Kit, *, address: bool) -> bool:
    taker = shipment.consignee
    if taker is None:
        return False
    house, posed = _house(kit, taker.country), copy(taker)
    if address:
        posed.address, posed.city, posed.postcode = house.address, house.city, house.postcode
    else:
        posed.contact = house.contact
    shipment.consignee = posed
    return True


def _house(kit: Kit, country: str) -> Trader:
    """Return the firm whose address and telephone this hand gives for others in a country."""
    if country not in kit.hand.houses:
        for _ in range(8):  # most firms give a telephone
            if (firm := kit.traders.newcomer(country)).contact:
                break
        kit.hand.houses[country] = firm
    return kit.hand.houses[country]
