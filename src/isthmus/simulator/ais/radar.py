"""Radar plots of craft that carry no AIS, and of what is no craft at all.

Coastal radars see them within their range, patrol aircraft within theirs while they fly; a plot
names the track its radar has made of it, not the craft. A track that was lost for three minutes
is a new one when it is found again.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from isthmus.simulator.ais.acts import Point
from isthmus.simulator.ais.geometry import moved
from isthmus.simulator.ais.track import Track
from isthmus.simulator.dice import Dice

DAY = 86_400.0
LOST = 180.0  # seconds after which a radar gives up a track


@dataclass(frozen=True, slots=True)
class _Radar:
    name: str
    at: Point
    miles: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Plot:
    time: float
    radar: str
    source: str  # what it is; never written
    place: Point
    knots: float
    course: float


def plots(tracks: Sequence[Track], raw: Mapping[str, Any], seed: int, day: float) -> list[bytes]:
    """Return one day's plots as JSON, in order of time."""
    radars = _radars(raw, seed, day)
    found = [
        plot
        for number, track in enumerate(tracks)
        for plot in _seen(number, track, raw, radars, seed, day)
    ]
    found += _clutter(radars, raw, seed, day)
    found.sort(key=lambda plot: (plot.time, plot.radar, plot.source))
    return [orjson.dumps(row) for row in _rows(found, day)]


def _radars(raw: Mapping[str, Any], seed: int, day: float) -> list[_Radar]:
    fixed = [
        _Radar(one["name"], (one["at"][0], one["at"][1]), one["miles"], day, day + DAY)
        for one in raw["radars"]
    ]
    dice, patrols = Dice(seed, "ais", "patrols", int(day)), raw["patrols"]
    for number in range(patrols["a_day"]):
        start = day + dice.between(0, DAY)
        area = dice.pick(raw["patrol_areas"])
        at = moved((area[0], area[1]), dice.between(0, 360), dice.between(0, 30))
        end = min(start + 3600 * dice.between(*patrols["hours"]), day + DAY)
        fixed.append(_Radar(f"AIR-{number + 1}", at, patrols["miles"], start, end))
    return fixed


def _seen(
    number: int,
    track: Track,
    raw: Mapping[str, Any],
    radars: Sequence[_Radar],
    seed: int,
    day: float,
) -> Iterator[_Plot]:
    start, end = max(day, float(track.times[0])), min(day + DAY, float(track.times[-1]))
    often = raw["seen"].get(track.vessel.kind)
    if end <= start or often is None:
        return
    dice = Dice(seed, "ais", "plots", track.vessel.id, number, int(day))
    sweep = raw["sweep"]
    near = [radar for radar in radars if _passes(track, radar, start, end)]
    if not near:
        return
    times = np.arange(start + dice.between(0, sweep), end, sweep)
    latitudes = np.interp(times, track.times, track.latitudes)
    longitudes = np.interp(times, track.times, track.longitudes)
    for radar in near:
        north = (latitudes - radar.at[0]) * 60
        east = (longitudes - radar.at[1]) * (60 * math.cos(math.radians(radar.at[0])))
        range_share = (north * north + east * east) / radar.miles**2
        in_view = (range_share <= 1) & (times >= radar.start) & (times < radar.end)
        for index in np.flatnonzero(in_view):
            if dice.chance(often * (1.2 - 0.7 * float(range_share[index]))):
                at = float(times[index])
                place, knots, course = track.motion(at)
                error = moved(place, dice.between(0, 360), dice.around(0.03, 0.5))
                slip = knots + dice.between(-1.0, 1.0)
                yield _Plot(at, radar.name, f"{number}", error, max(slip, 0.0), course)


def _passes(track: Track, radar: _Radar, start: float, end: float) -> bool:
    if radar.start >= end or radar.end <= start:
        return False
    reach = radar.miles / 60
    wide = reach / math.cos(math.radians(radar.at[0]))
    return bool(
        track.latitudes.min() < radar.at[0] + reach
        and track.latitudes.max() > radar.at[0] - reach
        and track.longitudes.min() < radar.at[1] + wide
        and track.longitudes.max() > radar.at[1] - wide
    )


def _clutter(
    radars: Sequence[_Radar], raw: Mapping[str, Any], seed: int, day: float
) -> Iterator[_Plot]:
    """Waves, debris and birds: a few plots, some of them one after the other."""
    dice = Dice(seed, "ais", "clutter", int(day))
    for radar in radars:
        share = (radar.end - radar.start) / DAY
        for number in range(int(raw["clutter"] * share * dice.between(0.4, 1.6))):
            at = dice.between(radar.start, radar.end)
            place = moved(radar.at, dice.between(0, 360), radar.miles * dice.between(0.1, 1) ** 0.5)
            knots, course = dice.around(5, 0.6), dice.between(0, 360)
            for again in range(dice.pick((1, 1, 1, 2, 3, 5))):
                moment = at + again * raw["sweep"]
                if moment >= radar.end:
                    break
                there = moved(place, course, knots * again * raw["sweep"] / 3600)
                yield _Plot(moment, radar.name, f"clutter {number}", there, knots, course)


def _rows(found: Sequence[_Plot], day: float) -> Iterator[dict[str, object]]:
    last: dict[tuple[str, str], tuple[float, int]] = {}
    counts: dict[str, int] = {}
    date = datetime.fromtimestamp(day, UTC).strftime("%j")
    for plot in found:
        seen = last.get((plot.radar, plot.source))
        if seen is None or plot.time - seen[0] > LOST:
            counts[plot.radar] = counts.get(plot.radar, 0) + 1
            seen = (plot.time, counts[plot.radar])
        last[plot.radar, plot.source] = (plot.time, seen[1])
        yield {
            "at": datetime.fromtimestamp(int(plot.time), UTC).isoformat().replace("+00:00", "Z"),
            "radar": plot.radar,
            "track": f"{plot.radar}-{date}-{seen[1]:04d}",
            "latitude": round(plot.place[0], 5),
            "longitude": round(plot.place[1], 5),
            "speed": round(plot.knots, 1),
            "course": round(plot.course, 1) % 360,
        }
