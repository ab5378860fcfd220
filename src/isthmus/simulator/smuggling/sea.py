"""What the underworld does at sea: on ships that call or pass the canal, and with small craft.

Of the calls, of the canal's passages and of the craft's trips the share ``rate`` is used, by the
weights of the schemes for each. Lawful ones are drawn beside them that do the same for another
reason, by the same acts, so nothing in a track says which it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.simulator.ais.acts import Point, SeaAct, SeaKind
from isthmus.simulator.ais.craft import craft, fleet
from isthmus.simulator.ais.passages import Passage, passages
from isthmus.simulator.ais.vessel import Vessel
from isthmus.simulator.dice import Dice
from isthmus.simulator.smuggling.groups import Group
from isthmus.simulator.smuggling.planted import PlantedVoyage
from isthmus.simulator.smuggling.scheme import CALL, CRAFT, METHOD, PASSAGE, ROUTE, TRADERS, Scheme
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.world import World

BACKLOG = 2.0  # voyages that a scheme may owe
TRIPS = 90  # trips of small craft on a day
AGAIN = 0.4  # chance that a group uses a ship that it used before, when she is there
_SMALL = ("panga", "launch", "small_fisher", "sport_fisher")
_Minutes = tuple[float, float]
# How long each act lasts, and whether a small craft comes to her.
LASTS: Mapping[SeaKind, _Minutes] = {
    SeaKind.SPEED_DIP: (15, 70),
    SeaKind.DRIFT: (40, 300),
    SeaKind.GAP: (90, 900),
    SeaKind.DEVIATION: (60, 240),
    SeaKind.RENDEZVOUS: (12, 80),
    SeaKind.LOITER: (240, 1600),
    SeaKind.ANCHORED_AT_NIGHT: (420, 1300),
    SeaKind.SMALL_CRAFT_ALONGSIDE: (20, 110),
    SeaKind.FAST_RUN: (120, 480),
    SeaKind.LOW_PROFILE_RUN: (1800, 5400),
    SeaKind.FISHING_WITHOUT_LANDING: (1500, 7200),
}
_MEETS = (SeaKind.RENDEZVOUS, SeaKind.SMALL_CRAFT_ALONGSIDE)
_RUNS = (SeaKind.FAST_RUN, SeaKind.LOW_PROFILE_RUN)
_IN_PORT = (SeaKind.ANCHORED_AT_NIGHT, SeaKind.SMALL_CRAFT_ALONGSIDE)


@dataclass(frozen=True, slots=True)
class Trip:
    """A vessel that something may be done on: a call, a passage, or a craft's day."""

    vessel: str
    kind: str
    ports: tuple[str, ...]
    terminal: str
    since: datetime  # she is in port, or the craft is out, from here
    until: datetime
    call: Call | None = None
    harbour: str = ""


