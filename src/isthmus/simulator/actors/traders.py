"""Traders: born as trade goes on, a few of them busy and most of them not, each with habits.

Who trades next is drawn from the past transactions of the same trade (``past.py``), now and then
it is a newcomer. That gives the heavy tail of real trade, with first appearances at any time. A
trade that is seen for the first time has a history already: the world did not begin that day.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from heapq import heappop, heappush

from isthmus.cargo.model import Party, PartyRole
from isthmus.simulator.actors.names import Names, Premises
from isthmus.simulator.actors.past import Past
from isthmus.simulator.actors.spelling import WAYS, shouted, written
from isthmus.simulator.dice import Dice
from isthmus.simulator.world import World

# Transactions of a trade before anybody looked.
HISTORY = {"ships": 24, "buys": 14, "forwards": 60, "brokers": 60, "hauls": 80}
OPENNESS, DISCOUNT = 0.6, 0.35  # of the history: a Pitman-Yor process, hence a tail by power law
AGENTS = frozenset(("forwards", "brokers", "hauls"))  # lines in which no trader trades
TRIES = 6  # draws of somebody who is alive and awake before a newcomer steps in
ODD = 0.06  # of firms that could, take up a line that is not akin to their own
USUAL = 30  # past sales that a shipper remembers in each country
OWN_WAY = 0.7  # of the odd spellings of a firm follow its own habit
FIRST_DAY = date(2026, 1, 1)


@dataclass(slots=True, eq=False)
class Trader:
    """A firm, with its habits: how it prices, fills, and how carefully it writes.

    Factors are against what is usual for the goods; shares and chances are between 0 and 1.
    """

    name: str
    identifier: str | None
    address: tuple[str, ...]
    city: str
    postcode: str
    country: str
    contact: tuple[str, ...]
    price: float  # factor
    fill: float  # factor on the usual load
    careless: float  # chance that it writes its name another way
    price_spread: float = 0.05  # how far one sale's price lies from its own usual price
    weighs: float = 0.004  # usual relative error of the mass it declares
    dwell: float = 1.0  # factor on the days that its boxes stay
    fetches: float = 1.0  # factor on the hours until its haulier comes
    words: int = 0  # its own wording of goods, counted on whatever wordings there are
    vague: float = 0.0  # chance that it writes nothing that says what the goods are
    born: date = FIRST_DAY
    line: str = "any"  # of trade: the sector of the goods it began with, or what it does for others
    group: int | None = None  # its corporate group: same address, phone and agents
    way: int = 0  # its own way to misspell itself
    forwarders: dict[str, "Trader"] = field(default_factory=dict)  # its usual one, by country
    brokers: dict[str, "Trader"] = field(default_factory=dict)
    hauliers: dict[str, "Trader"] = field(default_factory=dict)
    buyers: dict[str, Past["Trader"]] = field(default_factory=dict)  # its sales, by country
    done: int = 0
    until: date = date.max  # its last day
    sleeps: date = date.max  # it rests from this day
    wakes: date = date.max  # until this day

    def trades(self, on: date) -> bool:
        """Whether it does business on a day."""
        return on <= self.until and not self.sleeps <= on < self.wakes

    def as_party(self, role: PartyRole, dice: Dice, *, shouts: bool = False) -> Party:
        """Return the firm as somebody writes it on a paper: mostly, not always, the same."""
        name, address, postcode = self.name, self.address, self.postcode
        if dice.chance(self.careless):
            way = self.way if dice.chance(OWN_WAY) else dice.whole(0, len(WAYS) - 1)
            name = written(name, way, dice)
            if dice.chance(0.3):
                address = tuple(written(line, way, dice) for line in address)
            if dice.chance(0.15):
                postcode = ""
        if shouts:
            name = shouted(name)
        return Party(
            role=role,
            name=name,
            identifier=self.identifier,
            address=address,
            city=self.city,
            postcode=postcode or None,
            country=self.country,
            contact=self.contact,
        )


class Traders:
    """All traders of a run. Their number grows as days pass."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.habits = world.traders
        self.dice = Dice(seed, "traders")
        self.today = FIRST_DAY
        self.names = Names(world.texts, Dice(seed, "traders", "names"))
        self._trades: dict[tuple[str, ...], Past[Trader]] = {}
        self._firms: dict[str, Past[Trader]] = {}  # of a country, whatever they trade in
        self._groups: dict[str, Past[Trader]] = {}
        self._group = 0
        self._changes: list[tuple[date, int, Trader]] = []
        self._serial = 0

    def day(self, at: datetime) -> None:
        """Let the world reach a day: births, rests and deaths come by their dates, and until then
        firms have moved, changed their number or their agents. Days never go back."""
        self.today = at.date()
        while self._changes and self._changes[0][0] <= self.today:
            _, serial, trader = heappop(self._changes)
            if trader.until >= self.today:
                self._changed(trader)
                self._awaits_change(serial, trader)

    def shipper(self, port: str, goods: str) -> Trader:
        """Return who ships these goods from this port now."""
        return self._next((port, goods, "ships"), port[:2], self._line(goods))

    def buyer(self, shipper: Trader, country: str, goods: str) -> Trader:
        """Return to whom it sells: mostly whom it sold to before."""
        sales = shipper.buyers.get(country)
        if sales is None:
            sales = shipper.buyers[country] = Past(USUAL)
        if len(sales) and self.dice.chance(self.world.shares["usual_consignee"]):
            found = sales.draw(self.dice)
            if found.trades(self.today):
                found.done += 1
                sales.add(found)
                return found
        found = self._next((country, goods, "buys"), country, self._line(goods))
        sales.add(found)
        return found

    def forwarder(self, country: str, of: Trader | None = None) -> Trader:
        """Return a forwarder of a country: the usual one ``of`` a trader, when it has one."""
        return self._agent(country, "forwards", None if of is None else of.forwarders)

    def broker(self, country: str, of: Trader | None = None) -> Trader:
        """Return a customs broker of a country: the usual one ``of`` a trader."""
        return self._agent(country, "brokers", None if of is None else of.brokers)

    def haulier(self, country: str, of: Trader | None = None) -> Trader:
        """Return a haulier of a country: the usual one ``of`` a trader."""
        return self._agent(country, "hauls", None if of is None else of.hauliers)

    def newcomer(self, country: str, goods: str | None = None) -> Trader:
        """Return a firm that nobody has seen before, named after its goods as others are."""
        return self._born(country, self._line(goods) if goods else "any")

    # -- who trades next ------------------------------------------------------------------

    def _line(self, goods: str) -> str:
        return self.world.goods[goods].sector

    def _agent(self, country: str, kind: str, usual: dict[str, Trader] | None) -> Trader:
        if usual is not None:
            known = usual.get(country)
            if known is not None and known.trades(self.today) and self.dice.chance(0.85):
                known.done += 1
                return known
        found = self._next((country, kind), country, kind)
        if usual is not None:
            usual[country] = found
        return found

    def _next(self, trade: tuple[str, ...], country: str, line: str) -> Trader:
        past = self._trades.get(trade)
        if past is None:
            past = self._trades[trade] = self._history(trade, country, line)
        found = None if self.dice.chance(self.habits["newcomers"]) else self._awake(past)
        if found is None:
            found = self._enters(country, line)
        found.done += 1
        past.add(found)
        if line not in AGENTS:
            self._active(country).add(found)
        return found

    def _akin(self, line: str, other: str) -> bool:
        """Whether two lines are so near that a firm of one is in the other sooner or later."""
        lines = self.world.texts["lines"]
        return bool(lines.get(line) == lines.get(other))

    def _active(self, country: str) -> Past[Trader]:
        """Return the past of all trade of a country: busy firms are the ones that branch out."""
        return self._firms.setdefault(country, Past())

    def _awake(self, past: Past[Trader]) -> Trader | None:
        for _ in range(TRIES):
            found = past.draw(self.dice)
            if found.trades(self.today):
                return found
        return None

    def _enters(self, country: str, line: str) -> Trader:
        """Return somebody new to a trade: a known firm with a new line, or a new firm."""
        if line not in AGENTS:
            firms = self._active(country)
            if len(firms) and self.dice.chance(self.habits["sideline"]):
                for _ in range(TRIES):
                    found = self._awake(firms)
                    if found and (self._akin(found.line, line) or self.dice.chance(ODD)):
                        return found
        return self._born(country, line)

    def _history(self, trade: tuple[str, ...], country: str, line: str) -> Past[Trader]:
        """Return the past of a trade before anybody looked."""
        past: Past[Trader] = Past()
        firms = 0
        for count in range(HISTORY[trade[-1]]):
            new = (OPENNESS + DISCOUNT * firms) / (OPENNESS + count)
            if self.dice.chance(new):
                firms += 1
                past.add(self._old(self._enters(country, line)))
            else:
                past.add(past.draw(self.dice))
        return past

    # -- births ---------------------------------------------------------------------------

    def _old(self, trader: Trader) -> Trader:
        """Make a firm one that was there before the first day."""
        if trader.born == self.today:
            days = int(self.dice.around(1500, 0.8))
            trader.born = self.today - timedelta(days=days)
            left = self.habits["lasts"] * self.dice.around(0.6, 1.0)
            trader.until = self.today + timedelta(days=min(36_500, int(left)))
        return trader

    def _born(self, country: str, line: str) -> Trader:
        dice, names = self.dice, self.names
        at = self._premises(country)
        made = Trader(
            name=names.firm(country, line),
            identifier=names.tax_number(country) if dice.chance(self.habits["numbered"]) else None,
            address=at.address,
            city=at.city,
            postcode=at.postcode,
            country=country,
            contact=at.contact,
            price=dice.around(1.0, 0.12),
            fill=min(1.0, dice.around(0.96, 0.04)),
            careless=dice.weighed(CARELESS),
            price_spread=dice.around(0.04, 0.6),
            weighs=dice.around(0.004, 0.9),
            dwell=dice.around(1.0, 0.35),
            fetches=dice.around(1.0, 0.4),
            words=dice.whole(0, 1_000_000),
            vague=dice.weighed(VAGUE),
            born=self.today,
            line=line,
            way=dice.weighed(OWN_WAYS),
        )
        self._lives(made)
        self._serial += 1
        self._awaits_change(self._serial, made)
        if dice.chance(self.habits["grouped"]):
            self._joins(made)
        if line not in AGENTS:
            self._active(country).add(made)
        return made

    def _premises(self, country: str) -> Premises:
        """Return where a new firm is: a place of its own, or one where others are as well."""
        dice, own = self.dice, self.names.premises(country)
        others = self._active(country)
        if not len(others) or not dice.chance(self.habits["shared_roof"]):
            return own
        other = others.draw(dice)
        if dice.chance(self.habits["care_of"]):
            own = replace(own, address=(f"c/o {other.name}", *other.address))
        return replace(
            own,
            address=own.address if own.address[1:] else other.address,
            city=other.city,
            postcode=other.postcode,
        )

    def _lives(self, trader: Trader) -> None:
        """Give a firm its days."""
        dice = self.dice
        days = (
            dice.whole(0, 40)
            if dice.chance(self.habits["once"])
            else int(self.habits["lasts"] * dice.around(0.6, 1.0))
        )
        trader.until = self.today + timedelta(days=min(days, 36_500))
        if dice.chance(self.habits["sleepers"]):
            trader.sleeps = self.today + timedelta(days=dice.whole(5, 900))
            trader.wakes = trader.sleeps + timedelta(days=dice.whole(60, 360))

    def _awaits_change(self, serial: int, trader: Trader) -> None:
        days = 1 - self.habits["changes"] * math.log(1 - self.dice.between(0.0, 1.0))
        heappush(self._changes, (self.today + timedelta(days=int(days)), serial, trader))

    def _changed(self, trader: Trader) -> None:
        """Let a firm move, take another number, or leave its agents; its name and tax number
        stay. A lawful firm whose address or phone is suddenly another one looks hijacked."""
        own = self.names.premises(trader.country)
        kind = self.dice.weighed(CHANGE)
        if kind == "moves":
            trader.address, trader.city, trader.postcode = own.address, own.city, own.postcode
        elif kind == "phone":
            trader.contact = own.contact
        else:
            trader.forwarders, trader.brokers, trader.hauliers = {}, {}, {}

    def _joins(self, trader: Trader) -> None:
        """Make a firm part of a corporate group of its country: one roof, phone and agents."""
        groups = self._groups.setdefault(trader.country, Past())
        if len(groups) and self.dice.chance(0.75):
            sister = groups.draw(self.dice)
            trader.group = sister.group
            trader.address, trader.city = sister.address, sister.city
            trader.postcode, trader.contact = sister.postcode, sister.contact
            trader.forwarders, trader.brokers = sister.forwarders, sister.brokers
            trader.hauliers = sister.hauliers
        else:
            self._group += 1
            trader.group = self._group
        groups.add(trader)


CARELESS: Mapping[float, float] = {0.0: 30, 0.02: 45, 0.08: 17, 0.25: 8}
CHANGE: Mapping[str, float] = {"moves": 2, "phone": 3, "agents": 3}
VAGUE: Mapping[float, float] = {0.0: 70, 0.005: 20, 0.03: 8, 0.2: 2}
OWN_WAYS: Mapping[int, float] = dict(enumerate((20, 18, 22, 16, 8, 6, 5, 5)))


def to_order(party: Party, world: World, country: str) -> Party:
    """Return a consignee made out to order: the bill's holder may claim the goods."""
    return replace(
        party,
        name=world.texts["to_order"][world.language_of(country)],
        identifier=None,
        address=(),
        city=None,
        postcode=None,
        contact=(),
    )
