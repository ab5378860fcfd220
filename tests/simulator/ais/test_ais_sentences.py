"""Every sentence is read by pyais, which shares no code with the writer."""

import numpy as np
import pyais
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.simulator.ais.messages import (
    NO_LATITUDE,
    NO_LONGITUDE,
    Positions,
    Statics,
    eta,
    incremental,
    rate_of_turn,
    self_organised,
)
from isthmus.simulator.ais.sentences import double, single
from isthmus.simulator.ais.sixbit import text

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789-./"
names = st.text(LETTERS, max_size=20).map(str.strip)


def whole(value):
    return np.array([value], np.uint64)


def one(payload, fill):
    lines = single(payload, fill, np.array([65], np.uint8), station(), whole(1_772_323_200))
    return lines[0].tobytes()


def station():
    return np.frombuffer(b"BALBO", np.uint8)[:, None]


def sentence(line: bytes) -> bytes:
    assert line.endswith(b"\r\n")
    tag, rest = line[:-2].split(b"\\")[1:]
    assert tag.startswith(b"s:BALBO,c:1772323200*")
    assert len(rest) <= 80
    return rest


positions = st.builds(
    dict,
    mmsi=st.integers(1, 999_999_999),
    status=st.integers(0, 15),
    turn=st.integers(-128, 127),
    speed=st.integers(0, 1023),
    accuracy=st.integers(0, 1),
    longitude=st.one_of(st.integers(-108_000_000, 108_000_000), st.just(NO_LONGITUDE)),
    latitude=st.one_of(st.integers(-54_000_000, 54_000_000), st.just(NO_LATITUDE)),
    course=st.integers(0, 3600),
    heading=st.one_of(st.integers(0, 359), st.just(511)),
    second=st.integers(0, 63),
    state=st.integers(0, 2**19 - 1),
)


def columns(given):
    inward = {"turn", "longitude", "latitude"}
    return Positions(
        **{k: np.array([v], np.int64 if k in inward else np.uint64) for k, v in given.items()}
    )


@given(positions, st.sampled_from([1, 3]))
def test_class_a_reports_round_trip(given, kind):
    read = pyais.decode(sentence(one(columns(given).class_a(whole(kind)), 0)))
    assert read.msg_type == kind
    assert_same_position(read, given)
    assert read.status == given["status"]
    assert read.radio == given["state"]


@given(positions)
def test_class_b_reports_round_trip(given):
    read = pyais.decode(sentence(one(columns(given).class_b(), 0)))
    assert read.msg_type == 18
    assert_same_position(read, given)
    assert read.cs


def assert_same_position(read, given):
    assert read.mmsi == given["mmsi"]
    assert round(read.speed * 10) == given["speed"]
    assert read.lon == pytest.approx(given["longitude"] / 600_000, abs=1e-6)
    assert read.lat == pytest.approx(given["latitude"] / 600_000, abs=1e-6)
    assert round(read.course * 10) == given["course"]
    assert (read.heading, read.second) == (given["heading"], given["second"])


@given(names, names, st.integers(0, 511), st.integers(0, 63), st.integers(0, 255))
def test_static_data_round_trip(name, destination, bow, port, draught):
    data = Statics(
        mmsi=whole(351_980_001),
        imo=whole(3_500_006),
        call_sign=whole(text("HO1234", 7)[0]),
        name=tuple(whole(word) for word in text(name, 20)),
        type=whole(71),
        bow=whole(bow),
        stern=whole(40),
        port=whole(port),
        starboard=whole(16),
        eta=whole(eta(3, 9, 14, 5)),
        draught=whole(draught),
        destination=tuple(whole(word) for word in text(destination, 20)),
    )
    lines = double(
        data.class_a(), 2, np.array([66], np.uint8), station(), whole(1_772_323_200), whole(7)
    )
    first, last = lines[0].tobytes().splitlines(keepends=True)
    read = pyais.decode(sentence(first), sentence(last))
    assert (read.shipname, read.destination) == (name, destination)
    assert (read.imo, read.callsign, read.ship_type) == (3_500_006, "HO1234", 71)
    assert (read.to_bow, read.to_stern, read.to_port, read.to_starboard) == (bow, 40, port, 16)
    assert (read.month, read.day, read.hour, read.minute) == (3, 9, 14, 5)
    assert round(read.draught * 10) == draught
    assert pyais.decode(sentence(one(data.names(), 2))).shipname == name
    read = pyais.decode(sentence(one(data.particulars(), 0)))
    assert (read.partno, read.callsign, read.to_bow) == (1, "HO1234", bow)


def test_checksums_are_those_of_the_bytes_between_their_marks():
    line = one(columns(dict.fromkeys(Positions.__slots__, 0)).class_a(whole(1)), 0)
    for body in line.rstrip().lstrip(b"\\").split(b"\\"):
        said, value = body.rsplit(b"*", 1)
        total = 0
        for byte in said.lstrip(b"!"):
            total ^= byte
        assert int(value, 16) == total


def test_rate_of_turn_follows_the_standard():
    turns = rate_of_turn(np.array([0.0, 5.0, -5.0, 20.0, 708.0, 2000.0]))
    assert turns.tolist() == [0, 11, -11, 21, 126, 126]


def test_communication_states_say_what_their_time_out_asks_for():
    serial = np.arange(8, dtype=np.uint64)
    slot, heard, clock = whole(1234), whole(17), whole(13 * 60 + 7)
    state = self_organised(serial, slot, heard, clock).tolist()
    said = {value >> 14: value & 0x3FFF for value in state}
    assert said == {
        7: 17, 6: 1234, 5: 17, 4: 1234, 3: 17, 2: 1234, 1: 13 << 9 | 7 << 2, 0: 0,
    }  # fmt: skip
    assert incremental(slot).tolist() == [1234 << 4 | 1]