class Sea:
    """The sea part of the underworld."""

    def __init__(
        self,
        world: World,
        schemes: Sequence[Scheme],
        seed: int,
        rate: float,
        start: datetime,
        days: int,
    ) -> None:
        self.rate, self.start = rate, start
        self.dice = Dice(seed, "underworld", "sea")
        self.schemes = [scheme for scheme in schemes if scheme.uses in (CALL, PASSAGE, CRAFT)]
        self._by_code = {scheme.code: scheme for scheme in self.schemes}
        self._craft = craft(world, seed) if self.schemes else ()
        self._small = [vessel for vessel in self._craft if vessel.kind in _SMALL]
        self._passages: dict[object, list[Passage]] = {}
        if any(scheme.uses == PASSAGE for scheme in schemes):
            for passage in passages(seed, start, days):
                self._passages.setdefault(passage.anchored.date(), []).append(passage)
        self._owed = {scheme.code: self.dice.between(0, 1) for scheme in self.schemes}
        self._looks = {
            (scheme.code, at): self.dice.between(0, 1)
            for scheme in self.schemes
            for at, _ in enumerate(scheme.confusers)
        }
        self._groups: dict[str, list[Group]] = {scheme.code: [] for scheme in self.schemes}
        self._rests: dict[int, datetime] = {}

    def voyages(
        self, day: datetime, calls: Sequence[Call], number: Callable[[], int]
    ) -> list[PlantedVoyage]:
        """Return what is done on these calls and by whom passes or is out that day.

        ``number`` gives the next new group's number.
        """
        passing = self._passages.get(day.date(), [])
        return [
            *self._of_a_day(CALL, day, [_of_call(call) for call in calls], len(calls), number),
            *self._of_a_day(PASSAGE, day, [_of_passage(p) for p in passing], len(passing), number),
            *self._of_a_day(CRAFT, day, [_of_craft(v, day) for v in self._craft], TRIPS, number),
        ]

    def _of_a_day(
        self,
        uses: str,
        day: datetime,
        trips: Sequence[Trip],
        usual: int,
        number: Callable[[], int],
    ) -> list[PlantedVoyage]:
        """Return what is done on trips of one sort, of which there are usually so many."""
        since = day - self.start
        weights = {
            scheme.code: scheme.starts.weight(scheme.weight, since)
            for scheme in self.schemes
            if scheme.uses == uses
        }
        free, whole = dict(enumerate(trips)), sum(weights.values())
        made: list[PlantedVoyage] = []
        for code, weight in weights.items():
            if weight:
                scheme = self._by_code[code]
                self._owed[code] += self.rate * usual * weight / whole
                made += self._used(day, scheme, free, number)
                made += self._look_alikes(scheme, free)
        return made

    def _used(
        self, day: datetime, scheme: Scheme, free: dict[int, Trip], number: Callable[[], int]
    ) -> list[PlantedVoyage]:
        made: list[PlantedVoyage] = []
        while self._owed[scheme.code] >= 1:
            group = self._group(day, scheme, number)
            trip = self._draw(scheme, free, group)
            if trip is None:
                break
            self._owed[scheme.code] -= 1
            kilograms = round(self.dice.between(*scheme.kilograms))
            voyage = self._planted(trip, scheme, scheme.traces, kilograms)
            voyage.group, voyage.adapted = group, tuple(group.adapted)
            made.append(voyage)
            for at, confuser in enumerate(scheme.confusers):
                self._looks[scheme.code, at] += confuser.each
        self._owed[scheme.code] = min(self._owed[scheme.code], BACKLOG)
        return made

    def _look_alikes(self, scheme: Scheme, free: dict[int, Trip]) -> list[PlantedVoyage]:
        """Plant lawful ones; where too few are there that day, on a later one."""
        made: list[PlantedVoyage] = []
        for at, confuser in enumerate(scheme.confusers):
            while self._looks[scheme.code, at] >= 1:
                lawful = self._draw(scheme, free, None)
                if lawful is None:
                    return made
                self._looks[scheme.code, at] -= 1
                made.append(self._planted(lawful, scheme, confuser.traces, 0))
        return made

    def _group(self, day: datetime, scheme: Scheme, number: Callable[[], int]) -> Group:
        """Return a group that has rested, changed by what it learnt, or a new one."""
        for group in list(self._groups[scheme.code]):
            if self._rests[group.number] > day:
                continue
            for change in group.due(day):
                self._change(group, change)
            if group.scheme is scheme:
                break
        else:
            group = Group(number(), scheme)
            self._groups[scheme.code].append(group)
        self._rests[group.number] = day + timedelta(days=self.dice.between(*scheme.by.every))
        return group

    def _change(self, group: Group, change: str) -> None:
        """Let a group do something otherwise than before; it carries no goods to change."""
        if change == METHOD:
            others = {
                scheme.code: scheme.weight
                for scheme in self.schemes
                if scheme is not group.scheme and scheme.uses == group.scheme.uses
            }
            if not others:
                return
            self._groups[group.scheme.code].remove(group)
            group.scheme = self._by_code[self.dice.weighed(others)]
            self._groups[group.scheme.code].append(group)
        elif change == TRADERS:
            group.give_up()
        elif change == ROUTE:
            group.avoids = (*group.avoids, *(where for where, _ in group.lanes))
            group.lanes = []
        else:
            return
        group.adapted.append(change)

    def _draw(self, scheme: Scheme, free: dict[int, Trip], group: Group | None) -> Trip | None:
        fitting = [at for at, trip in free.items() if _fits(scheme, trip)]
        if group is not None:
            fitting = [at for at in fitting if _way(free[at]) not in group.avoids] or fitting
            known = [at for at in fitting if free[at].vessel in group.victims]
            fitting = known if known and self.dice.chance(AGAIN) else fitting
        if not fitting:
            return None
        trip = free.pop(self.dice.pick(fitting))
        if group is not None:
            group.victims = [*group.victims, trip.vessel][-3:]
            group.lanes = [*group.lanes, (_way(trip), "")][-3:]
        return trip

    # -- acts -----------------------------------------------------------------------------

    def _planted(
        self, trip: Trip, scheme: Scheme, chances: Mapping[str, float], kilograms: float
    ) -> PlantedVoyage:
        acts = [
            self._act(SeaKind(name), trip, scheme)
            for name, chance in chances.items()
            if self.dice.chance(chance)
        ]
        return PlantedVoyage(
            call=trip.call,
            vessel=trip.vessel,
            scheme=scheme,
            kilograms=kilograms,
            guilty=chances is scheme.traces,
            left=[act.kind.value for act in acts],
            acts=acts,
        )

    def _act(self, kind: SeaKind, trip: Trip, scheme: Scheme) -> SeaAct:
        dice = self.dice
        minutes = round(dice.between(*LASTS[kind]), 1)
        where = to = None
        if kind in _RUNS:
            harbours = fleet()["harbours"]
            where, to = _point(harbours[trip.harbour]), self._end(scheme, trip)
        return SeaAct(
            kind=kind,
            vessel=trip.vessel,
            moment=self._moment(kind, trip, minutes),
            minutes=minutes,
            where=where,
            to=to,
            other=self._other(trip.vessel) if kind in _MEETS else None,
        )

    def _other(self, vessel: str) -> str:
        while (other := self.dice.pick(self._small).id) == vessel:
            pass
        return other

    def _end(self, scheme: Scheme, trip: Trip) -> Point:
        names = [n for n in scheme.where.get("towards", fleet()["harbours"]) if n != trip.harbour]
        return _point(fleet()["harbours"][self.dice.pick(names)])

    def _moment(self, kind: SeaKind, trip: Trip, minutes: float) -> datetime:
        """Return when: in port, at sea before or after it, or while a craft is out."""
        dice, lasts = self.dice, timedelta(minutes=minutes)
        if kind is SeaKind.ANCHORED_AT_NIGHT:
            return _second(trip.since - lasts)
        if trip.harbour:
            at = trip.since + (trip.until - trip.since) * dice.between(0.05, 0.9)
        elif kind in _IN_PORT:
            at = trip.since + (trip.until - trip.since - lasts) * dice.between(0.1, 0.9)
            night = at.replace(hour=dice.whole(1, 9))  # 20 to 4 o'clock in Panama
            at = night if trip.since < night < trip.until - lasts else at
        elif dice.chance(0.5):
            at = trip.since - timedelta(hours=dice.between(5, 40)) - lasts
        else:
            at = trip.until + timedelta(hours=dice.between(5, 40))
        return _second(at)


