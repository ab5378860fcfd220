"""Asking a partner blindly: what the clauses let it ask about, on record on both sides, no more."""

from dataclasses import replace

import pytest

from exchange.test_by_agreements import CLAUSE, NODES, SINCE
from exchange.world import befriend
from federation.nodes import free_port
from isthmus.access.model import Purpose, Role
from isthmus.agreements.model import Clause, Mode, Permit, Prohibition
from isthmus.exchange.questions import inquiry, question_store
from isthmus.exchange.questions.askable import ByClauses
from isthmus.exchange.station import Station
from isthmus.exchange.trust import partners
from isthmus.intelligence import items
from isthmus.intelligence.model import (
    Classification,
    Evaluation,
    Handling,
    ItemKind,
    Marking,
    Scale,
    Tlp,
)
from isthmus.intelligence.objects import ObjectKind
from isthmus.kernel.errors import Denied, Invalid, IsthmusError, Limited, Unavailable

MARKING = Marking(None, frozenset({Handling.H0}), Classification.NONE, Tlp.GREEN)
GRADED = replace(MARKING, evaluation=Evaluation(Scale.POLICE_4X4, "B", "2"))
PERMIT = Permit(
    NODES, NODES, frozenset({ItemKind.ALERT}), frozenset({"containers", "reason"}),
    frozenset({Purpose.TARGETING}), frozenset({Mode.ON_REQUEST}),
)  # fmt: skip
ASKABLE = replace(CLAUSE, clause=Clause("art-8", SINCE, None, PERMIT))
BOX, OTHER, SEAL = "MSKU1234565", "MSCU1234566", "AB123"


class Held:
    """What Antwerp holds: clauses and overlay, changed by the test."""

    def __init__(self):
        self.clauses, self.overlay = [ASKABLE], []
        self.askable = ByClauses(lambda *_: self.clauses, lambda _tx: self.overlay)


def alert(party, box=BOX, marking=GRADED, **body):
    said = {
        "reason": "seal_anomaly", "action": "assess", "containers": [box],
        "expires_at": "2026-12-31T00:00:00Z", **body,
    }  # fmt: skip
    actor = party.staff[Role.ANALYST]
    return party.database.write(
        lambda tx: items.draft(tx, actor, party.code, ItemKind.ALERT, said, marking)
    )


def objects(antwerp, held, partner="PA-ANA", purpose=Purpose.TARGETING):
    """What the partner may ask about; None where it may ask nothing."""

    def work(tx):
        if not held.askable.basis(tx, partner, purpose):
            return None
        return set(held.askable.objects(tx, partner, purpose))

    return antwerp.database.read(work)


@pytest.fixture
def held():
    return Held()


def test_only_what_a_clause_releases_on_request_may_be_asked_about(antwerp, held):
    alert(antwerp, BOX, seals=[SEAL])
    assert objects(antwerp, held) == {(ObjectKind.CONTAINER, BOX)}  # seals are not released
    assert objects(antwerp, held, partner="NL-DOUANE") is not None  # clauses come as they are given
    assert objects(antwerp, held, purpose=Purpose.JUDICIAL) is None
    for change in (
        {"modes": frozenset({Mode.SPONTANEOUS})},
        {"purposes": frozenset({Purpose.INSPECTION})},
    ):
        held.clauses = [
            replace(ASKABLE, clause=Clause("x", SINCE, None, replace(PERMIT, **change)))
        ]
        assert objects(antwerp, held) is None, change
    for change in (
        {"kinds": frozenset({ItemKind.SIGHTING})},
        {"fields": frozenset({"reason"})},
        {"conditions": ("case_number",)},
        {"least_source": "A"},
    ):
        held.clauses = [
            replace(ASKABLE, clause=Clause("x", SINCE, None, replace(PERMIT, **change)))
        ]
        assert objects(antwerp, held) == set(), change
    held.clauses = [replace(ASKABLE, clause=replace(ASKABLE.clause, suspended=((SINCE, None),)))]
    assert objects(antwerp, held) is None


