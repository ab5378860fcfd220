"""Calls of ships: every service once a week, sometimes late."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from isthmus.simulator.dice import Dice
from isthmus.simulator.world import Service, Ship, World

IN_PORT = timedelta(hours=22)
LATE = 0.2  # share of calls that come up to a day late
CLOSES = timedelta(hours=12)  # loading closes this long before departure


@dataclass(slots=True)
class Call:
    """One call: what it brings and takes is filled in as shipments are drawn."""

    service: Service
    ship: Ship
    voyage: str
    arrival: datetime
    departure: datetime
    told: datetime  # when the arrival manifest is sent, 60 to 90 hours ahead
    listed: datetime  # when the departure manifest is sent
    manifest_in: str = ""
    manifest_out: str = ""
    brings: list[int] = field(default_factory=list)
    takes: list[int] = field(default_factory=list)

    @property
    def cutoff(self) -> datetime:
        """Return when loading closes."""
        return self.departure - CLOSES


def calls(world: World, seed: int, start: datetime, days: int) -> list[Call]:
    """Return every call that arrives within these days, in order of arrival."""
    return sorted(_calls(world, seed, start, days), key=lambda call: (call.arrival, call.voyage))


def _calls(world: World, seed: int, start: datetime, days: int) -> Iterator[Call]:
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
            ships = service.carrier.ships
            if arrival >= start:
                yield Call(
                    service=service,
                    ship=ships[turn % len(ships)],
                    voyage=f"{service.code}{week:02d}{'N' if turn % 2 else 'S'}",
                    arrival=arrival,
                    departure=arrival + IN_PORT,
                    told=arrival - timedelta(minutes=dice.whole(60 * 60, 90 * 60)),
                    listed=arrival - timedelta(minutes=dice.whole(30 * 60, 60 * 60)),
                    manifest_in=f"{service.carrier.code}{dice.text('0123456789', 8)}",
                    manifest_out=f"{service.carrier.code}{dice.text('0123456789', 8)}",
                )
            planned += timedelta(days=7)
            turn += 1