def _of_call(call: Call) -> Trip:
    service = call.service
    return Trip(
        vessel=call.ship.imo,
        kind="",
        ports=service.ports,
        terminal=service.terminal.code,
        since=call.arrival,
        until=call.departure,
        call=call,
    )


def _of_passage(passage: Passage) -> Trip:
    ports = (passage.origin, passage.destination)
    ship = passage.ship
    return Trip(ship.id, ship.kind, ports, "", passage.anchored, passage.weighs)


def _of_craft(vessel: Vessel, day: datetime) -> Trip:
    until = day + timedelta(days=1)
    return Trip(vessel.id, vessel.kind, (), "", day, until, harbour=vessel.harbour)


def _fits(scheme: Scheme, trip: Trip) -> bool:
    where = scheme.where
    return (
        trip.kind in where.get("vessels", (trip.kind,))
        and trip.terminal in where.get("terminals", (trip.terminal,))
        and trip.harbour in where.get("harbours", (trip.harbour,))
        and (not where.get("origins") or any(port in where["origins"] for port in trip.ports))
    )


def _way(trip: Trip) -> str:
    """Return what a group avoids once it was caught there: a service, a port, a harbour."""
    return trip.call.service.code if trip.call else trip.harbour or trip.ports[0]


def _point(given: Sequence[float]) -> Point:
    return given[0], given[1]


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
