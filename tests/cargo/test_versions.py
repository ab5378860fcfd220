"""What a record is known by, what makes two the same, and how versions are kept."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from intake_samples import BOXES, at, changed, consignment, declaration, event, manifest

from cargo.formats.cuscar_samples import manifests
from isthmus.cargo.codec import to_plain
from isthmus.cargo.model import Function, Manifest
from isthmus.cargo.versions import (
    Tally,
    Version,
    declared,
    digest_of,
    identity,
    issued_at,
    mentions,
    parked_row,
    record_row,
    version_of,
)

A, B, *_ = BOXES


def _version(record, **more) -> Version:
    kind, key, _ = identity(record)
    told = {"flags": (), "digest": b"d", "document_id": "doc", "ordinal": 1, "position": "row 1"}
    return Version("rec", kind, key, 1, record, **{**told, "received_at": at(0), **more})


@pytest.mark.parametrize(
    ("record", "known_by"),
    [
        (consignment("B1"), ("consignment", "M1/B1", "M1")),
        (manifest(), ("manifest", "M1", None)),
        (declaration("D1", local_reference="L"), ("declaration", "D1", "L")),
        (declaration("D1", local_reference="D1"), ("declaration", "D1", None)),
        (event("DISC", A, 0, "7"), ("event", "TERMINAL/7", None)),
    ],
)
def test_what_a_record_is_known_by(record, known_by):
    assert identity(record) == known_by


def test_the_function_is_the_messages_unless_the_consignment_says_its_own():
    assert _version(consignment("B1")).function is Function.ORIGINAL
    assert _version(changed(consignment("B1"))).function is Function.CHANGE
    assert _version(consignment("B1", function=Function.CANCEL)).cancelled
    assert _version(event("DISC", A, 0)).function is Function.ORIGINAL


def test_equal_records_have_equal_digests_under_one_key_alone(keys):
    plain = to_plain(declaration("D1"))
    assert digest_of(keys, plain) == digest_of(keys, dict(reversed(plain.items())))
    assert digest_of(keys, plain) != digest_of(keys, to_plain(declaration("D2")))
    assert digest_of(keys, plain) != digest_of(replace(keys, names=bytes(32)), plain)


def test_a_row_holds_nobody(keys):
    record = declaration("D1")
    row = record_row(_version(record))
    assert "parties" not in row["body"]
    assert "user" not in record_row(_version(event("DISC", A, 0, user="u")))["body"]
    waiting = parked_row(_version(record), "P")
    assert (waiting["version"], waiting["state"], waiting["parent_key"]) == (0, "parked", "P")
    assert waiting["body"]["parties"]


@settings(max_examples=40, deadline=None)
@given(manifests())
def test_a_version_comes_back_from_its_row_but_for_its_parties(told):
    head, records = told
    for record in (head, *records):
        version = _version(record)
        back = version_of(record_row(version))
        bare = record if isinstance(record, Manifest) else replace(record, parties=())
        assert back.record == bare
        assert (back.key, back.digest, back.received_at) == (version.key, b"d", at(0))


def test_what_a_record_mentions():
    def named(version):
        return {(row["what"], row["value"]) for row in mentions(version)}

    assert named(_version(consignment("H1", A, B, master_bill="MB"))) == {
        ("container", A),
        ("container", B),
        ("master", "MB"),
    }
    amended = _version(declaration("D1", A, bills=("B1", "B2")), alias="A1")
    assert named(amended) == {
        ("container", A),
        ("bill", "B1"),
        ("bill", "B2"),
        ("reference", "A1"),
    }
    assert named(_version(event("DISC", A, 0))) == set()


def test_moments_of_issue_and_people_named():
    assert issued_at(consignment("B1")) == issued_at(manifest()) == at(-2)
    assert issued_at(declaration("D1")) == at(-1)
    assert declared(manifest()) == ()
    assert [one.identifier for one in declared(event("DISC", A, 0, user="u"))] == ["u"]


def test_counts_add_up():
    tally = Tally(received=2, accepted=1, parked=1)
    tally.add(Tally(received=1, duplicates=1))
    assert tally == Tally(received=3, accepted=1, parked=1, duplicates=1)
