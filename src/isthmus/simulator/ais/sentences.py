"""!AIVDM sentences with a tag block, many at once (NMEA 0183 version 4; IEC 61162-1)."""

import numpy as np
from numpy.typing import NDArray

from isthmus.simulator.ais.sixbit import Bytes, Words

STATION = 5  # characters of a station's name
_HEX = np.frombuffer(b"0123456789ABCDEF", np.uint8)
_SPLIT = 60  # characters of a message of two sentences that the first one carries


def single(
    payload: Bytes, fill: int, channel: Bytes, station: Bytes, second: Words
) -> NDArray[np.uint8]:
    """Return one sentence a message: an array of bytes, a row a message.

    ``payload`` is (characters, messages); ``station`` (5, messages); ``second`` is Unix time.
    """
    count = payload.shape[1]
    lines = _lines(b"!AIVDM,1,1,,", payload, fill, channel, station, second)
    return np.ascontiguousarray(lines.T.reshape(count, -1))


def double(
    payload: Bytes, fill: int, channel: Bytes, station: Bytes, second: Words, sequence: Words
) -> NDArray[np.uint8]:
    """Return two sentences a message, one after the other in its row; ``sequence`` is 0 to 9."""
    head = b"!AIVDM,2,1,?,"
    first = _lines(head, payload[:_SPLIT], 0, channel, station, second, sequence)
    tail = b"!AIVDM,2,2,?,"
    last = _lines(tail, payload[_SPLIT:], fill, channel, station, second, sequence)
    return np.ascontiguousarray(np.concatenate((first, last)).T)


def _lines(
    head: bytes,
    payload: Bytes,
    fill: int,
    channel: Bytes,
    station: Bytes,
    second: Words,
    sequence: Words | None = None,
) -> Bytes:
    size, count = payload.shape
    tag = _tag(station, second)
    start = len(tag) + len(head)
    out = np.empty((start + 2 + size + 2 + 5, count), np.uint8)
    out[: len(tag)] = tag
    out[len(tag) : start] = np.frombuffer(head, np.uint8)[:, None]
    if sequence is not None:
        out[start - 2] = sequence.astype(np.uint8) + np.uint8(48)
    out[start] = channel
    out[start + 1] = 44
    out[start + 2 : start + 2 + size] = payload
    rest = start + 2 + size
    out[rest : rest + 3] = np.frombuffer(b",%d*" % fill, np.uint8)[:, None]
    _checksum(out, len(tag) + 1, rest + 2, rest + 3)
    out[rest + 5 :] = np.frombuffer(b"\r\n", np.uint8)[:, None]
    return out


def _tag(station: Bytes, second: Words) -> Bytes:
    r"""Return tag blocks ``\s:STATN,c:1700000000*hh\``."""
    out = np.empty((1 + 2 + STATION + 3 + 10 + 4, station.shape[1]), np.uint8)
    out[0] = 92
    out[1:3] = np.frombuffer(b"s:", np.uint8)[:, None]
    out[3 : 3 + STATION] = station
    out[8:11] = np.frombuffer(b",c:", np.uint8)[:, None]
    left = second.astype(np.uint32)
    for digit in range(20, 10, -1):
        tens = left // np.uint32(10)
        np.copyto(out[digit], left - tens * np.uint32(10) + np.uint32(48), casting="unsafe")
        left = tens
    out[21] = 42
    _checksum(out, 1, 21, 22)
    out[24] = 92
    return out


def _checksum(out: Bytes, start: int, end: int, at: int) -> None:
    """Write the two hexadecimal digits of the bytes from start to end, all of them XORed."""
    value = np.bitwise_xor.reduce(out[start:end], axis=0)
    out[at] = _HEX[value >> np.uint8(4)]
    out[at + 1] = _HEX[value & np.uint8(15)]
