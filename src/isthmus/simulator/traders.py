"""Traders: born as trade goes on, a few of them busy and most of them not, each with habits.

Who trades next is drawn as in the Chinese restaurant process: a newcomer with a chance that falls
as the trade matures, else somebody known, in proportion to what they have done so far. That
gives the heavy tail of real trade, with first appearances at any time.
"""

import unicodedata
from dataclasses import dataclass, field, replace

from isthmus.cargo.model import Party, PartyRole
from isthmus.simulator.dice import Dice
from isthmus.simulator.world import World

NEWCOMERS = 0.6  # the concentration of the process: larger means more newcomers
NUMBERED = 0.6  # share of traders whose tax number the papers give


@dataclass(slots=True)
class Trader:
    """A firm, with its habits: how it prices, fills, and how carefully it writes."""

    name: str
    identifier: str | None
    address: tuple[str, ...]
    city: str
    postcode: str
    country: str
    contact: tuple[str, ...]
    price: float  # against the usual price
    fill: float  # against the usual load
    careless: float  # chance that it writes its name another way
    done: int = 0
    buyers: list["Trader"] = field(default_factory=list)

    def as_party(self, role: PartyRole, dice: Dice, *, shouts: bool = False) -> Party:
        """Return the firm as somebody writes it on a paper: mostly, not always, the same."""
        name = self.name
        if dice.chance(self.careless):
            name = dice.pick((_abbreviated, _plain, _slipped))(name)
        if shouts:
            name = _plain(name).upper()
        return Party(
            role=role,
            name=name,
            identifier=self.identifier,
            address=self.address,
            city=self.city,
            postcode=self.postcode,
            country=self.country,
            contact=self.contact,
        )


def _plain(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _abbreviated(name: str) -> str:
    return name.replace("Comercializadora", "Comerc.").replace("Importadora", "Import.").rstrip(".")


def _slipped(name: str) -> str:
    """Two letters of the longest word stand the wrong way round."""
    word = max(name.split(), key=len)
    return name.replace(word, word[:2] + word[3:1:-1] + word[4:], 1) if len(word) > 4 else name


class Traders:
    """All traders of a run."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.dice = Dice(seed, "traders")
        self.known: dict[tuple[str, ...], list[Trader]] = {}
        self.names: set[str] = set()

    def shipper(self, port: str, goods: str) -> Trader:
        """Return who ships these goods from this port."""
        return self._next((port, goods), port[:2])

    def buyer(self, shipper: Trader, country: str, goods: str) -> Trader:
        """Return to whom it sells: mostly whom it sold to before."""
        usual = [buyer for buyer in shipper.buyers if buyer.country == country]
        if usual and self.dice.chance(self.world.shares["usual_consignee"]):
            found = self.dice.pick(usual)
            found.done += 1
            return found
        found = self._next((country, goods, "buys"), country)
        shipper.buyers.append(found)
        return found

    def forwarder(self, country: str) -> Trader:
        """Return a forwarder of a country."""
        return self._next((country, "forwards"), country)

    def newcomer(self, country: str) -> Trader:
        """Return a firm that nobody has seen before."""
        return self._born(country)

    def _next(self, trade: tuple[str, ...], country: str) -> Trader:
        known = self.known.setdefault(trade, [])
        total = sum(trader.done for trader in known)
        if self.dice.chance(NEWCOMERS / (total + NEWCOMERS)):
            known.append(self._born(country))
            return known[-1]
        found = known[self.dice.weighed({at: trader.done for at, trader in enumerate(known)})]
        found.done += 1
        return found

    def _born(self, country: str) -> Trader:
        dice, texts = self.dice, self.world.texts
        home = texts["countries"][country]
        language = home["language"]
        city = dice.pick(tuple(home["cities"]))
        digits = dice.text("0123456789", 9)
        street = f"{dice.pick(texts['streets'][language])} {dice.whole(1, 240)}"
        return Trader(
            name=self._name(language, home["forms"]),
            identifier=f"{country}{digits}" if dice.chance(NUMBERED) else None,
            address=(street,),
            city=city,
            postcode=str(home["cities"][city]),
            country=country,
            contact=(f"{home['dial']} {dice.text('0123456789', 7)}",) if dice.chance(0.5) else (),
            price=dice.around(1.0, 0.08),
            fill=min(1.0, dice.around(0.97, 0.03)),
            careless=dice.pick((0.0, 0.02, 0.02, 0.15)),
            done=1,
        )

    def _name(self, language: str, forms: list[str]) -> str:
        parts = self.world.texts["firms"][language]
        for attempt in range(1000):
            head, core = self.dice.pick(parts["heads"]), self.dice.pick(parts["cores"])
            more = f" {self.dice.whole(2, 99)}" if attempt > 20 else ""  # "… 21" when all is taken
            name = f"{head} {core}{more} {self.dice.pick(forms)}"
            if name not in self.names:
                break
        self.names.add(name)
        return name


def to_order(party: Party, world: World, country: str) -> Party:
    """Return a consignee made out to order: the bill's holder may claim the goods."""
    language = world.texts["countries"][country]["language"]
    return replace(
        party,
        name=world.texts["to_order"][language],
        identifier=None,
        address=(),
        city=None,
        postcode=None,
        contact=(),
    )
