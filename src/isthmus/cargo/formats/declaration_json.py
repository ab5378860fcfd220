"""Declarations in the JSON of this node: one object, a list of them, or one a line.

The form is published as ``schemas/declaration.schema.json``; its field names are those of
``model.Declaration``. It is strict: an unknown field, a repeated key, a number where text belongs
is refused with its place (JSON pointer and line). Amounts and masses are text, so that no system
in between rounds them.

In a list, and in one object a line, a bad record is set apart and reading goes on. Where the text
itself breaks inside a list nobody can tell where the next record begins: the rest is set apart as
one part. In lines, reading goes on at the next line.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from isthmus.cargo.codec import from_plain, to_plain
from isthmus.cargo.formats.shape import Breach, compile_schema, schema
from isthmus.cargo.formats.source import Format, Source
from isthmus.cargo.formats.strict_json import scan
from isthmus.cargo.model import Accepted, Declaration, Reading, Rejected
from isthmus.kernel.errors import Invalid

SCHEMA = "declaration.schema.json"
LIMIT = 64 * 1024 * 1024

_BLANK = re.compile(r"[ \t\r\n]*")
_BEGINS = re.compile(rb"\{\s*[\"}]|\[\s*[{\]]")  # an object or a list of objects, not any bracket
_BREACHES_SHOWN = 5
_JSON_NAMES = (".json", ".jsonl", ".ndjson")
_FIRST_FIELD = re.compile(rb'\[?\s*\{\s*"([^"\\]*)"\s*:')
_ALWAYS = (b'"reference"', b'"function"')
_EVENT_MARKS = (b'"event_id"', b'"equipmentEventTypeCode"', b'"eventType"')

declaration_breaches = compile_schema(schema(SCHEMA))
_FIELDS = frozenset(schema(SCHEMA)["properties"])


def encode_declaration(declaration: Declaration) -> dict[str, Any]:
    """The declaration as an object of the published form, ready for a JSON writer."""
    return to_plain(declaration)


def decode_declaration(value: Any) -> Declaration:
    """The declaration that an object of the published form says.

    Raises Invalid with the reason, the place (JSON pointer) and the value of the first breach.
    """
    breaches = declaration_breaches(value)
    if breaches:
        first = breaches[0]
        raise Invalid(first.reason, _words(breaches), field=first.pointer, value=first.value)
    record = from_plain("declaration", value)
    if not isinstance(record, Declaration):
        raise Invalid("cargo.kind_unknown", "not a declaration")
    return record


def recognise(head: bytes, source: Source) -> bool:
    """Whether the document is JSON that is no event: by its beginning, and its name where short."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    named_json = (source.media_type or "").partition(";")[0].strip().endswith("json")
    named_json = named_json or source.name.lower().endswith(_JSON_NAMES)
    if not start:
        return named_json
    begins = start[:1] in (b"{", b"[") if named_json else _BEGINS.match(start) is not None
    return begins and not any(mark in head for mark in _EVENT_MARKS) and not _of_others(start)


def _of_others(start: bytes) -> bool:
    """Whether JSON is plainly of something else: its first field is none of a declaration, and
    what every declaration has is not there."""
    first = _FIRST_FIELD.match(start)
    if first is None or first[1].decode("utf-8", "replace") in _FIELDS:
        return False
    return not any(mark in start for mark in _ALWAYS)


def read(stream: BinaryIO, _source: Source) -> Iterator[Reading]:
    """Yield every declaration of the document, in order; see the module for what is refused."""
    content = stream.read(LIMIT + 1)
    if len(content) > LIMIT:
        yield _spoilt("too_large", f"The document is larger than {LIMIT} bytes.")
        return
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        yield _spoilt("encoding", f"Not UTF-8: line {line}, byte {fault.start}.")
        return
    del content
    start = _behind_blanks(text, 0)
    if start == len(text):
        yield _spoilt("empty_document", "The document holds nothing.")
    elif text[start] == "[":
        yield from _read_list(text, start)
    else:
        yield from _read_lines(text, start)


