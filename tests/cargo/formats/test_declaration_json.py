"""Our JSON of declarations: what the published schema takes is read, all else is set apart."""

import copy
import io
import json
import re
from datetime import datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.cargo.formats.declaration_json import (
    FORMAT,
    SCHEMA,
    decode_declaration,
    encode_declaration,
)
from isthmus.cargo.formats.shape import compile_schema, schema
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import Accepted, Declaration, Reading, Rejected
from isthmus.kernel.errors import Invalid

EXAMPLE = schema(SCHEMA)["examples"][0]
SOURCE = Source("declarations.json")


def read(content: bytes | str) -> list[Reading]:
    raw = content.encode() if isinstance(content, str) else content
    return list(FORMAT.read(io.BytesIO(raw), SOURCE))


def one_rejected(content: bytes | str) -> Rejected:
    (reading,) = read(content)
    assert isinstance(reading, Rejected)
    return reading


def with_changes(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(EXAMPLE), **changes}


# --- the schema and the decoder are one -----------------------------------------------------


def _oracle() -> jsonschema.Draft202012Validator:
    """jsonschema on the published file, reading it as ECMA-262 and this format mean it.

    ``$`` is the very end of the text; a whole number is written without a fraction (as the
    descriptions say), so 1.0 is none; date-time is a moment of the calendar.
    """
    text = json.dumps(schema(SCHEMA)).replace('$"', '\\\\Z"')
    formats = jsonschema.FormatChecker(formats=())

    @formats.checks("date-time", raises=ValueError)
    def moment(value: object) -> bool:
        if isinstance(value, str):
            datetime.fromisoformat(value)
        return True

    whole = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: type(value) is int
    )
    kind = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=whole)
    return kind(json.loads(text), format_checker=formats)


ORACLE = _oracle()


def test_the_published_schema_is_a_schema_and_takes_its_own_examples() -> None:
    published = schema(SCHEMA)
    jsonschema.Draft202012Validator.check_schema(published)
    for example in published["examples"]:
        ORACLE.validate(example)
        assert isinstance(decode_declaration(example), Declaration)


def test_every_field_of_the_published_schema_is_described() -> None:
    def look(part: dict[str, Any], where: str) -> None:
        assert "$ref" in part or part.get("description"), where
        for name, field in part.get("properties", {}).items():
            look(field, f"{where}/{name}")

    published = schema(SCHEMA)
    look(published, "")
    for name, part in published["$defs"].items():
        look(part, name)


