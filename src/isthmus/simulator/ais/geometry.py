"""Plane sailing: distances, courses and coarse coasts. Degrees, nautical miles, knots.

Lanes are sailed in legs of at most ``LEG`` miles; on these the mid-latitude formula is within a
metre of the sphere.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from isthmus.simulator.ais.acts import Point

MILES = 60.0  # a degree of latitude
LEG = 60.0


def distance(a: Point, b: Point) -> float:
    """Return nautical miles between two points, by middle latitude."""
    north = b[0] - a[0]
    east = (b[1] - a[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return MILES * math.hypot(north, east)


def course(a: Point, b: Point) -> float:
    """Return the course from a to b, degrees from north, 0 up to 360."""
    east = (b[1] - a[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.degrees(math.atan2(east, b[0] - a[0])) % 360


def moved(a: Point, bearing: float, miles: float) -> Point:
    """Return the point so many miles from a on a bearing."""
    north = miles * math.cos(math.radians(bearing)) / MILES
    east = miles * math.sin(math.radians(bearing)) / MILES
    return (a[0] + north, a[1] + east / math.cos(math.radians(a[0] + north / 2)))


def turn(before: float, after: float) -> float:
    """Return the change of course in degrees, to port below 0."""
    return (after - before + 180) % 360 - 180


def along(a: Point, b: Point, share: float) -> Point:
    """Return the point this share of the way from a to b."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)


def length(path: Sequence[Point]) -> float:
    """Return the length of a path in nautical miles."""
    return sum(distance(a, b) for a, b in pairwise(path))


def shifted(point: Point, towards: float) -> Point:
    """Return the same point with its longitude within 180 degrees of another's."""
    return (point[0], point[1] + 360 * round((towards - point[1]) / 360))


def rounded(path: Sequence[Point], reach: float = 0.5) -> list[Point]:
    """Return a path whose corners are turned in arcs that begin ``reach`` miles before them."""
    found = [path[0]]
    for before, at, after in zip(path, path[1:], path[2:], strict=False):
        first, second = distance(before, at), distance(at, after)
        if min(first, second) < 0.02:
            continue
        change = abs(turn(course(before, at), course(at, after)))
        if change < 2:
            found.append(at)
            continue
        share = min(reach, 0.45 * first, 0.45 * second)
        a, b = along(at, before, share / first), along(at, after, share / second)
        steps = 2 + int(change / 12)
        for step in range(steps + 1):
            f = step / steps
            found.append(along(along(a, at, f), along(at, b, f), f))
    found.append(path[-1])
    return found


def crosses(a: Point, b: Point, coast: Sequence[Point]) -> bool:
    """Whether the way from a to b cuts a closed coast line."""
    low, high = min(a[0], b[0]), max(a[0], b[0])
    left, right = min(a[1], b[1]), max(a[1], b[1])
    for c, d in zip(coast, (*coast[1:], coast[0]), strict=True):
        if (c[0] < low and d[0] < low) or (c[0] > high and d[0] > high):
            continue
        if (c[1] < left and d[1] < left) or (c[1] > right and d[1] > right):
            continue
        if _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0:
            return True
    return False


def inside(point: Point, coast: Sequence[Point]) -> bool:
    """Whether a point lies within a closed coast line."""
    within = False
    for c, d in zip(coast, (*coast[1:], coast[0]), strict=True):
        if (c[0] > point[0]) != (d[0] > point[0]):
            at = c[1] + (point[0] - c[0]) * (d[1] - c[1]) / (d[0] - c[0])
            within ^= point[1] < at
    return within


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
