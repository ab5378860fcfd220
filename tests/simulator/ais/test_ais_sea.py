"""Tracks: nobody is faster than she can be, who calls is there, and acts show."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.simulator.ais.acts import SeaAct, SeaKind
from isthmus.simulator.ais.conduct import does
from isthmus.simulator.ais.geometry import distance
from isthmus.simulator.ais.lanes import berth_of, lanes
from isthmus.simulator.ais.liners import liners
from isthmus.simulator.ais.passages import passages
from isthmus.simulator.ais.track import Plan, Status
from isthmus.simulator.ais.vessel import Transceiver
from isthmus.simulator.ais.voyages import sail_calls

SLACK = 1.01  # legs of less than a second are joined to their neighbours


def act(run, kind):
    """The act of this kind, as it was done."""
    return next(done for asked, done in run.sea.acts if asked.kind is kind and done)


def track_at(run, name, moment):
    tracks = run.sea.transmitting + run.sea.silent
    return next(t for t in tracks if t.vessel.id == name and t.covers(moment.timestamp()))


def mean_knots(track, start, end):
    return 3600 * distance(track.at(start), track.at(end)) / (end - start)


def test_no_track_is_faster_than_its_vessel(run):
    for track in run.sea.transmitting + run.sea.silent:
        assert (np.diff(track.times) > 0).all()
        assert track.knots.max() <= track.vessel.speed * SLACK, track.vessel


def test_ships_lie_at_their_terminal_from_arrival_to_departure(run):
    assert not run.sea.missed
    for call in run.calls:
        berth = berth_of(call.service.terminal).berth
        for moment in (call.arrival, call.departure):
            track = track_at(run, call.ship.imo, moment)
            assert distance(track.at(moment.timestamp()), berth) < 0.3


def test_a_call_nobody_could_make_is_missed_not_sailed(run):
    first = run.calls[0]
    there = next(c for c in run.calls if c.service.terminal != first.service.terminal)
    again = replace(
        there,
        ship=first.ship,
        arrival=first.departure + timedelta(minutes=20),
        departure=first.departure + timedelta(hours=9),
    )
    ships = {ship.id: ship for ship in liners(run.world, 1)}
    sailed = sail_calls(ships, [first, again], [], 1)
    assert sailed.missed == (again,)
    assert sailed.plans[0].done().knots.max() <= ships[first.ship.imo].speed * SLACK


def test_passages_wait_transit_and_are_at_one_place_at_a_time(run):
    for passage in run.passages:
        track = track_at(
            run, passage.ship.id, passage.anchored + (passage.weighs - passage.anchored) / 2
        )
        side = "atlantic" if passage.southbound else "pacific"
        anchorage = lanes().anchorages[side]
        lying = track.at(passage.weighs.timestamp())
        assert distance(lying, anchorage.at) < anchorage.radius + 0.5
        gone = track.at(passage.through.timestamp() + 3600)
        assert (gone[0] < 9) == passage.southbound
    again = {}
    for passage in passages(3, run.passages[0].anchored, 90):
        assert again.setdefault(passage.ship.id, passage.anchored) <= passage.anchored
        again[passage.ship.id] = passage.through + timedelta(days=20)


def test_a_longer_run_has_the_same_passages_and_more(run):
    start = run.passages[0].anchored
    short, long = passages(5, start, 3), passages(5, start, 6)
    assert long[: len(short)] == short
    assert len(long) > len(short)
    later = passages(5, start + timedelta(days=2, hours=7), 4)
    both = [one for one in long if one.anchored >= later[0].anchored]
    assert [one for one in later if one.anchored <= long[-1].anchored] == both


def test_what_was_done_and_what_could_not_be_is_said(run):
    assert run.summary.acts == list(run.sea.acts)
    assert sorted(asked.kind for asked, _ in run.sea.acts) == sorted(one.kind for one in run.acts)
    assert [asked for asked, done in run.sea.acts if done is None] == [run.acts[-1]]
    for asked, done in run.sea.acts:
        if done is not None:
            assert replace(done, moment=asked.moment, other=asked.other) == asked
            assert abs(done.moment - asked.moment) <= timedelta(hours=96)


def test_a_ship_that_slows_is_slow_then_and_in_time(run):
    for kind, share in ((SeaKind.SPEED_DIP, 0.8), (SeaKind.DRIFT, 0.2), (SeaKind.RENDEZVOUS, 0.45)):
        one = act(run, kind)
        start, end = one.moment.timestamp(), one.end.timestamp()
        track = track_at(run, one.vessel, one.moment)
        before, then = mean_knots(track, start - 3600, start), mean_knots(track, start, end)
        assert then < share * before, kind


def test_a_deviation_leaves_the_lane_and_comes_back(run):
    one = act(run, SeaKind.DEVIATION)
    track = track_at(run, one.vessel, one.moment)
    start, end = one.moment.timestamp(), one.end.timestamp()
    a, b, middle = track.at(start), track.at(end), track.at((start + end) / 2)
    straight = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    assert distance(middle, straight) > 1


def test_a_ship_lies_at_anchor_the_night_before_she_berths(run):
    one = act(run, SeaKind.ANCHORED_AT_NIGHT)
    track = track_at(run, one.vessel, one.moment)
    lies = track.statuses[np.searchsorted(track.times, one.moment.timestamp() + 3600)]
    assert lies == Status.AT_ANCHOR
    assert mean_knots(track, one.moment.timestamp() + 1800, one.end.timestamp()) < 0.3


@pytest.mark.parametrize("kind", [SeaKind.RENDEZVOUS, SeaKind.SMALL_CRAFT_ALONGSIDE])
def test_a_craft_is_beside_the_ship_for_these_minutes(run, kind):
    one = act(run, kind)
    ship, boat = track_at(run, one.vessel, one.moment), track_at(run, one.other, one.moment)
    for share in (0.1, 0.5, 0.9):
        moment = (one.moment + (one.end - one.moment) * share).timestamp()
        assert distance(ship.at(moment), boat.at(moment)) < 0.15
    back = boat.at(one.end.timestamp() + 6 * 3600)
    assert distance(back, boat.at(one.moment.timestamp() - 6 * 3600)) < 0.5


def test_runs_are_made_by_craft_without_ais_at_their_speed(run):
    for kind, low, high in ((SeaKind.FAST_RUN, 25, 45), (SeaKind.LOW_PROFILE_RUN, 5, 9)):
        one = act(run, kind)
        track = track_at(run, one.vessel, one.moment + timedelta(minutes=5))
        assert track.vessel.ais is Transceiver.NONE
        assert track.knots.min() >= low - 0.5
        assert track.knots.max() <= high + 0.5
        assert distance(track.at(track.times[-1]), one.to) < 0.1


def test_a_fishing_trip_without_landing_ends_at_anchor(run):
    one = act(run, SeaKind.FISHING_WITHOUT_LANDING)
    track = track_at(run, one.vessel, one.moment)
    after = track.statuses[np.searchsorted(track.times, one.end.timestamp()) :].tolist()
    assert Status.AT_ANCHOR in after
    first = after.index(Status.AT_ANCHOR)
    assert Status.MOORED not in after[:first]


def test_loitering_stays_near_its_place(run):
    one = act(run, SeaKind.LOITER)
    track = track_at(run, one.vessel, one.moment)
    for minutes in range(0, 300, 30):
        at = (one.moment + timedelta(minutes=minutes)).timestamp()
        assert distance(track.at(at), one.where) < 12


@given(
    kind=st.sampled_from([SeaKind.SPEED_DIP, SeaKind.DRIFT, SeaKind.DEVIATION, SeaKind.LOITER]),
    after=st.floats(-2, 40),
    minutes=st.floats(1, 900),
    knots=st.floats(8, 19.9),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_asked_a_ship_is_never_too_fast_and_never_late(
    run, kind, after, minutes, knots
):
    vessel = next(v for v in liners(run.world, 1) if v.speed > 19.9)
    plan = Plan(vessel)
    start = run.calls[0].arrival
    plan.begin(start.timestamp(), (5.0, -80.0))
    plan.stay(start.timestamp() + 3600, Status.MOORED)
    places = [(5.0, -80.0), (6.0, -80.2), (7.0, -80.0), (7.0, -79.0)]
    plan.sail(places, [99.0] * 3, knots, Status.UNDER_WAY)
    plan.stay(plan.now + 7200, Status.MOORED)
    ended, before = plan.now, (list(plan.times), list(plan.places))
    asked = SeaAct(kind, vessel.id, start + timedelta(hours=after), minutes)
    done = does(plan, asked, 1)
    track = plan.done()
    assert track.knots.max() <= vessel.speed * SLACK
    assert plan.now == pytest.approx(ended)
    assert plan.times == sorted(plan.times)
    assert track.at(ended) == pytest.approx(places[-1])
    if not done:
        assert (plan.times, plan.places) == before
