"""A published JSON Schema put to work: compiled once into plain functions, every breach located.

The schema file is the one statement of a format, so what is checked cannot drift from what is
published. Only the keywords that our schemas use are known; another one is refused when the
schema is compiled, because a check that is silently left out is worse than none.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from isthmus.cargo.formats.strict_json import RepeatedKey, Unusable

_DESCRIBING = frozenset(
    {"$schema", "$id", "$defs", "title", "description", "examples", "default", "$comment"}
)
_TYPES: Mapping[str, type[Any]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}
_TYPE_WORDS: Mapping[type[Any], str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    int: "a whole number",
    bool: "true or false",
    type(None): "null",
}
_MOST_BREACHES = 20  # a record of the wrong kind breaks everything: the first ones tell enough


@dataclass(frozen=True, slots=True)
class Breach:
    """One place at which a value is not what its schema says."""

    pointer: str  # JSON pointer (RFC 6901) of the place
    reason: str  # code list quarantine_reasons
    message: str
    value: str | None = None


Check = Callable[[Any, str, list[Breach]], None]


@cache
def schema(name: str) -> dict[str, Any]:
    """The published schema of this file name, such as ``declaration.schema.json``."""
    loaded: dict[str, Any] = json.loads(
        files(__package__).joinpath("schemas", name).read_text(encoding="utf-8")
    )
    return loaded


def compile_schema(
    root: Mapping[str, Any], definition: str | None = None
) -> Callable[[Any], list[Breach]]:
    """Turn a schema, or one of its ``$defs``, into a function that lists a value's breaches.

    An empty list means that the value meets the schema. Raises ValueError for a keyword that is
    not known here.
    """
    check = _check_of(root if definition is None else root["$defs"][definition], root)

    def breaches(value: Any) -> list[Breach]:
        found: list[Breach] = []
        check(value, "", found)
        return found[:_MOST_BREACHES]

    return breaches


def _check_of(part: Mapping[str, Any], root: Mapping[str, Any]) -> Check:
    if "$ref" in part:
        return _check_of(root["$defs"][part["$ref"].removeprefix("#/$defs/")], root)
    kind = part.get("type")
    maker = _MAKERS.get(kind) if isinstance(kind, str) else None
    if maker is None:
        raise ValueError(f"schema without a type known here: {part}")
    of_type, known = maker
    unknown = set(part) - _DESCRIBING - known - {"type"}
    if unknown:
        raise ValueError(f"schema keywords not known here: {sorted(unknown)}")
    return of_type(part, root)


def _object(part: Mapping[str, Any], root: Mapping[str, Any]) -> Check:
    if part.get("additionalProperties") is not False:
        raise ValueError("an object of ours names all its fields")
    checks = {name: _check_of(field, root) for name, field in part["properties"].items()}
    required = tuple(part.get("required", ()))

    def check(value: Any, pointer: str, found: list[Breach]) -> None:
        if type(value) is not dict:
            found.append(_wrong_type(value, pointer, dict))
            return
        for name in required:
            if name not in value:
                found.append(
                    Breach(f"{pointer}/{name}", "value_missing", "must be given and is not")
                )
        for name, member in value.items():
            field = checks.get(name)
            if field is not None:
                field(member, f"{pointer}/{name}", found)
            elif len(found) < _MOST_BREACHES:
                found.append(
                    Breach(
                        f"{pointer}/{_escape(name)}", "schema_violation", "is no field of this form"
                    )
                )

    return check


def _array(part: Mapping[str, Any], root: Mapping[str, Any]) -> Check:
    item = _check_of(part["items"], root)
    least, most = part.get("minItems", 0), part["maxItems"]

    def check(value: Any, pointer: str, found: list[Breach]) -> None:
        if type(value) is not list:
            found.append(_wrong_type(value, pointer, list))
            return
        if not least <= len(value) <= most:
            message = f"has {len(value)} entries where {least} to {most} may stand"
            found.append(Breach(pointer, "schema_violation", message))
        for place, entry in enumerate(value[:most]):
            item(entry, f"{pointer}/{place}", found)

    return check


def _string(part: Mapping[str, Any], _root: Mapping[str, Any]) -> Check:
    least, most = part.get("minLength", 0), part["maxLength"]
    allowed = frozenset(part["enum"]) if "enum" in part else None
    # ECMA-262, which JSON Schema names, lets $ match at the very end only; Python does not.
    pattern = re.compile(part["pattern"].replace("$", r"\Z")) if "pattern" in part else None
    if part.get("format", "date-time") != "date-time":
        raise ValueError(f"format not known here: {part['format']}")
    is_moment = "format" in part

    def check(value: Any, pointer: str, found: list[Breach]) -> None:
        if type(value) is not str:
            found.append(_wrong_type(value, pointer, str))
            return
        if not least <= len(value) <= most:
            reason = "value_too_long" if len(value) > most else "value_missing"
            message = f"has {len(value)} characters where {least} to {most} may stand"
        elif allowed is not None and value not in allowed:
            reason, message = "code_unknown", f"is none of {', '.join(sorted(allowed))}"
        elif pattern is not None and pattern.search(value) is None:
            reason, message = "value_impossible", part.get("$comment", "has not the right form")
        elif is_moment and not _is_moment(value):
            reason, message = "value_impossible", "is no moment of the calendar"
        elif not value.isascii() and not _encodes(value):
            reason, message = "encoding", "holds half a character"
        else:
            return
        found.append(Breach(pointer, reason, message, _shown(value)))

    return check


def _integer(part: Mapping[str, Any], _root: Mapping[str, Any]) -> Check:
    least, most = part["minimum"], part["maximum"]

    def check(value: Any, pointer: str, found: list[Breach]) -> None:
        if type(value) is not int:
            found.append(_wrong_type(value, pointer, int))
        elif not least <= value <= most:
            message = f"is not between {least} and {most}"
            found.append(Breach(pointer, "value_impossible", message, str(value)))

    return check


def _boolean(_part: Mapping[str, Any], _root: Mapping[str, Any]) -> Check:
    def check(value: Any, pointer: str, found: list[Breach]) -> None:
        if type(value) is not bool:
            found.append(_wrong_type(value, pointer, bool))

    return check


_MAKERS: Mapping[str, tuple[Callable[[Mapping[str, Any], Mapping[str, Any]], Check], set[str]]] = {
    "object": (_object, {"properties", "required", "additionalProperties"}),
    "array": (_array, {"items", "minItems", "maxItems"}),
    "string": (_string, {"minLength", "maxLength", "enum", "pattern", "format"}),
    "integer": (_integer, {"minimum", "maximum"}),
    "boolean": (_boolean, set()),
}


def _wrong_type(value: Any, pointer: str, expected: type[Any]) -> Breach:
    wanted = _TYPE_WORDS[expected]
    if isinstance(value, RepeatedKey):
        message = f"names {value.key[:40]!r} twice"
        return Breach(pointer, "schema_violation", message)
    if isinstance(value, Unusable):
        message = f"is a number that cannot be used here: {wanted} belongs there"
        return Breach(pointer, "value_impossible", message, value.text)
    is_word = _TYPE_WORDS.get(type(value), "a number")
    shown = _shown(value) if isinstance(value, str) else None
    return Breach(pointer, "schema_violation", f"is {is_word} where {wanted} belongs", shown)


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escape(name: str) -> str:
    """A key as a token of a JSON pointer (RFC 6901), shortened, safe to print."""
    printable = name[:80].encode(errors="replace").decode()
    return printable.replace("~", "~0").replace("/", "~1")


def _shown(value: str) -> str:
    """The start of a text, safe to store and print."""
    return value[:200].encode(errors="replace").decode().replace("\0", "�")
