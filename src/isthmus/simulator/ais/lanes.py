"""Sea lanes: way points, ports and the canal, read from ``worlds/lanes.yaml``; the shortest way."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import yaml

from isthmus.kernel.errors import Invalid
from isthmus.reference import places
from isthmus.simulator.ais.acts import Point
from isthmus.simulator.ais.geometry import crosses, distance, inside, shifted
from isthmus.simulator.world import Terminal

FILE = "lanes.yaml"


@dataclass(frozen=True, slots=True)
class Approach:
    """How a port or terminal is reached: from a way point, past points, to the berth."""

    start: str
    via: tuple[Point, ...]
    berth: Point
    quay: float | None = None  # bearing along the quay


@dataclass(frozen=True, slots=True)
class Stage:
    """A leg of the canal: to this point at these knots, then minutes in a chamber."""

    at: Point
    knots: float
    hold: float


@dataclass(frozen=True, slots=True)
class Anchorage:
    """Where ships wait for the canal or a berth."""

    name: str
    at: Point
    radius: float
    buoy: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """All of the file. Raises ``Invalid``, naming file and key, where the file is wrong."""

    points: Mapping[str, Point]
    near: Mapping[str, tuple[tuple[str, float], ...]]  # neighbours and miles
    ports: Mapping[str, Approach]
    terminals: Mapping[str, Approach]
    anchorages: Mapping[str, Anchorage]
    canal: tuple[Stage, ...]
    land: tuple[tuple[Point, ...], ...]

    def port(self, code: str) -> Approach:
        """Return how a port is reached; raises ``Invalid`` for one that no lane reaches."""
        if code not in self.ports:
            raise Invalid("lanes_invalid", "no lane reaches this port", file=FILE, key=code)
        return self.ports[code]

    def between(self, a: str, b: str) -> tuple[str, ...]:
        """Return the shortest way through the points, both ends included."""
        return _shortest(a, b)

    def side(self, name: str) -> str:
        """Return the canal's anchorage on whose side a way point lies."""
        return "pacific" if name in _reached("pacific_buoy") else "atlantic"

    def on_land(self, point: Point) -> bool:
        """Whether a point lies within a coarse coast, to a twentieth of a degree."""
        return _land_at(round(point[0] * 20), round(point[1] * 20))

    def clear(self, a: Point, b: Point) -> bool:
        """Whether the straight way from a to b stays off the coarse coasts."""
        return not any(crosses(a, b, coast) for coast in self.land)

    def way(self, a: Point, b: Point) -> list[Point]:
        """Return a small craft's way from a to b: straight, round the land, or none."""
        if self.clear(a, b):
            return [a, b]
        best: tuple[float, tuple[Point, ...]] | None = None
        for first in self._in_sight(a):
            for last in self._in_sight(b):
                try:
                    names = self.between(first, last)
                except Invalid:
                    continue
                path = (a, *(self.points[name] for name in names), b)
                miles = sum(distance(p, q) for p, q in pairwise(path))
                if best is None or miles < best[0]:
                    best = (miles, path)
        return [] if best is None else list(best[1])

    def _in_sight(self, point: Point) -> Sequence[str]:
        near = sorted(self.points, key=lambda name: distance(point, self.points[name]))[:12]
        seen = [name for name in near if self.clear(point, self.points[name])]
        return (seen or near)[:3]


@cache
def lanes() -> Lanes:
    """Return the shipped lanes."""
    text = files("isthmus.simulator").joinpath("worlds", FILE).read_text(encoding="utf-8")
    return read(yaml.safe_load(text))


def read(raw: Mapping[str, Any]) -> Lanes:
    """Return lanes of a parsed file; raises ``Invalid`` naming the key that is wrong."""
    try:
        points = {name: _point(at) for name, at in raw["points"].items()}
        return Lanes(
            points=points,
            near=_near(points, raw["chains"]),
            ports={code: _port(code, points, given) for code, given in raw["ports"].items()},
            terminals={code: _approach(points, given) for code, given in raw["terminals"].items()},
            anchorages={
                name: Anchorage(name, _point(given["at"]), given["radius"], given["buoy"])
                for name, given in raw["anchorages"].items()
            },
            canal=tuple(
                Stage(_point(stage["at"]), stage["knots"], stage.get("hold", 0.0))
                for stage in raw["canal"]
            ),
            land=tuple(tuple(_point(at) for at in coast) for coast in raw["land"]),
        )
    except KeyError as missing:
        raise Invalid("lanes_invalid", f"{missing} is missing", file=FILE) from None


def berth_of(terminal: Terminal) -> Approach:
    """Return how a terminal of this country is reached, its berth from the list of terminals."""
    given = lanes().terminals.get(terminal.code)
    known = places.terminal(terminal.place, terminal.code)
    if given is None or known is None:
        raise Invalid("lanes_invalid", "no way to this terminal", file=FILE, key=terminal.code)
    return Approach(given.start, given.via, (known.latitude, known.longitude), given.quay)


def _point(raw: Sequence[float]) -> Point:
    return (float(raw[0]), float(raw[1]))


def _port(code: str, points: Mapping[str, Point], given: Mapping[str, Any]) -> Approach:
    place = places.place(code)
    if place is None or place.latitude is None or place.longitude is None:
        raise Invalid("lanes_invalid", "a port without coordinates", file=FILE, key=code)
    found = _approach(points, given)
    berth = shifted((place.latitude, place.longitude), found.via[-1][1])
    return Approach(found.start, found.via, berth)


def _approach(points: Mapping[str, Point], given: Mapping[str, Any]) -> Approach:
    via = tuple(_point(at) for at in given["via"])
    if given["from"] not in points:
        raise Invalid("lanes_invalid", "no such point", file=FILE, key=given["from"])
    return Approach(given["from"], via, via[-1], given.get("quay"))


def _near(
    points: Mapping[str, Point], chains: Sequence[Sequence[str]]
) -> dict[str, tuple[tuple[str, float], ...]]:
    found: dict[str, dict[str, float]] = {name: {} for name in points}
    for chain in chains:
        for a, b in pairwise(chain):
            miles = distance(points[a], points[b])
            found[a][b] = found[b][a] = miles
    return {name: tuple(near.items()) for name, near in found.items()}


@lru_cache(maxsize=200_000)
def _land_at(north: int, east: int) -> bool:
    return any(inside((north / 20, east / 20), coast) for coast in lanes().land)


@cache
def _reached(start: str) -> frozenset[str]:
    near, found, queue = lanes().near, {start}, [start]
    while queue:
        for name, _ in near[queue.pop()]:
            if name not in found:
                found.add(name)
                queue.append(name)
    return frozenset(found)


@lru_cache(maxsize=4096)
def _shortest(start: str, end: str) -> tuple[str, ...]:
    near = lanes().near
    queue: list[tuple[float, tuple[str, ...]]] = [(0.0, (start,))]
    done: set[str] = set()
    while queue:
        miles, path = heapq.heappop(queue)
        if path[-1] == end:
            return path
        if path[-1] in done:
            continue
        done.add(path[-1])
        for name, more in near[path[-1]]:
            if name not in done:
                heapq.heappush(queue, (miles + more, (*path, name)))
    raise Invalid("lanes_invalid", f"no way from {start} to {end}", file=FILE)
