"""Inspectors find what is there with the chance of their control, and nothing else."""

import pytest
from lived_days import live

from isthmus.reference.codelist import code_list
from isthmus.simulator import world
from isthmus.simulator.smuggling import schemes
from isthmus.simulator.smuggling.officers import Inspector, Officers, habits
from isthmus.simulator.smuggling.traces import ON_PAPERS

HIDDEN = {
    "kind": "planted",
    "container": "QIAU0000010",
    "bill": "B1",
    "method": "M1",
    "objective": "contraband",
    "goods": "cocaine",
    "kilograms": 300,
    "zone": "doors",
}
EMPTY = {**HIDDEN, "container": "QIAU0000026", "bill": None, "method": "M4"}
LOOKS_SO = {"kind": "look_alike", "container": "QIAU0000031", "bill": "B2", "method": "M1"}


def officers(seed: int = 1) -> Officers:
    return Officers([HIDDEN, EMPTY, LOOKS_SO], schemes.shipped(), seed)


def rate(container, bill, control, tries=2000):
    crew = officers()
    found = [crew.examine(container, bill, control) for _ in range(tries)]
    return sum(discovery is not None for discovery in found) / tries


def test_controls_find_with_their_own_chance():
    chances = next(s for s in schemes.shipped() if s.code == "M1").found_by
    for control in ("physical_full", "scan_xray"):
        assert abs(rate("QIAU0000010", "B1", control) - chances[control]) < 0.04
    assert rate("QIAU0000010", "B1", "documentary") == 0


def test_nothing_is_found_where_nothing_is():
    assert rate("QIAU0000031", "B2", "physical_full") == 0
    assert rate("QIAU0000010", "another bill", "physical_full") == 0
    assert rate(None, None, "physical_full") == 0


def test_an_empty_box_goes_by_its_number():
    assert rate("QIAU0000026", "MANIFEST/QIAU0000026", "physical_full") > 0.9


def test_what_is_found_is_what_was_hidden():
    crew = officers()
    found = next(filter(None, (crew.examine("QIAU0000010", "B1", "physical_full") for _ in "abc")))
    assert (found.goods, found.kilograms, found.zone) == ("cocaine", 300, "doors")


# -- the inspector of a run -----------------------------------------------------------------


@pytest.fixture(scope="module")
def lived():
    return live(6000, 30, 0.05)


def test_few_are_inspected_and_all_by_a_control_and_with_a_result_that_exist(lived):
    share = len(lived.inspections) / len(lived.shipments)
    usual = sum(lived.kit.world.inspected[s.regime.value] for s in lived.shipments)
    assert 0.8 < len(lived.inspections) / usual < 1.5
    assert share < 0.04
    for _, _, inspection in lived.inspections:
        assert inspection.control in code_list("control_types")
        assert inspection.result in code_list("inspection_results")


def test_only_what_is_there_is_found(lived):
    found = [(entry, made) for _, entry, made in lived.inspections if made.discovery]
    assert found
    for entry, made in found:
        assert entry.guilty
        assert made.discovery.kilograms == entry.kilograms
        assert made.discovery.goods == entry.scheme.goods
        assert made.result != "no_irregularity"
        assert entry.scheme.found_by[made.control] > 0


def test_lawful_goods_have_irregularities_and_false_alarms_too(lived):
    lawful = [m.result for _, entry, m in lived.inspections if entry is None or not entry.guilty]
    assert {"no_irregularity", "documentary_irregularity"} <= set(lawful)
    assert "seizure" not in lawful
    assert lawful.count("no_irregularity") / len(lawful) > 0.6


def test_a_box_is_inspected_while_it_is_here_and_as_the_port_tells(lived):
    for shipment, _, made in lived.inspections:
        moments = sorted(move.at for move in shipment.moves) or [shipment.reported]
        assert moments[0] <= made.at <= moments[-1]
        codes = {move.code for move in shipment.moves}
        if shipment.goods is not None and made.control.startswith("physical"):
            assert codes & {"CUSI", "RSEA"}
        if made.control.startswith("scan"):
            assert codes & {"CUSS", "isth:scan"}


def test_what_papers_show_makes_an_inspection_likelier_for_anybody(lived):
    shown = {True: [0, 0], False: [0, 0]}
    inspected = {id(shipment) for shipment, _, _ in lived.inspections}
    by_shipment = {id(entry.shipment): entry for _, entry in lived.planted}
    inspector = Inspector(lived.kit.world, schemes.shipped(), 9)
    for shipment in lived.shipments:
        entry = by_shipment.get(id(shipment))
        odd = entry is not None and any(name in ON_PAPERS for name in entry.left)
        for _ in range(6):
            shown[odd][1] += 1
            shown[odd][0] += inspector.inspect(shipment, entry) is not None
    assert inspected
    assert shown[True][0] / shown[True][1] > 1.2 * shown[False][0] / shown[False][1]


def test_every_weight_and_chance_of_officers_names_what_exists():
    said = habits()
    for weights in said["controls"].values():
        assert set(weights) <= set(code_list("control_types").codes())
    for control, results in said["otherwise"].items():
        assert control in code_list("control_types")
        assert set(results) <= set(code_list("inspection_results").codes())
        assert sum(results.values()) < 1


def test_vessels_are_boarded_and_only_what_is_aboard_is_found():
    voyages = live(800, 60, 0.1).voyages
    inspector = Inspector(world.load(), schemes.shipped(), 3)
    boarded = [(v, made) for v in voyages * 20 if (made := inspector.board(v)) is not None]
    assert 0.04 < len(boarded) / len(voyages * 20) < 0.08
    assert {bool(made.discovery) for v, made in boarded if v.guilty} == {True, False}
    assert not any(made.discovery for v, made in boarded if not v.guilty)
    assert all(made.at >= max(act.moment for act in v.acts) for v, made in boarded)
