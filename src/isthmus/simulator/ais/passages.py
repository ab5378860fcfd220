"""Transits of the canal by ships that are not of the world's services, and their days at anchor."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.simulator.ais.craft import canal_ships, fleet
from isthmus.simulator.ais.vessel import Vessel
from isthmus.simulator.dice import Dice

TRANSIT = (8.5, 11.5)  # hours from the first buoy to the last
EARLIER = 9
AGAIN = timedelta(days=40)  # no ship comes back sooner


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

    They begin ``EARLIER`` days before it, so that ships lie at anchor when it begins. A longer
    run of the same seed and start has the same passages and more.
    """
    dice = Dice(seed, "ais", "passages", start.isoformat())
    canal, ships = fleet()["canal"], canal_ships(seed)
    found: list[Passage] = []
    at, end = start - timedelta(days=EARLIER), start + timedelta(days=days)
    free = dict.fromkeys((ship.id for ship in ships), at - AGAIN)
    while True:
        at += timedelta(minutes=dice.between(0, 2 * 24 * 60 / canal["transits_a_day"]))
        if at >= end:
            return tuple(found)
        ship = _free_ship(dice, ships, free, at)
        if ship is None:
            continue
        southbound = dice.chance(0.5)
        ends = (canal["atlantic"][ship.kind], canal["pacific"][ship.kind])
        origin, destination = ends if southbound else ends[::-1]
        waits = dice.around(canal["waits"][0], canal["waits"][1])
        weighs = at + timedelta(hours=min(max(waits, 3.0), 160.0))
        found.append(
            Passage(
                ship=ship,
                southbound=southbound,
                origin=dice.weighed(origin),
                destination=dice.weighed(destination),
                anchored=at,
                weighs=weighs,
                through=weighs + timedelta(hours=dice.between(*TRANSIT)),
            )
        )
        free[ship.id] = found[-1].through + AGAIN


def _free_ship(
    dice: Dice, ships: tuple[Vessel, ...], free: dict[str, datetime], at: datetime
) -> Vessel | None:
    for _ in range(20):
        ship = dice.pick(ships)
        if free[ship.id] <= at:
            return ship
    return None
