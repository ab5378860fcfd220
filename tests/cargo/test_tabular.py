"""Tables through mapping files: every row is a record or is set apart, and nothing is lost."""

import collections
import csv
import io
import itertools
import resource
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsx_samples import MAIN, sheet, workbook

from isthmus.cargo import spreadsheet
from isthmus.cargo.delimited import LONGEST_FIELD, LONGEST_LINE
from isthmus.cargo.formats import Source
from isthmus.cargo.mapping import (
    SCHEMA,
    TableMapping,
    load_mapping,
    parse_mapping,
    shipped_mappings,
)
from isthmus.cargo.model import (
    Accepted,
    Consignment,
    Container,
    ContainerEvent,
    Declaration,
    Flag,
    Function,
    GoodsItem,
    Manifest,
    OutcomeRow,
    Packages,
    Party,
    PartyRole,
    Reading,
    Regime,
    Rejected,
    Seal,
)
from isthmus.cargo.row_plan import compile_plan
from isthmus.cargo.shape import schema
from isthmus.cargo.tabular import FORMAT
from isthmus.kernel.errors import Invalid
from isthmus.kernel.money import Money

HEADER = (
    "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,"
    "Mode of Transport,Declarant ID,Importer ID,Seller ID,Courier ID,HS6 Code,"
    "Country of Departure,Country of Origin,Tax Rate,Tax Type,Country of Origin Indicator,"
    "Net Mass,Item Price,Fraud,Critical Fraud"
)
ROW = "97061800,2020-01-01,30,B,11,21,11,10,ZZR1LT6,QLRUBN9,0VKY2BR,,440890,BE,BE,0.0,FEU1,G,108.0,372254.4,1,2"


def read(content: bytes | str, source: Source | None = None) -> list[Reading]:
    raw = content.encode() if isinstance(content, str) else content
    return list(FORMAT.read(io.BytesIO(raw), source or Source("table.csv")))


def one_rejected(content: bytes | str, source: Source | None = None) -> Rejected:
    (reading,) = read(content, source)
    assert isinstance(reading, Rejected)
    return reading


def changed(**fields: str) -> str:
    """The sample row with other values in some columns, named by their first word."""
    values = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    for name, value in fields.items():
        (column,) = (one for one in values if one.replace(" ", "_") == name)
        values[column] = value
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values.values())
    return line.getvalue()


# --- the Korean declarations -----------------------------------------------------------------


def test_a_korean_row_becomes_a_declaration_with_its_label() -> None:
    (reading,) = read(f"{HEADER}\n{ROW}\n")
    assert reading == Accepted(
        position="row 2",
        ordinal=1,
        record=Declaration(
            reference="97061800",
            function=Function.ORIGINAL,
            regime=Regime.IMPORT,
            office="30",
            lodged_at=datetime(2020, 1, 1, tzinfo=UTC),
            mode="1",
            dispatch_country="BE",
            payment="11",
            parties=(
                Party(PartyRole.DECLARANT, identifier="ZZR1LT6"),
                Party(PartyRole.IMPORTER, identifier="QLRUBN9"),
                Party(PartyRole.SELLER, identifier="0VKY2BR"),
            ),
            goods=(
                GoodsItem(
                    number=1,
                    hs="440890",
                    net_kg=Decimal("108.0"),
                    customs_value=Money(Decimal("372254.4"), "KRW"),
                    origin="BE",
                    duty_rate=Decimal("0.0"),
                    duty_regime="FEU1",
                ),
            ),
            extra=(
                ("Process Type", "B"),
                ("Import Type", "11"),
                ("Import Use", "21"),
                ("Country of Origin Indicator", "G"),
            ),
        ),
        outcomes=(OutcomeRow("revenue", True, "critical"),),
    )


