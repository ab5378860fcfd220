"""What a table says of a box's moves is what the moves say, and nothing after the deadline."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sample_traffic import START, WORLD, drawn

from isthmus.cargo.model import Regime, Seal
from isthmus.simulator.traffic.life import Port
from isthmus.simulator.truth.observed import LEAD, deadline, observed


@pytest.fixture
def landed():
    """An import whose box was fetched, with nothing odd about it."""
    shipments = drawn(3, START, 400)
    Port.open(WORLD, 3).live(shipments)
    return next(
        s
        for s in shipments
        if s.regime is Regime.IMPORT
        and s.goods
        and not any(move.code in ("RSEA", "CUSI", "isth:scan") for move in s.moves)
    )


def test_the_deadline_is_before_the_box_goes(landed):
    gone = max(move.at for move in landed.moves)
    assert deadline(landed) == gone - LEAD
    seen = observed(landed)
    assert seen["events"] < len(landed.moves)
    assert seen["seal_changes"] == seen["elsewhere"] == seen["resealed"] == 0
    assert seen["stay_hours"] > 12


def test_a_seal_that_nothing_explains_is_a_change(landed):
    first = landed.moves[0]
    other = (Seal("ZZ1"),)
    landed.moves.append(replace(first, at=first.at + timedelta(hours=1), seals=other))
    assert observed(landed)["seal_changes"] >= 1
    told = replace(first, code="RSEA", at=first.at + timedelta(minutes=30), seals=other)
    gone = replace(first, code="GTOT", at=first.at + timedelta(days=2))
    landed.moves = [landed.moves[-1], told, gone]
    assert observed(landed)["seal_changes"] == 0


def test_a_box_seen_where_it_has_no_business(landed):
    first = landed.moves[0]
    far = next(t for t in WORLD.terminals.values() if t.code != first.terminal)
    landed.moves.append(
        replace(first, code="GTIN", at=first.at + timedelta(hours=1), terminal=far.code)
    )
    assert observed(landed)["elsewhere"] == 1


def test_what_happens_after_the_deadline_is_not_seen(landed):
    before = observed(landed)
    late = deadline(landed) + timedelta(minutes=1)
    landed.moves.append(replace(landed.moves[0], code="isth:yard_move", at=late))
    assert observed(landed) == before
