"""Which units there are, whatever came in which order; on both databases."""

from dataclasses import replace

import pytest
from intake_samples import (
    BOXES,
    at,
    changed,
    consignment,
    declaration,
    event,
    manifest,
)

from isthmus.cargo.model import Consignment, Container, Function
from isthmus.cargo.unit import UnitState

A, B, C, _ = BOXES


def test_a_bill_makes_a_unit_for_each_of_its_boxes(port):
    port.take(consignment("B1", A, B))
    assert set(port.standing()) == {(A, "B1", None), (B, "B1", None)}


def test_a_bill_without_boxes_is_a_unit_until_they_are_known(port):
    port.take(consignment("B1"))
    (before,) = port.standing().values()
    assert (before.kind, before.container) == ("consignment", None)
    port.take(changed(consignment("B1", A)))
    ((key, unit),) = port.standing().items()
    assert key == (A, "B1", None)
    assert (unit.id, unit.kind, unit.version) == (before.id, "container", 2)


@pytest.mark.parametrize("master_last", [False, True])
def test_houses_take_over_from_their_master(port, master_last):
    master = consignment("MB", A, B)
    houses = [consignment("H1", A, master_bill="MB"), consignment("H2", A, master_bill="MB")]
    for record in [*houses, master] if master_last else [master, *houses]:
        port.take(record)
    assert set(port.standing()) == {(A, "H1", None), (A, "H2", None), (B, "MB", None)}
    lapsed = [unit for unit in port.units() if unit.state == UnitState.SUPERSEDED]
    assert len(lapsed) == (0 if master_last else 1)
    if lapsed:
        assert lapsed[0].superseded_by == port.standing()[A, "H1", None].id


def test_the_master_stands_again_when_its_houses_are_cancelled(port):
    house = consignment("H1", A, master_bill="MB")
    port.take(consignment("MB", A))
    (first,) = port.units()
    port.take(house)
    port.take(changed(house, Function.CANCEL))
    assert port.standing()[A, "MB", None].id == first.id
    assert {unit.state for unit in port.units() if unit.bill == "H1"} == {UnitState.CANCELLED}


def test_a_house_that_changes_its_master_gives_the_box_back(port):
    house = consignment("H1", A, master_bill="MB")
    port.take(consignment("MB", A), house)
    port.take(changed(house, master_bill="OTHER"))
    assert set(port.standing()) == {(A, "MB", None), (A, "H1", None)}


def test_bills_that_name_each_other_in_a_ring_hide_nothing(port):
    ring = [("X", "Y"), ("Y", "Z"), ("Z", "X")]
    for bill, master in ring:
        port.take(consignment(bill, A, master_bill=master))
    assert {bill for _, bill, _ in port.standing()} == {"X", "Y", "Z"}


def test_a_change_adds_and_takes_away_boxes(port):
    port.take(consignment("B1", A, B))
    taken = port.take(changed(consignment("B1", B, C)))
    assert (taken.accepted, taken.new_versions) == (1, 1)
    assert set(port.standing()) == {(B, "B1", None), (C, "B1", None)}
    (gone,) = [unit for unit in port.units() if unit.container == A]
    assert gone.state == UnitState.CANCELLED
    assert gone.description == "FRESH BANANAS", "it keeps what it said when it lapsed"


def test_a_cancelled_manifest_takes_its_units_with_it(port):
    port.take(consignment("B1", A), consignment("B2", B))
    port.take(manifest("M1", Function.CANCEL, issued_at=at(-1)))
    assert port.standing() == {}
    assert {unit.state for unit in port.units()} == {UnitState.CANCELLED}


def test_a_box_declared_on_a_cancelled_bill_is_still_the_declarations(port):
    port.take(consignment("B1", A), declaration("D1", A, bills=("B1",)))
    port.take(manifest("M1", Function.CANCEL, issued_at=at(-1)))
    assert set(port.standing()) == {(A, "B1", "D1")}


def test_arrival_and_departure_of_one_box_are_one_unit(port):
    out = manifest(
        "OUT", direction="departure", arrival_at=None, departure_at=at(5), cutoff_at=at(4.5)
    )
    port.take(consignment("B1", A))
    port.take(consignment("B1", A, head=out, place_transhipment="PABLB", place_discharge="NLRTM"))
    (unit,) = port.standing().values()
    assert (unit.arrival_at, unit.departure_at) == (at(0), at(5))
    assert unit.cutoff_at == unit.deadline_at == at(4.5)
    assert unit.documents == 2


