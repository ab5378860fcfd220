"""Blind questions over objects: right answers, nothing plain on the wire, a quota that holds."""

import random
import time

import pytest

from isthmus.access.model import Purpose, Role
from isthmus.exchange.questions import question_store
from isthmus.exchange.questions.askable import Nothing
from isthmus.exchange.questions.blind import Desk, Question, element
from isthmus.exchange.trust import partners
from isthmus.intelligence.objects import ObjectKind
from isthmus.kernel.errors import Denied, IsthmusError, Limited, NotFound

pytest.importorskip("private_set_intersection", reason="the extra is not installed")

HELD = [element(ObjectKind.CONTAINER, f"MSKU{number:07}") for number in range(500)]
FOR = Purpose.TARGETING


class Told(Nothing):
    """Lets everybody ask about what the test says, while the test lets it."""

    def __init__(self, elements=HELD):
        self.elements, self.clause = elements, "a clause"

    def basis(self, *_):
        return self.clause

    def objects(self, *_):
        return [(ObjectKind.CONTAINER, one.partition(":")[2]) for one in self.elements]


@pytest.fixture
def asked(both):
    panama, antwerp = both
    return panama, antwerp, Desk(Told(), time.monotonic)


def prepared(panama, antwerp, desk):
    return desk.prepare(antwerp.database.read(lambda tx: desk.held(tx, panama.code, FOR)))


def ask(panama, antwerp, desk, elements):
    question = Question(elements)
    request = question.request()
    ticket, setup = prepared(panama, antwerp, desk)
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
        desk = Desk(Told(HELD[:number]), time.monotonic)
        prepared(panama, antwerp, desk)
        (one,) = desk._prepared.values()
        sizes.add(one.size)
    assert sizes == {512}


def test_the_quota_counts_elements(asked):
    panama, antwerp, desk = asked
    supervisor = antwerp.staff[Role.SUPERVISOR]
    antwerp.database.write(lambda tx: partners.set_caps(tx, supervisor, panama.code, questions=10))
    ask(panama, antwerp, desk, HELD[:8])
    with pytest.raises(Limited):
        ask(panama, antwerp, desk, HELD[:3])
    day = antwerp.database.clock.now().date().isoformat()
    assert antwerp.database.read(lambda tx: question_store.asked(tx, panama.code, day)) == 8


def test_a_ticket_is_its_partners_alone(asked):
    panama, antwerp, desk = asked
    ticket, _ = prepared(panama, antwerp, desk)
    with pytest.raises(NotFound):
        antwerp.database.write(lambda tx: desk.answer(tx, "NL-DOUANE", ticket, b""))


def test_a_ticket_is_worth_nothing_once_the_agreements_have_changed(asked):
    panama, antwerp, desk = asked
    ticket, _ = prepared(panama, antwerp, desk)
    request = Question(HELD[:3]).request()
    for now in ("another clause", ""):
        desk.askable.clause = now
        with pytest.raises(NotFound, match="changed"):
            antwerp.database.write(lambda tx: desk.answer(tx, panama.code, ticket, request))
    with pytest.raises(Denied, match="no clause"):
        prepared(panama, antwerp, desk)


def test_the_same_set_is_prepared_once(asked):
    panama, antwerp, desk = asked
    first = prepared(panama, antwerp, desk)
    assert prepared(panama, antwerp, desk) == first
    desk.askable.elements = HELD[:200]
    assert prepared(panama, antwerp, desk) != first


def test_rubbish_is_refused(asked):
    panama, antwerp, desk = asked
    ticket, setup = prepared(panama, antwerp, desk)
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
