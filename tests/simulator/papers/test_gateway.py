"""Each office takes declarations in one form, and every form is read as what was declared."""

from collections import Counter
from pathlib import Path

import polars as pl
from sample_traffic import read

from isthmus.cargo.model import Declaration, Function, Regime
from isthmus.simulator import run, world
from isthmus.simulator.papers import post

FORMS = {"wco": "wco", "json": "json", "tabular": "table"}


def test_every_office_speaks_one_form(traffic):
    offices = world.load().offices
    seen = Counter()
    for document in traffic.documents:
        for reading in document.accepted:
            record = reading.record
            if isinstance(record, Declaration) and record.function is Function.ORIGINAL:
                assert offices[record.office] == FORMS[document.format]
                seen[document.format] += 1
    assert set(seen) == set(FORMS)


def test_the_free_zone_tells_the_lot_of_every_movement(traffic):
    movements = [
        record
        for record in traffic.records(Declaration)
        if record.regime in (Regime.FREE_ZONE_IN, Regime.FREE_ZONE_OUT)
        and record.function is Function.ORIGINAL
    ]
    assert movements
    for movement in movements:
        supplementary = (movement.type_code or "").endswith("Y")
        assert dict(movement.extra).get("Lote") or supplementary
        assert movement.goods[0].hs
        assert movement.goods[0].net_kg > 0


def test_a_table_says_what_the_truth_says(traffic):
    """The value of a movement that was not amended is the value of its bill."""
    table = pl.read_parquet(traffic.folder / "truth" / "labelled.parquet")
    values = dict(table.select("bill", "value_usd").iter_rows())
    compared = 0
    for movement in traffic.records(Declaration):
        if movement.regime is Regime.FREE_ZONE_IN and movement.bills:
            said = float(movement.goods[0].customs_value.amount)
            compared += abs(said - values[movement.bills[0]]) < 0.02
    assert compared > 10


def test_several_declarations_of_an_hour_are_one_document(traffic):
    sizes = [len(d.accepted) for d in traffic.documents if d.format == "wco"]
    assert max(sizes) > 1 == min(sizes)


def test_every_document_is_reread_alike(traffic):
    folder: Path = traffic.folder / run.DOCUMENTS
    again = [read(*each) for each in post.sent(folder)]
    assert [len(d.accepted) for d in again] == [len(d.accepted) for d in traffic.documents]
