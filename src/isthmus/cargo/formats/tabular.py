"""Tables (CSV and XLSX) read through a mapping file: every row becomes a record or is set apart.

The mapping is the one named by the source, else the shipped one whose columns are exactly those
of the header. A header that fits none makes the whole document one rejection that names what is
missing and what is not known: columns are never guessed.

Positions are rows as a spreadsheet counts them, the header being row 1. Blank rows are passed
over. Memory does not grow with the number of rows.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from isthmus.cargo.formats.cell import CellFault
from isthmus.cargo.formats.delimited import BadRow, Prefixed, Rows
from isthmus.cargo.formats.mapping import (
    TableMapping,
    load_mapping,
    mapping_for,
    nearest_mapping,
    shipped_mappings,
)
from isthmus.cargo.formats.row_plan import RowPlan, compile_plan
from isthmus.cargo.formats.source import Format, Source
from isthmus.cargo.formats.spreadsheet import MOST_COMPRESSED, Workbook, WorkbookFault, is_workbook
from isthmus.cargo.model import Accepted, Reading, Rejected
from isthmus.kernel.errors import Invalid

LIMIT = 512 * 1024 * 1024
HEAD = 8192

_NAMES = (".csv", ".tsv", ".xlsx")
_MEDIA_TYPES = frozenset(
    {
        "text/csv",
        "text/tab-separated-values",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_OLE = b"\xd0\xcf\x11\xe0"  # legacy or password-protected workbooks
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\v\x1a\x1b")
# Of a document's first bytes, this share may be control characters before it is no text at all.
# A CSV with a stray NUL has one in thousands; executables and pictures have one in ten and more.
_MOST_CONTROLS = 0.02

Table = Iterable[tuple[int, list[str] | BadRow]]


def recognise(head: bytes, source: Source) -> bool:
    """Whether the document is a table: by name, type, a named mapping, or a header we know."""
    if source.mapping is not None or source.name.lower().endswith(_NAMES):
        return True
    if (source.media_type or "").partition(";")[0].strip().lower() in _MEDIA_TYPES:
        return True
    if head.startswith(b"PK"):
        return is_workbook(head)
    return _known_header(head) is not None


def read(stream: BinaryIO, source: Source) -> Iterator[Reading]:
    """Yield a reading for every row of the table, in order; see the module for the rules."""
    head = stream.read(HEAD)
    spoilt = _no_table(head)
    if spoilt is not None:
        yield spoilt
        return
    try:
        mapping = None if source.mapping is None else load_mapping(source.mapping)
        if head.startswith(b"PK"):
            yield from _read_workbook(head, stream, mapping)
        else:
            rows = _rows(Prefixed(head, stream), mapping or _known_header(head))
            yield from _read_table(rows, mapping, rows)
    except Invalid as fault:
        yield _document(fault.code, f"{fault}.")


def _no_table(head: bytes) -> Rejected | None:
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        return _document("empty_document", "The document holds nothing.")
    if head.startswith(_UTF16):
        message = "The document is UTF-16; a table must be UTF-8 or in its mapping's encoding."
        return _document("encoding", message)
    if head.startswith(_OLE):
        message = "An old (.xls) or password-protected workbook; save it as .xlsx or CSV."
        return _document("unsupported", message)
    controls = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in head)
    if controls > len(head) * _MOST_CONTROLS and not head.startswith(b"PK"):
        return _document("binary", "The document is no text: it holds binary data.")
    return None


def _known_header(head: bytes) -> TableMapping | None:
    """The shipped mapping that the first line fits, read with that mapping's own delimiter."""
    for mapping in shipped_mappings().values():
        rows = Rows(Prefixed(head, io.BytesIO()), mapping.encoding, mapping.delimiter)
        first = next((row for _, row in rows), None)
        if isinstance(first, list) and mapping_for(_header(first)) is mapping:
            return mapping
    return None


def _rows(stream: io.RawIOBase, mapping: TableMapping | None) -> Rows:
    if mapping is None:
        return Rows(stream, "utf-8", ",")
    return Rows(stream, mapping.encoding, mapping.delimiter)


