"""Traces in what is declared: goods, masses, packages, values."""

from collections.abc import Mapping
from decimal import Decimal

from isthmus.simulator.actors.wording import goods_text
from isthmus.simulator.smuggling.traces.kit import Act, Kit, named, resize
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.world import Goods

CENT = Decimal("0.01")
ROUND = Decimal(1000)
TRIES = 60
THRESHOLD = Decimal(1000)  # US dollars; below it many administrations ask for less paper


# -- masses ---------------------------------------------------------------------------------


def heavier(shipment: Shipment, kit: Kit, kilograms: float) -> bool:
    """A scale on the way shows more than the papers say."""
    box = shipment.box
    box.scaled = True
    box.hidden = round(kilograms) or kit.dice.whole(80, 700)
    return True


def lighter_on_paper(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Less is declared than the box holds."""
    if not shipment.loads:
        return False
    box = shipment.box
    box.scaled = True
    box.hidden += round(box.gross * kit.dice.between(0.08, 0.2))
    return True


def tare_deviates(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The box itself weighs more than its kind does: something was built in, or repaired."""
    shipment.box.tare += kit.dice.whole(15, 45) * 10
    return True


def density_off(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """As many packages as usual weigh less, or more, than such goods do."""
    if shipment.goods is None:
        return False
    factor = kit.dice.between(0.66, 0.88) if kit.dice.chance(0.7) else kit.dice.between(1.07, 1.15)
    resize(shipment, factor, packages=1.0)
    return True


def packages_off(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The number of packages does not fit the net mass."""
    if shipment.goods is None:
        return False
    few = kit.dice.chance(0.5)
    factor = kit.dice.between(0.5, 0.8) if few else kit.dice.between(1.25, 1.9)
    resize(shipment, 1.0, packages=factor)
    return True


def small_lot(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """A fraction of the usual load, for which a box is hardly worth its freight."""
    if shipment.goods is None or shipment.lot is not None:
        return False
    factor = kit.dice.between(0.05, 0.3)
    resize(shipment, factor)
    part = Decimal(f"{factor:.4f}")
    shipment.value = (shipment.value * part).quantize(CENT)
    shipment.exported = (shipment.exported * part).quantize(CENT)
    return True


def machinery_off(shipment: Shipment, _kit: Kit, _kilograms: float) -> bool:
    """A reefer travels without its set point."""
    there = shipment.box.set_point is not None
    shipment.box.set_point = None
    return there


# -- what it is -----------------------------------------------------------------------------


def vague(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The goods are described in words that say nothing."""
    if shipment.goods is None:
        return False
    shipment.text = kit.dice.pick(kit.world.texts["vague"][shipment.language])
    return True


def other_heading(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The code declared is of other goods than the text."""
    if shipment.goods is None:
        return False
    shipment.hs = kit.dice.pick([g.hs for g in kit.world.goods.values() if g.hs != shipment.hs])
    return True


def foreign_goods(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """Text and code are of goods that this port never sends."""
    if shipment.goods is None or shipment.lot is not None or shipment.arrival is None:
        return False
    sends = kit.world.regions[kit.world.region_of(shipment.origin)].sends
    there = shipment.goods
    others = [
        goods
        for code, goods in kit.world.goods.items()
        if code not in sends and goods.set_point == there.set_point
    ]
    if not others:
        return False
    _declare(shipment, kit, kit.dice.pick(others))
    return True


def heading_changed_in_zone(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """What leaves the free zone is declared under another heading than it entered under."""
    lot = shipment.lot
    if lot is None or shipment.departure is None:
        return False
    others = [g for g in kit.world.goods.values() if g.hs[:4] != lot.goods.hs[:4]]
    _declare(shipment, kit, kit.dice.pick(others))
    return True


def more_out_than_in(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """More leaves the free zone on account of an entry than came in."""
    lot, net = shipment.lot, sum(load.net for load in shipment.loads)
    if lot is None or shipment.departure is None:
        return False
    extra = round(lot.left + lot.entered * kit.dice.between(0.06, 0.4))
    if net + extra > MOST:
        return False
    lot.left = 0
    factor = (net + extra) / net
    resize(shipment, factor)
    part = Decimal(f"{factor:.4f}")
    shipment.value = (shipment.value * part).quantize(CENT)
    shipment.exported = (shipment.exported * part).quantize(CENT)
    return True


MOST = 27_000  # kilograms net that a box holds


# -- what it costs --------------------------------------------------------------------------


def cheap(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The value declared is a fraction of what such goods cost."""
    return _priced(shipment, kit.dice.between(0.18, 0.5))


def dear(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The value declared is a multiple of what such goods cost."""
    return _priced(shipment, kit.dice.between(1.9, 4.5))


def round_value(shipment: Shipment, _kit: Kit, _kilograms: float) -> bool:
    """The invoice is of a round sum."""
    if shipment.goods is None or shipment.value < ROUND:
        return False
    shipment.value = (shipment.value / ROUND).quantize(Decimal(1)) * ROUND
    return True


def invoiced_again(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The value is, to the cent, that of another shipment of such goods at about that time."""
    for _ in range(TRIES if shipment.goods and kit.others else 0):
        other = kit.dice.pick(kit.others)
        if other.goods is shipment.goods and other is not shipment and other.value:
            shipment.value = other.value
            return True
    return False


def under_threshold(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The value lies just below the sum from which more papers are asked for."""
    if shipment.goods is None:
        return False
    shipment.value = (THRESHOLD * Decimal(f"{kit.dice.between(0.93, 0.999):.5f}")).quantize(CENT)
    return True


def freight_odd(shipment: Shipment, kit: Kit, _kilograms: float) -> bool:
    """The freight is out of all proportion to the way and the mass."""
    if not shipment.freight:
        return False
    high = kit.dice.chance(0.7)
    factor = kit.dice.between(2.2, 5) if high else kit.dice.between(0.15, 0.45)
    shipment.freight = (shipment.freight * Decimal(f"{factor:.3f}")).quantize(CENT)
    return True


# What changes the load comes before what weighs and prices it.
ON_PAPERS: Mapping[str, Act] = named(
    small_lot,
    more_out_than_in,
    density_off,
    packages_off,
    heavier,
    lighter_on_paper,
    tare_deviates,
    machinery_off,
    foreign_goods,
    heading_changed_in_zone,
    other_heading,
    vague,
    cheap,
    dear,
    invoiced_again,
    round_value,
    under_threshold,
    freight_odd,
)


def _declare(shipment: Shipment, kit: Kit, other: Goods) -> None:
    shipment.hs = other.hs
    if shipment.shipper is not None:
        packages = sum(load.packages for load in shipment.loads)
        shipment.text = goods_text(
            kit.world, other, shipment.language, shipment.shipper, packages, kit.dice
        )


def _priced(shipment: Shipment, factor: float) -> bool:
    if shipment.goods is None:
        return False
    shipment.value = (shipment.value * Decimal(f"{factor:.3f}")).quantize(CENT)
    return True
