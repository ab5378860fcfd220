"""Mapping files: what the columns of a table mean, and what is wrong with them."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from table_samples import one_rejected, read

from isthmus.cargo.formats.mapping import (
    SCHEMA,
    TableMapping,
    load_mapping,
    parse_mapping,
    shipped_mappings,
)
from isthmus.cargo.formats.row_plan import compile_plan
from isthmus.cargo.formats.shape import schema
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import (
    Accepted,
    Consignment,
    Container,
    ContainerEvent,
    Function,
    GoodsItem,
    Manifest,
    Packages,
    Party,
    PartyRole,
    Regime,
    Rejected,
    Seal,
)
from isthmus.kernel.errors import Invalid
from isthmus.kernel.money import Money

CONSIGNMENTS = """
name: port_manifest
title: Manifest rows
record: consignment
delimiter: ";"
encoding: latin-1
decimal_mark: ","
key: [Bill, Line]
required: [Bill]
optional: [Marks]
constants: {manifest.function: original, regime: transhipment}
columns:
  Report: {field: manifest.reference}
  Arrival: {field: manifest.arrival_at, type: date, format: "%d/%m/%Y %H:%M", zone: America/Panama}
  Shipper: {field: parties.consignor.name}
  Shipper country: {field: parties.consignor.country, type: code}
  Goods: {field: goods.description}
  Tonnes: {field: goods.gross_kg, type: decimal, unit: TNE, minimum: 0}
  Pieces: {field: goods.packages.count, type: integer, minimum: 0}
  Kind: {field: goods.packages.kind, type: code}
  Box: {field: containers.number}
  Empty: {field: containers.empty, type: boolean, codes: {S: true, N: false}}
  Seal: {field: containers.seals.number}
  Marks: {field: goods.marks}
  Freight: {field: freight, type: decimal, currency_column: Currency}
ignored: [Remarks]
"""


def write(folder: Path, text: str, name: str = "mapping.yaml") -> Source:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Source("table.csv", mapping=str(path))


def test_a_mapping_of_ones_own_reads_consignments(tmp_path: Path) -> None:
    source = write(tmp_path, CONSIGNMENTS)
    header = "Bill;Line;Report;Arrival;Shipper;Shipper country;Goods;Tonnes;Pieces;Kind;Box;Empty;Seal;Freight;Currency;Remarks"
    rows = [
        "B1;1;R1;03/02/2026 21:30;Café São;br;coffee;1,5;20;ct;csqu 305438-3;N;ab-1;100,50;usd;-",
        "B2;1;R1;;;;;;;;;;;;;",
        "B3;1;R1;;;;;;;ct;;;;;;",
        "B4;1;R1;;;;;1.5;;;;;;;;",
        "B5;1;R1;;;;;;;;;;;7;;",
        "B6;1;R1;;;;;;;;;X;;;;",
    ]
    content = "\n".join([header, *rows]).encode("latin-1")
    first, second, *bad = read(content, source)
    assert isinstance(first, Accepted)
    assert first.record == Consignment(
        manifest=Manifest(
            "R1", Function.ORIGINAL, arrival_at=datetime(2026, 2, 4, 2, 30, tzinfo=UTC)
        ),
        bill="B1/1",
        regime=Regime.TRANSHIPMENT,
        parties=(Party(PartyRole.CONSIGNOR, name="Café São", country="BR"),),
        goods=(
            GoodsItem(
                1, description="coffee", gross_kg=Decimal("1500"), packages=(Packages(20, "CT"),)
            ),
        ),
        containers=(Container("CSQU3054383", empty=False, seals=(Seal("AB1"),)),),
        freight=Money(Decimal("100.50"), "USD"),
    )
    assert isinstance(second, Accepted)
    assert second.record == Consignment(
        manifest=Manifest("R1", Function.ORIGINAL), bill="B2/1", regime=Regime.TRANSHIPMENT
    )
    assert [(one.reason, one.field) for one in bad if isinstance(one, Rejected)] == [
        ("value_missing", "Pieces"),
        ("value_impossible", "Tonnes"),
        ("value_missing", "Currency"),
        ("code_unknown", "Empty"),
    ]


def test_a_mapping_reads_events(tmp_path: Path) -> None:
    text = """
name: gate_log
title: Gate log
record: event
key: [Id]
required: [Box, When, What]
constants: {sender: GATE1, planned: "false"}
columns:
  Box: {field: container}
  When: {field: at, type: date, format: "%Y-%m-%dT%H:%M:%S%z"}
  What: {field: code, type: code, codes: {in: GTIN, out: GTOT}}
  Kilos: {field: weight_kg, type: decimal}
