"""Workbooks: read like tables, and refused when they are hostile or broken."""

import io
import itertools
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_samples import HEADER, ROW, one_rejected, read
from xlsx_samples import MAIN, sheet, workbook

from isthmus.cargo.formats import spreadsheet
from isthmus.cargo.formats.source import Source
from isthmus.cargo.formats.tabular import FORMAT
from isthmus.cargo.model import (
    Accepted,
    Reading,
    Rejected,
)

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
    monkeypatch.setattr("isthmus.cargo.formats.tabular.MOST_COMPRESSED", 9000)
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
