"""Trips of small craft: to fish, to cruise, to meet a ship, to run."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from isthmus.simulator.ais.acts import Point, SeaAct, SeaKind
from isthmus.simulator.ais.conduct import does, placed
from isthmus.simulator.ais.craft import fleet
from isthmus.simulator.ais.everyday import sea_room
from isthmus.simulator.ais.geometry import distance, length, moved
from isthmus.simulator.ais.lanes import lanes
from isthmus.simulator.ais.track import Plan, Status, Track, ramped
from isthmus.simulator.ais.vessel import Transceiver, Vessel
from isthmus.simulator.dice import Dice

MEETING = (SeaKind.SMALL_CRAFT_ALONGSIDE, SeaKind.RENDEZVOUS)
RUNS = {SeaKind.FAST_RUN: (25.0, 45.0), SeaKind.LOW_PROFILE_RUN: (5.0, 9.0)}
OWN = (SeaKind.LOITER, SeaKind.DRIFT, SeaKind.FISHING_WITHOUT_LANDING, SeaKind.RENDEZVOUS)
NEAR = (6.0, 40.0)  # nautical miles that a craft goes out which has no usual grounds
FARTHEST = 400.0  # to a meeting
OTHERS = 4  # boats that may go in the place of one that cannot
ON_THE_WAY = (SeaKind.GAP, SeaKind.SPEED_DIP, SeaKind.DEVIATION)
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
    trips: list[Plan] = field(default_factory=list)

    def leads(self, act: SeaAct) -> SeaAct | None:
        """Plan a trip for an act of her own; return it as she does it, None when she cannot."""
        dice, trip = (
            Dice(self.seed, "ais", "trip", self.vessel.id, act.moment.isoformat()),
            Plan(self.vessel),
        )
        if act.kind in RUNS:
            act = self._within_reach(act, dice)
            return act if self._run(trip, act, dice) and self._keep(trip) else None
        where = act.where or sea_room(self.vessel.home, dice, self._reach())
        if act.kind not in OWN or where is None:
            return None
        seconds = act.minutes * 60
        went = self._work(trip, act.moment.timestamp(), where, seconds, dice, act.kind)
        return act if went and self._keep(trip) else None

    def _within_reach(self, act: SeaAct, dice: Dice) -> SeaAct:
        """Return a run to where she can come by sea, if need be another harbour of her coast."""
        if act.where is None or act.to is None or lanes().way(act.where, act.to):
            return act
        ends = [(one[0], one[1]) for one in fleet()["harbours"].values()]
        reached = [end for end in ends if end != act.where and lanes().way(act.where, end)]
        return replace(act, to=dice.pick(reached)) if reached else act

    def meets(self, act: SeaAct, others: Sequence[Track]) -> bool:
        """Plan a trip to whom she is to meet, of these tracks; False when she cannot."""
        trip = Plan(self.vessel)
        return self._meet(trip, act, others) and self._keep(trip)

    def finished(self, changes: Sequence[SeaAct]) -> tuple[list[Track], list[SeaAct | None]]:
        """Return her tracks, and how each of these things was done on the way, if it was."""
        if self.vessel.fishes or self.vessel.kind == "yacht":
            self._own()
        self.trips.sort(key=lambda trip: trip.times[0])
        plans = self.trips if self.vessel.ais is Transceiver.NONE else [self._joined()]
        done = [
            next((at for plan, at in placed(plans, act) if does(plan, at, self.seed)), None)
            for act in changes
        ]
        return [plan.done() for plan in plans], done

    def _reach(self) -> tuple[float, float]:
        return self.vessel.out if self.vessel.out[1] > 0 else NEAR

    def _keep(self, trip: Plan) -> bool:
        if not self._free(trip.times[0], trip.times[-1]):
            return False
        self.trips.append(trip)
        return True

    def _free(self, start: float, end: float) -> bool:
        return start >= self.start - 86400 and all(
            trip.times[0] > end + 300 or trip.times[-1] + 300 < start for trip in self.trips
        )

    def _run(self, trip: Plan, act: SeaAct, dice: Dice) -> bool:
        if act.where is None or act.to is None or self.vessel.ais is not Transceiver.NONE:
            return False
        low, high = RUNS[act.kind]
        high = min(high, self.vessel.speed)
        low = min(low, 0.85 * high)
        trip.begin(act.moment.timestamp(), act.where)
        path = lanes().way(act.where, act.to)
        if not path:
            return False
        for a, b in itertools.pairwise(path):
            points, _ = ramped(self._weaving(a, b, dice), start=False, end=False)
            for p, q in itertools.pairwise(points):
                knots = dice.between(low, high)
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

    def _meet(self, trip: Plan, act: SeaAct, others: Sequence[Track]) -> bool:
        moment, end = act.moment.timestamp(), act.end.timestamp()
        ship = next((one for one in others if one.covers(moment) and one.covers(end)), None)
        if ship is None:
            return False
        at = self._beside(ship, moment)
        way = lanes().way(self._from(at), at)
        knots = self.vessel.speed * CRUISE
        if not way or length(way) > FARTHEST:
            return False
        self._out(trip, way, moment, knots)
        step = moment + 60
        while step < end:
            place = self._beside(ship, step)
            if distance(trip.places[-1], place) * 3600 / 60 > self.vessel.speed:
                return False
            self._put(trip, step, place)
            step += 60
        return self._back(trip, knots, trip.places[0])

    def _from(self, at: Point) -> Point:
        """Return where she comes from: who has no AIS may come from any beach near by."""
        if self.vessel.ais is not Transceiver.NONE:
            return self.vessel.home
        known = (self.vessel.home, *((one[0], one[1]) for one in fleet()["harbours"].values()))
        return min(known, key=lambda harbour: distance(harbour, at))

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

    def _back(self, trip: Plan, knots: float, to: Point) -> bool:
        way = lanes().way(trip.places[-1], to)
        if not way:
            return False
        points, limits = ramped(way, start=True, end=True)
        trip.sail(points, limits, knots, Status.UNDER_WAY)
        return True

    def _work(
        self,
        trip: Plan,
        moment: float,
        where: Point,
        seconds: float,
        dice: Dice,
        kind: SeaKind | None,
    ) -> bool:
        """Go to a ground, work there, come back: home, or only to an anchorage before it."""
        knots, way = self.vessel.speed * CRUISE, lanes().way(self.vessel.home, where)
        if not way:
            return False
        self._out(trip, way, moment, knots)
        status = Status.FISHING if self.vessel.fishes else Status.UNDER_WAY
        slow = FISHING if kind in (None, SeaKind.FISHING_WITHOUT_LANDING) else (0.5, 2.0)
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
            if not self._back(trip, knots, off):
                return False
            trip.swing(trip.now + 3600 * dice.between(20, 60), dice)
        return self._back(trip, knots, self.vessel.home)

    def _own(self) -> None:
        """Her usual trips, where nothing was asked of her."""
        dice = Dice(self.seed, "ais", "own trips", self.vessel.id)
        days, out = self.vessel.days, self.vessel.out
        at = self.start + 86400 * dice.between(-days[1], days[1])
        while at < self.end:
            seconds = 86400 * dice.between(*days)
            ground = sea_room(self.vessel.home, dice, out)
            trip = Plan(self.vessel)
            if ground is not None and self._work(trip, at, ground, seconds, dice, None):
                self._keep(trip)
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
) -> tuple[list[Track], dict[SeaAct, SeaAct | None]]:
    """Return the tracks of all craft in this span, and how each act was done, None if not.

    First they lead trips of their own, then those who meet somebody go there, then each makes her
    usual trips in between; within each, what is asked first goes first.
    """
    first, last = span[0].timestamp(), span[1].timestamp()
    boats = {vessel.id: Boat(vessel, seed, first, last) for vessel in craft}
    done: dict[SeaAct, SeaAct | None] = dict.fromkeys(acts)
    changes: dict[str, list[SeaAct]] = {}
    for act in acts:
        boat = boats.get(act.vessel)
        if boat is None:
            done[act] = act
        elif act.kind in ON_THE_WAY:
            changes.setdefault(act.vessel, []).append(act)
        else:
            done[act] = boat.leads(act)
    for act in acts:
        if act.kind in MEETING and done[act] is not None:
            met = boats.get(act.vessel)
            others = [trip.done() for trip in met.trips] if met else ships.get(act.vessel, ())
            able = (one for one in _likely(boats, act, others) if one.meets(act, others))
            boat = next(able, None)
            done[act] = None if boat is None else replace(act, other=boat.vessel.id)
    tracks = []
    for name, boat in boats.items():
        asked = changes.get(name, [])
        own, on_the_way = boat.finished(asked)
        tracks += own
        done.update(zip(asked, on_the_way, strict=True))
    return tracks, done


def _likely(boats: Mapping[str, Boat], act: SeaAct, met: Sequence[Track]) -> list[Boat]:
    """Return the boat that is to meet somebody, and a few of her kind near by if she cannot."""
    moment = act.moment.timestamp()
    places = [track.at(moment) for track in met if track.covers(moment)]
    named = boats.get(act.other or "")
    if named is None or not places:
        return []
    near = [
        boat
        for boat in boats.values()
        if boat.vessel.kind == named.vessel.kind and act.vessel != boat.vessel.id
    ]
    near.sort(key=lambda boat: distance(boat.vessel.home, places[0]))
    return [named, *(boat for boat in near[:OTHERS] if boat is not named)]
