"""Calls of ships: every service once a week, sometimes late."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from isthmus.simulator.dice import Dice
from isthmus.simulator.world import Service, Ship, World

IN_PORT = timedelta(hours=22)
LATE = 0.2  # share of calls that come up to a day late
CLOSES = timedelta(hours=12)  # loading closes this long before departure
# Nothing is told of a call, and no box of it comes to a gate, earlier than this before arrival.
AHEAD = timedelta(days=4)


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of a ship at a terminal of this country."""

    number: int  # in order of arrival
    service: Service
    ship: Ship
    voyage: str
    arrival: datetime
    departure: datetime
    told: datetime  # when the arrival manifest is sent, 60 to 90 hours ahead
    listed: datetime  # when the departure manifest is sent
    manifest_in: str
    manifest_out: str

    @property
    def cutoff(self) -> datetime:
        """Return when loading closes."""
        return self.departure - CLOSES

    @property
    def opens(self) -> date:
        """Return the day on which the first paper of it may be sent."""
        return (self.arrival - AHEAD).date()


class Timetable:
    """Every call of a run, and who goes where when."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self._serving: dict[str, list[Call]] = {}
        for call in sorted(calls, key=lambda call: (call.departure, call.number)):
            for port in call.service.ports:
                self._serving.setdefault(port, []).append(call)
        self._departures = {
            port: [call.departure for call in found] for port, found in self._serving.items()
        }

    def leaving(self, port: str, since: datetime, until: datetime) -> Sequence[Call]:
        """Return the calls that take boxes to a port and depart in this time, in order."""
        departures = self._departures.get(port, [])
        first, last = bisect_left(departures, since), bisect_left(departures, until)
        return self._serving.get(port, [])[first:last]


def calls(world: World, seed: int, start: datetime, days: int) -> list[Call]:
    """Return every call that arrives within these days, in order of arrival."""
    drawn = sorted(_calls(world, seed, start, days), key=lambda call: (call[0], call[3]))
    return [
        Call(number, service, ship, voyage, arrival, arrival + IN_PORT, told, listed, *manifests)
        for number, (arrival, service, ship, voyage, told, listed, manifests) in enumerate(drawn)
    ]


_Drawn = tuple[datetime, Service, Ship, str, datetime, datetime, tuple[str, str]]


def _calls(world: World, seed: int, start: datetime, days: int) -> Iterator[_Drawn]:
    dice = Dice(seed, "calls")
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    for service in world.services:
        first = midnight + timedelta(days=(service.weekday - midnight.weekday()) % 7)
        planned = first + timedelta(hours=service.hour)
        turn = dice.whole(0, 5)
        while planned < start + timedelta(days=days):
            late = dice.between(3, 24) if dice.chance(LATE) else dice.between(-2, 3)
            arrival = planned + timedelta(minutes=int(late * 60))
            week = planned.isocalendar().week
            ships = service.ships
            told = arrival - timedelta(minutes=dice.whole(60 * 60, 90 * 60))
            listed = arrival - timedelta(minutes=dice.whole(30 * 60, 60 * 60))
            code = service.carrier.code
            manifests = (
                f"{code}{dice.text('0123456789', 8)}",
                f"{code}{dice.text('0123456789', 8)}",
            )
            if arrival >= start:
                voyage = f"{service.code}{week:02d}{'N' if turn % 2 else 'S'}"
                ship = ships[turn % len(ships)]
                yield arrival, service, ship, voyage, told, listed, manifests
            planned += timedelta(days=7)
            turn += 1
