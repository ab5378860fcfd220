"""When vessels transmit, and what receivers hear of it.

Reporting intervals are those of ITU-R M.1371-5, tables 1 and 2 of annex 1. Each vessel counts her
reports from the beginning of her track, so any span of time can be made alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.simulator.ais.chance import key, noise, numbers, share
from isthmus.simulator.ais.messages import (
    NO_COURSE,
    NO_HEADING,
    NO_LATITUDE,
    NO_LONGITUDE,
    NO_SPEED,
    NO_TURN,
    UNDEFINED,
    rate_of_turn,
)
from isthmus.simulator.ais.receivers import UNHEARD, Receivers
from isthmus.simulator.ais.settings import Settings, settings
from isthmus.simulator.ais.track import TURNING, Floats, Status, Track, Voyage
from isthmus.simulator.ais.vessel import Transceiver
from isthmus.simulator.dice import Dice

STATIC = 360.0  # seconds between messages 5, or 24
FIX = 0.00006  # degrees, largest error of a fix
LOST = 0.08  # of vessels lose their fix once in a run
BLIND = 63  # in place of the second: the positioning system is inoperative

# Kinds of what is sent; the order within one millisecond of one vessel.
POSITION_A, POSITION_B, STATIC_A, NAME_B, STATIC_B = range(5)

HEARD = np.dtype(
    [
        ("time", np.float64),
        ("vessel", np.uint32),
        ("row", np.uint32),  # of static data
        ("serial", np.uint32),
        ("latitude", np.int32),
        ("longitude", np.int32),
        ("speed", np.uint16),
        ("course", np.uint16),
        ("heading", np.uint16),
        ("turn", np.int16),
        ("status", np.uint8),
        ("second", np.uint8),
        ("station", np.uint8),
        ("kind", np.uint8),
        ("again", np.uint8),  # 1: heard by a second station
    ]
)
Heard = NDArray[np.void]


def intervals(track: Track, statuses: NDArray[np.uint8]) -> Floats:
    """Return the seconds between position reports on each leg, as the equipment chooses them."""
    knots = track.knots
    if track.vessel.ais is Transceiver.B:
        return np.where(knots > 2, 30.0, 180.0)
    turning = np.abs(track.turns) >= TURNING
    under_way = np.where(
        knots > 23,
        2.0,
        np.where(knots > 14, np.where(turning, 2.0, 6.0), np.where(turning, 10 / 3, 10.0)),
    )
    lying = (statuses == Status.AT_ANCHOR) | (statuses == Status.MOORED)
    return np.where(lying, np.where(knots > 3, 10.0, 180.0), under_way)


@dataclass(frozen=True, slots=True)
class Sender:
    """A track with its transceiver: how its reports are counted."""

    number: int
    track: Track
    set: Settings
    statuses: NDArray[np.uint8]
    counts: Floats  # reports sent up to each knot
    key: int
    phase: float  # seconds, of the static messages
    lost: tuple[float, float]  # without a fix
    since: Floats  # beginnings of voyages
    row: int  # of the first voyage in the table of static data

    @classmethod
    def of(cls, number: int, track: Track, seed: int, row: int) -> "Sender":
        """Return the sender of a track; ``row`` is where its static data begin."""
        vessel = track.vessel
        dice = Dice(seed, "ais", "sender", vessel.id, number)
        given = settings(vessel, seed)
        statuses = np.zeros_like(track.statuses) if given.stuck else track.statuses
        counts = np.cumsum(np.diff(track.times) / intervals(track, statuses))
        lost, at = dice.chance(LOST), dice.between(float(track.times[0]), float(track.times[-1]))
        return cls(
            number=number,
            track=track,
            set=given,
            statuses=statuses,
            counts=np.concatenate(([0.0], counts)) + dice.between(0, 1),
            key=key(seed, "ais", "reports", vessel.id, number),
            phase=dice.between(0, STATIC),
            lost=(at, at + 3600 * dice.between(0.2, 5)) if lost else (0.0, 0.0),
            since=np.array([voyage.since for voyage in voyages(track)]),
            row=row,
        )

    def heard(self, start: float, end: float, by: Receivers) -> Heard | None:
        """Return what is heard of her from start until before end; None for nothing."""
        times = self.track.times
        start, end = max(start, float(times[0])), min(end, float(times[-1]))
        if end <= start or not self._near(start, end, by):
            return None
        moments, serials, kinds = self._sent(start, end)
        moments, serials, kinds = self._switched_on(moments, serials, kinds)
        if not len(moments):
            return None
        drawn = numbers(self.key, serials * np.uint64(8) + kinds.astype(np.uint64))
        leg = np.minimum(np.searchsorted(times, moments, side="right") - 1, len(times) - 2)
        share_of_leg = (moments - times[leg]) / (times[leg + 1] - times[leg])
        latitudes = _between(self.track.latitudes, leg, share_of_leg)
        longitudes = _between(self.track.longitudes, leg, share_of_leg)
        class_b = self.track.vessel.ais is Transceiver.B
        order = np.argsort(moments, kind="stable")
        heard = by.hear(latitudes[order], longitudes[order], moments[order], class_b, drawn[order])
        first = np.flatnonzero(heard.first != UNHEARD)
        again = np.flatnonzero(heard.second != UNHEARD)
        kept = order[np.concatenate((first, again))]
        if not len(kept):
            return None
        out = np.zeros(len(kept), HEARD)
        out["station"] = np.concatenate((heard.first[first], heard.second[again]))
        out["again"][len(first) :] = 1
        out["time"], out["kind"], out["vessel"] = moments[kept], kinds[kept], self.number
        out["serial"] = serials[kept]
        voyage = np.maximum(np.searchsorted(self.since, moments[kept], side="right") - 1, 0)
        out["row"] = voyage + self.row
        self._measure(out, leg[kept], latitudes[kept], longitudes[kept])
        return out

    def _near(self, start: float, end: float, by: Receivers) -> bool:
        first, last = np.searchsorted(self.track.times, (start, end))
        south_north = self.track.latitudes[max(first - 1, 0) : last + 1]
        west_east = self.track.longitudes[max(first - 1, 0) : last + 1]
        return by.reach(
            float(south_north.min()),
            float(south_north.max()),
            float(west_east.min()),
            float(west_east.max()),
        )

    def _sent(
        self, start: float, end: float
    ) -> tuple[Floats, NDArray[np.uint64], NDArray[np.uint8]]:
        """Return when she sends, the count of each message, and its kind."""
        times, class_b = self.track.times, self.track.vessel.ais is Transceiver.B
        low, high = np.ceil(np.interp((start, end), times, self.counts)).astype(np.int64)
        serials = np.arange(low, high)
        parts: list[tuple[Any, Any, int]] = [
            (np.interp(serials, self.counts, times), serials, int(class_b))
        ]
        static = np.arange(
            int(np.ceil((start - self.phase) / STATIC)), int(np.ceil((end - self.phase) / STATIC))
        )
        at = self.phase + STATIC * static
        if class_b:
            parts += [(at, static, NAME_B), (at + 0.5, static, STATIC_B)]
        else:
            parts.append((at, static, STATIC_A))
        return (
            np.concatenate([moments for moments, _, _ in parts]),
            np.concatenate([counts for _, counts, _ in parts]).astype(np.uint64),
            np.concatenate([np.full(len(m), kind, np.uint8) for m, _, kind in parts]),
        )

    def _switched_on(
        self, moments: Floats, serials: NDArray[np.uint64], kinds: NDArray[np.uint8]
    ) -> tuple[Floats, NDArray[np.uint64], NDArray[np.uint8]]:
        on = np.ones(len(moments), np.bool_)
        for start, end in self.track.silent:
            on &= (moments < start) | (moments >= end)
        return moments[on], serials[on], kinds[on]

    def _measure(
        self, out: Heard, leg: NDArray[np.int64], latitudes: Floats, longitudes: Floats
    ) -> None:
        """Fill in what her sensors say."""
        track, given = self.track, self.set
        drawn = numbers(self.key ^ 0x5DEECE66D, out["serial"].astype(np.uint64))
        knots, true_course = track.knots[leg], track.courses[leg]
        out["latitude"] = _whole((latitudes + FIX * noise(drawn, 0)) * 600_000)
        longitude = longitudes + FIX * noise(drawn, 1)
        longitude -= 360 * np.floor((longitude + 180) / 360)
        out["longitude"] = _whole(longitude * 600_000)
        speed = np.clip(knots + 0.2 * noise(drawn, 2), 0.0, track.vessel.speed)
        out["speed"] = _whole(10 * speed)
        course = np.where(knots < 0.3, 360 * share(drawn, 2), true_course + 1.5 * noise(drawn, 3))
        out["course"] = _whole(10 * course) % 3600
        out["heading"] = _whole(true_course + noise(drawn, 3)) % 360 if given.gyro else NO_HEADING
        out["turn"] = rate_of_turn(track.turns[leg]) if given.turn_sensor else NO_TURN
        lies = track.vessel.ais is Transceiver.B
        out["status"] = UNDEFINED if lies else self.statuses[leg]
        out["second"] = out["time"].astype(np.int64) % 60
        blind = (out["time"] >= self.lost[0]) & (out["time"] < self.lost[1])
        out["latitude"][blind], out["longitude"][blind] = NO_LATITUDE, NO_LONGITUDE
        out["speed"][blind], out["course"][blind] = NO_SPEED, NO_COURSE
        out["second"][blind] = BLIND


def voyages(track: Track) -> Sequence[Voyage]:
    """Return her voyages; a small craft has one, without a destination."""
    start = float(track.times[0])
    return track.voyages or (Voyage(start, "", start, track.vessel.draught),)


def _between(values: Floats, leg: NDArray[np.int64], part: Floats) -> Floats:
    return values[leg] + part * (values[leg + 1] - values[leg])


def _whole(values: Floats) -> NDArray[np.int64]:
    return np.floor(values + 0.5).astype(np.int64)
