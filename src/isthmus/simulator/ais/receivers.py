"""Who hears what: shore stations within their range, satellites in their passes.

Read from ``worlds/receivers.yaml``. A station hears nearly all within six tenths of its range and
less and less up to it; its range changes with the air from hour to hour, and now and then it is
out of order. Offshore only satellites hear, while one passes, and few of the messages. So lawful
vessels vanish as well.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from isthmus.kernel.errors import Invalid
from isthmus.simulator.ais.acts import Point
from isthmus.simulator.ais.chance import Counts, key, numbers, share
from isthmus.simulator.ais.sentences import STATION
from isthmus.simulator.ais.track import Floats
from isthmus.simulator.dice import Dice

FILE = "receivers.yaml"
FULL = 0.36  # of the range, squared: up to here a station hears all but the usual loss
UNHEARD = 255
DAY = 86_400.0
_AIR = (0.86, 1.14)


@cache
def shipped() -> Mapping[str, Any]:
    """Return the shipped receivers, as data."""
    file = files("isthmus.simulator").joinpath("worlds", FILE)
    read: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return read


@dataclass(frozen=True, slots=True)
class Station:
    """A shore station; outages are intervals of Unix time."""

    name: str
    at: Point
    miles: float
    key: int
    outages: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Reception:
    """For each message the station that hears it and a second one, or ``UNHEARD``."""

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Receivers:
    """All receivers over a run."""

    stations: tuple[Station, ...]
    satellite: str
    box: tuple[float, float, float, float]
    passes: tuple[Floats, Floats]  # beginnings and ends
    heard: float
    crowded: float
    loss: float
    class_b: float
    twice: float

    @property
    def names(self) -> NDArray[np.uint8]:
        """Return the names of all, a column each; the satellites' is the last."""
        names = [station.name for station in self.stations] + [self.satellite]
        flat = np.frombuffer("".join(names).encode("ascii"), np.uint8)
        return np.ascontiguousarray(flat.reshape(-1, STATION).T)

    def hear(
        self, latitudes: Floats, longitudes: Floats, times: Floats, class_b: bool, drawn: Counts
    ) -> Reception:
        """Return who hears messages sent at these places and times."""
        near = np.full(len(times), np.inf)
        next_near = np.full(len(times), np.inf)
        first = np.full(len(times), UNHEARD, np.uint8)
        second = first.copy()
        for number, station in enumerate(self.stations):
            there = self._nearness(station, latitudes, longitudes, times, class_b)
            if there is None:
                continue
            closer, between = there < near, (there >= near) & (there < next_near)
            second = np.where(closer, first, np.where(between, np.uint8(number), second))
            next_near = np.where(closer, near, np.where(between, there, next_near))
            first = np.where(closer, np.uint8(number), first)
            near = np.where(closer, there, near)
        lucky = share(drawn, 0)
        shore = lucky < (1 - self.loss) * np.clip((1 - near) / (1 - FULL), 0.0, 1.0)
        twice = shore & (next_near < 1) & (lucky < self.twice)
        above = self._above(times) & self._in_box(latitudes, longitudes)
        few = np.where(near < 2, self.crowded, self.heard)
        high = ~shore & above & (share(drawn, 3) < few)
        first = np.where(shore, first, np.uint8(UNHEARD))
        first = np.where(high, np.uint8(len(self.stations)), first)
        return Reception(first, np.where(twice, second, np.uint8(UNHEARD)))

    def reach(self, south: float, north: float, west: float, east: float) -> bool:
        """Whether anything between these bounds may be heard."""
        s, n, w, e = self.box
        return north >= s and south <= n and east >= w and west <= e

    def _nearness(
        self, station: Station, latitudes: Floats, longitudes: Floats, times: Floats, class_b: bool
    ) -> Floats | None:
        """Return squared distances as shares of the squared range; None when all are beyond."""
        miles = station.miles * (self.class_b if class_b else 1.0)
        degrees = miles * _AIR[1] / 60
        if (
            float(latitudes.min()) > station.at[0] + degrees
            or float(latitudes.max()) < station.at[0] - degrees
        ):
            return None
        narrow = math.cos(math.radians(station.at[0]))
        if (
            float(longitudes.min()) > station.at[1] + degrees / narrow
            or float(longitudes.max()) < station.at[1] - degrees / narrow
        ):
            return None
        hours = (times / 3600).astype(np.uint64)
        begin = int(hours[0])
        changes = share(
            numbers(station.key, np.arange(begin, int(hours[-1]) + 2).astype(np.uint64)), 0
        )
        air = (_AIR[0] + (_AIR[1] - _AIR[0]) * changes)[(hours - np.uint64(begin)).astype(np.int64)]
        north = (latitudes - station.at[0]) * 60
        east = (longitudes - station.at[1]) * (60 * narrow)
        found = (north * north + east * east) / (air * air * (miles * miles))
        for start, end in station.outages:
            if start < times[-1] and end > times[0]:
                found[(times >= start) & (times < end)] = np.inf
        return found

    def _above(self, times: Floats) -> NDArray[np.bool_]:
        begins, ends = self.passes
        last = np.searchsorted(begins, times, side="right") - 1
        return (last >= 0) & (times < ends[np.maximum(last, 0)])

    def _in_box(self, latitudes: Floats, longitudes: Floats) -> NDArray[np.bool_]:
        south, north, west, east = self.box
        inside = (latitudes >= south) & (latitudes <= north)
        return inside & (longitudes >= west) & (longitudes <= east)


def receivers(raw: Mapping[str, Any], seed: int, start: float, days: int) -> Receivers:
    """Return the receivers of a run; raises ``Invalid`` naming the key that is wrong."""
    for given in raw["stations"]:
        if len(given["name"]) != STATION:
            raise Invalid("receivers_invalid", "five characters", file=FILE, key=given["name"])
    space = raw["satellites"]
    dice = Dice(seed, "ais", "passes")
    begins, at = [], start - DAY
    while at < start + (days + 1) * DAY:
        at += dice.between(0.4, 1.6) * DAY / space["passes_a_day"]
        begins.append(at)
    ends = [begin + 60 * dice.between(*space["minutes"]) for begin in begins]
    south, north, west, east = space["box"]
    return Receivers(
        stations=tuple(_station(given, raw, seed, start, days) for given in raw["stations"]),
        satellite=space["name"],
        box=(south, north, west, east),
        passes=(np.array(begins), np.array(ends)),
        heard=space["heard"],
        crowded=space["crowded"],
        loss=raw["loss"],
        class_b=raw["class_b"],
        twice=raw["twice"],
    )


def _station(
    given: Mapping[str, Any], raw: Mapping[str, Any], seed: int, start: float, days: int
) -> Station:
    dice = Dice(seed, "ais", "station", given["name"])
    outages, at = [], start
    while raw["outages"]["a_month"] > 0:
        at += dice.between(0, 2) * 30 * DAY / raw["outages"]["a_month"]
        if at > start + days * DAY:
            break
        outages.append((at, at + 3600 * dice.between(*raw["outages"]["hours"])))
    return Station(
        name=given["name"],
        at=(given["at"][0], given["at"][1]),
        miles=given["miles"],
        key=key(seed, "ais", "air", given["name"]),
        outages=tuple(outages),
    )