def _values(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema takes, made from the schema itself."""
    if "$ref" in part:
        return _values(schema(SCHEMA)["$defs"][part["$ref"].removeprefix("#/$defs/")])
    match part["type"]:
        case "object":
            required = set(part.get("required", ()))
            fields = {name: _values(field) for name, field in part["properties"].items()}
            return st.fixed_dictionaries(
                {name: field for name, field in fields.items() if name in required},
                optional={name: field for name, field in fields.items() if name not in required},
            )
        case "array":
            least = part.get("minItems", 0)
            return st.lists(
                _values(part["items"]), min_size=least, max_size=min(part["maxItems"], least + 2)
            )
        case "integer":
            return st.integers(part["minimum"], part["maximum"])
        case "boolean":
            return st.booleans()
        case _ if "enum" in part:
            return st.sampled_from(part["enum"])
        case _ if part.get("format") == "date-time":
            moments = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 30))  # noqa: DTZ001
            return st.builds(
                lambda moment, zone: moment.isoformat() + zone,
                moments,
                st.sampled_from(["Z", "+09:00", "-05:30"]),
            )
        case _:
            pattern = re.compile(part["pattern"].replace("$", r"\Z"))
            least, most = part.get("minLength", 0), part["maxLength"]
            return st.from_regex(pattern).filter(lambda text: least <= len(text) <= most)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=5) | st.just(1.5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@st.composite
def nearly_declarations(draw: st.DrawFn) -> Any:
    """A declaration of the published form in which, most often, one thing was changed."""
    value = draw(_values(schema(SCHEMA)))
    places: list[tuple[Any, Any]] = []

    def collect(part: Any) -> None:
        items = part.items() if isinstance(part, dict) else enumerate(part)
        for key, member in list(items):
            places.append((part, key))
            if isinstance(member, dict | list):
                collect(member)

    collect(value)
    what = draw(st.sampled_from(["nothing", "replace", "remove", "add", "lengthen"]))
    holder, key = draw(st.sampled_from(places))
    if what == "replace":
        holder[key] = draw(JSON_VALUES)
    elif what == "remove":
        del holder[key]
    elif what == "add" and isinstance(holder, dict):
        holder[draw(st.text(max_size=8))] = draw(JSON_VALUES)
    elif what == "lengthen" and isinstance(holder[key], str):
        holder[key] += draw(st.sampled_from(["\n", " ", "9", "A", "é", "\0", "a" * 80, "Ж" * 5000]))
    return value


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(nearly_declarations(), JSON_VALUES))
def test_the_decoder_takes_exactly_what_the_schema_takes(value: Any) -> None:
    try:
        decode_declaration(value)
        taken = True
    except Invalid:
        taken = False
    assert taken == ORACLE.is_valid(value)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(_values(schema(SCHEMA)))
def test_a_declaration_comes_back_from_its_published_form(value: Any) -> None:
    declaration = decode_declaration(value)
    written = encode_declaration(declaration)
    ORACLE.validate(written)
    assert decode_declaration(json.loads(json.dumps(written))) == declaration


def test_a_keyword_that_is_not_checked_cannot_be_published() -> None:
    with pytest.raises(ValueError, match="multipleOf"):
        compile_schema({"type": "integer", "minimum": 0, "maximum": 9, "multipleOf": 2})


# --- documents -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([EXAMPLE, EXAMPLE]),
        json.dumps(EXAMPLE) + "\n" + json.dumps(EXAMPLE) + "\n",
        "\ufeff" + json.dumps([EXAMPLE, EXAMPLE], indent=2),
        json.dumps(EXAMPLE, indent=1) + "\r\n\r\n" + json.dumps(EXAMPLE),
    ],
)
def test_two_declarations_are_read_from_a_list_and_from_lines(content: str) -> None:
    readings = read(content)
    assert [type(reading) for reading in readings] == [Accepted, Accepted]
    assert [reading.ordinal for reading in readings] == [1, 2]
    assert readings[0].record == decode_declaration(EXAMPLE)


def test_a_bad_declaration_spoils_no_other() -> None:
    bad = with_changes(gross_kg="heavy")
    readings = read(json.dumps([EXAMPLE, bad, EXAMPLE], indent=1))
    assert [type(reading) for reading in readings] == [Accepted, Rejected, Accepted]
    rejected = readings[1]
    assert isinstance(rejected, Rejected)
    assert rejected.position == "declaration 2"
    assert rejected.field == "/gross_kg"
    assert rejected.value == "heavy"
    assert rejected.reason == "value_impossible"
    line = json.dumps([EXAMPLE, bad, EXAMPLE], indent=1).splitlines().index(" {", 2) + 1
    assert f"Line {line}:" in rejected.message


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"reference": None}, "/reference", "schema_violation"),
        ({"reference": ""}, "/reference", "value_missing"),
        ({"reference": "R" * 71}, "/reference", "value_too_long"),
        ({"reference": "a\0b"}, "/reference", "value_impossible"),
        ({"reference": "\ud800"}, "/reference", "encoding"),
        ({"function": "amend"}, "/function", "code_unknown"),
        ({"gross_kg": 12}, "/gross_kg", "schema_violation"),
        ({"gross_kg": 12.5}, "/gross_kg", "value_impossible"),
        ({"gross_kg": "-1"}, "/gross_kg", "value_impossible"),
        ({"packages": 10**400}, "/packages", "value_impossible"),
        ({"packages": float("nan")}, "/packages", "value_impossible"),
        ({"packages": True}, "/packages", "schema_violation"),
        ({"lodged_at": "2026-02-30T00:00:00Z"}, "/lodged_at", "value_impossible"),
        ({"lodged_at": "2026-02-03T00:00:00"}, "/lodged_at", "value_impossible"),
        ({"colour": "red"}, "/colour", "schema_violation"),
        ({"a/b~": 1}, "/a~1b~0", "schema_violation"),
        ({"goods": [{"number": 1, "origin": "China"}]}, "/goods/0/origin", "value_too_long"),
        ({"parties": [{"name": "X"}]}, "/parties/0/role", "value_missing"),
    ],
)
def test_every_error_is_named_by_place_and_reason(
    change: dict[str, Any], field: str, reason: str
) -> None:
    rejected = one_rejected(json.dumps(with_changes(**change)))
    assert (rejected.field, rejected.reason) == (field, reason)
    assert field in rejected.message
    assert rejected.message.startswith("Line 1:")
    (rejected.message + (rejected.value or "")).encode()


def test_a_repeated_key_is_refused() -> None:
    rejected = one_rejected('{"reference": "A", "function": "original", "reference": "B"}')
    assert rejected.reason == "schema_violation"
    assert "'reference' twice" in rejected.message


@pytest.mark.parametrize("content", ["3", '"text"', "null", "true", "[[]]", "[1]"])
def test_what_is_no_object_is_refused(content: str) -> None:
    assert one_rejected(content).reason == "schema_violation"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_document"),
        (b" \n\t", "empty_document"),
        (b"\xef\xbb\xbf", "empty_document"),
        (b"[]", "empty_document"),
        (b'{"reference": "\xff"}', "encoding"),
        (b"{", "not_well_formed"),
        (b"[", "not_well_formed"),
        (b"[,]", "not_well_formed"),
        (b"hello", "not_well_formed"),
        (b"{" + b'"a":{' * 200_000, "too_deep"),
        (b"[" * 200_000, "too_deep"),
    ],
)
def test_a_document_that_is_no_json_is_one_rejection(content: bytes, reason: str) -> None:
    assert one_rejected(content).reason == reason


def test_a_list_that_breaks_gives_what_stood_before_the_break() -> None:
    readings = read(json.dumps([EXAMPLE, EXAMPLE])[:-20])
    assert [type(reading) for reading in readings] == [Accepted, Rejected]
    missing_comma = read("[" + json.dumps(EXAMPLE) + json.dumps(EXAMPLE) + "]")
    assert [type(reading) for reading in missing_comma] == [Accepted, Rejected]
    behind = read(json.dumps([EXAMPLE]) + "x")
    assert [type(reading) for reading in behind] == [Accepted, Rejected]


def test_a_broken_line_spoils_no_other_line() -> None:
    good = json.dumps(EXAMPLE)
    readings = read(f'{good}\n{{"reference": \n{good}\n{good}\n')
    assert [type(reading) for reading in readings] == [Accepted, Rejected, Accepted, Accepted]
    assert [reading.ordinal for reading in readings] == [1, 2, 3, 4]


def test_a_document_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.cargo.formats.declaration_json.LIMIT", 100)
    assert one_rejected(" " * 101).reason == "too_large"


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b'{"reference": "A"', "x", True),
        (b'\xef\xbb\xbf [ {"reference"', "x", True),
        (b"", "empty.json", True),
        (b"", "empty.csv", False),
        (b'{"event_id": "1"', "events.json", False),
        (b'{"eventType": "EQUIPMENT"', "events.json", False),
        (b"<Declaration/>", "x.json", False),
        (b"UNB+UNOA:2", "x", False),
        (b"[settings]\nname=1", "x.ini", False),
        (b"[1, 2]", "x.json", True),
    ],
)
def test_json_is_recognised_by_its_beginning(head: bytes, name: str, expected: bool) -> None:
    assert FORMAT.recognise(head, Source(name)) is expected


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='{}[]",:1eE-.Nab \n\\u', max_size=60).map(str.encode),
    )
)
def test_no_bytes_break_the_reader(content: bytes) -> None:
    readings = read(content)
    assert readings
    assert all(isinstance(reading, Rejected) for reading in readings)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        (b'{"at": "2026-01-09T00:00:04Z", "radar": "PR-4", "speed": 20.2}', False),
        (b'[{"type": "bundle", "id": "bundle--1"}]', False),
        (b'{"note": 1, "reference": "R1"}', True),  # a declaration with a field that is wrong
        (b'{"lodged_at": "yesterday"}', True),
        (b"{}", True),
        (b"[]", True),
    ],
)
def test_json_of_other_things_is_no_declaration(text, ours):
    source = Source("something.json")
    assert FORMAT.recognise(text, source) is ours
