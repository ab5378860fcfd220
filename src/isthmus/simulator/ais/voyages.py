"""Voyages of ships: the services' calls and the canal's other traffic, as tracks."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from isthmus.reference import places
from isthmus.simulator.ais.acts import SeaAct, SeaKind
from isthmus.simulator.ais.geometry import moved
from isthmus.simulator.ais.lanes import Approach, berth_of, lanes
from isthmus.simulator.ais.passages import Passage
from isthmus.simulator.ais.pilotage import (
    Path,
    berth_to_berth,
    go,
    lane,
    lying_off,
    sea_speed,
    stretch,
    transit,
    usual_hours,
)
from isthmus.simulator.ais.track import Plan, Status, Voyage
from isthmus.simulator.ais.vessel import Vessel
from isthmus.simulator.dice import Dice
from isthmus.simulator.traffic.calls import Call

IN_PORT = (14.0, 34.0)  # hours at a port abroad
ROUND = 0.74  # share of the fastest at which a round of ports is planned
# What crews enter as a destination; the standard says a UN/LOCODE, few keep to it.
_ENTERED = ("{code}", "{code}", "{country} {place}", "{name}", "{name},{country}", "PA>{code}")


@dataclass(frozen=True, slots=True)
class Sailed:
    """Plans of ships, and the calls that their ships could not make in time."""

    plans: tuple[Plan, ...]
    missed: tuple[Call, ...]


def sail_calls(
    ships: Mapping[str, Vessel], calls: Iterable[Call], acts: Sequence[SeaAct], seed: int
) -> Sailed:
    """Return the voyages of all ships that call: from a port before to a port after."""
    by_ship: dict[str, list[Call]] = {}
    for call in calls:
        by_ship.setdefault(call.ship.imo, []).append(call)
    missed: list[Call] = []
    plans = []
    for imo, own in by_ship.items():
        nights = [a for a in acts if a.vessel == imo and a.kind is SeaKind.ANCHORED_AT_NIGHT]
        plans.append(_Ship(Plan(ships[imo]), Dice(seed, "ais", "voyages", imo), nights).sail(own))
        missed += [call for call in own if call.arrival.timestamp() not in plans[-1].arrivals]
    return Sailed(tuple(plans), tuple(missed))


@dataclass(slots=True)
class _Ship:
    plan: Plan
    dice: Dice
    nights: Sequence[SeaAct]

    def sail(self, calls: Sequence[Call]) -> Plan:
        plan, first = self.plan, calls[0]
        here, origin = self._berth(first), self._port(self.dice.pick(first.service.ports))
        arrival = first.arrival.timestamp()
        takes = usual_hours(origin, here, plan.vessel.speed * ROUND) + self.dice.between(2, 10)
        takes += self._night(first)
        plan.begin(arrival - 3600 * (takes + 12), origin.berth)
        plan.stay(arrival - 3600 * takes, Status.MOORED)
        self._enter(first.service.terminal.place, arrival)
        last = None
        for call in calls:
            there = self._berth(call)
            came = (
                go(plan, origin, there, arrival, self.dice, self._night(call))
                if last is None
                else call.arrival > last.departure and self._round(last, here, call, there)
            )
            if came:
                last, here = call, there
                plan.arrivals.add(call.arrival.timestamp())
        if last is not None:
            plan.stay(last.departure.timestamp(), Status.MOORED)
            self._leave(last, here)
        return plan

    def _round(self, last: Call, here: Approach, call: Call, there: Approach) -> bool:
        """From one call to the next, by as many of the service's ports as there is time for."""
        plan, dice = self.plan, self.dice
        knots, left = plan.vessel.speed * ROUND, call.arrival - last.departure
        departs, arrival = last.departure.timestamp(), call.arrival.timestamp()
        names = last.service.ports
        rounds: list[tuple[str, ...]] = [names[:count] for count in range(len(names), 0, -1)]
        for ports in [*rounds, *((name,) for name in names[1:]), ()]:
            stops = [here, *(self._port(name) for name in ports), there]
            legs = [usual_hours(a, b, knots) for a, b in pairwise(stops)]
            spare = left.total_seconds() / 3600 - sum(legs) - 24 * len(ports) - self._night(call)
            if spare < 4 and ports:
                continue
            plan.stay(departs, Status.MOORED)
            for name, stop, place, leg in zip(ports, stops, stops[1:], legs, strict=False):
                at = plan.now + 3600 * leg
                self._enter(name, at)
                if not go(plan, stop, place, at, dice):
                    break
                more = 0.8 * spare if name == ports[-1] else 0.0
                plan.stay(plan.now + 3600 * (dice.between(*IN_PORT) + more), Status.MOORED)
            else:
                self._enter(call.service.terminal.place, arrival)
                if go(plan, stops[-2], there, arrival, dice, self._night(call)):
                    return True
            plan.back_to(departs)
        return False

    def _leave(self, last: Call, here: Approach) -> None:
        name = last.service.ports[0]
        port = self._port(name)
        takes = usual_hours(here, port, self.plan.vessel.speed * ROUND) + 6
        arrival = self.plan.now + 3600 * takes
        self._enter(name, arrival)
        if go(self.plan, here, port, arrival, self.dice):
            self.plan.stay(self.plan.now + 3600 * 24, Status.MOORED)

    def _night(self, call: Call) -> float:
        """Return the hours at anchor before this call that somebody arranged."""
        for act in self.nights:
            before = (call.arrival - act.moment).total_seconds() / 3600
            if act.minutes / 60 <= before < act.minutes / 60 + 24:
                return before
        return 0.0

    def _berth(self, call: Call) -> Approach:
        found = berth_of(call.service.terminal)
        spot = moved(found.berth, found.quay or 0.0, self.dice.between(-0.2, 0.2))
        return replace(found, berth=spot)

    def _port(self, name: str) -> Approach:
        return lanes().port(name)

    def _enter(self, port: str, arrival: float) -> None:
        enter(self.plan, port, arrival, self.dice)