def test_every_row_of_the_shared_declarations_is_read(shared_data: Path) -> None:
    kinds: collections.Counter[type[Reading]] = collections.Counter()
    labels: collections.Counter[tuple[str, bool, str | None]] = collections.Counter()
    references = set()
    for name in ("korea_train.csv", "korea_valid.csv", "korea_test.csv"):
        path = shared_data / "declarations" / name
        with path.open("rb") as stream:
            ordinals = []
            for reading in FORMAT.read(stream, Source(name)):
                kinds[type(reading)] += 1
                ordinals.append(reading.ordinal)
                assert isinstance(reading, Accepted), reading
                assert isinstance(reading.record, Declaration)
                references.add(reading.record.reference)
                labels.update((one.objective, one.positive, one.detail) for one in reading.outcomes)
        assert ordinals == list(range(1, len(ordinals) + 1))
    assert kinds == {Accepted: 54_000}
    assert len(references) == 54_000
    assert labels == {
        ("revenue", False, None): 42_347,
        ("revenue", True, None): 11_108,
        ("revenue", True, "critical"): 545,
    }


def test_the_shared_declarations_say_the_same_as_a_plain_csv_reader(shared_data: Path) -> None:
    path = shared_data / "declarations" / "korea_test.csv"
    with path.open(newline="") as plain, path.open("rb") as stream:
        for row, reading in zip(
            csv.DictReader(plain), FORMAT.read(stream, Source("x")), strict=True
        ):
            assert isinstance(reading, Accepted)
            record = reading.record
            assert isinstance(record, Declaration)
            (goods,) = record.goods
            assert record.lodged_at is not None
            assert goods.customs_value is not None
            found = {party.role.value: party.identifier for party in record.parties}
            assert [
                record.reference,
                f"{record.lodged_at:%Y-%m-%d}",
                f"{record.mode}0",
                found["importer"],
                found.get("courier", ""),
                goods.hs,
                str(goods.net_kg),
                str(goods.customs_value.amount),
                str(int(reading.outcomes[0].positive)),
            ] == [
                row["Declaration ID"],
                row["Date"],
                row["Mode of Transport"],
                row["Importer ID"],
                row["Courier ID"],
                row["HS6 Code"],
                row["Net Mass"],
                row["Item Price"],
                row["Fraud"],
            ]


def test_the_columns_may_stand_in_any_order() -> None:
    names, values = HEADER.split(","), ROW.split(",")
    backward = ",".join(reversed(names)) + "\n" + ",".join(reversed(values)) + "\n"
    (turned,) = read(backward)
    (straight,) = read(f"{HEADER}\n{ROW}\n")
    assert isinstance(turned, Accepted)
    assert isinstance(straight, Accepted)
    assert turned.record == straight.record


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_do_not_matter(end: str, mark: str) -> None:
    readings = read(mark + end.join([HEADER, ROW, "", ROW]))
    assert [type(reading) for reading in readings] == [Accepted, Accepted]
    assert readings[0].position == "row 2"
    assert [reading.ordinal for reading in readings] == [1, 2]


