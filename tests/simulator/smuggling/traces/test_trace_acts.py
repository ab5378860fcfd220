"""Each trace shows where it says it shows, and leaves alone what it cannot show in."""

from collections import Counter
from copy import copy
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from lived_days import START, live

from isthmus.cargo.model import Regime
from isthmus.simulator.smuggling.groups import Hand
from isthmus.simulator.smuggling.traces import ON_MOVES, ON_PAPERS
from isthmus.simulator.smuggling.traces.kit import fetched_move, of_first

EVERY = {**ON_PAPERS, **ON_MOVES}


@pytest.fixture(scope="module")
def lawful():
    """Shipments of a world without crime."""
    return live(900, 14, 0)


@pytest.fixture
def act(lawful):
    """Do an act on copies of all shipments; returns those in which it was left, with before."""

    def done(name, kilograms=300.0, hand=None):
        lawful.kit.hand, lawful.kit.others = hand or Hand(), lawful.shipments
        left = []
        for before in lawful.shipments:
            after = another(before)
            if EVERY[name](after, lawful.kit, kilograms):
                left.append((before, after))
        assert left, f"nothing shows {name}"
        return left

    return done


def another(shipment):
    """A copy whose boxes, loads and moves may change."""
    return replace(
        shipment,
        boxes=[replace(box, seals=list(box.seals)) for box in shipment.boxes],
        loads=[replace(load) for load in shipment.loads],
        moves=list(shipment.moves),
        lot=copy(shipment.lot),
    )


def unchanged(shipment):
    return (shipment.text, shipment.hs, shipment.value, len(shipment.moves), shipment.box.gross)


@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_trace_can_be_left_and_says_so_when_it_cannot(lawful, name):
    lawful.kit.hand, lawful.kit.others = Hand(), lawful.shipments
    refused = 0
    for before in lawful.shipments[:300]:
        after = another(before)
        if not EVERY[name](after, lawful.kit, 100):
            refused += 1
            assert unchanged(after) == unchanged(before)
    assert refused < 300 or name in ("more_out_than_in", "under_threshold")


@pytest.mark.parametrize("name", sorted(EVERY))
def test_every_trace_says_in_one_sentence_what_shows(name):
    first = EVERY[name].__doc__.splitlines()[0]
    assert first[0].isupper()
    assert first.endswith(".")


# -- goods ----------------------------------------------------------------------------------


def test_what_is_hidden_shows_on_the_scale(act):
    for before, after in act("heavier", 300):
        assert after.box.weighs == before.box.weighs + 300
        assert after.box.scaled


def test_values_are_off_both_ways_and_never_below_a_cent(act):
    for before, after in act("cheap"):
        assert 0 < after.value < before.value * Decimal("0.51")
        assert after.exported == before.exported, "where it came from the value was another"
    for before, after in act("dear"):
        assert after.value > before.value * Decimal("1.89")
    for _, after in act("round_value"):
        assert after.value % 1000 == 0
    for _, after in act("under_threshold"):
        assert 900 < after.value < 1000


def test_an_invoice_that_is_used_again_is_the_same_to_the_cent(act, lawful):
    values = {(s.goods.code, s.value) for s in lawful.shipments if s.goods}
    for _, after in act("invoiced_again"):
        assert (after.goods.code, after.value) in values


def test_packages_and_masses_part_ways(act):
    for before, after in act("packages_off"):
        if before.loads[0].packages > 10:
            assert after.loads[0].packages != before.loads[0].packages
        assert after.loads[0].net == before.loads[0].net
    for before, after in act("density_off"):
        assert after.loads[0].packages == before.loads[0].packages
        assert after.loads[0].net != before.loads[0].net
    for before, after in act("small_lot"):
        assert after.loads[0].net < before.loads[0].net * 0.31 + 1
        assert after.value < before.value


def test_the_box_holds_what_its_loads_say(act):
    for name in ("small_lot", "density_off", "more_out_than_in"):
        for before, after in act(name):
            if not before.master:
                held = [
                    (b.gross, load.gross) for b, load in zip(after.boxes, after.loads, strict=True)
                ]
                assert all(box == load for box, load in held), name


def test_the_free_zone_sends_out_more_than_came_in_or_something_else(act):
    for before, after in act("more_out_than_in"):
        taken = before.lot.entered - before.lot.left
        more = sum(x.net for x in after.loads) - sum(x.net for x in before.loads)
        assert taken + more > before.lot.entered
        assert after.regime is Regime.FREE_ZONE_OUT
    for _, after in act("heading_changed_in_zone"):
        assert after.hs[:4] != after.lot.goods.hs[:4]


def test_goods_that_a_port_never_sends_are_declared_as_what_they_are(act, lawful):
    world = lawful.kit.world
    for _, after in act("foreign_goods"):
        sent = {world.goods[code].hs for code in world.regions[world.region_of(after.origin)].sends}
        assert after.hs not in sent


# -- parties --------------------------------------------------------------------------------


def test_a_new_shipper_writes_in_its_own_words_at_its_own_price(act):
    done = act("new_shipper")
    assert sum(after.text != before.text for before, after in done) > len(done) / 2
    for before, after in done:
        factor = after.shipper.price / before.shipper.price
        assert float(after.value) == pytest.approx(
            float(before.value) * factor, rel=0.001, abs=0.02
        )


