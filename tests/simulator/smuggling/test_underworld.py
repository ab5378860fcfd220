"""Groups use a set share of trade, keep a rhythm, trade lawfully too, and adapt when caught."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lived_days import START, live

from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.scheme import FRONT, SHIPMENT, Adapts, By, Starts

BY_CODE = {scheme.code: scheme for scheme in schemes.shipped()}


@pytest.fixture(scope="module")
def lived():
    return live(6000, 45, 0.04)


@pytest.fixture(scope="module")
def caught():
    return live(5000, 60, 0.04, catches=True)


def seen(lived):
    """What was planted, in order, as plain values."""
    return [
        (day, e.shipment.bill, e.scheme.code, e.kind, e.kilograms, tuple(e.left), e.adapted)
        for day, e in lived.planted
    ]


def test_the_same_seed_plants_the_same_and_another_does_not():
    one, again, other = (live(400, 10, 0.05, seed=seed) for seed in (3, 3, 4))
    assert seen(one) == seen(again) != seen(other)
    assert [(v.vessel, v.acts) for v in one.voyages] == [(v.vessel, v.acts) for v in again.voyages]


def test_the_share_used_is_the_rate(lived):
    assert len(lived.guilty) / len(lived.shipments) == pytest.approx(0.04, rel=0.06)
    assert not live(300, 10, 0).planted


@settings(max_examples=4, deadline=None)
@given(rate=st.sampled_from([0.002, 0.01, 0.03, 0.1]), seed=st.integers(1, 99))
def test_any_rate_is_met_within_what_schemes_may_owe(rate, seed):
    lived = live(800, 14, rate, seed=seed)
    assert abs(len(lived.guilty) - rate * len(lived.shipments)) < 14


def test_schemes_share_it_by_weight(lived):
    counts = Counter(entry.scheme.code for entry in lived.guilty)
    on_shipments = [s for s in schemes.shipped() if s.uses == SHIPMENT]
    assert set(counts) == {scheme.code for scheme in on_shipments}
    whole = sum(scheme.weight for scheme in on_shipments)
    for scheme in on_shipments:
        if not scheme.starts.day and not scheme.starts.growth:
            share = counts[scheme.code] / len(lived.guilty)
            assert share == pytest.approx(scheme.weight / whole, rel=0.35), scheme.code


def test_a_shipment_is_chosen_once_and_fits_its_scheme(lived):
    chosen = Counter(id(entry.shipment) for _, entry in lived.planted)
    assert set(chosen.values()) == {1}


def test_look_alikes_are_lawful_and_leave_the_traces_of_their_scheme(lived):
    lawful = [entry for _, entry in lived.planted if entry.kind == "look_alike"]
    assert len(lawful) > 3 * len(lived.guilty)
    assert all(entry.kilograms == 0 and entry.group is None for entry in lawful)
    assert sum(bool(entry.left) for entry in lawful) / len(lawful) > 0.7


def test_every_trace_that_crime_leaves_is_left_by_lawful_trade_more_often(lived):
    left = {True: Counter(), False: Counter()}
    for _, entry in lived.planted:
        left[entry.guilty].update(entry.left)
    for name, count in left[True].items():
        if count >= 10:
            assert left[False][name] > count, name


def test_no_actor_of_twenty_shipments_is_nearly_always_guilty(lived):
    guilty = {id(entry.shipment) for entry in lived.guilty}
    for role in ("shipper", "consignee", "forwarder"):
        rows = {}
        for shipment in lived.shipments:
            if (trader := getattr(shipment, role)) is not None:
                rows.setdefault(trader.name, []).append(id(shipment) in guilty)
        assert max(sum(r) / len(r) for r in rows.values() if len(r) >= 20) < 0.5


def test_fronts_trade_lawfully_as_well_and_are_given_up(lived):
    covers = Counter(e.scheme.code for _, e in lived.planted if e.kind == "cover")
    used = Counter(entry.scheme.code for entry in lived.guilty)
    for code, scheme in BY_CODE.items():
        if scheme.uses == SHIPMENT and scheme.by.who == FRONT and used[code] >= 10:
            assert covers[code] > 0.4 * scheme.by.lawful * used[code], code
        elif scheme.uses == SHIPMENT and scheme.by.who != FRONT:
            assert not covers[code]
    firms = Counter(
        getattr(entry.shipment, role).name
        for entry in lived.guilty
        if entry.scheme.by.who == FRONT
        for role in entry.scheme.by.roles
        if getattr(entry.shipment, role) is not None
    )
    assert 1 < max(firms.values()) <= 8


def test_a_group_tests_its_way_before_it_uses_it():
    scheme = replace(BY_CODE["M13"], by=replace(BY_CODE["M13"].by, tests=(2, 2)))
    lived = live(1500, 40, 0.02, methods=[scheme])
    first = {}
    for day, entry in lived.planted:
        if entry.group is not None:
            first.setdefault(entry.group.number, {}).setdefault(entry.kind, day)
    begun = [days for days in first.values() if "planted" in days]
    assert len(begun) > 5
    assert all(days["planted"] - days["cover"] >= timedelta(days=3) for days in begun)


def test_a_group_rests_between_its_shipments():
    scheme = replace(BY_CODE["M9"], by=By(every=(5, 6)))
    lived = live(1500, 30, 0.02, methods=[scheme])
    days = {}
    for day, entry in lived.planted:
        if entry.guilty:
            days.setdefault(entry.group.number, []).append(day)
    gaps = [b - a for found in days.values() for a, b in pairwise(found)]
    assert gaps
    assert min(gaps) >= timedelta(days=5)


def test_a_scheme_starts_on_its_day_and_grows():
    late = replace(BY_CODE["M9"], code="LATE", starts=Starts(day=20))
    lived = live(1500, 30, 0.04, methods=[BY_CODE["M9"], late])
    first = min(day for day, e in lived.planted if e.scheme.code == "LATE" and e.guilty)
    assert first >= (START + timedelta(days=20)).date()
    assert Starts(day=10, growth=0.5).weight(2, timedelta(days=40)) == pytest.approx(3)
    assert Starts(growth=-1).weight(2, timedelta(days=60)) == 0


# -- adapting -------------------------------------------------------------------------------


def test_nothing_changes_while_nothing_is_found(lived):
    assert not any(entry.adapted for entry in lived.guilty)


def test_groups_adapt_in_every_way_once_they_are_caught(caught):
    changes = Counter(change for entry in caught.guilty for change in set(entry.adapted))
    assert set(changes) == {"route", "commodity", "trader", "method"}
    by_group = {}
    for _, entry in caught.planted:
        if entry.guilty:
            by_group.setdefault(entry.group.number, []).append(entry)
    moved = [found for found in by_group.values() if len({e.scheme.code for e in found}) > 1]
    assert moved, "no group went over to another method"
    for found in moved:
        assert len({(e.scheme.objective, e.scheme.goods) for e in found}) == 1


def test_a_group_that_leaves_its_route_ships_from_elsewhere():
    scheme = replace(BY_CODE["M9"], adapts=Adapts({"route": 0.999}, (0, 1)), by=By(every=(2, 4)))
    lived = live(2500, 30, 0.02, methods=[scheme], catches=True)
    ports = {}
    for _, entry in lived.planted:
        if entry.guilty:
            ports.setdefault(entry.group.number, []).append(entry.shipment.port_of_loading)
    pairs = [p for found in ports.values() for p in pairwise(found)]
    assert sum(a != b for a, b in pairs) > 0.9 * len(pairs) > 10


def test_a_group_that_gives_up_its_traders_opens_other_companies():
    by = By("front", ("consignee",), every=(2, 4), lawful=0.5)
    scheme = replace(BY_CODE["M9"], by=by, adapts=Adapts({"trader": 0.999}, (0, 1)))
    lived = live(2500, 30, 0.02, methods=[scheme], catches=True)
    firms = Counter(entry.shipment.consignee.name for entry in lived.guilty)
    assert max(firms.values()) <= 2


def test_a_scheme_from_outside_is_planted_and_leaves_its_traces(tmp_path):
    text = (
        "code: X1\n"
        "name: {es: Prueba, en: Trial, fr: Essai, nl: Proef, pt: Ensaio}\n"
        "source: a test\nbasis: domain\nobjective: contraband\nweight: 1000\n"
        "by: {who: trader}\nwhere: {regimes: [import]}\n"
        "carries: {goods: wildlife, kilograms: [5, 20], zone: in_load}\n"
        "traces: {to_order: 0.9}\n"
        "confusers: [{why: sold at sea, each: 1, traces: {to_order: 1}}]\n"
        "adapts: {}\nfound_by: {physical_full: 0.8}\n"
    )
    (tmp_path / "x1.yaml").write_text(text, encoding="utf-8")
    lived = live(600, 14, 0.03, methods=schemes.gathered([tmp_path]))
    found = [entry for entry in lived.guilty if entry.scheme.code == "X1"]
    assert len(found) > 5
    assert all(5 <= entry.kilograms <= 20 for entry in found)
    shown = [entry for entry in found if "to_order" in entry.left]
    assert len(shown) > len(found) / 2
    assert all(entry.shipment.ordered for entry in shown)
