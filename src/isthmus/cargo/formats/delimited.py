"""Rows of a delimited text (CSV), one by one, with memory that does not grow with the document.

Quoted fields may hold delimiters and line ends. A row that cannot be read is told as such and
costs only itself: when a quote that never closes has swallowed further lines, its first line is
given up and the lines behind it are read anew.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

LONGEST_LINE = 1024 * 1024  # characters
LONGEST_FIELD = 131_072  # characters: the csv module's own bound

_UNREADABLE = "surrogateescape"  # keeps bytes that are no text visible, row by row


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no row."""

    reason: str  # code list quarantine_reasons
    message: str
    value: str | None = None


class Prefixed(io.RawIOBase):
    """A stream whose first bytes were read already, as one stream again.

    It never closes the stream beneath: whoever opened that one closes it.
    """

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        """Always: it is made for reading."""
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        """Fill the buffer from the bytes read before, then from the stream."""
        if self._head:
            part, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        else:
            part = self._rest.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


class Rows:
    """The rows of a delimited text with their numbers; the first row is number 1."""

    def __init__(self, stream: io.RawIOBase, encoding: str, delimiter: str) -> None:
        codec = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
        self._text = io.TextIOWrapper(
            io.BufferedReader(stream, 1 << 18), codec, errors=_UNREADABLE, newline=""
        )
        self._encoding = encoding
        self._delimiter = delimiter
        self._again: deque[str] = deque()
        self._used: list[str] = []

    def __iter__(self) -> Iterator[tuple[int, list[str] | BadRow]]:
        number = 0
        used = self._used
        rows = self._reader()
        while True:
            used.clear()
            try:
                fields = next(rows)
            except StopIteration:
                return
            except csv.Error as fault:
                number += 1
                yield number, self._bad(fault)
                rows = self._reader()
                continue
            number += 1
            row = used[0] if len(used) == 1 else "".join(used)
            if len(row) > LONGEST_LINE:
                yield number, self._too_long()
            elif "\0" in row:
                message = "The row holds a NUL character."
                yield number, BadRow("value_impossible", message, row[:200].replace("\0", "�"))
            elif not row.isascii() and not _encodes(row):
                shown = row[:200].encode("utf-8", "replace").decode()
                message = f"The row is not in the encoding {self._encoding}."
                yield number, BadRow("encoding", message, shown)
            elif fields:
                yield number, fields

    def give_back(self) -> None:
        """Read anew the lines behind the first one of the last row, if it had more than one.

        For a row that turned out wrong: a stray quote may have joined it with its followers.
        """
        self._again.extendleft(reversed(self._used[1:]))
        del self._used[1:]

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self._delimiter, strict=True)

    def _lines(self) -> Iterator[str]:
        readline, again, used = self._text.readline, self._again, self._used
        while True:
            line = again.popleft() if again else readline(LONGEST_LINE)
            if not line:
                return
            if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
                line += "\n"  # now longer than any line may be, which gives it away
                while (rest := readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
                    pass
            used.append(line)
            yield line

    def _bad(self, fault: csv.Error) -> BadRow:
        first = self._used[0] if self._used else ""
        self.give_back()
        if len(first) > LONGEST_LINE or "field limit" in str(fault):
            return self._too_long()
        shown = first[:200].encode("utf-8", "replace").decode().replace("\0", "�").rstrip("\r\n")
        return BadRow("not_well_formed", f"The quotes of the row do not match ({fault}).", shown)

    def _too_long(self) -> BadRow:
        first = self._used[0] if self._used else ""
        shown = first[:80].encode("utf-8", "replace").decode().replace("\0", "�")
        message = f"A field is longer than {LONGEST_FIELD} characters, or the row than "
        return BadRow("value_too_long", message + f"{LONGEST_LINE}.", shown)


def _encodes(row: str) -> bool:
    try:
        row.encode()
    except UnicodeEncodeError:
        return False
    return True