@pytest.mark.parametrize(
    ("row", "reason", "field", "value"),
    [
        (changed(Net_Mass="heavy"), "value_impossible", "Net Mass", "heavy"),
        (changed(Net_Mass="-1"), "value_impossible", "Net Mass", "-1"),
        (changed(Net_Mass="1e3"), "value_impossible", "Net Mass", "1e3"),
        (changed(Net_Mass="NaN"), "value_impossible", "Net Mass", "NaN"),
        (changed(Net_Mass="9" * 21), "value_impossible", "Net Mass", "9" * 21),
        (changed(Net_Mass="١٢"), "value_impossible", "Net Mass", "١٢"),
        (changed(Net_Mass=""), "value_missing", "Net Mass", ""),
        (changed(Declaration_ID=" "), "value_missing", "Declaration ID", " "),
        (changed(Date="2020-02-30"), "value_impossible", "Date", "2020-02-30"),
        (changed(Date="0020-02-03"), "value_impossible", "Date", "0020-02-03"),
        (changed(HS6_Code="44089O"), "value_impossible", "HS6 Code", "44089O"),
        (changed(Fraud="2"), "code_unknown", "Fraud", "2"),
        (changed(Office_ID="3" * 71), "value_too_long", "Office ID", "3" * 71),
        (changed(Seller_ID="x" * 4001), "value_too_long", "Seller ID", "x" * 200),
        (changed(Seller_ID="x" * (LONGEST_FIELD + 1)), "value_too_long", None, None),
        (changed(Seller_ID="x" * (LONGEST_LINE + 9)), "value_too_long", None, None),
        (ROW + ",more", "row_overlong", None, "more"),
        (ROW.rsplit(",", 3)[0], "row_truncated", "Item Price", "108.0"),
        (ROW.replace("BE,BE", 'B"E,BE'), None, None, None),
        (ROW.replace("30,B", '"30"x,B'), "not_well_formed", None, None),
        (ROW.replace("ZZR", "Z\0R"), "value_impossible", None, None),
    ],
)
def test_a_bad_row_is_set_apart_with_row_column_and_value(
    row: str, reason: str | None, field: str | None, value: str | None
) -> None:
    readings = read(f"{HEADER}\n{ROW}\n{row}\n{ROW}\n")
    assert len(readings) == 3
    assert isinstance(readings[0], Accepted)
    assert isinstance(readings[2], Accepted)
    bad = readings[1]
    if reason is None:  # a quote inside a field is a character like any other
        assert isinstance(bad, Accepted)
        return
    assert isinstance(bad, Rejected)
    assert (bad.position, bad.ordinal, bad.reason, bad.field) == ("row 3", 2, reason, field)
    assert value is None or bad.value == value
    assert field is None or field in bad.message
    assert "\0" not in bad.message + (bad.value or "")


def test_bytes_in_another_encoding_cost_their_row_only() -> None:
    bad = ROW.replace("ZZR1LT6", "ZÉ").encode("latin-1")
    readings = read(b"\n".join([HEADER.encode(), ROW.encode(), bad, ROW.encode()]))
    assert [type(reading) for reading in readings] == [Accepted, Rejected, Accepted]
    assert isinstance(readings[1], Rejected)
    assert readings[1].reason == "encoding"
    assert readings[1].value is not None
    readings[1].value.encode()


def test_a_stray_quote_does_not_swallow_its_followers() -> None:
    stray = ROW.replace("30,B", '"30,B')
    readings = read("\n".join([HEADER, ROW, stray, ROW, ROW, ROW]))
    assert [type(one) for one in readings] == [Accepted, Rejected, Accepted, Accepted, Accepted]
    two = read("\n".join([HEADER, stray, ROW, stray, ROW]))
    assert [type(one) for one in two] == [Rejected, Accepted, Rejected, Accepted]


def test_quoted_fields_may_hold_delimiters_and_line_ends() -> None:
    quoted = changed(Import_Use="21, partly\nby hand")
    (reading,) = read(f"{HEADER}\n{quoted}\n")
    assert isinstance(reading, Accepted)
    assert isinstance(reading.record, Declaration)
    assert ("Import Use", "21, partly\nby hand") in reading.record.extra


def test_an_unknown_mode_is_kept_and_flagged() -> None:
    (reading,) = read(f"{HEADER}\n{changed(Mode_of_Transport='77')}\n")
    assert isinstance(reading, Accepted)
    assert isinstance(reading.record, Declaration)
    assert reading.record.mode == "77"
    assert reading.flags == (Flag("code_unknown", "Mode of Transport", "77"),)


def test_a_row_without_a_label_has_no_outcome() -> None:
    (reading,) = read(f"{HEADER}\n{changed(Fraud='', Critical_Fraud='')}\n")
    assert isinstance(reading, Accepted)
    assert reading.outcomes == ()


# --- documents that are no such table --------------------------------------------------------


