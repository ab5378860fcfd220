"""Transits of the canal by ships that are not of the world's services, and their days at anchor."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.simulator.ais.craft import canal_ships, fleet
from isthmus.simulator.ais.vessel import Vessel
from isthmus.simulator.dice import Dice

TRANSIT = (8.5, 11.5)  # hours from the first buoy to the last
EARLIER = 9  # days
AGAIN = 42  # days after which the same ships come again


@dataclass(frozen=True, slots=True)
class Passage:
    """One ship's visit: she anchors, waits for her turn, transits and leaves."""

    ship: Vessel
    southbound: bool  # from the Atlantic to the Pacific
    origin: str  # UN/LOCODE of where she came from
    destination: str
    anchored: datetime
    weighs: datetime  # heaves up her anchor and transits
    through: datetime  # passes the last buoy of the canal


def passages(seed: int, start: datetime, days: int) -> tuple[Passage, ...]:
    """Return the passages of a run, in order of anchoring.

    They begin ``EARLIER`` days before it, so that ships lie at anchor when it begins. A day's
    passages follow from the seed and the date alone, whatever run asks.
    """
    first, last = start - timedelta(days=EARLIER), start + timedelta(days=days)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[Passage] = []
    while midnight < last:
        found += (one for one in _of_day(seed, midnight) if first <= one.anchored < last)
        midnight += timedelta(days=1)
    return tuple(found)


def _of_day(seed: int, midnight: datetime) -> list[Passage]:
    """Return the passages whose ships anchor on this day; each day has ships of its own."""
    dice = Dice(seed, "ais", "passages", midnight.date().isoformat())
    canal, usual = fleet()["canal"], fleet()["canal"]["transits_a_day"]
    ships = list(canal_ships(seed)[midnight.toordinal() % AGAIN :: AGAIN])
    count = min(dice.whole(round(0.75 * usual), round(1.25 * usual)), len(ships))
    found = []
    for minute in sorted(dice.between(0, 24 * 60) for _ in range(count)):
        ship = ships.pop(dice.whole(0, len(ships) - 1))
        southbound = dice.chance(0.5)
        ends = (canal["atlantic"][ship.kind], canal["pacific"][ship.kind])
        origin, destination = ends if southbound else ends[::-1]
        anchored = midnight + timedelta(seconds=round(60 * minute))
        waits = dice.around(canal["waits"][0], canal["waits"][1])
        weighs = anchored + timedelta(seconds=round(3600 * min(max(waits, 3.0), 160.0)))
        found.append(
            Passage(
                ship=ship,
                southbound=southbound,
                origin=dice.weighed(origin),
                destination=dice.weighed(destination),
                anchored=anchored,
                weighs=weighs,
                through=weighs + timedelta(seconds=round(3600 * dice.between(*TRANSIT))),
            )
        )
    return found
