"""Numbers that papers carry: containers, bills, seals, references. All by chance: none tells
anything of what it stands for."""

from collections.abc import Callable
from datetime import datetime

from isthmus.reference.check_digits import container_check_digit
from isthmus.simulator.dice import Dice

DIGITS = "0123456789"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class Numbers:
    """Gives out numbers, each once. Each user has a stream of its own, so that what one draws
    does not move the others' numbers."""

    def __init__(self, seed: int, user: str) -> None:
        self.dice = Dice(seed, "numbers", user)
        self.given: set[str] = set()

    def container(self, prefix: str) -> str:
        """Return a box's number with the check digit that ISO 6346 asks for."""
        stem = self._fresh(lambda: prefix + self.dice.text(DIGITS, 6))
        return f"{stem}{container_check_digit(stem)}"

    def bill(self, carrier: str, port: str) -> str:
        """Return a bill's number: carrier, port, number."""
        return self._fresh(lambda: f"{carrier}{port[2:]}{self.dice.text(DIGITS, 7)}")

    def seal(self, maker: str) -> str:
        """Return a seal's number."""
        return self._fresh(lambda: f"{maker}{self.dice.text(DIGITS, 7)}")

    def declaration(self, country: str, at: datetime) -> str:
        """Return the number that customs gives a declaration: year, country, fourteen signs."""
        return self._fresh(
            lambda: (
                f"{at:%y}{country}{self.dice.text(DIGITS + LETTERS, 13)}{self.dice.text(DIGITS, 1)}"
            )
        )

    def own(self, start: str) -> str:
        """Return a sender's own reference."""
        return self._fresh(lambda: f"{start}{self.dice.text(DIGITS, 8)}")

    def _fresh(self, make: Callable[[], str]) -> str:
        while (number := make()) in self.given:
            pass
        self.given.add(number)
        return number