def test_an_unknown_header_names_the_nearest_mapping_and_the_difference() -> None:
    header = HEADER.replace("HS6 Code", "HS10 Code")
    rejected = one_rejected(f"{header}\n{ROW}\n{ROW}\n")
    assert (rejected.ordinal, rejected.reason) == (0, "header_unknown")
    for word in ("korea_declarations", "missing: 'HS6 Code'", "unexpected: 'HS10 Code'"):
        assert word in rejected.message
    assert "no column" in one_rejected("a,b\n1,2\n").message
    doubled = one_rejected(f"{HEADER},Fraud\n{ROW},1\n")
    assert (doubled.reason, "twice: 'Fraud'" in doubled.message) == ("header_unknown", True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_document"),
        (b"\xef\xbb\xbf\r\n \n", "empty_document"),
        (HEADER.encode(), "empty_document"),
        (bytes(range(256)) * 20, "binary"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "binary"),
        (HEADER.encode("utf-16"), "encoding"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "unsupported"),
        (b'"' + HEADER.encode(), "not_well_formed"),
        (b"x" * (LONGEST_LINE + 5), "value_too_long"),
        (b"PK\x03\x04" + bytes(100), "not_well_formed"),
    ],
)
def test_a_document_that_is_no_table_is_one_rejection(content: bytes, reason: str) -> None:
    rejected = one_rejected(content)
    assert (rejected.ordinal, rejected.reason) == (0, reason)


def test_a_cut_off_document_gives_its_whole_rows_and_names_the_last() -> None:
    content = f"{HEADER}\n{ROW}\n{ROW}\n{ROW[:60]}"
    readings = read(content)
    assert [type(reading) for reading in readings] == [Accepted, Accepted, Rejected]
    assert isinstance(readings[2], Rejected)
    assert (readings[2].reason, readings[2].position) == ("row_truncated", "row 4")


def test_a_mapping_that_is_not_there_is_said() -> None:
    rejected = one_rejected(f"{HEADER}\n{ROW}\n", Source("x.csv", mapping="atlantis"))
    assert (rejected.ordinal, rejected.reason) == (0, "mapping_missing")
    assert "korea_declarations" in rejected.message
    absent = one_rejected(f"{HEADER}\n", Source("x.csv", mapping="/nowhere/at_all.yaml"))
    assert absent.reason == "mapping_missing"
    misfit = one_rejected("a,b\n1,2\n", Source("x.csv", mapping="korea_declarations"))
    assert (misfit.reason, "korea_declarations" in misfit.message) == ("header_unknown", True)


class Endless(io.RawIOBase):
    """A table that is made while it is read."""

    def __init__(self, rows: int) -> None:
        self._lines = itertools.chain(
            [f"{HEADER}\n"], (f"{number:08d}{ROW[8:]}\n" for number in range(rows))
        )
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size and (line := next(self._lines, None)):
            self._rest += line.encode()
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        try:
            readings = FORMAT.read(Endless(rows), Source("x.csv"))  # type: ignore[arg-type]
            assert sum(isinstance(reading, Accepted) for reading in readings) == rows
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)
    few, many = peak(2_000), peak(16_000)
    assert many < few * 1.1


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(alphabet='",\n\r\0aé1', max_size=200).map(
            lambda text: f"{HEADER}\n{text}".encode()
        ),
    )
)
def test_no_bytes_break_the_reader(content: bytes) -> None:
    assert all(isinstance(reading, Rejected) for reading in read(content))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [ROW, ROW[:50], ROW + ",x", changed(Net_Mass="?"), ROW.replace("B,", '"B,', 1)]
        ),
        max_size=8,
    )
)
def test_no_row_is_lost(rows: list[str]) -> None:
    readings = read("\n".join([HEADER, ROW, *rows]))
    assert len(readings) == len(rows) + 1
    good = [isinstance(reading, Accepted) for reading in readings[1:]]
    assert good == [row == ROW for row in rows]


