"""What was heard, as sentences in order of time."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from isthmus.simulator.ais.messages import NO_TURN, Positions, Statics, incremental, self_organised
from isthmus.simulator.ais.reports import (
    NAME_B,
    POSITION_A,
    POSITION_B,
    STATIC_A,
    STATIC_B,
    Heard,
    Sender,
    voyages,
)
from isthmus.simulator.ais.sentences import double, single
from isthmus.simulator.ais.sixbit import Bytes, Words
from isthmus.simulator.ais.track import Status

BLOCK = 32_768  # messages encoded at once
FIELDS = 14  # of a row of static data
_MILLISECONDS = 1000.0


def static_table(senders: Sequence[Sender]) -> Words:
    """Return the rows of static data of all senders, in the order of their numbers."""
    rows = [sender.set.row(voyage) for sender in senders for voyage in voyages(sender.track)]
    return np.array(rows, np.uint64).reshape(-1, FIELDS)


def in_order(heard: Heard) -> Heard:
    """Return messages in order of time, then vessel, then kind."""
    since = np.floor(heard["time"].min())
    key = ((heard["time"] - since) * _MILLISECONDS).astype(np.uint64) << np.uint64(28)
    key |= heard["vessel"].astype(np.uint64) << np.uint64(4)
    key |= heard["kind"].astype(np.uint64) << np.uint64(1) | heard["again"].astype(np.uint64)
    return heard[np.argsort(key, kind="stable")]


def encode(heard: Heard, statics: Words, names: Bytes) -> Iterator[bytes]:
    """Return the sentences of messages that are in order, a block at a time.

    ``statics`` are the rows of ``static_table``, ``names`` the stations' (``Receivers.names``).
    """
    for start in range(0, len(heard), BLOCK):
        yield _block(heard[start : start + BLOCK], statics, names)


def _block(heard: Heard, statics: Words, names: Bytes) -> bytes:
    rows: dict[int, tuple[memoryview, int]] = {}
    kinds = heard["kind"]
    for kind in (POSITION_A, POSITION_B, STATIC_A, NAME_B, STATIC_B):
        own = heard[kinds == kind]
        if len(own):
            lines = _lines(kind, own, statics, names)
            rows[kind] = (memoryview(lines.tobytes()), lines.shape[1])
    cuts = np.concatenate(([0], np.flatnonzero(np.diff(kinds)) + 1, [len(kinds)])).tolist()
    done = dict.fromkeys(rows, 0)
    parts = []
    for start, end in itertools.pairwise(cuts):
        kind = int(kinds[start])
        view, width = rows[kind]
        at = done[kind]
        done[kind] = at + (end - start) * width
        parts.append(view[at : done[kind]])
    return b"".join(parts)


def _lines(kind: int, own: Heard, statics: Words, names: Bytes) -> NDArray[np.uint8]:
    second = own["time"].astype(np.uint64)
    station = names[:, own["station"]]
    channel = (own["serial"].astype(np.uint8) & np.uint8(1)) + np.uint8(65)
    if kind in (POSITION_A, POSITION_B):
        given = _positions(own, second, statics)
        if kind == POSITION_B:
            return single(given.class_b(), 0, channel, station, second)
        return single(given.class_a(_message(own)), 0, channel, station, second)
    data = _statics(statics[own["row"]])
    if kind == STATIC_A:
        sequence = (own["serial"] + own["vessel"]).astype(np.uint64) % np.uint64(10)
        return double(data.class_a(), 2, channel, station, second, sequence)
    if kind == NAME_B:
        return single(data.names(), 2, channel, station, second)
    return single(data.particulars(), 0, channel, station, second)


def _message(own: Heard) -> Words:
    """Return 3 for reports outside the schedule, else 1.

    Those are the rare ones of a ship that lies (intervals above a minute go by incremental access,
    ITU-R M.1371-5, annex 2) and those that a turn adds.
    """
    lying = (own["status"] == Status.AT_ANCHOR) | (own["status"] == Status.MOORED)
    rare = lying & (own["speed"] <= 30)
    added = (own["serial"] % 3 != 0) & (own["turn"] != NO_TURN) & (np.abs(own["turn"]) > 14)
    return np.where(rare | added, np.uint64(3), np.uint64(1))


def _positions(own: Heard, second: Words, statics: Words) -> Positions:
    serial = own["serial"].astype(np.uint64)
    vessel = own["vessel"].astype(np.uint64)
    slot = (vessel * np.uint64(977) + serial // np.uint64(8) * np.uint64(37)) % np.uint64(2250)
    heard = vessel % np.uint64(60) + np.uint64(4)
    clock = second % np.uint64(86_400) // np.uint64(60)
    scheduled = self_organised(serial, slot, heard, clock)
    state = np.where(_message(own) == 3, incremental(slot), scheduled)
    return Positions(
        mmsi=statics[own["row"], 0],
        status=own["status"].astype(np.uint64),
        turn=own["turn"].astype(np.int64),
        speed=own["speed"].astype(np.uint64),
        accuracy=(vessel & np.uint64(3)) >> np.uint64(1),
        longitude=own["longitude"].astype(np.int64),
        latitude=own["latitude"].astype(np.int64),
        course=own["course"].astype(np.uint64),
        heading=own["heading"].astype(np.uint64),
        second=own["second"].astype(np.uint64),
        state=state,
    )


def _statics(rows: Words) -> Statics:
    columns = [np.ascontiguousarray(column) for column in rows.T]
    return Statics(
        mmsi=columns[0],
        imo=columns[1],
        call_sign=columns[2],
        name=(columns[3], columns[4]),
        type=columns[5],
        bow=columns[6],
        stern=columns[7],
        port=columns[8],
        starboard=columns[9],
        eta=columns[10],
        draught=columns[11],
        destination=(columns[12], columns[13]),
    )
