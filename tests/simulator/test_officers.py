"""Inspectors find what is there with the chance of their control, and nothing else."""

from isthmus.simulator import schemes
from isthmus.simulator.officers import Officers

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
