"""Versions, duplicates and what waits for its parent; on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_samples import (
    BOXES,
    Port,
    at,
    changed,
    consignment,
    declaration,
    event,
    manifest,
    party,
)
from sqlalchemy import delete

from isthmus.cargo.model import Function, GoodsItem, Manifest, PartyRole
from isthmus.kernel.time import SetClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing

A, B, _, _ = BOXES
CHANGE, CANCEL = Function.CHANGE, Function.CANCEL


def amendment(reference: str, parent: str, days: float = 0, **more):
    """An amendment that names its parent."""
    told = {"parent_reference": parent, "lodged_at": at(days), "goods": (), "parties": ()}
    return declaration(reference, **{"function": CHANGE, **told, **more})


def test_the_same_record_twice_is_a_duplicate(port):
    first = port.take(declaration("D1"), declaration("D1"))
    assert (first.accepted, first.duplicates) == (1, 1)
    assert port.take(declaration("D1")).duplicates == 1
    assert len(port.versions("D1")) == 1
    port.check()


def test_another_content_under_the_same_reference_is_a_version_with_a_flag(port):
    port.take(declaration("D1"))
    tally = port.take(declaration("D1", payment="11"))
    assert (tally.accepted, tally.new_versions) == (1, 1)
    old, new = port.versions("D1")
    assert (old["state"], new["state"]) == ("superseded", "current")
    assert ["duplicate_original", "reference", "D1"] in new["flags"]


def test_an_old_message_sent_again_after_an_amendment_changes_nothing(port):
    port.take(declaration("D1"), amendment("A1", "D1", payment="30"))
    again = port.take(declaration("D1"), amendment("A1", "D1", payment="30"))
    assert (again.duplicates, again.accepted) == (2, 0)
    assert port.versions("D1")[-1]["body"]["payment"] == "30"


def test_a_consignment_sent_again_after_its_cancellation_stays_cancelled(port):
    port.take(consignment("B1", A))
    port.take(manifest("M1", CANCEL, issued_at=at(-1)))
    assert port.take(consignment("B1", A)).duplicates == 1
    assert port.standing() == {}


def test_amendments_wait_for_their_parent_and_come_in_the_order_of_issue(port):
    late = amendment("A2", "D1", 2, payment="late")
    early = amendment("A1", "D1", 1, payment="early", office="X")
    assert port.take(late).parked == 1
    waiting = port.document
    assert port.take(early).parked == 1
    assert port.take(late).duplicates == 1
    tally = port.take(declaration("D1"))
    assert (tally.received, tally.accepted, tally.parked) == (1, 1, 0)
    bodies = [row["body"] for row in port.versions("D1")]
    assert [body.get("payment") for body in bodies] == [None, "early", "late"]
    assert bodies[-1]["office"] == "X"
    assert port.parked() == []
    moved = port.counts(waiting)
    assert (moved.accepted, moved.parked, moved.new_versions) == (1, 0, 1)
    assert port.take(early).duplicates == 1
    port.check()


def test_an_amendment_of_an_amendment_waits_for_both(port):
    port.take(amendment("A2", "A1", 2, payment="2"))
    port.take(amendment("A1", "D1", 1, payment="1"))
    port.take(declaration("D1"))
    assert [row["body"].get("payment") for row in port.versions("D1")] == [None, "1", "2"]
    port.take(amendment("A3", "A2", 3, payment="3"))
    assert port.versions("D1")[-1]["body"]["payment"] == "3"
    assert len(port.standing()) == 1
    port.check()


@pytest.mark.parametrize("batch", [1, 3])
def test_parent_and_amendments_in_one_document_in_any_order(port, batch):
    told = [amendment("A1", "D1", 1, office="X"), amendment("A2", "A1", 2), declaration("D1")]
    tally = port.take(*told, batch=batch)
    assert (tally.received, tally.accepted, tally.parked, tally.new_versions) == (3, 3, 0, 2)
    assert [row["version"] for row in port.versions("D1")] == [1, 2, 3]
    port.check()


def test_an_amendment_may_name_the_declarants_own_reference_unless_two_bear_it(port):
    port.take(declaration("MRN1", local_reference="LRN"))
    assert port.take(amendment("A1", "LRN", payment="1")).accepted == 1
    port.take(declaration("MRN2", local_reference="LRN"))
    assert port.take(amendment("A2", "LRN", payment="2")).parked == 1
    assert port.versions("MRN1")[-1]["body"]["payment"] == "1"
    port.check()


def test_what_waits_for_one_kind_of_record_is_not_woken_by_another(port):
    assert port.take(amendment("A1", "X/B1")).parked == 1
    port.take(consignment("B1", A, head=manifest("X")))
    assert len(port.parked()) == 1
    port.check()


def test_parked_parties_come_back_with_their_parent(port):
    consignee = party(PartyRole.IMPORTER, "Nueva Importadora")
    port.take(amendment("A1", "D1", parties=(consignee,)))
    assert port.parties() == []
    port.take(declaration("D1"))
    names = {(row["name"], row["identifier"]) for row in port.parties()}
    assert names == {(None, "RUC-1"), ("Nueva Importadora", None)}
    (unit,) = port.standing().values()
    assert unit.consignee_changes == 1


def test_a_cancelled_declaration_stays_cancelled_whatever_amendment_comes_after(port):
    port.take(declaration("D1"), amendment("A1", "D1", function=CANCEL, reason="error"))
    port.take(amendment("A2", "D1", payment="30"))
    newest = port.versions("D1")[-1]
    assert (newest["function"], newest["body"]["payment"]) == ("cancel", "30")
    assert port.standing() == {}


def test_a_cancellation_of_an_unknown_manifest_waits_for_it(port):
    assert port.take(manifest("M1", CANCEL, issued_at=at(-1))).parked == 1
    port.take(consignment("B1", A), consignment("B2", B), batch=1)
    assert port.standing() == {}
    assert port.parked() == []
    port.check()


def test_what_is_reported_anew_after_the_cancellation_stands(port):
    port.take(consignment("B1", A), manifest("M1", CANCEL, issued_at=at(-1)))
    port.take(consignment("B1", A, head=manifest("M1", issued_at=at(-0.5))))
    assert set(port.standing()) == {(A, "B1", None)}


def test_a_change_of_the_manifests_head_moves_the_arrival_of_its_units(port):
    port.take(consignment("B1", A))
    port.take(Manifest("M1", CHANGE, arrival_at=at(3), issued_at=at(-1)))
    (unit,) = port.standing().values()
    assert (unit.arrival_at, unit.direction) == (at(3), "arrival")


def test_a_changed_consignment_waits_for_its_original(port):
    assert port.take(changed(consignment("B1", B))).parked == 1
    port.take(consignment("B1", A))
    assert set(port.standing()) == {(B, "B1", None)}
    port.check()


def test_an_event_sent_again_otherwise_is_a_version(port):
    port.take(consignment("B1", A), event("DISC", A, 0, "1", weight_kg=Decimal(9)))
    port.take(event("DISC", A, 0, "1", weight_kg=Decimal(8)))
    (unit,) = port.standing().values()
    assert unit.weighed_kg == 8.0
    port.check()


def test_the_user_of_a_port_system_is_kept_apart(port):
    port.take(event("isth:release_right_lookup", A, 0, user="u-17"))
    (row,) = port.rows(tables.metadata.tables["record"])
    assert "user" not in row["body"]
    assert [row["ref"] for row in port.parties()] == ["U-17"]


# -- any sequence of messages --------------------------------------------------------------

_BILLS = ("B1", "B2", "H1")
_one = st.sampled_from
_boxes = st.lists(_one(BOXES[:3]), max_size=2, unique=True).map(tuple)
_flow = st.builds(
    lambda bill, boxes, master, head, function: consignment(
        bill,
        *boxes,
        master_bill=master if master != bill else None,
        head=manifest(head, function, issued_at=at(0 if function == CANCEL else -1)),
    ),
    _one(_BILLS),
    _boxes,
    _one((None, "B1", "H1")),
    _one(("M1", "M2")),
    _one(tuple(Function)),
)
_head = st.builds(
    lambda reference, function: Manifest(reference, function, issued_at=at(-0.5)),
    _one(("M1", "M2")),
    _one(tuple(Function)),
)
_declared = st.builds(
    lambda reference, boxes, bills, function, parent, payment: declaration(
        reference,
        *boxes,
        bills=bills,
        function=function,
        parent_reference=parent if function is not Function.ORIGINAL else None,
        payment=payment,
    ),
    _one(("D1", "D2", "A1")),
    _boxes,
    st.lists(_one(_BILLS), max_size=2, unique=True).map(tuple),
    _one(tuple(Function)),
    _one((None, "D1", "D2", "A1")),
    _one((None, "11")),
)
_event = st.builds(
    lambda code, box, days, bill: event(code, box, days, f"{code}{box}{days}", bill=bill),
    _one(("DISC", "GTOT", "GTIN", "LOAD", "isth:yard_move")),
    _one(BOXES[:3]),
    st.integers(0, 60),
    _one((None, "B1")),
)
_messages = st.lists(st.one_of(_flow, _declared, _event, _head), min_size=1, max_size=9)
_fast = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _empty(database: Database) -> None:
    def work(tx) -> None:
        for name in ("record", "record_mention", "declared_party", "unit", "reading", "event"):
            tx.execute(delete(tables.metadata.tables[name]))

    database.write(work)


@pytest.fixture(scope="module")
def memory() -> Iterator[Database]:
    """A SQLite database that no disk slows down, where the machine has such a place."""
    place = Path("/dev/shm")
    with TemporaryDirectory(dir=place if place.is_dir() else None) as folder:
        database = Database(f"sqlite:///{folder}/intake.db", SetClock(), KeyRing.generate())
        tables.metadata.create_all(database.migrator())
        yield database
        database.close()


@_fast
@given(messages=_messages, cuts=st.lists(st.integers(1, 3), min_size=9, max_size=9))
def test_every_record_is_accounted_for_and_every_unit_is_one(memory, messages, cuts):
    _empty(memory)
    port = Port(memory)
    start = 0
    for size in cuts:
        if part := messages[start : start + size]:
            port.take(*part, batch=2)
        start += size
        port.check()
    before = port.units()
    for message in messages:
        assert port.take(message).duplicates == 1
    assert port.units() == before
    port.check()


# Messages of which each speaks of a record of its own, but for a change or cancellation of it that
# says when it was issued: whatever order they come in, and however they are cut into documents,
# the same units stand and say the same.
_AS_IT_CAME = ("id", "version", "created_at", "changed_at", "amendments", "documents")
_ALSO = ("last_amendment_hours", "consignee_changes", "flags", "superseded_by", "lodged_at")


@st.composite
def _independent(draw):
    told = []
    for bill in draw(st.lists(_one(("B1", "B2", "H1", "H2")), unique=True)):
        master = draw(_one((None, "B1", "B2")))
        for reference in draw(st.lists(_one(("M1", "M2")), unique=True, min_size=1)):
            days = 0 if reference == "M1" else draw(_one((4, 30)))
            head = manifest(reference, arrival_at=at(days), issued_at=at(days - 2))
            one = consignment(bill, *draw(_boxes), head=head)
            one = replace(one, master_bill=master if master != bill else None)
            told.append(one)
            if draw(st.booleans()):
                told.append(changed(one, containers=consignment("", *draw(_boxes)).containers))
    for reference in draw(st.lists(_one(("D1", "D2", "D3")), unique=True)):
        bills = tuple(draw(st.lists(_one(("B1", "B2", "H1")), max_size=2, unique=True)))
        told.append(declaration(reference, *draw(_boxes), bills=bills, lodged_at=at(3)))
        later = draw(_one((None, CHANGE, CANCEL)))
        if later:
            told.append(
                amendment(
                    f"A-{reference}",
                    reference,
                    4,
                    function=later,
                    bills=tuple(draw(st.lists(_one(("B1", "H2")), max_size=1))),
                    goods=(GoodsItem(2, "ROSES"),),
                )
            )
    if draw(st.booleans()):
        told.append(Manifest("M2", CANCEL, issued_at=at(40)))
    told += draw(st.lists(_event, max_size=4, unique_by=lambda one: one.event_id))
    return told


def _said(port: Port) -> list[dict]:
    left_out = {*_AS_IT_CAME, *_ALSO}
    cancelled = {
        row["key"]
        for row in port.rows(tables.metadata.tables["record"])
        if row["kind"] == "declaration" and row["state"] == "current" and row["function"] == CANCEL
    }
    said = []
    for unit in port.standing().values():
        values = {name: getattr(unit, name) for name in unit.__slots__ if name not in left_out}
        if unit.declaration_key in cancelled:  # which one stays linked, if any, is as it came
            values["declaration_key"] = None
        said.append(values)
    return sorted(said, key=lambda v: str((v["container"], v["bill"], v["declaration_key"])))


@_fast
@given(data=st.data())
def test_independent_messages_come_to_the_same_units_in_any_order(memory, data):
    told = data.draw(_independent())
    _empty(memory)
    port = Port(memory)
    if told:
        port.take(*told)
    port.check()
    first = _said(port)
    _empty(memory)
    for message in data.draw(st.permutations(told)):
        port.take(message)
    port.check()
    assert _said(port) == first