# --- mapping files ---------------------------------------------------------------------------

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


# --- workbooks -------------------------------------------------------------------------------

BOOK = Source("table.xlsx")


def korea_cells() -> list[list[str | tuple[str, str]]]:
    values: list[str | tuple[str, str]] = list(ROW.split(","))
    values[0], values[1], values[18], values[19] = (
        ("n", "97061800"),
        ("d", "43831"),
        ("n", "108"),
        ("n", "372254.40000000002"),
    )
    return [list(HEADER.split(",")), values]


def test_a_workbook_says_the_same_as_its_csv() -> None:
    (from_book,) = read(workbook(korea_cells()), BOOK)
    (from_csv,) = read(f"{HEADER}\n{ROW}\n")
    assert isinstance(from_book, Accepted)
    assert isinstance(from_csv, Accepted)
    assert from_book.record == from_csv.record
    assert (from_book.position, from_book.outcomes) == (from_csv.position, from_csv.outcomes)


def test_a_workbook_is_read_as_another_reader_reads_it() -> None:
    fastexcel = pytest.importorskip("fastexcel")
    rows: list[list[str | tuple[str, str]]] = [
        ["a", "b", "c", "d", "e"],
        [("s", "1"), ("n", "0.10000000000000001"), "x & y", "", ("n", "12")],
        [],
        [("s", "0"), ("n", "-3.5"), "", ("n", "1E-3"), ("n", "123456789012")],
    ]
    content = workbook(rows, shared=["zero", "one"])
    theirs = fastexcel.read_excel(content).load_sheet(0, dtypes="string").to_polars()
    with spreadsheet.Workbook(io.BytesIO(content)) as book:
        ours = list(book.rows())
    assert [number for number, _ in ours] == [1, 2, 4]
    # The other reader keeps blank rows; ours passes over them.
    wanted = [[value or "" for value in row] for row in theirs.rows() if any(row)]
    assert [row for _, row in ours[1:]] == wanted


def test_dates_of_a_workbook_are_those_it_shows() -> None:
    rows: list[list[str | tuple[str, str]]] = [
        [("d", "43831"), ("d", "43831.5"), ("d", "0.25"), ("n", "43831"), ("d", "soon")]
    ]
    with spreadsheet.Workbook(io.BytesIO(workbook(rows))) as book:
        ((_, row),) = book.rows()
    assert row == ["2020-01-01", "2020-01-01T12:00:00", "06:00:00", "43831", "soon"]
    old = f'<workbook xmlns="{MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><workbookPr date1904="1"/><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
    with spreadsheet.Workbook(io.BytesIO(workbook(rows, parts={"xl/workbook.xml": old}))) as book:
        ((_, row),) = book.rows()
    assert row[0] == "2024-01-02"


def test_further_sheets_are_named_and_never_dropped() -> None:
    readings = read(workbook(korea_cells(), [], korea_cells()), BOOK)
    assert [type(reading) for reading in readings] == [Accepted, Rejected]
    assert isinstance(readings[1], Rejected)
    assert (readings[1].reason, readings[1].position) == ("unsupported", "sheet Sheet3")


def test_a_bad_row_of_a_workbook_is_named_by_its_number() -> None:
    header, row = korea_cells()
    readings = read(workbook([header, [], row[:12], [*row, "more"]]), BOOK)
    first, second = readings
    assert isinstance(first, Rejected)
    assert isinstance(second, Rejected)
    assert (first.position, first.reason, first.field) == ("row 3", "value_missing", "HS6 Code")
    assert (second.position, second.reason) == ("row 4", "row_overlong")


def zeros(size: int) -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData>'.encode() + b" " * size


