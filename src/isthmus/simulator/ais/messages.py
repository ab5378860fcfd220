"""Layouts of AIS messages 1, 3, 5, 18 and 24 (ITU-R M.1371-5, annex 8)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.simulator.ais.sixbit import Bytes, Words, pack, signed

NO_LATITUDE = 91 * 600_000
NO_LONGITUDE = 181 * 600_000
NO_SPEED = 1023
FASTEST = 1022  # 102.2 knots and more
NO_COURSE = 3600
NO_HEADING = 511
NO_TURN = -128
NO_SECOND = 60
NO_ETA = 24 << 6 | 60  # no month, no day, hour 24, minute 60
UNDEFINED = 15  # navigational status

_POSITION = (6, 2, 30, 4, 8, 10, 1, 28, 27, 12, 9, 6, 2, 3, 1, 19)
_CLASS_B = (6, 2, 30, 8, 10, 1, 28, 27, 12, 9, 6, 2, 1, 1, 1, 1, 1, 1, 1, 20)
_STATIC_A = (
    *(6, 2, 30, 2, 30, 42, 60, 60, 8),
    *(9, 9, 6, 6, 4, 20, 8, 60, 60, 1, 1),
)
_NAME_B = (6, 2, 30, 2, 60, 60)
_STATIC_B = (6, 2, 30, 2, 8, 42, 42, 9, 9, 6, 6, 4, 2)
_CARRIER_SENSE = 393_222  # communication state of class B "CS" units


@dataclass(frozen=True, slots=True)
class Positions:
    """Position reports, a value a message: in units of the message, 1/10 000 minute, 1/10 knot."""

    mmsi: Words
    status: Words
    turn: NDArray[np.int64]
    speed: Words
    accuracy: Words
    longitude: NDArray[np.int64]
    latitude: NDArray[np.int64]
    course: Words
    heading: Words
    second: Words
    state: Words  # the 19 bits of the communication state

    def class_a(self, kind: Words) -> Bytes:
        """Return messages 1 or 3, 28 characters each."""
        return pack(
            _POSITION,
            (
                kind,
                0,
                self.mmsi,
                self.status,
                signed(self.turn, 8),
                self.speed,
                self.accuracy,
                signed(self.longitude, 28),
                signed(self.latitude, 27),
                self.course,
                self.heading,
                self.second,
                0,
                0,
                self.accuracy,
                self.state,
            ),
        )

    def class_b(self) -> Bytes:
        """Return messages 18 of a carrier-sense unit, 28 characters each."""
        return pack(
            _CLASS_B,
            (
                18,
                0,
                self.mmsi,
                0,
                self.speed,
                self.accuracy,
                signed(self.longitude, 28),
                signed(self.latitude, 27),
                self.course,
                self.heading,
                self.second,
                0,
                1,
                0,
                1,
                1,
                1,
                0,
                self.accuracy,
                1 << 19 | _CARRIER_SENSE,
            ),
        )


@dataclass(frozen=True, slots=True)
class Statics:
    """Static and voyage-related data, a value a message; names in words of ten characters."""

    mmsi: Words
    imo: Words
    call_sign: Words
    name: tuple[Words, Words]
    type: Words
    bow: Words
    stern: Words
    port: Words
    starboard: Words
    eta: Words  # month, day, hour, minute: 4, 5, 5, 6 bits
    draught: Words  # tenths of a metre
    destination: tuple[Words, Words]

    def class_a(self) -> Bytes:
        """Return messages 5, 71 characters each, the last with two bits of fill."""
        return pack(
            _STATIC_A,
            (
                5,
                0,
                self.mmsi,
                0,
                self.imo,
                self.call_sign,
                *self.name,
                self.type,
                self.bow,
                self.stern,
                self.port,
                self.starboard,
                1,
                self.eta,
                self.draught,
                *self.destination,
                0,
                0,
            ),
        )

    def names(self) -> Bytes:
        """Return messages 24, part A: 27 characters each, the last with two bits of fill."""
        return pack(_NAME_B, (24, 0, self.mmsi, 0, *self.name))

    def particulars(self) -> Bytes:
        """Return messages 24, part B: 28 characters each."""
        return pack(
            _STATIC_B,
            (
                24,
                0,
                self.mmsi,
                1,
                self.type,
                0,
                self.call_sign,
                self.bow,
                self.stern,
                self.port,
                self.starboard,
                1,
                0,
            ),
        )


def rate_of_turn(degrees_a_minute: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a measured rate of turn as transmitted: 4.733 times its square root, with its sign.

    708 degrees a minute and more are 126.
    """
    size = np.minimum(4.733 * np.sqrt(np.abs(degrees_a_minute)), 126.0)
    return (np.sign(degrees_a_minute) * np.floor(size + 0.5)).astype(np.int64)


def eta(month: int, day: int, hour: int, minute: int) -> int:
    """Return an expected time of arrival as its 20 bits."""
    return month << 16 | day << 11 | hour << 6 | minute


def self_organised(serial: Words, slot: Words, heard: Words, clock: Words) -> Words:
    """Return communication states of message 1: what they say turns with their slot time-out.

    ``serial`` counts a vessel's messages, ``heard`` the stations she receives, ``clock`` is the
    UTC hour times 60 plus the minute.
    """
    left = np.uint64(7) - serial % np.uint64(8)
    time = (clock // np.uint64(60)) << np.uint64(9) | (clock % np.uint64(60)) << np.uint64(2)
    odd = left % np.uint64(2) == 1
    said = np.where(odd, np.where(left == 1, time, heard), np.where(left == 0, 0, slot))
    return left << np.uint64(14) | said.astype(np.uint64)


def incremental(slot: Words) -> Words:
    """Return communication states of message 3: the next slot and that it is kept."""
    return (slot % np.uint64(2250)) << np.uint64(4) | np.uint64(1)
