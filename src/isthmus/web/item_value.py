"""One value of an item as it is typed into a form, and as its schema has it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from isthmus.intelligence.schema import Field
from isthmus.kernel.errors import Invalid
from isthmus.web.visitor import Form, Visitor

MANY = frozenset({"codes", "names", "places", "containers", "seals", "seizure_numbers"})
"""Forms of values that are lists: codes are ticked, the others typed one to a line."""
_PARTS: Mapping[str, tuple[str, str]] = {
    "text": ("text", "language"),
    "money": ("amount", "currency"),
    "position": ("latitude", "longitude"),
}


def value_of(own: Field, form: Form, name: str, visitor: Visitor) -> Any:
    """Return one typed value as the schema has it, or nothing for an empty field.

    Raises ``Invalid`` with the path for what cannot be read; the schema judges the rest.
    """
    text = form.text(name)
    if own.form in MANY:
        given = form.many(name) if own.form == "codes" else text.replace(",", "\n").split("\n")
        return list(dict.fromkeys(one.strip() for one in given if one.strip()))
    if not text:
        return None
    beside = form.text(f"{name}~")
    if own.form == "text":
        return {"language": beside or visitor.reader.locale, "text": text}
    if own.form == "money":
        return {"amount": _point(text), "currency": beside.upper()}
    try:
        if own.form == "position":
            return {"latitude": float(_point(text)), "longitude": float(_point(beside))}
        read = _READ.get(own.form)
        return read(text, visitor) if read else text
    except ValueError:
        raise Invalid("item_invalid", "is not written as it must be", path=name) from None


def typed(own: Field, name: str, value: Any, visitor: Visitor) -> list[tuple[str, str]]:
    """Return a value as the fields of a form that give it back."""
    if own.form == "codes":
        return [(name, one) for one in value]
    if own.form in _PARTS:
        first, second = _PARTS[own.form]
        return [(name, str(value[first])), (f"{name}~", str(value[second]))]
    if own.form in MANY:
        shown = "\n".join(value)
    elif own.form == "moment":
        shown = f"{visitor.reader.local(datetime.fromisoformat(value)):%Y-%m-%dT%H:%M}"
    else:
        shown = str(value)
    return [(name, shown)]


def _point(text: str) -> str:
    """A number with a decimal comma is one; no digit of it is lost."""
    return text.replace(",", ".")


def _moment(text: str, visitor: Visitor) -> str:
    """A moment as it is typed is one of the node's zone, unless it says its own."""
    held = datetime.fromisoformat(text)
    if held.tzinfo is None:
        held = held.replace(tzinfo=ZoneInfo(visitor.reader.zone))
    return f"{held.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _whole(text: str, _visitor: Visitor) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(text)
    return int(text)


_READ: Mapping[str, Callable[[str, Visitor], Any]] = {
    "moment": _moment,
    "integer": _whole,
    "version": _whole,
    "decimal": lambda text, _: _point(text),
}