def test_the_overlay_and_recalls_take_objects_out(antwerp, held):
    made = alert(antwerp)
    alert(antwerp, OTHER)
    before = antwerp.database.read(lambda tx: held.askable.basis(tx, "PA-ANA", Purpose.TARGETING))
    held.overlay = [Prohibition("no-boxes", "national_security", fields=frozenset({"containers"}))]
    assert objects(antwerp, held) == set()
    assert before != antwerp.database.read(
        lambda tx: held.askable.basis(tx, "PA-ANA", Purpose.TARGETING)
    )
    held.overlay = []
    supervisor = antwerp.staff[Role.SUPERVISOR]
    antwerp.database.write(lambda tx: items.recall(tx, supervisor, made.id, "wrong"))
    assert objects(antwerp, held) == {(ObjectKind.CONTAINER, OTHER)}


def test_a_file_names_objects_one_a_line():
    lines = ["MSKU 123456-5", "", "seal: ab 123", "msku1234565", "vessel:9074729"]
    assert inquiry.read(lines) == [f"container:{BOX}", f"seal:{SEAL}", "vessel:9074729"]
    for wrong in (["person: A. Someone"], ["item: PA-ANA:alr_1"], ["  "], []):
        with pytest.raises(Invalid):
            inquiry.read(wrong)


# -- over the wire ------------------------------------------------------------------------


@pytest.fixture
def wire(make, held, tmp_path):
    pytest.importorskip("private_set_intersection", reason="the extra is not installed")
    place = f"127.0.0.1:{free_port()}"
    panama, antwerp = make("PA-ANA"), make("BE-DOUANE", address=place, listen=place)
    befriend(panama, antwerp)
    station = Station(antwerp.database, antwerp.policy, tmp_path, held.askable)
    assert station.start()
    yield panama, antwerp
    station.stop()


def ask(panama, elements, purpose=Purpose.TARGETING, actor=None):
    actor = actor or panama.staff[Role.ANALYST]
    folder = panama.database.path.parent
    return inquiry.ask(panama.database, folder, actor, "BE-DOUANE", purpose, elements)


def record(party):
    """What the audit says of blind questions."""
    from sqlalchemy import select

    from isthmus.platform.audit import audit_table as table

    def work(tx):
        rows = tx.execute(
            select(table.c.action, table.c.purpose, table.c.detail)
            .where(table.c.action.like("blind.%"))
            .order_by(table.c.seq)
        )
        return [(row.action.removeprefix("blind."), row.purpose, row.detail) for row in rows]

    return party.database.read(work)


def test_an_inquiry_is_answered_and_on_record_on_both_sides(wire):
    panama, antwerp = wire
    alert(antwerp)
    asked = inquiry.read([BOX, OTHER, f"seal:{SEAL}"])
    assert ask(panama, asked) == [f"container:{BOX}"]
    assert record(panama) == [
        ("asked", "targeting", {"elements": 3}), ("told", "targeting", {"known": 1}),
    ]  # fmt: skip
    assert record(antwerp) == [("answered", "targeting", {"elements": 3})]


def test_without_a_clause_or_beyond_the_quota_it_is_refused_and_on_record(wire, held):
    panama, antwerp = wire
    alert(antwerp)
    asked = inquiry.read([BOX, OTHER])
    with pytest.raises(Denied) as refused:
        ask(panama, asked, Purpose.JUDICIAL)
    assert refused.value.code == "no_clause"
    supervisor = antwerp.staff[Role.SUPERVISOR]
    antwerp.database.write(lambda tx: partners.set_caps(tx, supervisor, panama.code, questions=3))
    assert ask(panama, asked) == [f"container:{BOX}"]
    with pytest.raises(Limited):
        ask(panama, asked)
    assert [(act, detail.get("code")) for act, _, detail in record(antwerp)] == [
        ("refused", "no_clause"), ("answered", None), ("refused", "questions_used_up"),
    ]  # fmt: skip
    day = antwerp.database.clock.now().date().isoformat()
    assert antwerp.database.read(lambda tx: question_store.asked(tx, panama.code, day)) == 2
    held.clauses = []
    with pytest.raises(Denied):
        ask(panama, asked)


def test_who_may_not_ask_and_who_cannot_be_asked(wire):
    panama, antwerp = wire
    asked = inquiry.read([BOX])
    with pytest.raises(IsthmusError):
        ask(panama, asked, actor=panama.staff[Role.AUDITOR])
    assert record(panama) == []
    with pytest.raises(Unavailable):  # Panama only dials out
        inquiry.ask(
            antwerp.database, antwerp.database.path.parent, antwerp.staff[Role.ANALYST],
            "PA-ANA", Purpose.TARGETING, asked,
        )  # fmt: skip
