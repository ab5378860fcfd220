"""What is done at sea is done lawfully more often, by the same acts, on vessels that are there."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from lived_days import START, live

from isthmus.simulator import world
from isthmus.simulator.ais.acts import SeaKind
from isthmus.simulator.ais.craft import canal_ships, craft
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.scheme import CALL, CRAFT, PASSAGE, Adapts, By
from isthmus.simulator.smuggling.sea import Sea

AT_SEA = [scheme for scheme in schemes.shipped() if scheme.uses in (CALL, PASSAGE, CRAFT)]
BY_CODE = {scheme.code: scheme for scheme in AT_SEA}


def sailed(days, rate, *, methods=AT_SEA, catches=False):
    sea = Sea(world.load(), methods, 5, rate, START, days)
    numbers = iter(range(1, 10_000))
    made = []
    for day in range(days):
        morning = START + timedelta(days=day)
        found = sea.voyages(morning, [], lambda: next(numbers))
        made += [(morning, voyage) for voyage in found]
        for voyage in found if catches else ():
            if voyage.guilty:
                voyage.group.learn(morning, sea.dice)
    return made


@pytest.fixture(scope="module")
def made():
    return live(2500, 60, 0.06).voyages


def test_every_method_at_sea_is_used_and_looks_lawful_more_often(made):
    guilty = Counter(voyage.scheme.code for voyage in made if voyage.guilty)
    lawful = Counter(voyage.scheme.code for voyage in made if not voyage.guilty)
    assert set(guilty) == set(BY_CODE)
    assert all(lawful[code] > count for code, count in guilty.items())
    for voyage in made:
        low, high = voyage.scheme.kilograms
        assert low <= voyage.kilograms <= high if voyage.guilty else voyage.kilograms == 0


def test_acts_are_of_the_vessel_and_of_a_kind_that_the_scheme_names(made):
    here = world.load()
    vessels = {v.id: v for v in (*craft(here, 5), *canal_ships(5))}
    for voyage in made:
        named = {*voyage.scheme.traces, *(n for c in voyage.scheme.confusers for n in c.traces)}
        assert {act.kind for act in voyage.acts} <= named
        assert voyage.left == [act.kind.value for act in voyage.acts]
        assert all(act.vessel == voyage.vessel and act.minutes > 0 for act in voyage.acts)
        if voyage.call is None:
            assert vessels[voyage.vessel].kind in voyage.scheme.where["vessels"]
        else:
            assert voyage.vessel == voyage.call.ship.imo


def test_runs_have_two_ends_and_meetings_another_craft(made):
    ids = {vessel.id for vessel in craft(world.load(), 5)}
    for act in (act for voyage in made for act in voyage.acts):
        runs = act.kind in (SeaKind.FAST_RUN, SeaKind.LOW_PROFILE_RUN)
        assert runs == (act.where is not None) == (act.to is not None)
        assert not runs or act.where != act.to
        meets = act.kind in (SeaKind.RENDEZVOUS, SeaKind.SMALL_CRAFT_ALONGSIDE)
        assert meets == (act.other is not None)
        assert not meets or (act.other in ids and act.other != act.vessel)


def test_a_ship_lies_at_anchor_before_she_berths(made):
    for voyage in made:
        for act in voyage.acts:
            if voyage.call and act.kind is SeaKind.ANCHORED_AT_NIGHT:
                assert act.end == voyage.call.arrival or abs(
                    act.end - voyage.call.arrival
                ) < timedelta(seconds=61)


def test_the_share_of_craft_is_the_rate():
    only = [scheme for scheme in AT_SEA if scheme.uses == CRAFT]
    guilty = [voyage for _, voyage in sailed(60, 0.02, methods=only) if voyage.guilty]
    assert len(guilty) == pytest.approx(60 * 90 * 0.02, rel=0.1)


def test_a_group_that_was_caught_leaves_its_harbour():
    runs = replace(
        BY_CODE["M17"], adapts=Adapts({"route": 0.999}, (0, 1)), by=By("crew", every=(1, 2))
    )
    harbours, home = {}, {v.id: v.harbour for v in craft(world.load(), 5)}
    for _, voyage in sailed(40, 0.03, methods=[runs], catches=True):
        if voyage.guilty:
            harbours.setdefault(voyage.group.number, []).append(home[voyage.vessel])
    changed = [a != b for found in harbours.values() for a, b in pairwise(found[:4])]
    assert len(changed) > 10
    assert sum(changed) > 0.9 * len(changed)


def test_a_group_that_was_caught_takes_another_method_of_its_craft():
    runs = replace(BY_CODE["M17"], adapts=Adapts({"method": 0.999}, (0, 1)))
    methods = [runs, BY_CODE["M19"], BY_CODE["M14"]]
    used = {}
    for _, voyage in sailed(60, 0.03, methods=methods, catches=True):
        if voyage.guilty:
            used.setdefault(voyage.group.number, []).append(voyage.scheme.code)
    moved = [codes for codes in used.values() if len(set(codes)) > 1]
    assert moved
    assert {code for codes in moved for code in codes} == {"M17", "M19"}


def test_no_schemes_at_sea_no_voyages():
    assert not sailed(10, 0.05, methods=[])
