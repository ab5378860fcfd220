"""A vessel's track: where she is at every moment of a run.

Between knots she moves straight and evenly. A track is planned point by point (``Plan``), changed
by what she does on the way (``conduct``) and then only read.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.simulator.ais.acts import Point
from isthmus.simulator.ais.geometry import LEG, MILES, along, course, distance, moved, turn
from isthmus.simulator.ais.vessel import Vessel
from isthmus.simulator.dice import Dice

Floats = NDArray[np.float64]

# Ships slow down before they stop: (miles from the end, knots up to there).
RAMP = ((0.15, 2.5), (0.6, 5.0), (2.0, 8.0), (6.0, 12.0))
TURNING = 10.0  # degrees a minute from which she counts as changing course


class Status(IntEnum):
    """Navigational status of message 1."""

    UNDER_WAY = 0
    AT_ANCHOR = 1
    NOT_UNDER_COMMAND = 2
    RESTRICTED = 3
    MOORED = 5
    FISHING = 7


@dataclass(slots=True)
class Voyage:
    """What her crew entered for the voyage that begins at this moment (Unix time)."""

    since: float
    destination: str
    arrival: float
    draught: float


@dataclass(slots=True)
class Plan:
    """A track as it is planned: knots in order of time."""

    vessel: Vessel
    times: list[float] = field(default_factory=list)
    places: list[Point] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # of the leg that begins at the knot
    voyages: list[Voyage] = field(default_factory=list)
    silent: list[tuple[float, float]] = field(default_factory=list)
    arrivals: set[float] = field(default_factory=set)  # calls she made

    @property
    def now(self) -> float:
        """Return the moment up to which is planned."""
        return self.times[-1]

    def begin(self, at: float, place: Point) -> None:
        """Put her somewhere."""
        self._add(at, place, Status.UNDER_WAY)

    def stay(self, until: float, status: Status) -> None:
        """Let her lie where she is."""
        self.statuses[-1] = status
        if until > self.now:
            self._add(until, self.places[-1], status)

    def swing(self, until: float, dice: Dice) -> None:
        """Let her lie at anchor and swing round it with the tide."""
        anchor, bearing = self.places[-1], dice.between(0, 360)
        radius = 0.00004 * self.vessel.length + 0.02
        anchor = moved(anchor, bearing + 180, radius)
        while self.now < until:
            bearing += dice.between(-20, 26)
            step = min(self.now + 2400.0, until)
            self.statuses[-1] = Status.AT_ANCHOR
            self._add(step, moved(anchor, bearing, radius), Status.AT_ANCHOR)

    def back_to(self, at: float) -> None:
        """Forget what was planned after this moment."""
        while len(self.times) > 1 and self.times[-1] > at:
            self.times.pop()
            self.places.pop()
            self.statuses.pop()
        while self.voyages and self.voyages[-1].since >= at:
            self.voyages.pop()

    def sail(
        self, path: Sequence[Point], limits: Sequence[float], knots: float, status: Status
    ) -> None:
        """Let her sail a path, each leg no faster than its limit and these knots."""
        self.statuses[-1] = status
        at = self.now
        for a, b, limit in zip(path, path[1:], limits, strict=False):
            at += 3600 * distance(a, b) / min(knots, limit)
            self._add(at, b, status)

    def _add(self, at: float, place: Point, status: Status) -> None:
        self.times.append(at)
        self.places.append(place)
        self.statuses.append(status)

    def done(self) -> "Track":
        """Return the track."""
        return Track.of(self)


@dataclass(frozen=True, slots=True)
class Track:
    """A finished track. Arrays of legs are one shorter than those of knots."""

    vessel: Vessel
    times: Floats
    latitudes: Floats
    longitudes: Floats
    statuses: NDArray[np.uint8]
    knots: Floats
    courses: Floats
    turns: Floats  # degrees a minute
    voyages: tuple[Voyage, ...]
    silent: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, plan: Plan) -> "Track":
        """Return the track of a plan: its knots without those that take no time."""
        keep = [0]
        for knot, at in enumerate(plan.times):
            if at > plan.times[keep[-1]] + 0.5:
                keep.append(knot)
        times = [plan.times[i] for i in keep]
        places = [plan.places[i] for i in keep]
        knots: list[float] = []
        courses: list[float] = []
        for (t, a), (u, b) in pairwise(zip(times, places, strict=True)):
            miles = distance(a, b)
            knots.append(3600 * miles / (u - t))
            still = miles < 0.002 and bool(courses)
            courses.append(courses[-1] if still else course(a, b))
        return cls(
            vessel=plan.vessel,
            times=np.array(times),
            latitudes=np.array([place[0] for place in places]),
            longitudes=np.array([place[1] for place in places]),
            statuses=np.array([plan.statuses[i] for i in keep[:-1]], np.uint8),
            knots=np.array(knots),
            courses=np.array(courses),
            turns=np.array(_turns(times, knots, courses)),
            voyages=tuple(plan.voyages),
            silent=tuple(sorted(plan.silent)),
        )

    def at(self, moment: float) -> Point:
        """Return where she is; before the first knot and after the last, where these are."""
        return self.motion(moment)[0]

    def motion(self, moment: float) -> tuple[Point, float, float]:
        """Return where she is, her knots and her course."""
        leg = min(max(bisect_right(self.times, moment) - 1, 0), len(self.times) - 2)
        t, u = self.times[leg], self.times[leg + 1]
        f = min(max(float((moment - t) / (u - t)), 0.0), 1.0)
        a = (float(self.latitudes[leg]), float(self.longitudes[leg]))
        b = (float(self.latitudes[leg + 1]), float(self.longitudes[leg + 1]))
        return along(a, b, f), float(self.knots[leg]), float(self.courses[leg])

    def covers(self, moment: float) -> bool:
        """Whether the track knows this moment."""
        return bool(self.times[0] <= moment <= self.times[-1])


def _turns(times: list[float], knots: list[float], courses: list[float]) -> list[float]:
    found = [0.0] * len(courses)
    for leg in range(1, len(courses)):
        if knots[leg] < 1 or knots[leg - 1] < 1:
            continue
        minutes = (times[leg + 1] - times[leg - 1]) / 120
        rate = turn(courses[leg - 1], courses[leg]) / minutes
        found[leg] = rate if abs(rate) >= 1 else 0.0
    return found


def ramped(
    path: Sequence[Point], *, start: bool, end: bool, limit: float = math.inf
) -> tuple[list[Point], list[float]]:
    """Return a path in legs of at most ``LEG`` miles, and the fastest she goes on each.

    Near a start from rest and near an end she goes slowly.
    """
    lengths = [distance(a, b) for a, b in pairwise(path)]
    total = sum(lengths)
    marks = [miles for miles, _ in RAMP] if start else []
    marks += [total - miles for miles, _ in RAMP] if end else []
    points, limits, passed = [path[0]], [], 0.0
    for a, b, miles in zip(path, path[1:], lengths, strict=False):
        if miles <= 0:
            continue
        cuts = {i * LEG / miles for i in range(1, math.ceil(miles / LEG))}
        cuts |= {(mark - passed) / miles for mark in marks if passed < mark < passed + miles}
        done = 0.0
        for cut in [*sorted(cuts), 1.0]:
            middle = passed + miles * (done + cut) / 2
            slow = _ramp(middle if start else math.inf, total - middle if end else math.inf)
            points.append(along(a, b, cut) if cut < 1 else b)
            limits.append(min(limit, slow))
            done = cut
        passed += miles
    return points, limits


def _ramp(from_start: float, to_end: float) -> float:
    near = min(from_start, to_end)
    return next((knots for miles, knots in RAMP if near < miles), math.inf)


def hours(path: Sequence[Point], limits: Sequence[float], knots: float) -> float:
    """Return how long a path takes."""
    return sum(
        distance(a, b) / min(knots, limit)
        for a, b, limit in zip(path, path[1:], limits, strict=False)
    )


def speed_for(path: Sequence[Point], limits: Sequence[float], within: float) -> float:
    """Return the knots at which a path takes so many hours; infinite when no speed does."""
    if hours(path, limits, math.inf) > within:
        return math.inf
    low, high = 0.1, 60.0
    if hours(path, limits, high) > within:
        return math.inf
    lengths = [(distance(a, b), m) for a, b, m in zip(path, path[1:], limits, strict=False)]
    for _ in range(40):
        middle = (low + high) / 2
        if sum(miles / min(middle, limit) for miles, limit in lengths) > within:
            low = middle
        else:
            high = middle
    return high


def drifted(place: Point, north: float, east: float) -> Point:
    """Return a place moved by so many miles north and east."""
    latitude = place[0] + north / MILES
    return (latitude, place[1] + east / MILES / math.cos(math.radians(latitude)))
