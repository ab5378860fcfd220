"""No body is read beyond its limit; a document comes whole, raw or in a form, or not at all."""

import json
import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.node_served import DECLARATION, EVENT, Api, manifest
from api.test_identity import problem
from isthmus.access.model import Role
from isthmus.api.bodies import SMALL, file_name
from isthmus.platform.settings import LimitSettings

KIB = 1024


def blocks(count: int, block: bytes = b"x" * KIB, seen: list[int] | None = None) -> Iterator[bytes]:
    for number in range(count):
        if seen is not None:
            seen.append(number)
        yield block


@pytest.fixture
def narrow(make_api: Callable[..., Api]) -> Api:
    """A node with small limits: 64 KiB for tables, 32 for what it does not know, 2 MiB for CUSCAR."""
    limits = LimitSettings(
        cuscar=2 << 20, wco=64 * KIB, tabular=64 * KIB, json=64 * KIB, events=64 * KIB,
        unsupported=32 * KIB,
    )  # fmt: skip
    return make_api(limits=limits)


def test_a_plain_body_has_its_cap_whatever_it_claims(api: Api):
    client = api.client(Role.ANALYST)
    told = problem(client.post("/api/rules", content=blocks(SMALL // KIB + 64)), 413)
    assert told["code"] == "body_too_large"
    huge = {"Content-Length": str(1 << 40), "Content-Type": "application/json"}
    problem(client.post("/api/rules", content=b"{}", headers=huge), 413)


def test_a_document_is_refused_by_the_limit_of_its_format_while_it_comes(narrow: Api):
    client = narrow.client(Role.ANALYST)
    told = problem(client.post("/api/receive", content=blocks(40)), 413)
    assert told["code"] == "too_large"
    assert told["where"]["source"] == "upload"
    large = manifest(400)
    assert len(large) > 64 * KIB
    assert client.post("/api/receive", content=large).status_code in (201, 202)
    everything = problem(client.post("/api/receive", content=blocks(3 * KIB)), 413)
    assert everything["kind"] == "too_large"
    with narrow.client(Role.ANALYST) as reader:
        assert len(reader.get("/api/documents").json()["items"]) == 1


def test_what_is_refused_leaves_nothing_in_the_folder(narrow: Api):
    client = narrow.client(Role.ANALYST)
    problem(client.post("/api/receive", content=blocks(40)), 413)
    problem(client.post("/api/receive", files={"file": b"x" * 60 * KIB}), 413)
    assert os.listdir(narrow.node.folder.temporary) == []


def test_a_file_of_a_form_is_the_same_document_as_the_raw_body(api: Api):
    client = api.client(Role.ANALYST)
    content = manifest(3)
    first = client.post("/api/receive", params={"filename": "m.edi"}, content=content)
    assert first.status_code == 201
    again = client.post("/api/receive", files={"file": ("m.edi", content, "text/plain")})
    assert again.status_code == 200
    assert again.json()["duplicate"]
    assert again.json()["document"] == first.json()["document"]


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(content=st.binary(max_size=40_000), cut=st.integers(1, 5_000))
def test_bytes_come_through_a_form_as_they_are(api: Api, content: bytes, cut: int):
    boundary = b"b0undary"
    head = (
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="file"; filename="a.bin"'
        b"\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    if b"\r\n--" + boundary in content:
        return
    body = head + content + b"\r\n--" + boundary + b"--\r\n"
    pieces = [body[start : start + cut] for start in range(0, len(body), cut)]
    response = api.client(Role.ANALYST).post(
        "/api/receive",
        content=iter(pieces),
        headers={"Content-Type": "multipart/form-data; boundary=b0undary"},
    )
    assert response.status_code in (200, 201, 202), response.text
    document = response.json()["document"]
    stored = api.client(Role.ANALYST, **{"Isthmus-Reason": "checking what was stored"}).get(
        f"/api/documents/{document}/content"
    )
    assert stored.content == content


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"no parts at all"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nvalue\r\n--x--\r\n',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncut off',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\none\r\n'
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="b"\r\n\r\ntwo\r\n--x--',
        ),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x"),
    ],
)
def test_a_form_without_one_whole_file_is_refused(api: Api, content_type: str, body: bytes):
    client = api.client(Role.ANALYST)
    told = problem(
        client.post("/api/receive", content=body, headers={"Content-Type": content_type}), 422
    )
    assert told["code"] == "multipart_invalid"
    assert client.get("/api/documents").json()["items"] == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\files\\a.csv", "a.csv"),
        ("a\x00b\r\n.csv", "ab.csv"),
        ("", "upload"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_name_is_kept_without_folders_and_controls(given: str, kept: str):
    assert file_name(given) == kept


def test_the_same_declaration_twice_is_one_document(api: Api):
    client = api.client(Role.SYSTEM)
    first = client.post("/api/declarations", json=DECLARATION)
    assert first.status_code == 201
    assert (first.json()["received"], first.json()["accepted"]) == (1, 1)
    again = client.post("/api/declarations", json=DECLARATION)
    assert again.status_code == 200
    told = again.json()
    assert told["duplicate"]
    assert told["document"] == first.json()["document"]
    assert (told["accepted"], told["duplicates"]) == (0, 1)
    reader = api.client(Role.ANALYST)
    assert len(reader.get("/api/documents").json()["items"]) == 1
    assert len(reader.get("/api/units").json()["items"]) == 1


def test_a_declaration_with_a_fault_is_set_apart_and_said_so(api: Api):
    client = api.client(Role.ANALYST)
    wrong = {**DECLARATION, "reference": 7}
    told = client.post("/api/declarations", content=json.dumps([DECLARATION, wrong])).json()
    assert (told["accepted"], told["quarantined"]) == (1, 1)
    (entry,) = client.get("/api/quarantine").json()["items"]
    assert entry["document_id"] == told["document"]
    assert entry["field"] == "/reference"


def test_each_address_takes_its_own_form_only(api: Api):
    client = api.client(Role.ANALYST)
    told = problem(client.post("/api/declarations", content=manifest(1)), 422)
    assert told["code"] == "format_not_taken"
    problem(client.post("/api/events", json=DECLARATION), 422)


def test_a_terminal_sends_events_and_no_manifest(api: Api):
    client = api.client(Role.TERMINAL)
    told = client.post("/api/events", content=json.dumps(EVENT).encode())
    assert told.status_code == 201, told.text
    assert told.json()["accepted"] == 1
    broken = client.post("/api/events", content=b'{"event_id": 1}\n')
    assert broken.status_code == 201, broken.text
    assert broken.json()["quarantined"] == 1
    problem(client.post("/api/receive", content=manifest(1)), 403)


def test_what_no_reader_knows_is_kept_and_named(api: Api):
    client = api.client(Role.ANALYST)
    told = client.post("/api/receive", params={"filename": "a.png"}, content=b"\x89PNG\r\n")
    assert told.status_code == 201
    assert told.json()["unsupported"]
    assert told.json()["format"] is None


def test_a_mapping_is_one_that_is_shipped(api: Api):
    client = api.client(Role.ANALYST)
    for name in ("/etc/passwd", "../korea", "a.yaml"):
        problem(client.post("/api/receive", params={"mapping": name}, content=b"a,b\n1,2\n"), 422)
    told = client.post("/api/receive", params={"mapping": "unheard_of"}, content=b"a,b\n1,2\n")
    assert told.status_code < 500
