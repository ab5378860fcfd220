"""Intervals are those of the table where all is heard; what is not heard follows distance."""

import numpy as np
import pytest

from isthmus.simulator.ais.chance import numbers
from isthmus.simulator.ais.geometry import moved
from isthmus.simulator.ais.messages import NO_HEADING, NO_TURN, UNDEFINED
from isthmus.simulator.ais.receivers import UNHEARD, Receivers, Station, receivers, shipped
from isthmus.simulator.ais.reports import (
    NAME_B,
    POSITION_A,
    POSITION_B,
    STATIC_A,
    STATIC_B,
    Sender,
    intervals,
)
from isthmus.simulator.ais.track import Plan, Status
from isthmus.simulator.ais.vessel import Transceiver, Vessel

START = 1_772_323_200.0
HERE = (8.8, -79.5)


def vessel(ais=Transceiver.A) -> Vessel:
    return Vessel(
        "9", "test", "9", 351_000_001, "TEST", "HO1", "PA", ais, 70, 200, 30, 10.0, 30.0, HERE
    )


def everywhere(loss=0.0) -> Receivers:
    return Receivers(
        stations=(Station("ALLOF", HERE, 5000.0, 1, ()),),
        satellite="SATEL",
        box=(-90, 90, -180, 180),
        passes=(np.array([0.0]), np.array([1.0])),
        heard=0.0,
        crowded=0.0,
        loss=loss,
        class_b=1.0,
        twice=0.0,
    )


def steady(knots, status=Status.UNDER_WAY, ais=Transceiver.A):
    plan = Plan(vessel(ais))
    plan.begin(START, HERE)
    if knots:
        plan.sail([HERE, moved(HERE, 180, knots * 4)], [99.0], knots, status)
    else:
        plan.stay(START + 4 * 3600, status)
    return plan.done()


def sender(track):
    """Return a sender whose crew set everything right."""
    for seed in range(50):
        found = Sender.of(0, track, seed, 0)
        if not found.set.stuck and found.set.gyro == (track.vessel.ais is Transceiver.A):
            return found
    raise AssertionError


TABLE = [
    (0, Status.AT_ANCHOR, Transceiver.A, 180),
    (0, Status.MOORED, Transceiver.A, 180),
    (4, Status.AT_ANCHOR, Transceiver.A, 10),
    (0, Status.UNDER_WAY, Transceiver.A, 10),
    (12, Status.UNDER_WAY, Transceiver.A, 10),
    (18, Status.UNDER_WAY, Transceiver.A, 6),
    (25, Status.UNDER_WAY, Transceiver.A, 2),
    (1, Status.UNDER_WAY, Transceiver.B, 180),
    (12, Status.UNDER_WAY, Transceiver.B, 30),
]


@pytest.mark.parametrize(("knots", "status", "ais", "seconds"), TABLE)
def test_intervals_follow_the_table_where_all_is_heard(knots, status, ais, seconds):
    heard = sender(steady(knots, status, ais)).heard(START, START + 4 * 3600, everywhere())
    assert heard is not None
    position = POSITION_B if ais is Transceiver.B else POSITION_A
    times = np.sort(heard["time"][heard["kind"] == position])
    assert np.diff(times) == pytest.approx(seconds, abs=0.01)
    for kind in (NAME_B, STATIC_B) if ais is Transceiver.B else (STATIC_A,):
        times = np.sort(heard["time"][heard["kind"] == kind])
        assert len(times) == 40
        assert np.diff(times) == pytest.approx(360)


@pytest.mark.parametrize(("knots", "seconds"), [(10, 10 / 3), (18, 2.0)])
def test_a_ship_that_turns_reports_more_often(knots, seconds):
    plan = Plan(vessel())
    plan.begin(START, HERE)
    path = [HERE]
    for leg in range(40):
        path.append(moved(path[-1], leg * 15, knots / 60))
    plan.sail(path, [99.0] * 40, knots, Status.UNDER_WAY)
    track = plan.done()
    assert intervals(track, track.statuses)[5:35] == pytest.approx(seconds)


def test_spans_of_time_made_alone_are_the_whole():
    one = sender(steady(12))
    whole = one.heard(START, START + 3600, everywhere(0.3))
    halves = [one.heard(START + at, START + at + 1800, everywhere(0.3)) for at in (0, 1800)]
    joined = np.concatenate(halves)
    order = ["time", "kind"]
    assert np.array_equal(np.sort(joined, order=order), np.sort(whole, order=order))


def test_a_transmitter_that_is_off_is_not_heard():
    plan = Plan(vessel(), silent=[(START + 600, START + 1200)])
    plan.begin(START, HERE)
    plan.stay(START + 3600, Status.UNDER_WAY)
    heard = sender(plan.done()).heard(START, START + 3600, everywhere())
    assert not ((heard["time"] >= START + 600) & (heard["time"] < START + 1200)).any()
    assert len(heard) > 280


def test_values_that_nobody_measures_are_said_to_be_so():
    heard = sender(steady(12, ais=Transceiver.B)).heard(START, START + 3600, everywhere())
    heard = heard[heard["kind"] == POSITION_B]
    assert set(heard["heading"].tolist()) == {NO_HEADING}
    assert set(heard["turn"].tolist()) == {NO_TURN}
    assert set(heard["status"].tolist()) == {UNDEFINED}


def reception(miles, times=2000, outages=(), class_b=False):
    station = Station("ALLOF", HERE, 40.0, 1, outages)
    given = Receivers(
        (station,), "SATEL", (-90, 90, -180, 180),
        (np.array([START]), np.array([START + 60])), 0.5, 0.5, 0.03, 0.5, 0.0,
    )  # fmt: skip
    place = moved(HERE, 90, miles)
    count = np.arange(times)
    return given.hear(
        np.full(times, place[0]),
        np.full(times, place[1]),
        START + 3600 + count,
        class_b,
        numbers(5, count.astype(np.uint64)),
    ).first


def test_a_station_hears_less_the_farther_she_is():
    shares = [float((reception(miles) != UNHEARD).mean()) for miles in (5, 20, 32, 50)]
    assert shares[0] == pytest.approx(0.97, abs=0.02)
    assert shares[0] >= shares[1] > shares[2]
    assert shares[3] == 0
    assert (reception(25, class_b=True) == UNHEARD).all()


def test_a_station_out_of_order_hears_nothing():
    assert (reception(5, outages=((START, START + 9000),)) == UNHEARD).all()


def test_offshore_only_passing_satellites_hear():
    by = receivers(shipped(), 1, START, 1)
    times = START + np.arange(0, 86_400, 10.0)
    far = np.full(len(times), 4.0), np.full(len(times), -95.0)
    drawn = numbers(9, np.arange(len(times)).astype(np.uint64))
    first = by.hear(*far, times, False, drawn).first
    heard = first != UNHEARD
    assert set(first[heard].tolist()) == {len(by.stations)}
    assert 5 < heard.sum() < 600
    assert np.diff(times[heard]).max() > 1200
    outside = by.hear(far[0], np.full(len(times), -160.0), times, False, drawn).first
    assert (outside == UNHEARD).all()