def _read_list(text: str, start: int) -> Iterator[Reading]:
    lines = _Lines(text)
    place = _behind_blanks(text, start + 1)
    ordinal = 0
    closed = text[place : place + 1] == "]"
    if closed and _behind_blanks(text, place + 1) == len(text):
        yield _spoilt("empty_document", "The list holds no declaration.")
        return
    while not closed:
        ordinal += 1
        line = lines.at(place)
        try:
            value, place = scan(text, place)
        except (json.JSONDecodeError, StopIteration, RecursionError) as fault:
            yield _broken(fault, text, place, ordinal, "the rest of the list cannot be read")
            return
        yield _reading(value, ordinal, line)
        place = _behind_blanks(text, place)
        closed = text[place : place + 1] == "]"
        if not closed and text[place : place + 1] != ",":
            message = f"Line {lines.at(place)}: a comma or the end of the list is missing; "
            message += "the rest of the list cannot be read."
            yield Rejected(f"declaration {ordinal + 1}", ordinal + 1, "not_well_formed", message)
            return
        if not closed:
            place = _behind_blanks(text, place + 1)
    place = _behind_blanks(text, place + 1)
    if place < len(text):
        message = f"Line {lines.at(place)}: text stands behind the end of the list."
        yield Rejected(f"declaration {ordinal + 1}", ordinal + 1, "not_well_formed", message)


def _read_lines(text: str, start: int) -> Iterator[Reading]:
    """Objects one behind the other, each on one line or more."""
    lines = _Lines(text)
    place, ordinal = start, 0
    while place < len(text):
        ordinal += 1
        line = lines.at(place)
        try:
            value, end = scan(text, place)
        except (json.JSONDecodeError, StopIteration, RecursionError) as fault:
            yield _broken(fault, text, place, ordinal, "reading goes on at the next line")
            end = text.find("\n", place)
            place = len(text) if end < 0 else _behind_blanks(text, end)
            continue
        yield _reading(value, ordinal, line)
        place = _behind_blanks(text, end)


def _reading(value: Any, ordinal: int, line: int) -> Reading:
    position = f"declaration {ordinal}"
    breaches = declaration_breaches(value)
    if not breaches:
        return Accepted(position, ordinal, from_plain("declaration", value))
    first = breaches[0]
    message = f"Line {line}: {_words(breaches)}"
    return Rejected(position, ordinal, first.reason, message, first.pointer, first.value)


def _words(breaches: list[Breach]) -> str:
    shown = [f"{breach.pointer or '/'} {breach.message}" for breach in breaches[:_BREACHES_SHOWN]]
    if len(breaches) > _BREACHES_SHOWN:
        shown.append("and more")
    return "; ".join(shown) + "."


def _broken(fault: Exception, text: str, place: int, ordinal: int, then: str) -> Rejected:
    position = f"declaration {ordinal}"
    if isinstance(fault, RecursionError):
        line = text.count("\n", 0, place) + 1
        message = f"Line {line}: objects stand too deep inside one another; {then}."
        return Rejected(position, ordinal, "too_deep", message)
    if isinstance(fault, json.JSONDecodeError):
        where, what = f"Line {fault.lineno}, column {fault.colno}", fault.msg
    else:  # the scanner says StopIteration where no value begins
        line = text.count("\n", 0, place) + 1
        where, what = f"Line {line}", "no JSON value begins here"
    return Rejected(position, ordinal, "not_well_formed", f"{where}: not JSON ({what}); {then}.")


def _spoilt(reason: str, message: str) -> Rejected:
    return Rejected("document", 0, reason, message)


def _behind_blanks(text: str, place: int) -> int:
    blanks = _BLANK.match(text, place)
    return place if blanks is None else blanks.end()


class _Lines:
    """Counts lines as places move forward, each stretch of text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._line = 1

    def at(self, place: int) -> int:
        """The line, from 1, of this place; places must not go backward."""
        self._line += self._text.count("\n", self._place, place)
        self._place = place
        return self._line


FORMAT = Format(code="json", limit=LIMIT, recognise=recognise, read=read)
