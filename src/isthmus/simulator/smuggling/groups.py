"""Criminal groups: each has a method, lanes, companies of its own or people it uses, a rhythm.

A group's companies are born like any start-up, ship lawful goods as well, and are given up after a
few uses; no company is used more than ``MOST_USES`` times, so that who owns one is never settled
by the company alone.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from isthmus.simulator.actors.traders import Trader, Traders
from isthmus.simulator.actors.wording import goods_text
from isthmus.simulator.dice import Dice
from isthmus.simulator.smuggling.scheme import COMMODITY, METHOD, ROUTE, TRADERS, Scheme
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.world import World

MOST_USES = 8
CENT = Decimal("0.01")
Lane = tuple[str, str]  # port of loading, goods


@dataclass(slots=True)
class Hand:
    """What firms of one hand share, criminal or not."""

    houses: dict[str, Trader] = field(default_factory=dict)  # a firm by country: its address
    user: str | None = None  # its one in the port's system
    stranger: str | None = None  # a user that the system never had before


@dataclass(slots=True)
class Company:
    """A company that a group owns."""

    trader: Trader
    limit: int
    used: int = 0


@dataclass(slots=True)
class Group:
    """A criminal group."""

    number: int
    scheme: Scheme
    hand: Hand = field(default_factory=Hand)
    lanes: list[Lane] = field(default_factory=list)
    companies: dict[tuple[str, str], list[Company]] = field(default_factory=dict)
    victims: list[str] = field(default_factory=list)  # traders, or ships, that it uses
    lessons: list[tuple[datetime, str]] = field(default_factory=list)
    adapted: list[str] = field(default_factory=list)
    avoids: tuple[str, ...] = ()  # ports and goods it keeps away from since it was caught
    used: bool = False  # it has gone beyond its tests

    def learn(self, at: datetime, dice: Dice) -> None:
        """Note that a shipment was found: what is changed, and when."""
        adapts = self.scheme.adapts
        for change in (ROUTE, COMMODITY, TRADERS, METHOD):
            if dice.chance(adapts.chances.get(change, 0.0)):
                when = at + timedelta(days=dice.between(*adapts.after))
                self.lessons.append((when, change))

    def due(self, day: datetime) -> list[str]:
        """Return the changes that are due, and forget them."""
        found = [change for at, change in self.lessons if at <= day]
        self.lessons = [(at, change) for at, change in self.lessons if at > day]
        return found

    def give_up(self) -> None:
        """Leave its companies and victims behind."""
        self.companies = {}
        self.victims = []
        self.hand = Hand()

    def knows(self, shipment: Shipment) -> bool:
        """Whether the group has a company where one of a shipment's ends is."""
        ends = (("shipper", shipment.shipper), ("consignee", shipment.consignee))
        return any(
            trader is not None and (role, trader.country) in self.companies for role, trader in ends
        )

    def company(
        self, role: str, country: str, goods: str | None, traders: Traders, dice: Dice
    ) -> Company:
        """Return the company that acts in a role; several take turns, and old ones are left."""
        owned = self.companies.setdefault((role, country), [])
        owned[:] = [company for company in owned if company.used < company.limit]
        if len(owned) < 2 and (not owned or dice.chance(0.3)):
            owned.append(Company(traders.newcomer(country, goods), dice.whole(2, MOST_USES)))
        return dice.pick(owned)

    def act_as(
        self, shipment: Shipment, world: World, traders: Traders, dice: Dice, *, guilty: bool
    ) -> None:
        """Put the group's companies into a shipment's papers."""
        for role in self.scheme.by.roles:
            there = shipment.shipper if role == "shipper" else shipment.consignee
            if there is None:
                continue
            goods = shipment.goods.code if shipment.goods else None
            company = self.company(role, there.country, goods, traders, dice)
            company.used += guilty
            if role == "shipper":
                ship_by(shipment, company.trader, world, dice)
            else:
                shipment.consignee = company.trader


def ship_by(shipment: Shipment, shipper: Trader, world: World, dice: Dice) -> None:
    """Let another firm ship these goods: in its own words and at its own price."""
    before = shipment.shipper
    shipment.shipper = shipper
    if shipment.goods is None or before is None:
        return
    packages = sum(load.packages for load in shipment.loads)
    shipment.text = goods_text(world, shipment.goods, shipment.language, shipper, packages, dice)
    factor = Decimal(f"{shipper.price / before.price:.4f}")
    shipment.value = (shipment.value * factor).quantize(CENT)
    shipment.exported = (shipment.exported * factor).quantize(CENT)
