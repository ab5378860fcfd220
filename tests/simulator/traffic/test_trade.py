"""Calls, traders and shipments: sound for any seed and moment."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_traffic import WORLD, drawn

from isthmus.cargo.model import Regime
from isthmus.reference.check_digits import container_number_valid
from isthmus.reference.places import place_known
from isthmus.simulator.dice import Dice, Odds
from isthmus.simulator.traffic.boxes import AWAY, Boxes
from isthmus.simulator.traffic.calls import calls
from isthmus.simulator.traffic.life import Port
from isthmus.simulator.traffic.trade import LONGEST_STAY, SHORTEST_STAY


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 2**40),
    st.integers(0, 90 * 365 * 24 * 60),
)
def test_every_shipment_is_possible(seed, minutes):
    start = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    shipments = drawn(seed, start)
    assert len(shipments) == 60
    Port.open(WORLD, seed).live(shipments)
    for shipment in shipments:
        assert place_known(shipment.origin)
        assert place_known(shipment.discharge)
        for box in shipment.boxes:
            assert container_number_valid(box.number)
            assert box.gross >= 0
            assert box.weighs < 36_000
        for load in shipment.loads:
            assert 0 < load.net <= load.gross
        if shipment.regime is Regime.TRANSHIPMENT:
            stay = shipment.departure.departure - shipment.arrival.arrival
            assert SHORTEST_STAY <= stay <= LONGEST_STAY
        moves = [move.at for move in shipment.moves if move.container == shipment.box.number]
        assert moves == sorted(moves)
        call = shipment.arrival or shipment.departure
        assert all(at > call.arrival - timedelta(days=5) for at in moves)


def test_bills_and_boxes_are_given_out_once():
    shipments = drawn(11, datetime(2026, 9, 1, tzinfo=UTC), 300)
    bills = [shipment.bill for shipment in shipments]
    assert len(set(bills)) == len(bills)
    masters = {shipment.master for shipment in shipments if shipment.master}
    assert masters
    assert not masters & set(bills)
    for master in masters:
        houses = [shipment for shipment in shipments if shipment.master == master]
        assert len({id(house.box) for house in houses}) == 1
        assert houses[0].box.gross == sum(house.loads[0].gross for house in houses)


def test_a_few_traders_are_busy_and_most_are_not():
    shipments = drawn(11, datetime(2026, 9, 1, tzinfo=UTC), 1200)
    shippers = {}
    for shipment in shipments:
        if shipment.shipper:
            shippers[shipment.shipper.name] = shippers.get(shipment.shipper.name, 0) + 1
    counts = sorted(shippers.values(), reverse=True)
    assert counts[0] > 8 * counts[len(counts) // 2]
    assert len(counts) > 50


def test_services_call_weekly_at_their_own_terminal():
    start = datetime(2026, 9, 1, tzinfo=UTC)
    made = calls(WORLD, 2, start, 28)
    by_service = {}
    for call in made:
        by_service.setdefault(call.service.code, []).append(call)
    assert set(by_service) == {service.code for service in WORLD.services}
    for found in by_service.values():
        assert 3 <= len(found) <= 5
        assert all(c.told < c.arrival < c.departure and c.listed < c.cutoff for c in found)


@given(st.integers(), st.text(max_size=5))
def test_dice_repeat_themselves_and_topics_are_apart(seed, topic):
    first, again, other = Dice(seed, topic), Dice(seed, topic), Dice(seed, topic, "other")
    drawn_ = [first.between(0, 1) for _ in range(5)]
    assert drawn_ == [again.between(0, 1) for _ in range(5)]
    assert drawn_ != [other.between(0, 1) for _ in range(5)]


def test_weights_are_kept():
    dice = Dice(1, "weights")
    found = [dice.weighed({"a": 3.0, "b": 1.0, "c": 0.0}) for _ in range(4000)]
    assert 0.70 < found.count("a") / 4000 < 0.80
    assert "c" not in found


@given(
    st.dictionaries(st.integers(), st.integers(0, 9), min_size=1).filter(lambda w: any(w.values())),
    st.floats(0, 1, exclude_max=True),
)
def test_odds_draw_only_what_has_weight(weights, share):
    odds = Odds(weights)
    assert odds.whole == pytest.approx(sum(weights.values()))
    assert weights[odds.at(share)] > 0


def test_what_leaves_the_free_zone_is_taken_from_a_lot():
    shipments = drawn(4, datetime(2026, 9, 1, tzinfo=UTC), 2500)
    out = [s for s in shipments if s.regime is Regime.FREE_ZONE_OUT]
    entered = {s.lot.number: s for s in shipments if s.regime is Regime.FREE_ZONE_IN}
    taken: dict[str, int] = {}
    for shipment in out:
        lot = shipment.lot
        assert shipment.shipper is lot.owner
        assert shipment.goods is lot.goods
        taken[lot.number] = taken.get(lot.number, 0) + sum(load.net for load in shipment.loads)
    assert all(taken[s.lot.number] <= s.lot.entered for s in out)
    assert any(number in entered for number in taken)
    for shipment in entered.values():
        assert shipment.lot.entered == sum(load.net for load in shipment.loads)


def test_boxes_come_back_weeks_later_as_they_were():
    boxes, first = Boxes(1), datetime(2026, 9, 1, tzinfo=UTC)
    seen: dict[str, tuple[datetime, int]] = {}
    back = 0
    for hour in range(3000):
        at = first + timedelta(hours=hour)
        box = boxes.take(("QIAU",), "45G1", 3900, at)
        assert container_number_valid(box.number)
        if box.number in seen:
            last, tare = seen[box.number]
            assert at - last >= AWAY
            assert tare == box.tare
            back += 1
        seen[box.number] = at, box.tare
    assert 300 < back < 1200
