"""Trips of small craft: to fish, to cruise, to meet a ship, to run."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from isthmus.simulator.ais.acts import Point, SeaAct, SeaKind
from isthmus.simulator.ais.conduct import does
from isthmus.simulator.ais.everyday import sea_room
from isthmus.simulator.ais.geometry import distance, length, moved
from isthmus.simulator.ais.lanes import lanes
from isthmus.simulator.ais.track import Plan, Status, Track, ramped
from isthmus.simulator.ais.vessel import Transceiver, Vessel
from isthmus.simulator.dice import Dice

MEETING = (SeaKind.SMALL_CRAFT_ALONGSIDE, SeaKind.RENDEZVOUS)
RUNS = {SeaKind.FAST_RUN: (25.0, 45.0), SeaKind.LOW_PROFILE_RUN: (5.0, 9.0)}
OWN = (SeaKind.LOITER, SeaKind.FISHING_WITHOUT_LANDING)
ON_THE_WAY = (SeaKind.GAP, SeaKind.SPEED_DIP, SeaKind.DRIFT, SeaKind.DEVIATION)
CRUISE = 0.8  # of her fastest
BESIDE = 0.02  # nautical miles between a ship's antenna and a boat alongside
FISHING = (2.0, 4.5)  # knots over the ground while nets or lines are out


@dataclass(slots=True)
class Boat:
    """One craft's run: trips that were asked for first, her own between them.

    A craft with AIS has one track; one without has a track a trip, for what radars see of her.
    """

    vessel: Vessel
    seed: int
    start: float
    end: float
    ships: Mapping[str, Sequence[Track]]
    trips: list[Plan] = field(default_factory=list)

    def tracks(self, acts: Sequence[SeaAct]) -> tuple[list[Track], list[SeaAct]]:
        """Return her tracks, and the acts she could not do; what is asked first goes first."""
        changes = [act for act in acts if act.kind in ON_THE_WAY and act.other is None]
        trips = [act for act in acts if act.kind not in ON_THE_WAY or act.other is not None]
        undone = [act for act in trips if not self._asked(act)]
        if self.vessel.fishes or self.vessel.kind == "yacht":
            self._own()
        self.trips.sort(key=lambda trip: trip.times[0])
        plans = self.trips if self.vessel.ais is Transceiver.NONE else [self._joined()]
        for act in changes:
            moment = act.moment.timestamp()
            plan = next((one for one in plans if one.times[0] <= moment <= one.now), None)
            if plan is None or not does(plan, act, self.seed):
                undone.append(act)
        return [plan.done() for plan in plans], undone

    def _asked(self, act: SeaAct) -> bool:
        dice = Dice(self.seed, "ais", "trip", self.vessel.id, act.moment.isoformat())
        trip = Plan(self.vessel)
        if act.kind in RUNS:
            went = self._run(trip, act, dice)
        elif act.kind in MEETING:
            went = self._meet(trip, act)
        elif act.kind in OWN and act.where is not None:
            self._work(trip, act.moment.timestamp(), act.where, act.minutes * 60, dice, act.kind)
            went = True
        else:
            return False
        if went and self._free(trip.times[0], trip.times[-1]):
            self.trips.append(trip)
            return True
        return False

    def _free(self, start: float, end: float) -> bool:
        return start >= self.start - 86400 and all(
            trip.times[0] > end + 300 or trip.times[-1] + 300 < start for trip in self.trips
        )

    def _run(self, trip: Plan, act: SeaAct, dice: Dice) -> bool:
        if act.where is None or act.to is None or self.vessel.ais is not Transceiver.NONE:
            return False
        low, high = RUNS[act.kind]
        if self.vessel.speed < low:
            return False
        trip.begin(act.moment.timestamp(), act.where)
        path = lanes().way(act.where, act.to)
        for a, b in itertools.pairwise(path):
            points, _ = ramped(self._weaving(a, b, dice), start=False, end=False)
            for p, q in itertools.pairwise(points):
                knots = dice.between(low, min(high, self.vessel.speed))
                trip.sail([p, q], [knots], knots, Status.UNDER_WAY)
        return True

    def _weaving(self, a: Point, b: Point, dice: Dice) -> list[Point]:
        """Return a way from a to b that strays, as small boats in a sea do."""
        count = max(1, round(distance(a, b) / 8))
        found = [a]
        for step in range(1, count):
            f = step / count
            middle = (a[0] + (b[0] - a[0]) * f, a[1] + (b[1] - a[1]) * f)
            found.append(moved(middle, dice.between(0, 360), dice.between(0, 0.6)))
        return [*found, b]

    def _meet(self, trip: Plan, act: SeaAct) -> bool:
        moment, end = act.moment.timestamp(), act.end.timestamp()
        tracks = self.ships.get(act.vessel, ())
        ship = next((one for one in tracks if one.covers(moment) and one.covers(end)), None)
        if ship is None:
            return False
        at = self._beside(ship, moment)
        way = lanes().way(self.vessel.home, at)
        knots = self.vessel.speed * CRUISE
        if length(way) > 400:
            return False
        self._out(trip, way, moment, knots)
        step = moment + 60
        while step < end:
            place = self._beside(ship, step)
            if distance(trip.places[-1], place) * 3600 / 60 > self.vessel.speed:
                return False
            self._put(trip, step, place)
            step += 60
        self._back(trip, knots)
        return True

    def _beside(self, ship: Track, moment: float) -> Point:
        return moved(ship.at(moment), 0, BESIDE)

    def _put(self, trip: Plan, at: float, place: Point) -> None:
        trip.times.append(at)
        trip.places.append(place)
        trip.statuses.append(Status.UNDER_WAY)

    def _out(self, trip: Plan, way: Sequence[Point], arrival: float, knots: float) -> None:
        points, limits = ramped(way, start=True, end=True)
        takes = Plan(self.vessel)
        takes.begin(0.0, points[0])
        takes.sail(points, limits, knots, Status.UNDER_WAY)
        trip.begin(arrival - takes.now, points[0])
        trip.sail(points, limits, knots, Status.UNDER_WAY)

    def _back(self, trip: Plan, knots: float) -> None:
        points, limits = ramped(
            lanes().way(trip.places[-1], self.vessel.home), start=True, end=True
        )
        trip.sail(points, limits, knots, Status.UNDER_WAY)

    def _work(
        self,
        trip: Plan,
        moment: float,
        where: Point,
        seconds: float,
        dice: Dice,
        kind: SeaKind | None,
    ) -> None:
        """Go to a ground, work there, come back: home, or only to an anchorage before it."""
        knots = self.vessel.speed * CRUISE
        self._out(trip, lanes().way(self.vessel.home, where), moment, knots)
        status = Status.FISHING if self.vessel.fishes else Status.UNDER_WAY
        slow = (0.5, 2.0) if kind is SeaKind.LOITER else FISHING
        bearing = dice.between(0, 360)
        while trip.now < moment + seconds:
            bearing += dice.between(-50, 50)
            if distance(trip.places[-1], where) > 8:
                bearing = dice.between(150, 210) + bearing
            speed = min(dice.between(*slow), self.vessel.speed)
            there = moved(trip.places[-1], bearing, speed * dice.between(0.3, 0.9))
            if lanes().on_land(there):
                there = where
            trip.sail([trip.places[-1], there], [speed], speed, status)
        if kind is SeaKind.FISHING_WITHOUT_LANDING:
            off = moved(self.vessel.home, dice.between(0, 360), 1.2)
            points, limits = ramped(lanes().way(trip.places[-1], off), start=True, end=True)
            trip.sail(points, limits, knots, Status.UNDER_WAY)
            trip.swing(trip.now + 3600 * dice.between(20, 60), dice)
        self._back(trip, knots)

    def _own(self) -> None:
        """Her usual trips, where nothing was asked of her."""
        dice = Dice(self.seed, "ais", "own trips", self.vessel.id)
        days, out = self.vessel.days, self.vessel.out
        at = self.start + 86400 * dice.between(-days[1], days[1])
        while at < self.end:
            seconds = 86400 * dice.between(*days)
            ground = sea_room(self.vessel.home, dice, out)
            trip = Plan(self.vessel)
            if ground is not None:
                self._work(trip, at, ground, seconds, dice, None)
                if self._free(trip.times[0], trip.times[-1]):
                    self.trips.append(trip)
            at += seconds + 86400 * dice.between(0.4, 1.2) * max(1.0, days[1] * 0.4)
            at += 2 * 3600 * out[1] / self.vessel.speed

    def _joined(self) -> Plan:
        """Return one plan of all trips: between them she lies at home, her AIS off at times."""
        dice = Dice(self.seed, "ais", "at home", self.vessel.id)
        whole = Plan(self.vessel)
        sleeps = dice.chance(0.55)
        whole.begin(
            min([self.start, *(trip.times[0] - 600 for trip in self.trips)]), self.vessel.home
        )
        for trip in self.trips:
            if sleeps and trip.times[0] > whole.now + 3600:
                whole.silent.append((whole.now + 900, trip.times[0] - 900))
            whole.stay(trip.times[0], Status.MOORED)
            whole.statuses[-1] = trip.statuses[0]
            whole.times += trip.times[1:]
            whole.places += trip.places[1:]
            whole.statuses += trip.statuses[1:]
        if sleeps:
            whole.silent.append((whole.now + 900, self.end + 86400))
        whole.stay(max(self.end, whole.now + 1), Status.MOORED)
        return whole


def craft_tracks(
    craft: Sequence[Vessel],
    acts: Sequence[SeaAct],
    ships: Mapping[str, Sequence[Track]],
    seed: int,
    span: tuple[datetime, datetime],
) -> tuple[list[Track], list[SeaAct]]:
    """Return the tracks of all craft in this span, and the acts that none could do."""
    asked: dict[str, list[SeaAct]] = {}
    for act in acts:
        asked.setdefault(act.other or act.vessel, []).append(act)
    tracks, undone = [], list[SeaAct]()
    for vessel in craft:
        boat = Boat(vessel, seed, span[0].timestamp(), span[1].timestamp(), ships)
        own, not_done = boat.tracks(asked.get(vessel.id, ()))
        tracks += own
        undone += not_done
    return tracks, undone
