"""Staff: the people behind system accounts and duty rosters, by pseudonym and nothing else.

Of a person there is an account id, an employer and habits of work. No name, no country, no age:
nothing of that kind could be a sign of anything. Some look up far more than others because they
are the ones who are asked; they are the lawful look-alikes of insiders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from isthmus.simulator.actors.names import DIGITS, LETTERS
from isthmus.simulator.dice import Dice
from isthmus.simulator.world import World

SHIFTS = 3  # of eight hours, the first from 6 o'clock
OFFICIALS = (14, 46)  # of an office
ACCOUNTS = (2, 14)  # of a firm in the port system
STAYS = 1400.0  # days that somebody usually keeps an account
SUBSTITUTES = 0.06  # share of tasks done by somebody who is not on shift


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    id: str
    employer: str  # code of the office, or name of the firm
    shift: int
    pace: float  # factor on the look-ups of a usual colleague
    expert: str | None  # the sector of goods that colleagues bring to this one
    since: date
    until: date


class Staff:
    """All people of a run; teams are made when somebody first asks for them."""

    def __init__(self, world: World, seed: int) -> None:
        self._dice = Dice(seed, "staff")
        self._sectors = tuple(dict.fromkeys(goods.sector for goods in world.goods.values()))
        self._teams: dict[str, list[Person]] = {}
        self._ids: set[str] = set()

    def official(self, office: str, at: datetime) -> Person:
        """Return a customs official of an office, mostly one who is on shift at that moment."""
        return self._on_shift(office, OFFICIALS, at)

    def user(self, firm: str, at: datetime) -> Person:
        """Return a user of the port system at a firm: carrier, forwarder, haulier, terminal."""
        return self._on_shift(firm, ACCOUNTS, at)

    def team(self, employer: str) -> Sequence[Person]:
        """Return everybody who has an account of an employer now; nobody when never asked for."""
        return tuple(self._teams.get(employer, ()))

    def _on_shift(self, employer: str, size: tuple[int, int], at: datetime) -> Person:
        team = self._teams.get(employer)
        if team is None:
            count = self._dice.whole(*size)
            team = [self._hired(employer, at.date(), old=True) for _ in range(count)]
            self._teams[employer] = team
        shift = ((at.hour - 6) % 24) // (24 // SHIFTS)
        place = self._dice.whole(0, len(team) - 1)
        if not self._dice.chance(SUBSTITUTES):
            for ahead in range(len(team)):
                if team[(place + ahead) % len(team)].shift == shift:
                    place = (place + ahead) % len(team)
                    break
        if team[place].until < at.date():
            team[place] = self._hired(employer, at.date(), old=False)
        return team[place]

    def _hired(self, employer: str, on: date, *, old: bool) -> Person:
        dice = self._dice
        since = on - timedelta(days=int(dice.around(900, 0.9)) if old else 0)
        return Person(
            id=self._fresh(),
            employer=employer,
            shift=dice.whole(0, SHIFTS - 1),
            pace=dice.around(1.0, 0.6),
            expert=dice.pick(self._sectors) if dice.chance(0.15) else None,
            since=since,
            until=on + timedelta(days=min(20_000, int(STAYS * dice.around(0.8, 0.9)))),
        )

    def _fresh(self) -> str:
        while (made := "U" + self._dice.text(DIGITS + LETTERS, 7)) in self._ids:
            pass
        self._ids.add(made)
        return made
