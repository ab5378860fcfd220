"""Rows of a delimited list file, one by one; bad bytes become codes, never an exception.

Lists are RFC 4180 in substance, in UTF-8 or a single-byte code, with or without a byte order
mark. A quote that never closes means that the file was cut off.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from isthmus.parties.model import Fault, Rejected

END_MARK = "\x1a"  # the Ctrl-Z with which some publishers end a file

Row = tuple[int, list[str]]
Record = tuple[int, dict[str, str]]


def text_of(stream: BinaryIO) -> str | Fault:
    """Return a file's text, or why it has none."""
    content = stream.read()
    if not content.strip():
        return Fault("list_empty")
    if b"\x00" in content:
        return Fault("list_not_text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def rows(text: str) -> Iterator[Row | Rejected | Fault]:
    """Yield the rows that hold anything, with their number from 1."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    place = 0
    while True:
        place += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):
                yield Fault("list_truncated", {"row": place})
                return
            yield Rejected(place, "row_not_well_formed")
            continue
        if any(cell.strip() for cell in cells):
            yield place, cells


def missing_columns(header: Sequence[str], needed: Sequence[str]) -> Fault | None:
    """Return the fault of a header that lacks columns; what stands in their place is named too."""
    found = {cell.strip().casefold() for cell in header}
    missing = [name for name in needed if name.casefold() not in found]
    if not missing:
        return None
    return Fault("list_columns_missing", {"missing": missing, "columns": [c[:60] for c in header]})


def records(
    text: str, needed: Sequence[str], *, skip: int = 0
) -> Iterator[Record | Rejected | Fault]:
    """Yield the rows of a text by column name; ``skip`` passes over so many above the header.

    A text that does not end with a line end was cut off: what publishers' programs write does.
    """
    if not text.endswith(("\n", "\r", END_MARK)):
        yield Fault("list_truncated", {"row": text.count("\n") + 1})
        return
    yield from by_column(islice(rows(text), skip, None), needed)


def by_column(
    found: Iterable[Row | Rejected | Fault], needed: Sequence[str]
) -> Iterator[Record | Rejected | Fault]:
    """Yield the rows below a header by column name in lower case, after checking the header."""
    header: list[str] | None = None
    for row in found:
        if isinstance(row, Fault | Rejected):
            yield row
            if isinstance(row, Fault):
                return
            continue
        place, cells = row
        if header is None:
            if fault := missing_columns(cells, needed):
                yield fault
                return
            header = [cell.strip().casefold() for cell in cells]
        elif cells[0].strip() == END_MARK:
            return
        elif len(cells) != len(header):
            yield Rejected(place, "row_of_other_width")
        else:
            yield place, dict(zip(header, map(str.strip, cells), strict=True))
    if header is None:
        yield Fault("list_empty")


def parts(cell: str, separator: str = ";") -> list[str]:
    """Return the parts of a cell that holds several values, in their order, none empty."""
    return [part for piece in cell.split(separator) if (part := piece.strip())]