def test_firms_of_one_hand_share_an_address_or_a_telephone(act):
    for name, field in (("shared_address", "address"), ("shared_telephone", "contact")):
        given = {}
        for before, after in act(name, hand=Hand()):
            assert after.consignee.name == before.consignee.name
            given.setdefault(after.consignee.country, set()).add(getattr(after.consignee, field))
        assert all(len(found) == 1 for found in given.values())


def test_a_changed_contact_leaves_the_firms_own_record_alone(act):
    for before, after in act("contact_differs"):
        assert after.consignee.name == before.consignee.name
        one, other = after.consignee, before.consignee
        assert (one.contact, one.address) != (other.contact, other.address)


def test_a_place_of_delivery_lies_where_it_makes_no_sense(act, lawful):
    for _, after in act("delivered_elsewhere"):
        assert after.delivery[:2] != after.discharge[:2]
    world = lawful.kit.world
    for _, after in act("sent_back"):
        assert after.delivery in world.regions[world.region_of(after.origin)].takes


# -- moves and rights -----------------------------------------------------------------------


def test_a_swapped_seal_is_on_no_paper(act):
    for _, after in act("seal_swapped"):
        seen = [{s.number for s in move.seals} for move in of_first(after) if move.seals]
        assert seen[-1]
        if not any(move.code == "RSEA" for move in after.moves):
            assert not seen[-1] & {seal.number for seal in after.box.seals}


def test_customs_writes_down_that_it_sealed_a_box_again(act):
    for _, after in act("seal_by_customs"):
        moves = of_first(after)
        at = next(i for i, move in enumerate(moves) if move.code == "RSEA")
        assert moves[at].seals[0].removed_by == "customs"
        later = [move.seals for move in moves[at + 1 :] if move.seals]
        assert all(seals[0].number == moves[at].seals[0].number for seals in later)


def test_a_clone_is_at_the_other_coast_minutes_later(act):
    for _, after in act("seen_elsewhere"):
        moves = sorted(after.moves, key=lambda move: move.at)
        gaps = [b.at - a.at for a, b in pairwise(moves) if a.place != b.place]
        assert min(gaps) <= timedelta(minutes=25)


def test_transfers_are_slow_or_by_night(act):
    for before, after in act("slow_transfer"):
        assert _road(after) > _road(before)
    for before, after in act("moved_at_night"):
        out = next(move for move in of_first(after) if move.code == "GTOT")
        assert 4 <= out.at.hour <= 9
        assert _road(after) == _road(before)


def _road(shipment):
    for a, b in pairwise(of_first(shipment)):
        if a.code == "GTOT" and b.code == "GTIN":
            return b.at - a.at
    raise AssertionError("it went by no road")


def test_a_landed_box_is_fetched_early_late_twice_or_unseen(act):
    for before, after in act("fetched_early"):
        assert fetched_move(after).at < max(
            fetched_move(before).at, of_first(before)[0].at + timedelta(hours=13)
        )
    for before, after in act("stood_long"):
        assert fetched_move(after).at - fetched_move(before).at >= timedelta(days=4)
    for _, after in act("gated_out_twice"):
        assert sum(move.code == "GTOT" for move in of_first(after)) >= 2
    for _, after in act("gate_unseen"):
        assert not any(move.code in ("GTIN", "GTOT") for move in of_first(after))


def test_machinery_and_repairs_are_told_in_details(act):
    for _, after in act("warm_spell"):
        told = [dict(move.detail) for move in after.moves if move.detail]
        assert any(float(d["supply_air_c"]) > after.box.set_point + 3 for d in told)
    for _, after in act("repaired"):
        assert any(dict(move.detail).get("repaired") for move in after.moves)


def test_rights_pass_late_and_are_looked_up_at_night_by_strangers_and_in_bulk(act):
    for _, after in act("passed_on_late"):
        out = fetched_move(after)
        passed = [m for m in of_first(after) if m.code == "isth:release_right_transfer"]
        assert passed[-1].haulier == out.haulier
    for before, after in act("asked_at_night"):
        asked = [m for m in after.moves if m not in before.moves]
        assert all(4 <= move.at.hour <= 9 for move in asked)
        assert len({move.user for move in asked}) == 1
    users = [
        {m.user for m in after.moves} - {m.user for m in before.moves}
        for before, after in act("asked_by_stranger", hand=Hand())
    ]
    assert len(Counter(next(iter(found)) for found in users)) == 1, "one hand, one user"


def test_a_hold_is_lifted_by_somebody_and_nobody_inspected(act):
    for _, after in act("hold_lifted"):
        codes = [move.code for move in of_first(after)]
        assert codes.index("isth:hold") < codes.index("isth:release")
        assert "CUSI" not in codes


def test_a_bulk_reading_touches_others_boxes(lawful):
    kit = lawful.kit
    kit.hand, kit.others = Hand(), [another(s) for s in lawful.shipments[:200]]
    one = next(s for s in kit.others if fetched_move(s))
    count = sum(len(s.moves) for s in kit.others)
    assert ON_MOVES["read_in_bulk"](one, kit, 0)
    touched = [s for s in kit.others if any(m.user == kit.hand.user for m in s.moves)]
    assert len(touched) > 2
    assert sum(len(s.moves) for s in kit.others) > count + 2


def test_no_move_is_before_the_world(act):
    for name in ON_MOVES:
        for _, after in act(name):
            assert all(move.at > START for move in after.moves), name
