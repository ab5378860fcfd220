"""Rows of the first sheet of an XLSX workbook (ECMA-376), one by one, as text.

Workbooks come from strangers: what is unpacked is counted while it is unpacked (the sizes that a
zip archive tells of itself are not believed), document types and entities are refused, and rows,
columns and shared texts have bounds. Numbers keep the digits that the file holds; cells that the
workbook formats as dates become ISO 8601.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import IO, Any

from lxml.etree import XMLSyntaxError, _Element, iterparse

MOST_COMPRESSED = 64 * 1024 * 1024  # bytes of the workbook as received
MOST_UNPACKED = 1024 * 1024 * 1024  # bytes of one part
MOST_SHARED = 64 * 1024 * 1024  # bytes of the texts shared between cells: they stay in memory
MOST_OF_ROW = 4 * 1024 * 1024  # bytes of one row, or between two: they stand in memory as a whole
# A sheet of numbers shrinks to a tenth or a thirtieth; a bomb to a thousandth. Source: own
# measurement on sheets of declarations; deflate itself cannot pass 1032.
MOST_RATIO = 200
MOST_ROWS = 1_048_576  # of the format
MOST_COLUMNS = 1_000
_MOST_MEMBERS = 2_000
_FAIR_SIZE = 1024 * 1024  # below this no ratio harms

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_CELL, _VALUE, _INLINE, _TEXT, _RUN = f"{_NS}c", f"{_NS}v", f"{_NS}is", f"{_NS}t", f"{_NS}r"
_LETTERS = re.compile(r"[A-Z]{1,3}")
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_CERTAIN_DIGITS = 15  # what a binary number surely keeps; further ones are its rounding
# Built-in number formats that show a date or a time (ECMA-376 part 1, 18.8.30).
_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NOT_DATE = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001  (spreadsheet dates have no zone)
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001
_SHOWS_DATE = re.compile(r"[dmyhs]", re.IGNORECASE)


class WorkbookFault(Exception):
    """A workbook, or the rest of it, that cannot be read."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason  # code list quarantine_reasons
        self.message = message


def is_workbook(head: bytes) -> bool:
    """Whether a zip archive begins like an XLSX workbook: its first parts are named there."""
    return head.startswith(b"PK\x03\x04") and (b"[Content_Types].xml" in head or b"xl/" in head)


