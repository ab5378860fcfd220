"""Sharing between nodes in one process: exactly what the clauses say, and its way back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exchange import conftest as nodes
from exchange.test_post import carry
from exchange.world import MARKING, befriend
from isthmus.access.model import Purpose, Role, node_actor
from isthmus.agreements.model import (
    Clause,
    Duties,
    InForce,
    Mode,
    Onward,
    Permit,
    TransferBasis,
)
from isthmus.exchange import post_store, recall
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.exchange.model import Lane
from isthmus.flow import accept, share
from isthmus.flow.follow import follow_correction, follow_recall
from isthmus.flow.share import Said
from isthmus.intelligence import items, keeping, reading, store
from isthmus.intelligence.model import Handling, ItemKind
from isthmus.kernel.errors import Conflict, Denied

make = nodes.make  # the fixture of the exchange's own tests
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
NODES = frozenset({"PA-ANA", "BE-DOUANE", "NL-DOUANE"})
OBJECTS = Permit(
    NODES, NODES, frozenset({ItemKind.ALERT, ItemKind.CORRECTION}), frozenset({"*"}),
    frozenset({Purpose.TARGETING}), frozenset({Mode.SPONTANEOUS, Mode.AUTOMATIC}),
    duties=Duties(onward=Onward(NODES, consent=False)),
)  # fmt: skip
PERSONS = replace(
    OBJECTS, fields=frozenset({"persons.name", "persons.category"}),
    subjects=frozenset({"suspect"}), basis=TransferBasis.SAFEGUARDS,
    purposes=frozenset({Purpose.TARGETING, Purpose.JUDICIAL}),
)  # fmt: skip
CLAUSES = [
    InForce("PA-BE-2026", "ab" * 32, Clause("art-3", SINCE, None, OBJECTS)),
    InForce("PA-BE-2026", "ab" * 32, Clause("art-7", SINCE, None, PERSONS)),
]
BODY = {
    "reason": "intelligence",
    "action": "inspect",
    "expires_at": "2026-03-01T00:00:00Z",
    "containers": ["MSKU1234565"],
    "persons": [{"name": "A. Someone", "category": "suspect", "birth_date": "1980-01-01"}],
}


@pytest.fixture
def three(make, monkeypatch):
    """Panama, Antwerp and Rotterdam, on the same two clauses."""
    monkeypatch.setattr(share.service, "clauses_between", lambda *_: CLAUSES)
    nodes = tuple(make(code) for code in ("PA-ANA", "BE-DOUANE", "NL-DOUANE"))
    for one in nodes:
        one.policy = ByAgreements(lambda *_: CLAUSES, lambda _tx: [])
        one.database.reactions = {
            "item.received": (accept.accept_soon,),
            "item.recalled": (follow_recall,),
            "item.corrected": (follow_correction,),
            "envelope.acted": (recall.answered,),
        }
    befriend(nodes[0], nodes[1])
    befriend(nodes[1], nodes[2])
    befriend(nodes[0], nodes[2])
    return nodes


def alert(node, **changes):
    marking = replace(MARKING, handling=frozenset({Handling.H0}))
    officer = node.staff[Role.ANALYST]
    return node.database.write(
        lambda tx: items.draft(tx, officer, node.code, ItemKind.ALERT, BODY | changes, marking)
    )


def send(node, item, partner, said=None, **more):
    officer = node.staff[Role.ANALYST]
    return node.database.write(
        lambda tx: share.send(tx, officer, item.id, partner.code, said, lane=Lane.IMMEDIATE, **more)
    )


def bring(one, other, item):
    """Carry what waits and accept it, twice over as a job may; return the envelope there."""
    assert carry(one, other).refused == []
    rows = other.database.read(lambda tx: post_store.arrived(tx, item.id))
    came = rows[-1]["id"]
    first = accept.accept(other.database, came)
    assert not accept.accept(other.database, came)
    return first


def held(node, item):
    return node.database.read(lambda tx: store.copies_of(tx, item.id))


def test_fields_go_exactly_as_the_clauses_say_and_the_rest_names_its_clause(three):
    panama, antwerp, _ = three
    item = alert(panama)
    views = panama.database.read(lambda tx: share.compose(tx, panama.staff[Role.ANALYST], item.id))
    assert [view.partner for view in views] == ["BE-DOUANE", "NL-DOUANE"]
    lines = {line.path: line for line in views[0].lines}
    assert lines["containers"].answer.citation == "PA-BE-2026/art-3"
    assert lines["persons.0.name"].answer.citation == "PA-BE-2026/art-7"
    assert lines["persons.0.name"].hidden
    assert lines["persons.0.name"].value is None
    assert lines["persons.0.birth_date"].answer.code == "field_not_covered"
    assert lines["persons.0.birth_date"].answer.clause == "PA-BE-2026/art-7"
    sent = send(panama, item, antwerp)
    assert "persons.0.birth_date" not in sent.paths
    assert bring(panama, antwerp, item)
    lookouts = antwerp.database.read(reading.lookouts_in_force)
    assert [one.partner for one in lookouts] == [panama.code]
    assert set(lookouts[0].item.paths()) == set(sent.paths)
    assert "1980" not in str(lookouts[0].item.body)


def test_what_a_partner_got_last_is_told_apart(three):
    panama, antwerp, _ = three
    item = alert(panama)
    send(panama, item, antwerp, without=["containers"])
    officer = panama.staff[Role.ANALYST]
    changed = BODY | {"action": "observe"}
    view = panama.database.read(lambda tx: share.compose(tx, officer, replace(item, body=changed)))
    changes = {line.path: line.change for line in view[0].lines}
    assert view[0].last_version == 1
    assert changes["containers"] == "new"
    assert changes["action"] == "changed"
    assert changes["reason"] == "same"
    assert changes["persons.0.birth_date"] == ""


def test_what_came_for_judicial_use_is_no_lookout(three):
    panama, antwerp, _ = three
    item = alert(panama)
    sent = send(panama, item, antwerp, Said(Purpose.JUDICIAL))
    assert set(sent.paths) == {"persons.0.name", "persons.0.category"}
    assert bring(panama, antwerp, item)
    assert held(antwerp, item)[0]["targeting"] is False
    assert antwerp.database.read(reading.lookouts_in_force) == []


def test_nothing_goes_without_a_clause_and_the_code_says_so(three):
    panama, antwerp, _ = three
    item = alert(panama)
    with pytest.raises(Denied) as refused:
        send(panama, item, antwerp, Said(Purpose.INSPECTION))
    assert refused.value.code == "purpose_not_allowed"
    assert panama.database.read(post_store.counts) == []


def test_the_node_sends_no_personal_data_by_itself(three):
    panama, antwerp, _ = three
    item = alert(panama)

    sent = panama.database.write(lambda tx: share.send_automatically(tx, node_actor(), item.id))
    assert len(sent) == 2
    assert not any(path.startswith("persons") for one in sent for path in one.paths)
    again = panama.database.write(lambda tx: share.send_automatically(tx, node_actor(), item.id))
    assert again == []
    with pytest.raises(Denied):
        panama.database.write(lambda tx: share.send(tx, node_actor(), item.id, antwerp.code))


def test_a_recall_follows_an_onward_copy_and_holds_there(three):
    panama, antwerp, rotterdam = three
    item = alert(panama)
    send(panama, item, antwerp)
    bring(panama, antwerp, item)
    onward = send(antwerp, item, rotterdam)
    bring(antwerp, rotterdam, item)
    assert set(held(rotterdam, item)[0]["purposes"]) == {"targeting"}
    officer = panama.staff[Role.SUPERVISOR]
    taken = panama.database.write(lambda tx: items.recall(tx, officer, item.id, "source_withdrawn"))
    assert bring(panama, antwerp, taken)
    assert bring(antwerp, rotterdam, taken)
    for node in (antwerp, rotterdam):
        assert {one["state"] for one in held(node, item)} == {"recalled"}
        assert node.database.read(reading.lookouts_in_force) == []
    with pytest.raises(Conflict):
        send(antwerp, item, rotterdam)
    assert onward.paths


def test_a_correction_tells_each_holder_only_of_what_it_has(three):
    panama, antwerp, _ = three
    item = alert(panama)
    send(panama, item, antwerp)
    bring(panama, antwerp, item)
    changes = [
        {"path": "action", "value": "observe"},
        {"path": "persons.0.birth_date", "value": "1981-02-02", "category": "suspect"},
    ]
    officer = panama.staff[Role.SUPERVISOR]
    made = panama.database.write(
        lambda tx: items.correct(tx, officer, item.id, changes, "typing_error")
    )
    assert bring(panama, antwerp, made.correction)
    (lookout,) = antwerp.database.read(reading.lookouts_in_force)
    assert (lookout.item.version, lookout.item.body["action"]) == (2, "observe")
    copy = held(antwerp, made.correction)[0]
    came = antwerp.database.read(lambda tx: keeping.load(tx, copy))
    assert [one.get("path") for one in came.body["changes"]] == ["action"]
    (following,) = panama.database.read(lambda tx: recall.following(tx, item.id))
    assert (following.partner, following.state) == ("BE-DOUANE", "asked")