def enter(plan: Plan, port: str, arrival: float, dice: Dice) -> None:
    """Let the crew enter a destination, in their own way, an expected arrival and a draught."""
    place = places.place(port)
    name = _plain(place.name if place else port)
    words = dice.pick(_ENTERED).format(code=port, country=port[:2], place=port[2:], name=name)
    if dice.chance(0.03):
        words = words[:-1] + words[-1:] * 2  # a slip of the finger
    draught = round(plan.vessel.draught * dice.between(0.82, 1.0), 1)
    plan.voyages.append(Voyage(plan.now, words, arrival + 3600 * dice.between(-3, 6), draught))


def _plain(name: str) -> str:
    """Return a name in the letters AIS has: capitals without accents."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).upper()


def sail_passages(found: Iterable[Passage], acts: Sequence[SeaAct], seed: int) -> Iterator[Plan]:
    """Return a plan for each passage of the canal: from her port, to anchor, through, and away.

    Who is asked to lie at anchor for a night comes that much earlier.
    """
    nights = [act for act in acts if act.kind is SeaKind.ANCHORED_AT_NIGHT]
    for passage in found:
        dice = Dice(seed, "ais", "passage", passage.ship.id, passage.anchored.isoformat())
        early = [
            act.moment
            for act in nights
            if act.vessel == passage.ship.id
            and timedelta() < passage.anchored - act.moment < timedelta(days=2)
        ]
        yield _passage(replace(passage, anchored=min([passage.anchored, *early])), dice)


def _passage(passage: Passage, dice: Dice) -> Plan:
    plan = Plan(passage.ship)
    origin, beyond = lanes().port(passage.origin), lanes().port(passage.destination)
    near, far = ("atlantic", "pacific") if passage.southbound else ("pacific", "atlantic")
    spot, out = lying_off(near, dice), lanes().anchorages[far].buoy
    entry: Path = [spot.berth, lanes().points[spot.start]]
    usual = sea_speed(plan, dice)
    come = stretch(berth_to_berth(origin, spot, dice))
    anchored = passage.anchored.timestamp()
    plan.begin(anchored - 3600 * come.hours(usual), origin.berth)
    enter(plan, "PABLB" if near == "pacific" else "PACTB", anchored, dice)
    plan.sail(come.points, come.limits, usual, Status.UNDER_WAY)
    plan.swing(passage.weighs.timestamp(), dice)
    short = stretch(entry, end=False)
    plan.sail(short.points, short.limits, usual, Status.UNDER_WAY)
    within = (passage.through.timestamp() - plan.now) / 3600
    transit(plan, southbound=passage.southbound, within=max(within, 7.5), dice=dice)
    away = stretch(
        [lanes().points[out], *lane(out, beyond.start, dice)[1:], *beyond.via, beyond.berth],
        start=False,
    )
    enter(plan, passage.destination, plan.now + 3600 * away.hours(usual), dice)
    plan.sail(away.points, away.limits, usual, Status.UNDER_WAY)
    return plan