def _read_workbook(
    head: bytes, stream: BinaryIO, mapping: TableMapping | None
) -> Iterator[Reading]:
    content = head + stream.read(MOST_COMPRESSED + 1 - len(head))
    if len(content) > MOST_COMPRESSED:
        yield _document("too_large", f"The workbook is larger than {MOST_COMPRESSED} bytes.")
        return
    last = 0
    try:
        with Workbook(io.BytesIO(content)) as workbook:
            for reading in _read_table(workbook.rows(), mapping, None):
                last = reading.ordinal
                yield reading
            # One document is one table: what else the workbook holds is named, never dropped.
            for name in workbook.further_sheets():
                last += 1
                message = f"The sheet {name!r} was not read: a document holds one table."
                yield Rejected(f"sheet {name}", last, "unsupported", message)
    except WorkbookFault as fault:
        if last == 0:
            yield _document(fault.reason, fault.message)
        else:
            message = f"{fault.message} The rest of the sheet cannot be read."
            yield Rejected("sheet", last + 1, fault.reason, message)


def _read_table(rows: Table, mapping: TableMapping | None, lines: Rows | None) -> Iterator[Reading]:
    """Readings of all rows; ``lines`` is given where a row may have swallowed its followers."""
    numbered = iter(rows)
    _, first = next(numbered, (1, None))
    if first is None:
        yield _document("empty_document", "The table holds nothing.")
        return
    if isinstance(first, BadRow):
        yield Rejected("row 1", 0, first.reason, f"The header: {first.message}", None, first.value)
        return
    header = _header(first)
    known = mapping or mapping_for(header)
    if known is None or known.differs(header) != ([], []) or len(set(header)) != len(header):
        yield _unknown_header(header, mapping)
        return
    plan = compile_plan(known, header, iso_dates=lines is None)
    ordinal = 0
    for ordinal, (number, row) in enumerate(numbered, start=1):
        position = f"row {number}"
        if isinstance(row, BadRow):
            yield Rejected(position, ordinal, row.reason, row.message, None, row.value)
        elif len(row) != plan.width:
            if lines is not None:
                lines.give_back()
            yield _wrong_width(header, position, ordinal, row)
        else:
            try:
                record, outcomes = plan.record(row), plan.outcomes(row)
            except CellFault as fault:
                yield _refused(plan, position, ordinal, row, fault)
            else:
                yield Accepted(position, ordinal, record, plan.flags(row), outcomes)
    if ordinal == 0:
        yield _document("empty_document", "The table has a header and no rows.")


def _refused(
    plan: RowPlan, position: str, ordinal: int, row: list[str], raised: CellFault
) -> Rejected:
    column, value, fault = plan.locate(row, raised)
    shown = None if value is None else value[:200]
    message = f"{column}: {shown!r} {fault.message}."
    return Rejected(position, ordinal, fault.reason, message, column, shown)


def _wrong_width(header: Sequence[str], position: str, ordinal: int, row: list[str]) -> Rejected:
    if len(row) < len(header):
        missing = header[len(row)]
        message = f"The row ends after {len(row)} of {len(header)} columns: {missing!r} is missing."
        return Rejected(position, ordinal, "row_truncated", message, missing, row[-1][:200])
    message = f"The row has {len(row)} columns where the header has {len(header)}."
    return Rejected(position, ordinal, "row_overlong", message, None, row[len(header)][:200])


def _header(row: Sequence[str]) -> list[str]:
    return [name.strip() for name in row]


def _unknown_header(header: Sequence[str], named: TableMapping | None) -> Rejected:
    doubled = sorted({name for name in header if header.count(name) > 1})
    nearest = named or nearest_mapping(header)
    if nearest is None:
        message = "The header is that of no mapping, and shares no column with any."
    else:
        missing, unexpected = nearest.differs(header)
        which = "The mapping named is" if named else "The header is that of no mapping; nearest is"
        parts = [
            f"{what} {', '.join(map(repr, names[:30]))}"
            for what, names in (
                ("missing:", missing),
                ("unexpected:", unexpected),
                ("standing twice:", doubled),
            )
            if names
        ]
        message = f"{which} {nearest.name!r}. {'; '.join(parts)}."
    value = ",".join(header)[:500]
    return Rejected("row 1", 0, "header_unknown", message[:4000], None, value)


def _document(reason: str, message: str) -> Rejected:
    return Rejected("document", 0, reason, message)


FORMAT = Format(code="tabular", limit=LIMIT, recognise=recognise, read=read)
