"""Container events: our flat form and DCSA equipment events, line by line."""

import copy
import dataclasses
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.cargo.formats.events_jsonl import (
    EVENT_CODES,
    FORMAT,
    LONGEST_LINE,
    SCHEMA,
    write_events,
)
from isthmus.cargo.formats.shape import schema
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import Accepted, ContainerEvent, Flag, Reading, Rejected, Seal
from isthmus.reference.codelist import code_list

SOURCE = Source("terminal-7")
FLAT, WEIGHED, DCSA = schema(SCHEMA)["examples"]


def read(*lines: Any) -> list[Reading]:
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return list(FORMAT.read(io.BytesIO(b"\n".join(texts)), SOURCE))


def accepted(line: Any) -> Accepted:
    (reading,) = read(line)
    assert isinstance(reading, Accepted), reading
    return reading


def rejected(line: Any) -> Rejected:
    (reading,) = read(line)
    assert isinstance(reading, Rejected), reading
    return reading


def test_the_published_schema_takes_its_own_examples() -> None:
    published = schema(SCHEMA)
    jsonschema.Draft202012Validator.check_schema(published)
    for example in published["examples"]:
        jsonschema.Draft202012Validator(published).validate(example)
        accepted(example)


def test_every_code_has_its_label_in_the_code_list() -> None:
    assert set(EVENT_CODES) <= set(code_list("event_codes").codes())


def test_a_flat_event_is_read() -> None:
    assert accepted(WEIGHED).record == ContainerEvent(
        event_id="T1-000046",
        sender="PSAPA",
        code="isth:weigh",
        container="CSQU3054383",
        at=datetime(2026, 3, 1, 8, 31, tzinfo=UTC),
        weight_kg=Decimal(24310),
    )


def test_a_dcsa_equipment_event_is_read() -> None:
    assert accepted(DCSA).record == ContainerEvent(
        event_id="3cecb101-7a1a-43a4-9d62-e88a131651e2",
        sender="terminal-7",
        code="DISC",
        container="CSQU3054383",
        at=datetime(2026, 3, 1, 8, 30, tzinfo=UTC),
        place="PAONX",
        terminal="MITP",
        bill="MAEU1234567",
        vessel_imo="9074729",
        voyage="612E",
        empty=False,
        mode="1",
        seals=(Seal("PA774512", kind="bolt", affixed_by="carrier"),),
        detail=(("ISOEquipmentCode", "45G1"),),
    )


def test_the_metadata_and_payload_of_version_3_say_the_same() -> None:
    payload = copy.deepcopy(DCSA)
    metadata = {
        name: payload.pop(name) for name in ("eventID", "eventType", "eventCreatedDateTime")
    }
    metadata["publisher"] = {"carrierCode": "MSCU", "carrierCodeListProvider": "NMFTA"}
    payload["relatedDocumentReferences"] = [
        {"type": "BKG", "value": "B1"},
        {"type": "TRD", "value": "MAEU1234567"},
    ]
    del payload["documentReferences"]
    record = accepted({"metadata": metadata, "payload": payload}).record
    assert isinstance(record, ContainerEvent)
    assert dataclasses.replace(record, sender="terminal-7") == accepted(DCSA).record
    assert record.sender == "MSCU"


@pytest.mark.parametrize(("classifier", "planned"), [("PLN", True), ("EST", True), ("ACT", False)])
def test_planned_and_estimated_events_are_no_facts(classifier: str, planned: bool) -> None:
    record = accepted({**DCSA, "eventClassifierCode": classifier}).record
    assert isinstance(record, ContainerEvent)
    assert record.planned is planned


def test_a_box_is_loaded_under_the_voyage_that_leaves() -> None:
    call = {"modeOfTransport": "VESSEL", "importVoyageNumber": "1E", "exportVoyageNumber": "2W"}
    for code, voyage in (("LOAD", "2W"), ("DISC", "1E")):
        record = accepted({**DCSA, "equipmentEventTypeCode": code, "transportCall": call}).record
        assert isinstance(record, ContainerEvent)
        assert record.voyage == voyage


@pytest.mark.parametrize("code", EVENT_CODES)
def test_every_published_code_is_taken(code: str) -> None:
    record = accepted({**FLAT, "code": code}).record
    assert isinstance(record, ContainerEvent)
    assert record.code == code


