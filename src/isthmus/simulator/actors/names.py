"""Names, addresses, phone and tax numbers of invented firms, as their country writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isthmus.simulator.dice import Dice

DIGITS = "0123456789"
LETTERS = "ABCDEFGHJKLMNPRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Premises:
    """Where a firm is."""

    address: tuple[str, ...]
    city: str
    postcode: str
    contact: tuple[str, ...]


class Names:
    """Gives names and places to firms. No two firms have the same name."""

    def __init__(self, texts: Mapping[str, Any], dice: Dice) -> None:
        self.texts = texts
        self.dice = dice
        self.given: set[str] = set()

    def firm(self, country: str, line: str) -> str:
        """Return a name for a firm of a country in a line of trade (sector of goods, or agents)."""
        dice, home = self.dice, self.texts["countries"][country]
        parts = self.texts["firms"][home["language"]]
        heads = parts["heads"]
        own = heads.get(self.texts["lines"].get(line, ""))
        form = dice.pick(home["forms"])
        for attempt in range(1000):
            kind = own if own and dice.chance(0.65) else heads["any"]
            name = f"{self._body(parts, kind)} {form}"
            if attempt > 20:  # all is taken: "… del Istmo 21 S.A."
                name = f"{self._body(parts, kind)} {dice.whole(2, 999)} {form}"
            if name not in self.given:
                break
        self.given.add(name)
        return name

    def premises(self, country: str) -> Premises:
        """Return an address with city, postcode and mostly a phone number."""
        dice, home = self.dice, self.texts["countries"][country]
        city = dice.pick(tuple(home["cities"]))
        streets = self.texts["streets"][home["language"]]
        return Premises(
            address=(filled(dice.pick(streets), dice),),
            city=city,
            postcode=filled(home["cities"][city], dice),
            contact=(filled(dice.pick(home["dial"]), dice),) if dice.chance(0.7) else (),
        )

    def tax_number(self, country: str) -> str:
        """Return a tax number in the form of its country; its check digit is by chance."""
        return filled(self.dice.pick(self.texts["countries"][country]["tax"]), self.dice)

    def _body(self, parts: Mapping[str, Any], heads: Sequence[str]) -> str:
        words = self.dice.weighed(parts["patterns"]).split(" ")
        return " ".join(self._word(word, parts, heads) for word in words)

    def _word(self, word: str, parts: Mapping[str, Any], heads: Sequence[str]) -> str:
        dice = self.dice
        if "{" not in word:
            return word
        if word == "{head}":
            return str(dice.pick(heads))
        if word == "{coined}":
            return f"{dice.pick(parts['stems'])}{dice.pick(parts['ends'])}"
        if word == "{letters}":
            return dice.text(LETTERS, 3)
        before, rest = word.split("{")
        kind, after = rest.split("}")
        listed = {"core": "cores", "surname": "surnames", "city": "cities"}[kind]
        return f"{before}{dice.pick(parts[listed])}{after}"


def filled(pattern: str, dice: Dice) -> str:
    """Return a pattern with its signs drawn: ``#`` a digit, the first of a number not 0; ``@`` a
    capital letter."""
    if "#" not in pattern and "@" not in pattern:
        return pattern
    drawn: list[str] = []
    for sign in pattern:
        if sign == "#":
            starts = not drawn or not drawn[-1].isdigit()
            drawn.append(dice.pick(DIGITS[1:] if starts else DIGITS))
        elif sign == "@":
            drawn.append(dice.pick(LETTERS))
        else:
            drawn.append(sign)
    return "".join(drawn)
