"""Tables: every row is a record or is set apart, and nothing is lost."""

import collections
import csv
import io
import itertools
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_samples import HEADER, ROW, changed, one_rejected, read

from isthmus.cargo.formats.delimited import LONGEST_FIELD, LONGEST_LINE
from isthmus.cargo.formats.source import Source
from isthmus.cargo.formats.tabular import FORMAT
from isthmus.cargo.model import (
    Accepted,
    Declaration,
    Flag,
    Function,
    GoodsItem,
    OutcomeRow,
    Party,
    PartyRole,
    Reading,
    Regime,
    Rejected,
)
from isthmus.kernel.money import Money


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
