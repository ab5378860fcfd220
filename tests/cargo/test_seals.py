"""Seals over the events of a box, and a number at two places."""

import pytest
from intake_samples import BOXES, event

from isthmus.cargo import seals
from isthmus.cargo.model import Seal

A = BOXES[0]
ONE, TWO = Seal("S1"), Seal("S2")


def _at(code: str, hours: float, *numbers: Seal):
    return event(code, A, hours / 24, seals=numbers)


@pytest.mark.parametrize(
    ("declared", "events", "changes"),
    [
        ((), [], (0, 0)),
        ((ONE,), [_at("GTIN", 0, ONE)], (0, 0)),
        ((ONE,), [_at("GTIN", 0, TWO)], (1, 1)),
        ((ONE,), [_at("GTIN", 0, ONE, TWO)], (0, 0)),
        ((ONE,), [_at("INSP", 0), _at("GTOT", 72, TWO)], (1, 0)),
        ((ONE,), [_at("INSP", 0), _at("GTOT", 73, TWO)], (1, 1)),
        ((ONE,), [_at("isth:scan", 0), _at("RSEA", 1, TWO)], (1, 0)),
        ((ONE,), [_at("RMVD", 0, Seal("S1", removed_by="customs"))], (1, 0)),
        ((ONE,), [_at("GTIN", 0, TWO), _at("GTOT", 1, ONE)], (2, 2)),
        ((), [_at("GTIN", 0, ONE)], (0, 0)),
    ],
)
def test_changes_of_seals_and_those_nobody_explains(declared, events, changes):
    assert seals.changes(declared, events) == changes


def test_no_lorry_is_that_fast():
    there = event("GTOT", A, 0, place="PABLB")
    assert seals.two_places([there, event("GTIN", A, 0.1, place="NLRTM")])
    assert not seals.two_places([there, event("GTIN", A, 0.1, place="PAONX")])
    assert not seals.two_places([there, event("GTIN", A, 30, place="NLRTM")])
    assert not seals.two_places([there, event("GTIN", A, 0.1, place="QQQQQ")])


def test_kilometres():
    assert seals.kilometres("NLRTM", "BEANR") == pytest.approx(78, abs=15)
    assert seals.kilometres("NLRTM", "QQQQQ") is None