@pytest.mark.parametrize(
    ("line", "reason", "field"),
    [
        ({**FLAT, "code": "TELEPORT"}, "code_unknown", "/code"),
        ({**FLAT, "code": "ARRI"}, "code_unknown", "/code"),
        ({**DCSA, "equipmentEventTypeCode": "CROS"}, "code_unknown", "/code"),
        ({**DCSA, "eventType": "TRANSPORT"}, "code_unknown", "eventType"),
        ({**DCSA, "eventClassifierCode": "REQ"}, "code_unknown", "eventClassifierCode"),
        ({**DCSA, "transportCall": "yes"}, "schema_violation", "transportCall"),
        ({**DCSA, "seals": [1]}, "schema_violation", "seals"),
        ({**DCSA, "seals": [{}]}, "value_missing", "/seals/0/number"),
        ({**DCSA, "eventDateTime": "2026-03-01T08:30:00"}, "value_impossible", "/at"),
        ({**FLAT, "at": "yesterday"}, "value_impossible", "/at"),
        ({**FLAT, "container": "csqu 3054383"}, "value_impossible", "/container"),
        ({**FLAT, "driver": "someone"}, "schema_violation", "/driver"),
        ({name: FLAT[name] for name in FLAT if name != "at"}, "value_missing", "/at"),
        (b'{"event_id": "1", "event_id": "2"}', "schema_violation", ""),
        (b'{"event_id": "\xff"}', "encoding", None),
        (b'{"event_id": ', "not_well_formed", None),
        (b"nothing", "not_well_formed", None),
        (b"{} {}", "not_well_formed", None),
        (b"[]", "schema_violation", None),
        (b'{"a":' * 50_000, "too_deep", None),
    ],
)
def test_a_bad_line_is_set_apart_with_its_place(line: Any, reason: str, field: str | None) -> None:
    readings = read(FLAT, line, WEIGHED)
    assert [type(reading) for reading in readings] == [Accepted, Rejected, Accepted]
    bad = readings[1]
    assert isinstance(bad, Rejected)
    assert (bad.position, bad.ordinal, bad.reason, bad.field) == ("line 2", 2, reason, field)


def test_an_over_long_line_is_set_apart_and_the_next_is_read() -> None:
    long = {**FLAT, "detail": [["note", "x" * 3 * LONGEST_LINE]]}
    readings = read(FLAT, long, WEIGHED)
    assert [type(reading) for reading in readings] == [Accepted, Rejected, Accepted]
    assert isinstance(readings[1], Rejected)
    assert readings[1].reason == "value_too_long"
    assert readings[2].position == "line 3"


def test_blank_lines_are_counted_and_passed_over() -> None:
    content = (
        b"\xef\xbb\xbf\n" + json.dumps(FLAT).encode() + b"\r\n\r\n" + json.dumps(FLAT).encode()
    )
    readings = list(FORMAT.read(io.BytesIO(content), SOURCE))
    assert [(reading.position, reading.ordinal) for reading in readings] == [
        ("line 2", 1),
        ("line 4", 2),
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_document_is_one_rejection(content: bytes) -> None:
    (reading,) = FORMAT.read(io.BytesIO(content), SOURCE)
    assert isinstance(reading, Rejected)
    assert (reading.ordinal, reading.reason) == (0, "empty_document")


def test_doubtful_numbers_and_codes_are_kept_and_flagged() -> None:
    wrong_digit = accepted({**FLAT, "container": "CSQU3054384"})
    assert wrong_digit.flags == (Flag("container_check_digit", "container", "CSQU3054384"),)
    no_box = accepted({**DCSA, "equipmentReference": "TRAILER 7"})
    assert no_box.flags == (Flag("container_shape", "container", "TRAILER7"),)
    padlock = accepted({**DCSA, "seals": [{"sealNumber": "ab-12 3", "sealType": "KLP"}]})
    assert isinstance(padlock.record, ContainerEvent)
    assert padlock.record.seals == (Seal("AB123", kind="KLP"),)
    assert padlock.flags == (Flag("code_unknown", "seals/kind", "KLP"),)


EVENTS = st.builds(
    ContainerEvent,
    event_id=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
    sender=st.sampled_from(["PSAPA", "MIT"]),
    code=st.sampled_from(EVENT_CODES),
    container=st.from_regex(r"[A-Z]{4}[0-9]{7}", fullmatch=True),
    at=st.datetimes(datetime(1900, 1, 2), datetime(2199, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    planned=st.booleans(),
    empty=st.none() | st.booleans(),
    weight_kg=st.none() | st.decimals(0, 40000, places=3),
    seals=st.lists(
        st.builds(Seal, st.from_regex(r"[A-Z0-9]{3,9}", fullmatch=True)), max_size=3
    ).map(tuple),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=5))
def test_what_is_written_is_read_back_the_same(events: list[ContainerEvent]) -> None:
    readings = list(FORMAT.read(io.BytesIO(write_events(events)), SOURCE))
    assert [reading.record for reading in readings if isinstance(reading, Accepted)] == events
    validator = jsonschema.Draft202012Validator(schema(SCHEMA))
    for line in write_events(events).splitlines():
        validator.validate(json.loads(line))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    assert all(
        isinstance(reading, Rejected) for reading in FORMAT.read(io.BytesIO(content), SOURCE)
    )


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_dcsa_object_breaks_the_reader(data: st.DataObject) -> None:
    value = copy.deepcopy(DCSA)
    name = data.draw(st.sampled_from(sorted(value)))
    inner = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda part: (
            st.lists(part, max_size=2)
            | st.dictionaries(
                st.sampled_from(["vessel", "location", "sealNumber", "type", "value"]), part
            )
        ),
        max_leaves=4,
    )
    value[name] = data.draw(inner)
    (reading,) = read(value)
    assert reading.position == "line 1"


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b'{"event_id": "1"', "x", True),
        (b'\xef\xbb\xbf{"eventID":"1","eventType": "EQUIPMENT"', "x", True),
        (b'{"reference": "1"', "events.jsonl", False),
        (b"", "gate-events.jsonl", True),
        (b"", "gate.csv", False),
        (b'["event_id"]', "x", False),
    ],
)
def test_events_are_recognised_by_their_fields(head: bytes, name: str, expected: bool) -> None:
    assert FORMAT.recognise(head, Source(name)) is expected