extra: [Lane]
"""
    readings = read(
        "Id,Box,When,What,Kilos,Lane\n1,csqu3054383,2026-01-01T05:00:00-0500,in,7,L2\n2,,,in,,\n",
        write(tmp_path, text),
    )
    assert isinstance(readings[0], Accepted)
    assert readings[0].record == ContainerEvent(
        event_id="1",
        sender="GATE1",
        code="GTIN",
        container="CSQU3054383",
        at=datetime(2026, 1, 1, 10, tzinfo=UTC),
        weight_kg=Decimal(7),
        detail=(("Lane", "L2"),),
    )
    assert isinstance(readings[1], Rejected)
    assert (readings[1].reason, readings[1].field) == ("value_missing", "Box")


def test_the_published_schema_of_mappings_takes_those_shipped() -> None:
    jsonschema.Draft202012Validator.check_schema(schema(SCHEMA))
    assert "korea_declarations" in shipped_mappings()
    for name, mapping in shipped_mappings().items():
        assert load_mapping(name) is mapping
        assert mapping.name == name
        compile_plan(mapping, sorted(mapping.headings()))
        assert all(one.objective == "revenue" for one in mapping.outcomes)


SMALL = "name: m\ntitle: t\nrecord: declaration\nkey: [A]\nconstants: {function: original}\n"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[", "no YAML"),
        ("- a", "not of type 'object'"),
        ("a: 1\na: 2", "twice"),
        ("name: m", "'record' is a required property"),
        (SMALL + "columns: {B: {field: mode, typ: text}}", "columns.B"),
        (SMALL + "columns: {B: {field: mode}}\nrequired: [C]", "'C'"),
        (SMALL + "columns: {B: {field: mode}}\nkey: [B]", "twice"),
        (SMALL + "columns: {B: {field: mode}}\nignored: [B]", "read and ignored"),
        (SMALL + "columns: {B: {field: mode}}\noptional: [A]", "required and optional"),
        (SMALL + "columns: {B: {field: nothing}}", "no field nothing"),
        (SMALL + "columns: {B: {field: mode.code}}", "mode has no parts"),
        (SMALL + "columns: {B: {field: parties.uncle.name}}", "uncle"),
        (SMALL + "columns: {B: {field: gross_kg}}", "gross_kg is Decimal"),
        (SMALL + "columns: {B: {field: invoice, type: decimal}}", "currency"),
        (SMALL + "columns: {B: {field: lodged_at, type: date}}", "no format"),
        (
            SMALL + 'columns: {B: {field: lodged_at, type: date, format: "%Y", zone: Mars/Base}}',
            "Mars",
        ),
        (SMALL + "columns: {B: {field: pre_lodged, type: boolean}}", "codes"),
        (SMALL + "columns: {B: {field: regime, type: code, codes: {a: sideways}}}", "sideways"),
        (SMALL + "columns: {B: {field: reference}}", "the key and from elsewhere"),
        (SMALL + "columns: {B: {field: mode}, C: {field: mode}}", "filled twice"),
        (SMALL + "columns: {B: {field: containers.seals.kind}}", "must be filled"),
        (SMALL.replace("original", "perhaps") + "columns: {B: {field: mode}}", "function"),
        (
            SMALL.replace("constants: {function: original}\n", "") + "columns: {B: {field: mode}}",
            "function must be filled",
        ),
        (
            SMALL
            + "columns: {B: {field: mode}}\noutcomes: [{objective: luck, column: C, positive: [1], negative: [0]}]",
            "luck",
        ),
        (
            SMALL
            + "columns: {B: {field: mode}}\noutcomes: [{objective: revenue, column: C, positive: [1], negative: [1]}]",
            "positive and negative",
        ),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_place(text: str, word: str) -> None:
    def use(mapping: TableMapping) -> None:
        compile_plan(mapping, sorted(mapping.headings()))

    with pytest.raises(Invalid) as refused:
        use(parse_mapping(text, "m.yaml"))
    assert word in str(refused.value)


def test_a_wrong_mapping_is_a_rejection_of_the_document(tmp_path: Path) -> None:
    rejected = one_rejected("A,B\n1,2\n", write(tmp_path, SMALL + "columns: {B: {field: nothing}}"))
    assert (rejected.ordinal, rejected.reason) == (0, "mapping_missing")
    assert "nothing" in rejected.message