def test_one_of_two_reports_cancelled_leaves_the_unit(port):
    out = manifest("OUT", direction="departure", arrival_at=None, departure_at=at(5))
    port.take(consignment("B1", A), consignment("B1", A, head=out))
    port.take(manifest("OUT", Function.CANCEL, issued_at=at(-1)))
    (unit,) = port.standing().values()
    assert (unit.departure_at, unit.arrival_at) == (None, at(0))


@pytest.mark.parametrize("named", ["box", "bill", "both"])
@pytest.mark.parametrize("declared_first", [False, True])
def test_a_declaration_joins_by_box_and_by_bill(port, named, declared_first):
    boxes = () if named == "bill" else (A,)
    bills = () if named == "box" else ("B1",)
    said = declaration("D1", *boxes, bills=bills)
    told = [consignment("B1", A), said]
    for record in reversed(told) if declared_first else told:
        port.take(record)
    ((key, unit),) = port.standing().items()
    assert key == (A, "B1", "D1")
    assert unit.kind == "container"
    assert len(port.units()) == 1, "the row of the first is kept"
    assert (unit.gross_kg, unit.net_kg) == (None, 17000.0), "goods lines as declared"


def test_a_declaration_alone_is_a_unit_by_itself(port):
    port.take(declaration("D1"), declaration("D2", bills=("B9",)))
    assert set(port.standing()) == {(None, None, "D1"), (None, "B9", "D2")}
    assert {unit.kind for unit in port.units()} == {"declaration"}


def test_a_declaration_of_several_bills_joins_each_when_its_manifest_comes(port):
    port.take(declaration("D1", bills=("B1", "B2")))
    port.take(consignment("B2", B, head=manifest("M2")))
    assert set(port.standing()) == {(B, "B2", "D1")}
    port.take(consignment("B1", A))
    assert set(port.standing()) == {(A, "B1", "D1"), (B, "B2", "D1")}


def test_a_declaration_of_a_master_goes_to_the_houses_that_none_else_declares(port):
    port.take(declaration("DM", bills=("MB",)))
    port.take(consignment("MB", A), consignment("H1", A, master_bill="MB"))
    port.take(consignment("H2", A, master_bill="MB"))
    assert set(port.standing()) == {(A, "H1", "DM"), (A, "H2", "DM")}
    port.take(declaration("D2", bills=("H2",)))
    assert set(port.standing()) == {(A, "H1", "DM"), (A, "H2", "D2")}


def test_a_declaration_tells_the_boxes_of_a_bill_without(port):
    port.take(consignment("B1"), declaration("D1", A, bills=("B1",)))
    assert set(port.standing()) == {(A, "B1", "D1")}


def test_two_declarations_of_one_box_are_two_units(port):
    port.take(consignment("B1", A))
    (before,) = port.units()
    port.take(declaration("D1", A))
    port.take(declaration("D2", A, bills=("B1",)))
    standing = port.standing()
    assert set(standing) == {(A, "B1", "D1"), (A, "B1", "D2")}
    assert standing[A, "B1", "D1"].id == before.id


def test_a_cancelled_declaration_leaves_the_box_and_stays_seen(port):
    port.take(consignment("B1", A), declaration("D1", A))
    port.take(declaration("D1", A, function=Function.CANCEL))
    ((key, unit),) = port.standing().items()
    assert key == (A, "B1", "D1")
    assert unit.net_kg is None
    assert unit.amendments == 1
    port.take(declaration("D2", A))
    assert set(port.standing()) == {(A, "B1", "D2")}
    assert len(port.units()) == 1


def test_a_cancelled_declaration_alone_is_cancelled(port):
    port.take(declaration("D1"))
    port.take(declaration("D1", function=Function.CANCEL))
    assert [unit.state for unit in port.units()] == [UnitState.CANCELLED]


def test_an_amendment_moves_a_declaration_to_another_box(port):
    port.take(consignment("B1", A), consignment("B2", B))
    port.take(declaration("D1", bills=("B1",)))
    port.take(declaration("D1", bills=("B2",), function=Function.CHANGE))
    assert set(port.standing()) == {(A, "B1", None), (B, "B2", "D1")}
    assert len(port.units()) == 2


def test_events_before_the_manifest_count(port):
    port.take(event("DISC", A, 0), event("isth:yard_move", A, 0.1))
    assert port.units() == []
    port.take(consignment("B1", A))
    (unit,) = port.standing().values()
    assert (unit.yard_moves, unit.arrival_at, unit.terminal) == (1, at(0), "PABLB1")


