"""Lawful things at sea that look like unlawful ones: pilots, launches, squalls, broken engines.

They are the same acts as a scheme's (``acts.SeaAct``) and are carried out by the same code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from isthmus.simulator.ais.acts import Point, SeaAct, SeaKind
from isthmus.simulator.ais.craft import fleet
from isthmus.simulator.ais.geometry import moved
from isthmus.simulator.ais.lanes import lanes
from isthmus.simulator.ais.passages import Passage
from isthmus.simulator.ais.vessel import Transceiver, Vessel
from isthmus.simulator.dice import Dice
from isthmus.simulator.traffic.calls import Call

FAST = 26.0  # knots of a boat that can make a fast run
# At sea: minutes that such a thing lasts.
_LASTS = {
    SeaKind.SPEED_DIP: (25, 180),
    SeaKind.DRIFT: (40, 420),
    SeaKind.LOITER: (90, 600),
    SeaKind.DEVIATION: (90, 400),
    SeaKind.GAP: (30, 1500),
}


@dataclass(frozen=True, slots=True)
class _Visit:
    """When a ship is at sea, at anchor and moving here."""

    ship: str
    coast: str
    arrival: datetime
    moves: tuple[datetime, ...]  # berthing, sailing, weighing: a pilot and tugs come
    anchored: tuple[datetime, datetime] | None
    departure: datetime


def everyday(
    craft: Sequence[Vessel],
    calls: Sequence[Call],
    passages: Sequence[Passage],
    seed: int,
    span: tuple[datetime, datetime],
) -> list[SeaAct]:
    """Return what happens lawfully in this span, in order of time."""
    given, dice = fleet()["everyday"], Dice(seed, "ais", "everyday")
    found = list(_harbour(craft, [*_visits(calls, passages)], given, dice))
    found += _boats(craft, given, dice, span)
    found.sort(key=lambda act: (act.moment, act.vessel, act.other or ""))
    return found


def _visits(calls: Sequence[Call], passages: Sequence[Passage]) -> Iterator[_Visit]:
    for call in calls:
        yield _Visit(
            ship=call.ship.imo,
            coast=call.service.terminal.coast,
            arrival=call.arrival,
            moves=(call.arrival - timedelta(minutes=22), call.departure + timedelta(minutes=6)),
            anchored=None,
            departure=call.departure,
        )
    for passage in passages:
        yield _Visit(
            ship=passage.ship.id,
            coast="atlantic" if passage.southbound else "pacific",
            arrival=passage.anchored,
            moves=(passage.weighs - timedelta(minutes=14),),
            anchored=(passage.anchored, passage.weighs),
            departure=passage.through,
        )


def _harbour(
    craft: Sequence[Vessel], visits: Sequence[_Visit], given: Mapping[str, Any], dice: Dice
) -> Iterator[SeaAct]:
    by_kind: dict[tuple[str, str], list[Vessel]] = {}
    for vessel in craft:
        coast = "atlantic" if vessel.home[0] > 9.2 and vessel.home[1] > -80.2 else "pacific"
        by_kind.setdefault((vessel.kind, coast), []).append(vessel)

    def alongside(kind: str, visit: _Visit, moment: datetime, minutes: float) -> Iterator[SeaAct]:
        boats = by_kind.get((kind, visit.coast))
        if boats:
            other = dice.pick(boats).id
            yield SeaAct(
                SeaKind.SMALL_CRAFT_ALONGSIDE, visit.ship, moment, minutes, None, None, other
            )

    for visit in visits:
        for move in visit.moves:
            if dice.chance(given["pilot"]):
                yield from alongside("pilot_boat", visit, move, dice.between(4, 9))
            if dice.chance(given["tug"]) and visit.anchored is None:
                yield from alongside("tug", visit, move, dice.between(18, 40))
        if visit.anchored is not None:
            hours = (visit.anchored[1] - visit.anchored[0]).total_seconds() / 3600
            for service, boat, usual in (
                ("bunker", "bunker_barge", (120, 380)),
                ("launch", "launch", (8, 45)),
                ("bumboat", "small_fisher", (10, 40)),
            ):
                when = dice.between(0.3, hours - 0.3)
                if dice.chance(given[service]):
                    moment = visit.anchored[0] + timedelta(hours=when)
                    longest = min(dice.between(*usual), (hours - when) * 55)
                    yield from alongside(boat, visit, moment, longest)
        for kind, lasts in _LASTS.items():
            before, away, minutes = dice.chance(0.5), dice.between(3, 60), dice.between(*lasts)
            if dice.chance(given[kind.value]):
                at = visit.arrival - timedelta(hours=away)
                at = at if before else visit.departure + timedelta(hours=away)
                yield SeaAct(kind, visit.ship, at, minutes)


def _boats(
    craft: Sequence[Vessel], given: Mapping[str, Any], dice: Dice, span: tuple[datetime, datetime]
) -> Iterator[SeaAct]:
    months = (span[1] - span[0]).total_seconds() / (30 * 86400)

    def moment() -> datetime:
        return span[0] + (span[1] - span[0]) * dice.between(0, 1)

    fishers = [vessel for vessel in craft if vessel.fishes]
    with_ais = [vessel for vessel in fishers if vessel.ais is not Transceiver.NONE]
    for vessel in with_ais:
        for _ in range(_times(given["fishing_gap"] * months, dice)):
            yield SeaAct(SeaKind.GAP, vessel.id, moment(), dice.around(420, 0.9))
    fast = [v for v in craft if v.ais is Transceiver.NONE and v.speed > FAST]
    slow = [v for v in craft if v.kind == "trading_canoe"]
    for kind, key, boats, miles in (
        (SeaKind.FAST_RUN, "fast_run", fast, (15, 90)),
        (SeaKind.LOW_PROFILE_RUN, "slow_run", slow, (25, 160)),
    ):
        for _ in range(_times(given[key] * months, dice)):
            boat = dice.pick(boats)
            to = sea_room(boat.home, dice, miles)
            if to is not None:
                yield SeaAct(kind, boat.id, moment(), 0, boat.home, to)
    far = [vessel for vessel in with_ais if vessel.out[1] > 50]
    for kind, key in (
        (SeaKind.FISHING_WITHOUT_LANDING, "without_landing"),
        (SeaKind.LOITER, "met_at_sea"),
    ):
        for _ in range(_times(given[key] * months, dice)):
            vessel, hours = dice.pick(far), dice.between(6, 90)
            where = sea_room(vessel.home, dice, vessel.out)
            if where is not None:
                yield SeaAct(kind, vessel.id, moment(), hours * 60, where)


def sea_room(home: Point, dice: Dice, miles: tuple[float, float]) -> Point | None:
    """Return a place at sea so far from a harbour and in sight of it, or None."""
    for _ in range(12):
        at = moved(home, dice.between(0, 360), dice.between(*miles))
        if not lanes().on_land(at) and lanes().clear(home, at):
            return at
    return None


def _times(expected: float, dice: Dice) -> int:
    return int(expected) + dice.chance(expected % 1)
