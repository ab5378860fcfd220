"""Sharing between nodes in one process: exactly what the clauses say, and its way back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from exchange import conftest as nodes
from exchange.world import MARKING, befriend
from flow.treaties import act, bring, envelope_of, ratified, see, settle_in, take_in
from isthmus.access.model import Purpose, Role, node_actor
from isthmus.agreements.model import Mode
from isthmus.exchange import erasure, inbox, issued, issued_store, post_store
from isthmus.exchange.model import Lane
from isthmus.exchange.trust import identity
from isthmus.flow import share
from isthmus.flow.share import Said
from isthmus.intelligence import items, reading, store
from isthmus.intelligence.model import Handling, ItemKind
from isthmus.kernel.errors import Denied

make = nodes.make  # the fixture of the exchange's own tests
CASE = Said(conditions=frozenset({"case_number"}))
BODY = {
    "reason": "intelligence",
    "action": "inspect",
    "expires_at": "2026-03-01T00:00:00Z",
    "containers": ["MSKU1234565"],
    "persons": [
        {"name": "A. Someone", "category": "suspect", "birth_date": "1980-01-01"},
        {"name": "B. Other", "category": "contact"},
    ],
}


@pytest.fixture
def three(make):
    """Panama, Antwerp and Rotterdam, each two under the fictional agreement of the two."""
    panama, antwerp, rotterdam = three = tuple(
        make(code) for code in ("PA-ANA", "BE-DOUANE", "NL-DOUANE")
    )
    for one in three:
        settle_in(one)
    befriend(panama, antwerp)
    befriend(antwerp, rotterdam)
    befriend(panama, rotterdam)
    ratified("PA-BE-2026", panama, antwerp)
    ratified("PA-NL-2026", panama, rotterdam)
    ratified("BE-NL-2026", antwerp, rotterdam)
    return three


def drafted(node, kind=ItemKind.ALERT, **changes):
    marking = replace(MARKING, handling=frozenset({Handling.H0}))
    body = {name: value for name, value in (BODY | changes).items() if value is not None}
    return act(node, items.draft, node.staff[Role.ANALYST], node.code, kind, body, marking)


def send(node, item, partner, said=CASE, **more):
    officer = node.staff[Role.ANALYST]
    return act(node, share.send, officer, item.id, partner.code, said, lane=Lane.IMMEDIATE, **more)


def held(node, item):
    return see(node, store.copies_of, item.id)


def shown(node, item):
    return see(node, inbox.opened, envelope_of(node, item)).presented


def test_fields_go_exactly_as_the_clauses_say_and_the_rest_names_its_clause(three):
    panama, antwerp, _ = three
    item = drafted(panama)
    views = see(panama, share.compose, panama.staff[Role.ANALYST], item.id, CASE)
    assert [view.partner for view in views] == ["BE-DOUANE", "NL-DOUANE"]
    lines = {line.path: line for line in views[0].lines}
    assert lines["containers"].answer.citation == "PA-BE-2026/art-3"
    assert lines["persons.0.name"].answer.citation == "PA-BE-2026/art-7"
    assert lines["persons.0.name"].hidden
    assert lines["persons.0.name"].value is None
    assert lines["persons.1.name"].answer.code == "subject_not_named"
    assert lines["persons.1.name"].answer.clause == "PA-BE-2026/art-7"
    sent = send(panama, item, antwerp)
    assert {path for path in item.paths() if path not in sent.paths} == {
        "persons.1.name", "persons.1.category",
    }  # fmt: skip
    assert bring(panama, antwerp, item)
    (lookout,) = see(antwerp, reading.lookouts_in_force)
    assert lookout.partner == panama.code
    assert set(lookout.item.paths()) == set(sent.paths)
    assert "B. Other" not in str(lookout.item.body)


def test_without_a_case_number_no_person_goes(three):
    panama, antwerp, _ = three
    item = drafted(panama)
    sent = send(panama, item, antwerp, Said())
    assert not any(path.startswith("persons") for path in sent.paths)
    assert sent.decision.withheld["persons.0.name"].code == "condition_missing"


def test_what_a_partner_got_last_is_told_apart(three):
    panama, antwerp, _ = three
    item = drafted(panama)
    send(panama, item, antwerp, without=["containers"])
    officer = panama.staff[Role.ANALYST]
    changed = replace(item, body={**item.body, "action": "observe"})
    view = see(panama, share.compose, officer, changed, CASE)
    changes = {line.path: line.change for line in view[0].lines}
    assert view[0].last_version == 1
    assert changes["containers"] == "new"
    assert changes["action"] == "changed"
    assert changes["reason"] == "same"
    assert changes["persons.1.name"] == ""


def test_nothing_goes_without_a_clause_and_the_code_says_so(three):
    panama, antwerp, _ = three
    item = drafted(panama)
    with pytest.raises(Denied) as refused:
        send(panama, item, antwerp, Said(Purpose.LICENSING))
    assert refused.value.code == "purpose_not_allowed"
    assert see(panama, post_store.counts) == []


def test_the_node_sends_no_personal_data_by_itself(three):
    panama, antwerp, _ = three
    item = drafted(panama)
    sent = act(panama, share.send_automatically, node_actor(), item.id)
    assert len(sent) == 2
    assert not any(path.startswith("persons") for one in sent for path in one.paths)
    assert act(panama, share.send_automatically, node_actor(), item.id) == []
    with pytest.raises(Denied):
        act(panama, share.send, node_actor(), item.id, antwerp.code)


def test_two_partners_hold_parts_of_one_signed_record(three):
    panama, antwerp, rotterdam = three
    item = drafted(panama)
    send(panama, item, antwerp)
    send(panama, item, rotterdam, Said(), without=["reason"])
    assert bring(panama, antwerp, item)
    assert bring(panama, rotterdam, item)
    one, other = shown(antwerp, item), shown(rotterdam, item)
    assert one.digest == other.digest
    assert one.record == other.record
    assert one.paths != other.paths
    # The part of both is disclosed with the same salts, so that it is the same word for word.
    both = one.disclosures.keys() & other.disclosures.keys()
    assert {path: one.disclosures[path] for path in both} == {
        path: other.disclosures[path] for path in both
    }
    # What a partner gets later is a further part of the same record.
    send(panama, item, rotterdam, Said())
    assert bring(panama, rotterdam, item)
    assert shown(rotterdam, item).record == one.record


def test_a_correction_and_a_recall_are_one_record_for_all_holders_too(three):
    panama, antwerp, rotterdam = three
    item = drafted(panama, persons=None)
    officer = panama.staff[Role.SUPERVISOR]
    for partner in (antwerp, rotterdam):
        send(panama, item, partner)
        bring(panama, partner, item)
    made = act(panama, items.correct, officer, item.id, [{"path": "action", "value": "observe"}],
               "typing_error")  # fmt: skip
    taken = act(panama, items.recall, officer, item.id, "resolved")
    for partner in (antwerp, rotterdam):
        assert bring(panama, partner, made.correction)
        take_in(partner, taken)
    for told in (made.correction, taken):
        assert shown(antwerp, told).record == shown(rotterdam, told).record


ANSWER = {
    "request": "BE-DOUANE:req_1",
    "outcome": "full",
    "answered_at": "2026-01-01T00:00:00Z",
    "containers": ["MSKU1234565"],
    "persons": [{"name": "W. Itness", "category": "witness"}],
    "reason": None, "action": None, "expires_at": None,
}  # fmt: skip


def test_a_clause_that_demands_a_separate_issue_gets_one_that_nobody_can_compare(three):
    panama, antwerp, rotterdam = three
    item = drafted(panama, ItemKind.ANSWER, **ANSWER)
    court = Said(
        Purpose.JUDICIAL,
        frozenset({"case_number", "judicial_authorisation"}),
        mode=Mode.ON_REQUEST,
    )
    plain = Said(conditions=frozenset({"case_number"}), mode=Mode.ON_REQUEST)
    sent = send(panama, item, antwerp, court)
    assert sent.decision.duties.separate_issue
    send(panama, item, rotterdam, plain)
    bring(panama, antwerp, item)
    bring(panama, rotterdam, item)
    assert shown(antwerp, item).paths["persons.0.name"] == "W. Itness"
    one, other = shown(antwerp, item), shown(rotterdam, item)
    assert one.record != other.record
    assert not set(one.disclosures.values()) & set(other.disclosures.values())
    # Sent once more under that clause it is still the partner's own record.
    send(panama, item, antwerp, court)
    bring(panama, antwerp, item)
    assert shown(antwerp, item).record == one.record


def test_under_the_nodes_next_key_an_item_is_issued_anew(three, clock):
    panama, _, _ = three
    item = drafted(panama, persons=None)
    before = act(panama, issued.issued, item)
    assert act(panama, issued.issued, item).record == before.record
    supervisor = panama.staff[Role.SUPERVISOR]
    act(panama, identity.rotate, supervisor)
    clock.advance(timedelta(hours=2))
    after = act(panama, issued.issued, item)
    assert after.record != before.record


def test_erasing_an_item_destroys_its_issue(three):
    panama, antwerp, _ = three
    item = drafted(panama)
    send(panama, item, antwerp)
    assert see(panama, issued_store.issued, item.id, 1, "") is not None
    act(panama, erasure.erase_items, [item.id], "ers_1")
    assert see(panama, issued_store.issued, item.id, 1, "") is None