def test_a_box_that_left_closes_and_a_haul_between_terminals_opens_again(port):
    port.take(consignment("B1", A), event("DISC", A, 0), event("GTOT", A, 1))
    (unit,) = port.standing().values()
    assert (unit.state, unit.gate_out_at) == (UnitState.CLOSED, at(1))
    port.take(event("GTIN", A, 1.1, terminal="PABLB2"))
    (unit,) = port.standing().values()
    assert (unit.state, unit.gate_out_at, unit.terminal) == (UnitState.OPEN, None, "PABLB2")


def test_an_empty_return_is_not_the_consignments(port):
    port.take(consignment("B1", A), event("DISC", A, 0), event("GTOT", A, 1))
    port.take(event("GTIN", A, 2, empty=True), event("isth:yard_move", A, 2.1))
    (unit,) = port.standing().values()
    assert (unit.state, unit.gate_out_at, unit.empty) == (UnitState.CLOSED, at(1), None)
    assert unit.yard_moves == 0


@pytest.mark.parametrize("days", [20, 60])
def test_a_box_on_a_later_voyage_is_another_unit_without_the_old_events(port, days):
    port.take(consignment("B1", A))
    port.take(event("DISC", A, 0), event("isth:yard_move", A, 0.5), event("GTOT", A, 1))
    later = manifest("M9", arrival_at=at(days), issued_at=at(days - 2))
    port.take(consignment("B9", A, head=later))
    old, new = port.standing()[A, "B1", None], port.standing()[A, "B9", None]
    assert (new.state, new.yard_moves, new.gate_out_at) == (UnitState.OPEN, 0, None)
    port.take(event("DISC", A, days + 0.1), event("GTOT", A, days + 2))
    unit = port.standing()[A, "B9", None]
    assert (unit.arrival_at, unit.gate_out_at) == (at(days + 0.1), at(days + 2))
    assert port.standing()[A, "B1", None].version == old.version, "the first is left alone"


def test_a_declaration_of_a_box_alone_joins_the_voyage_nearest_to_it(port):
    later = manifest("M9", arrival_at=at(30), issued_at=at(28))
    port.take(consignment("B1", A), consignment("B9", A, head=later))
    port.take(declaration("D1", A, lodged_at=at(29)), declaration("D2", A, lodged_at=at(200)))
    assert set(port.standing()) == {(A, "B1", None), (A, "B9", "D1"), (A, None, "D2")}


def test_an_event_of_another_bill_in_the_box_is_not_ones_own(port):
    port.take(consignment("H1", A), consignment("H2", A))
    port.take(event("DISC", A, 0), event("isth:release_right_transfer", A, 1, bill="H1"))
    standing = port.standing()
    assert standing[A, "H1", None].release_transfers == 1
    assert standing[A, "H2", None].release_transfers == 0


def test_goods_released_before_are_audited_after_they_left(port):
    port.take(consignment("B1", A), event("DISC", A, 0), event("GTOT", A, 1))
    port.take(declaration("D1", bills=("B1",), supplementary=True))
    (unit,) = port.standing().values()
    assert (unit.state, unit.supplementary, unit.deadline_at) == (UnitState.OPEN, True, None)


def test_the_same_again_changes_no_unit(port):
    told: list = [consignment("B1", A, B), declaration("D1", A), event("DISC", A, 0)]
    port.take(*told)
    before = port.units()
    again = port.take(*told)
    assert (again.received, again.duplicates) == (3, 3)
    assert port.units() == before


def test_a_changed_consignee_is_counted_with_the_hours_left(port):
    clock = port.database.clock
    clock.moment = at(-3)
    record = consignment("B1", A)
    port.take(record)
    clock.moment = at(-1)
    names = ("Otra S.A.", "Frutas del Istmo")
    for name in names:
        (party,) = record.parties
        record = changed(record, parties=(replace(party, name=name),))
        port.take(record)
    (unit,) = port.standing().values()
    assert (unit.consignee_changes, unit.amendments) == (2, 2), "there and back is two"
    assert unit.last_amendment_hours == 24


def test_a_declared_box_weight_beats_the_bills(port):
    record: Consignment = consignment("B1", A, B)
    boxes = (Container(A, gross_kg=1200), replace(record.containers[1], gross_kg=None))
    port.take(replace(record, containers=boxes))
    assert port.standing()[A, "B1", None].gross_kg == 1200.0
    assert port.standing()[B, "B1", None].gross_kg == 18000.0