class Workbook:
    """An open workbook; close it, or use it in a ``with`` statement."""

    def __init__(self, content: io.BytesIO) -> None:
        try:
            self._archive = zipfile.ZipFile(content)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as fault:
            message = f"The workbook is no whole zip archive ({fault})."
            raise WorkbookFault("not_well_formed", message) from None
        if len(self._archive.infolist()) > _MOST_MEMBERS:
            raise WorkbookFault("too_large", f"The workbook has more than {_MOST_MEMBERS} parts.")
        self._sheets = self._find_sheets()
        self._shared = self._read_shared()
        self._date_styles = self._read_date_styles()

    def __enter__(self) -> "Workbook":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._archive.close()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The rows of the first sheet that hold anything, with the numbers of the sheet.

        A row reaches as far as the first row does, or further where it has cells beyond. Raises
        WorkbookFault when the sheet cannot be read on.
        """
        width = 0
        number = 0
        for row in self._elements(self._sheets[0][1], f"{_NS}row", MOST_UNPACKED):
            number = _whole(row.get("r"), number + 1)
            if number > MOST_ROWS:
                raise WorkbookFault("too_large", f"The sheet has more than {MOST_ROWS} rows.")
            cells = self._cells(row)
            if any(cells):
                width = width or len(cells)
                yield number, cells + [""] * (width - len(cells))

    def further_sheets(self) -> list[str]:
        """Names of the other sheets that hold anything."""
        return [
            name
            for name, part in self._sheets[1:]
            if any(
                any(self._cells(row)) for row in self._elements(part, f"{_NS}row", MOST_UNPACKED)
            )
        ]

    def _find_sheets(self) -> list[tuple[str, str]]:
        targets = {
            relation.get("Id"): relation.get("Target", "")
            for relation in self._elements("xl/_rels/workbook.xml.rels", None, _FAIR_SIZE)
            if relation.tag.endswith("}Relationship")
        }
        sheets = []
        self._epoch = _EPOCH_1900
        for element in self._elements("xl/workbook.xml", None, _FAIR_SIZE):
            if element.tag == f"{_NS}workbookPr" and element.get("date1904") in ("1", "true"):
                self._epoch = _EPOCH_1904
            if element.tag == f"{_NS}sheet":
                target = targets.get(element.get(f"{_REL}id"), "")
                part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
                sheets.append((element.get("name", ""), part))
        if not sheets:
            raise WorkbookFault("empty_document", "The workbook has no sheet.")
        return sheets

    def _read_shared(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._archive.namelist():
            return []
        return [
            _text_of(element)
            for element in self._elements("xl/sharedStrings.xml", f"{_NS}si", MOST_SHARED)
        ]

    def _read_date_styles(self) -> frozenset[int]:
        """The cell styles that show a date."""
        if "xl/styles.xml" not in self._archive.namelist():
            return frozenset()
        own: dict[int, bool] = {}
        styles: list[int] = []
        for element in self._elements("xl/styles.xml", None, 4 * _FAIR_SIZE):
            if element.tag == f"{_NS}numFmt":
                shown = _NOT_DATE.sub("", element.get("formatCode", ""))
                own[_whole(element.get("numFmtId"), -1)] = bool(_SHOWS_DATE.search(shown))
            elif element.tag == f"{_NS}cellXfs":
                styles = [_whole(style.get("numFmtId"), 0) for style in element]
        return frozenset(
            place for place, form in enumerate(styles) if own.get(form, form in _DATE_FORMATS)
        )

    def _elements(self, part: str, tag: str | None, most: int) -> Iterator[_Element]:
        """Elements of a part, each when it ends; with a tag only those, emptied afterwards."""
        try:
            info = self._archive.getinfo(part)
            if info.file_size > most:
                raise _Bomb(part)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise NotImplementedError("packed in a way that workbooks are not")
            with self._archive.open(info) as packed:
                yield from _parsed(_Counted(packed, most, info.compress_size, part), tag)
        except _Bomb as fault:
            message = f"The part {fault} of the workbook unpacks to more than a sheet may hold."
            raise WorkbookFault("too_large", message) from None
        except _Forbidden:
            message = f"The part {part} of the workbook holds a document type or entity."
            raise WorkbookFault("entity_forbidden", message) from None
        except (KeyError, XMLSyntaxError, zipfile.BadZipFile, NotImplementedError) as fault:
            message = f"The part {part} of the workbook cannot be read ({fault})."
            raise WorkbookFault("not_well_formed", message) from None
        except (RuntimeError, EOFError, OSError, ValueError, LookupError, zlib.error) as fault:
            # With these zipfile and zlib tell of damage and encryption, wherever they meet it.
            message = f"The part {part} of the workbook is damaged or locked ({fault})."
            raise WorkbookFault("not_well_formed", message) from None

    def _cells(self, row: _Element) -> list[str]:
        cells: list[str] = []
        for cell in row:
            if cell.tag != _CELL:
                continue
            reference = cell.get("r")
            place = _column(reference.rstrip("0123456789")) if reference else len(cells)
            if place >= MOST_COLUMNS:
                message = f"A row of the sheet has more than {MOST_COLUMNS} columns."
                raise WorkbookFault("too_large", message)
            if place > len(cells):
                cells.extend([""] * (place - len(cells)))
            cells.append(self._text(cell))
        return cells

    def _text(self, cell: _Element) -> str:
        kind, text = cell.get("t", "n"), ""
        for part in cell:
            if part.tag == _VALUE:
                text = part.text or ""
            elif part.tag == _INLINE and kind == "inlineStr":
                return _text_of(part)
        if kind == "s":
            place = _whole(text, -1)
            if not 0 <= place < len(self._shared):
                message = "A cell names a shared text that is not there."
                raise WorkbookFault("not_well_formed", message)
            return self._shared[place]
        if kind != "n" or not text:
            return text
        if _whole(cell.get("s"), 0) in self._date_styles:
            return self._date(text)
        return _number(text)

    def _date(self, text: str) -> str:
        """A count of days as ISO 8601, to the second; left as it is where it is none."""
        try:
            days = float(text)
            moment = self._epoch + timedelta(seconds=round(days * 86400))
        except (ValueError, OverflowError):
            return text
        if 0 <= days < 1:
            return moment.time().isoformat()
        return moment.date().isoformat() if days == int(days) else moment.isoformat()


def _parsed(counted: "_Counted", tag: str | None) -> Iterator[_Element]:
    """Elements of a part as they end; with a tag only those, and each is dropped afterwards.

    Entities are not resolved, and the parser's own bounds on depth, names and texts stay on.
    """
    events = iterparse(
        counted,
        events=("end",),
        tag=tag,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    checked = False
    for _, element in events:
        if not checked:
            _refuse_doctype(element)
            checked = True
        yield element
        counted.begin_anew()
        if tag is not None:
            # The element, and what stood before it, leave the tree: it never grows.
            element.clear()
            parent = element.getparent()
            if parent is not None:
                del parent[: parent.index(element)]
    if not checked and events.root is not None:
        _refuse_doctype(events.root)


def _refuse_doctype(element: _Element) -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        raise _Forbidden


class _Forbidden(Exception):
    """A part has a document type, which no workbook has."""


class _Bomb(Exception):
    """More is unpacked than any sheet needs."""


class _Counted(io.RawIOBase):
    """Counts what is unpacked, and stops at a bound of size, of ratio, or of one row."""

    def __init__(self, packed: IO[bytes], most: int, compressed: int, part: str) -> None:
        self._packed = packed
        self._most = max(min(most, compressed * MOST_RATIO), _FAIR_SIZE)
        self._part = part
        self._count = 0
        self._begun = 0

    def begin_anew(self) -> None:
        """A row ended: the next one may be as long again."""
        self._begun = self._count

    def read(self, size: int = -1) -> bytes:
        """Unpack on, at most a bounded stretch at a time."""
        part = self._packed.read(65536 if size < 0 else min(size, 65536))
        self._count += len(part)
        if self._count > self._most or self._count - self._begun > MOST_OF_ROW:
            raise _Bomb(self._part)
        return part


def _text_of(element: _Element) -> str:
    """The text of a shared or inline string: its runs joined, without phonetic hints."""
    texts = []
    for child in element:
        if child.tag == _TEXT:
            texts.append(child.text or "")
        elif child.tag == _RUN:
            texts.append(child.findtext(_TEXT) or "")
    return "".join(texts)


def _number(text: str) -> str:
    """The digits of a number as a person typed them: 0.1, not 0.10000000000000001."""
    if len(text) <= _CERTAIN_DIGITS and _PLAIN_NUMBER.fullmatch(text):
        return text
    try:
        number = Decimal(repr(float(text)))
    except ValueError:
        return text
    if not number.is_finite() or abs(number.adjusted()) > 40:
        return text
    written = format(number, "f")
    return written.removesuffix(".0")


@lru_cache(maxsize=4096)
def _column(letters: str) -> int:
    """The place of a column by its letters: A is 0, Z is 25, AA is 26."""
    if _LETTERS.fullmatch(letters) is None:
        raise WorkbookFault("not_well_formed", f"A cell has no place: {letters[:40]!r}.")
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1


def _whole(text: Any, otherwise: int) -> int:
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    return otherwise
