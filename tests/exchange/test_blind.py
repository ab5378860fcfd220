"""Blind questions over objects: right answers, nothing plain on the wire, a quota that holds."""

import random
import time

import pytest

from isthmus.access.model import Role
from isthmus.exchange import partners, post_store
from isthmus.exchange.blind import Desk, Question, element
from isthmus.intelligence.objects import ObjectKind
from isthmus.kernel.errors import IsthmusError, Limited, NotFound

pytest.importorskip("private_set_intersection", reason="the extra is not installed")

HELD = [element(ObjectKind.CONTAINER, f"MSKU{number:07}") for number in range(500)]


@pytest.fixture
def asked(both):
    panama, antwerp = both
    return panama, antwerp, Desk(lambda _tx, _partner: HELD, time.monotonic)


def ask(panama, antwerp, desk, elements):
    question = Question(elements)
    request = question.request()
    ticket, setup = desk.prepare(
        panama.code, antwerp.database.read(lambda tx: desk.held(tx, panama.code))
    )
    response = antwerp.database.write(lambda tx: desk.answer(tx, panama.code, ticket, request))
    return question.answers(setup, response), (request, setup, response)


def test_right_answers_and_no_plain_element_on_the_wire(asked):
    panama, antwerp, desk = asked
    dice = random.Random(1)
    known = dice.sample(HELD, 40)
    unknown = [element(ObjectKind.CONTAINER, f"XXXU{number:07}") for number in range(200)]
    mixed = [*known, *unknown]
    dice.shuffle(mixed)
    found, wire = ask(panama, antwerp, desk, mixed)
    assert sorted(found) == sorted(known)
    for message in wire:
        for one in [*mixed, *HELD]:
            assert one.encode() not in message
            assert one.partition(":")[2].encode() not in message


def test_two_questions_about_the_same_look_different(asked):
    first, second = Question(HELD[:5]).request(), Question(HELD[:5]).request()
    assert first != second


def test_the_size_tells_a_bound_only(both):
    panama, antwerp = both
    sizes = set()
    for number in (260, 300, 500):
        desk = Desk(lambda _tx, _partner, n=number: HELD[:n], time.monotonic)
        held = antwerp.database.read(lambda tx, d=desk: d.held(tx, panama.code))
        desk.prepare(panama.code, held)
        (prepared,) = desk._prepared.values()
        sizes.add(prepared.size)
    assert sizes == {512}


def test_the_quota_counts_elements(asked):
    panama, antwerp, desk = asked
    supervisor = antwerp.staff[Role.SUPERVISOR]
    antwerp.database.write(lambda tx: partners.set_caps(tx, supervisor, panama.code, questions=10))
    ask(panama, antwerp, desk, HELD[:8])
    with pytest.raises(Limited):
        ask(panama, antwerp, desk, HELD[:3])
    day = antwerp.database.clock.now().date().isoformat()
    assert antwerp.database.read(lambda tx: post_store.asked(tx, panama.code, day)) == 8


def test_a_ticket_is_its_partners_alone(asked):
    panama, antwerp, desk = asked
    ticket, _ = desk.prepare(
        panama.code, antwerp.database.read(lambda tx: desk.held(tx, panama.code))
    )
    with pytest.raises(NotFound):
        antwerp.database.write(lambda tx: desk.answer(tx, "NL-DOUANE", ticket, b""))


def test_rubbish_is_refused(asked):
    panama, antwerp, desk = asked
    ticket, setup = desk.prepare(
        panama.code, antwerp.database.read(lambda tx: desk.held(tx, panama.code))
    )
    for rubbish in (b"", b"\xff" * 40, b"\x0a\x03abc"):
        with pytest.raises(IsthmusError):
            antwerp.database.write(lambda tx, r=rubbish: desk.answer(tx, panama.code, ticket, r))
    with pytest.raises(IsthmusError):
        Question(HELD[:2]).answers(setup, b"\xff\xff")


def test_objects_are_written_one_way():
    assert element(ObjectKind.CONTAINER, "msku 123456-7") == "container:MSKU1234567"
    with pytest.raises(IsthmusError):
        element(ObjectKind.SEAL, " - ")
    with pytest.raises(IsthmusError, match="only objects"):
        element(ObjectKind.ITEM, "PA-ANA:alr_1")
