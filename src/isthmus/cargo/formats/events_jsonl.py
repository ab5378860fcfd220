"""Container and port events, one JSON object a line.

Two shapes are read, line by line: the flat form of this node, published as
``schemas/event.schema.json``, and equipment events of DCSA Track & Trace (``dcsa.py``). Codes are
those of DCSA, or of the own namespace ``isth`` for what DCSA has no code for. A bad line is set
apart and the others go on. Memory does not grow with the document.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import orjson

from isthmus.cargo.codec import from_plain, to_plain
from isthmus.cargo.formats import dcsa
from isthmus.cargo.formats.shape import Breach, compile_schema, schema
from isthmus.cargo.formats.source import Format, Source
from isthmus.cargo.formats.strict_json import scan
from isthmus.cargo.model import Accepted, ContainerEvent, Flag, Reading, Rejected
from isthmus.kernel.errors import Invalid
from isthmus.reference.check_digits import container_number_valid, container_shape_valid

SCHEMA = "event.schema.json"
LIMIT = 512 * 1024 * 1024
LONGEST_LINE = 256 * 1024  # bytes; an event has a few hundred

_BLANKS = b" \t\r\n"
_MARKS = (b'"event_id"', b'"equipmentEventTypeCode"', b'"eventType"')
_NAMES = ("events.jsonl", "events.ndjson")

event_breaches = compile_schema(schema(SCHEMA), "event")

EVENT_CODES: tuple[str, ...] = tuple(schema(SCHEMA)["$defs"]["event"]["properties"]["code"]["enum"])
"""Every code an event may have, as published."""


def recognise(head: bytes, source: Source) -> bool:
    """Whether the document is JSON lines of events: by a field that only they have."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return source.name.lower().endswith(_NAMES)
    return start[:1] == b"{" and any(mark in head for mark in _MARKS)


def read(stream: BinaryIO, source: Source) -> Iterator[Reading]:
    """Yield every event of the document, in the order of its lines; blank lines are passed over."""
    number = ordinal = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        too_long = len(line) == LONGEST_LINE and not line.endswith(b"\n")
        if too_long:
            _skip_line(stream)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip(_BLANKS):
            continue
        ordinal += 1
        if too_long:
            message = f"The line is longer than {LONGEST_LINE} bytes."
            yield Rejected(f"line {number}", ordinal, "value_too_long", message)
        else:
            yield _reading(line, number, ordinal, source)
    if ordinal == 0:
        yield Rejected("document", 0, "empty_document", "The document holds no event.")


def write_events(events: Iterable[ContainerEvent]) -> bytes:
    """The events in the flat form, one a line, ready to be sent or read again."""
    return b"".join(orjson.dumps(to_plain(event)) + b"\n" for event in events)


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


def _reading(line: bytes, number: int, ordinal: int, source: Source) -> Reading:
    position = f"line {number}"
    try:
        value = _object(line)
        flat, flags = dcsa.flatten(value, source.name) if dcsa.is_dcsa(value) else (value, [])
    except Invalid as fault:
        field, shown = fault.where.get("field"), fault.where.get("value")
        message = f"{field} {fault.message}." if field else f"{fault.message}."
        return Rejected(position, ordinal, fault.code, message, field, shown)
    breaches = event_breaches(flat)
    if breaches:
        first = breaches[0]
        return Rejected(
            position, ordinal, first.reason, _words(breaches), first.pointer, first.value
        )
    record = from_plain("event", flat)
    return Accepted(position, ordinal, record, (*flags, *_doubts(flat["container"])))


def _object(line: bytes) -> dict[str, Any]:
    """The one object of the line; Invalid says why there is none."""
    try:
        text = line.decode().strip(" \t\r\n")
        value, end = scan(text, 0)
    except UnicodeDecodeError as fault:
        raise Invalid("encoding", f"Not UTF-8 at byte {fault.start} of the line") from None
    except json.JSONDecodeError as fault:
        message = f"Not JSON at column {fault.colno} ({fault.msg})"
        raise Invalid("not_well_formed", message) from None
    except StopIteration:
        raise Invalid("not_well_formed", "Not JSON: no value begins here") from None
    except RecursionError:
        raise Invalid("too_deep", "Objects stand too deep inside one another") from None
    if end != len(text):
        raise Invalid("not_well_formed", f"Text stands behind the object, at column {end + 1}")
    if not isinstance(value, dict):
        raise Invalid("schema_violation", "The line holds no object")
    return value


def _words(breaches: list[Breach]) -> str:
    return "; ".join(f"{breach.pointer or '/'} {breach.message}" for breach in breaches[:5]) + "."


def _doubts(container: str) -> tuple[Flag, ...]:
    """A number that is no good container number is kept as told, and doubted."""
    if container_number_valid(container):
        return ()
    code = "container_check_digit" if container_shape_valid(container) else "container_shape"
    return (Flag(code, "container", container),)


FORMAT = Format(code="events", limit=LIMIT, recognise=recognise, read=read)