BOMB = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaa">]><worksheet xmlns="x">&a;</worksheet>'


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"xl/worksheets/sheet1.xml": zeros(8_000_000)}, "too_large"),
        ({"xl/worksheets/sheet1.xml": BOMB}, "entity_forbidden"),
        ({"xl/sharedStrings.xml": BOMB}, "entity_forbidden"),
        ({"xl/workbook.xml": "<workbook/>"}, "empty_document"),
        ({"xl/workbook.xml": "no"}, "not_well_formed"),
        ({"xl/_rels/workbook.xml.rels": "<Relationships/>"}, "not_well_formed"),
        ({"xl/worksheets/sheet1.xml": sheet([[("s", "7")]])}, "not_well_formed"),
        ({"xl/worksheets/sheet1.xml": sheet([["a"]], first=1_048_577)}, "too_large"),
        ({"xl/worksheets/sheet1.xml": sheet([[""] * 1001 + ["x"]])}, "too_large"),
        ({"xl/worksheets/sheet1.xml": sheet([["a"]])[:-30]}, "not_well_formed"),
        ({"xl/worksheets/sheet1.xml": sheet([["a" * 5_000_000]])}, "too_large"),
        ({"xl/worksheets/sheet1.xml": f"<w>{'<x/>' * 1_200_000}</w>"}, "too_large"),
        ({"xl/worksheets/sheet1.xml": sheet([])}, "empty_document"),
    ],
)
def test_a_hostile_or_broken_workbook_is_refused(
    parts: dict[str, str | bytes], reason: str
) -> None:
    rejected = one_rejected(workbook(korea_cells(), parts=parts), BOOK)
    assert (rejected.ordinal, rejected.reason) == (0, reason)


def test_what_a_zip_tells_of_its_size_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    content = workbook(korea_cells(), parts={"xl/worksheets/sheet1.xml": zeros(8_000_000)})
    lying = content.replace((8_000_000 + 90).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    assert one_rejected(lying, BOOK).reason in ("too_large", "not_well_formed")


def test_a_sheet_is_read_row_by_row() -> None:
    """The tree of the sheet lives outside of Python's memory, so the whole process is weighed."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        pytest.skip("the memory of a process can be read on Linux only")

    def resident() -> int:
        return int(pages.read_text().split()[1]) * resource.getpagesize()

    rows = 60_000
    lines = [f"<row><c><v>{number * 7919 % rows}</v></c></row>" for number in range(rows)]
    text = sheet([["a", "b", "c"]]).replace("</sheetData></worksheet>", "".join(lines))
    content = workbook([], parts={"xl/worksheets/sheet1.xml": text + "</sheetData></worksheet>"})
    with spreadsheet.Workbook(io.BytesIO(content)) as book:
        found = book.rows()
        next(found)
        before = resident()
        for _ in itertools.islice(found, rows - 1):
            pass
        grown = resident() - before
    assert grown < 8 * 1024 * 1024  # the whole tree would weigh 20 MiB and more


def test_a_sheet_that_breaks_off_gives_what_stood_before() -> None:
    header, row = korea_cells()
    broken = sheet([header, *[row] * 2000])[:-4000]
    readings = read(workbook([], parts={"xl/worksheets/sheet1.xml": broken}), BOOK)
    assert isinstance(readings[-1], Rejected)
    assert readings[-1].reason == "not_well_formed"
    assert all(isinstance(reading, Accepted) for reading in readings[:-1])
    assert [reading.ordinal for reading in readings] == list(range(1, len(readings) + 1))


def test_a_workbook_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.cargo.tabular.MOST_COMPRESSED", 9000)
    content = workbook(korea_cells(), parts={"xl/media/picture.png": bytes(range(256)) * 200})
    padded = content + bytes(20_000)
    assert one_rejected(padded, BOOK).reason == "too_large"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_a_workbook_breaks_the_reader(data: st.DataObject) -> None:
    content = bytearray(workbook(korea_cells(), shared=["a"]))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    readings: Iterator[Reading] = FORMAT.read(io.BytesIO(bytes(content)), BOOK)
    assert len(list(readings)) >= 1
