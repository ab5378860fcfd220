"""From Panama over Antwerp to Rotterdam: with consent, by the originator's terms, and corrected."""

from dataclasses import replace

import pytest

from exchange import conftest as nodes
from exchange.test_post import carry
from exchange.world import MARKING, befriend
from flow.treaties import act, bring, ratified, receipts_back, see, settle_in, take_in
from isthmus.access.model import Role, node_actor
from isthmus.agreements.explain import reason
from isthmus.exchange import consents, post_store, recall, terms
from isthmus.exchange.model import Lane
from isthmus.exchange.trust import identity
from isthmus.flow import share
from isthmus.flow.sharing.shareable import Shareable
from isthmus.intelligence import items, keeping, reading, store
from isthmus.intelligence.model import Handling, ItemKind
from isthmus.kernel.errors import Denied, Invalid, NotFound

make = nodes.make  # the fixture of the exchange's own tests
BODY = {
    "reason": "intelligence",
    "action": "inspect",
    "expires_at": "2026-03-01T00:00:00Z",
    "containers": ["MSKU1234565"],
    "seals": ["AB12345"],
}


@pytest.fixture
def three(make):
    """Panama, Antwerp and Rotterdam, each two under the fictional agreement of the two."""
    panama, antwerp, rotterdam = three = tuple(
        make(code) for code in ("PA-ANA", "BE-DOUANE", "NL-DOUANE")
    )
    for one in three:
        settle_in(one)
    for one, other in ((panama, antwerp), (antwerp, rotterdam), (panama, rotterdam)):
        befriend(one, other)
    ratified("PA-BE-2026", panama, antwerp)
    ratified("BE-NL-2026", antwerp, rotterdam)
    return three


@pytest.fixture
def item(three):
    """An alert of Panama that Antwerp has."""
    panama, antwerp, _ = three
    marking = replace(MARKING, handling=frozenset({Handling.H0}))
    analyst = panama.staff[Role.ANALYST]
    made = act(panama, items.draft, analyst, panama.code, ItemKind.ALERT, BODY, marking)
    send(panama, made, antwerp)
    assert bring(panama, antwerp, made)
    return made


def send(node, item, partner, **more):
    analyst = node.staff[Role.ANALYST]
    return act(node, share.send, analyst, item.id, partner.code, lane=Lane.IMMEDIATE, **more)


def consent(three, item):
    panama, antwerp, rotterdam = three
    analyst = panama.staff[Role.ANALYST]
    return act(panama, consents.give, analyst, item.id, antwerp.code, rotterdam.code)


def refusals(one, other):
    answer = carry(one, other, Lane.IMMEDIATE)
    return [refusal["code"] for refusal in answer.refused]


def newest(tx, item_id):
    row = store.copies_of(tx, item_id)[-1]
    return row["state"], keeping.load(tx, row)


def test_without_consent_nothing_leaves_and_the_look_says_what_lacks(three, item):
    _, antwerp, rotterdam = three
    with pytest.raises(Denied) as raised:
        send(antwerp, item, rotterdam)
    assert raised.value.code == "consent_missing"
    analyst = antwerp.staff[Role.ANALYST]
    views = {one.partner: one for one in see(antwerp, share.compose, analyst, item.id)}
    lacking = views[rotterdam.code].decision.withheld["containers"]
    assert (lacking.code, lacking.clause) == ("consent_missing", "BE-NL-2026/art-3")
    assert "PA-ANA" in reason(lacking, "nl")
    given = [consent(three, item)]
    views = {one.partner: one for one in see(antwerp, share.compose, analyst, item.id, None, given)}
    assert "containers" in views[rotterdam.code].decision.released
    # A consent of another's hand, or for another holder, is none.
    forged = act(antwerp, lambda tx: terms.consent(
        identity.signer(tx), item, b"r" * 32, sharer=antwerp.code, recipient=rotterdam.code,
        paths=["containers"],
    ))  # fmt: skip
    with pytest.raises(Denied):
        send(antwerp, item, rotterdam, consents=[forged])


def test_a_sender_who_minds_no_consent_is_refused_where_it_arrives(three, item, monkeypatch):
    _, antwerp, rotterdam = three
    monkeypatch.setattr(Shareable, "narrowed", lambda _self, decision, _asked: decision)
    send(antwerp, item, rotterdam)
    assert refusals(antwerp, rotterdam) == ["terms_consent_missing"]
    assert see(rotterdam, store.item, item.id) is None


def test_a_consent_is_for_one_item_one_holder_and_one_recipient(three, item, monkeypatch):
    panama, antwerp, rotterdam = three
    raw = consent(three, item)
    marking = replace(MARKING, handling=frozenset({Handling.H0}))
    analyst = panama.staff[Role.ANALYST]
    other = act(panama, items.draft, analyst, panama.code, ItemKind.ALERT, BODY, marking)
    send(panama, other, antwerp)
    bring(panama, antwerp, other)
    with pytest.raises(Denied) as raised:
        send(antwerp, other, rotterdam, consents=[raw])
    assert raised.value.code == "consent_missing"
    monkeypatch.setattr(Shareable, "narrowed", lambda _self, decision, _asked: decision)
    send(antwerp, other, rotterdam, consents=[raw])
    assert refusals(antwerp, rotterdam) == ["terms_consent_missing"]


def test_only_a_person_of_the_originator_consents_and_only_for_a_copy_there_is(three, item):
    panama, antwerp, rotterdam = three
    analyst = panama.staff[Role.ANALYST]
    with pytest.raises(Denied):
        act(panama, consents.give, node_actor(), item.id, antwerp.code, rotterdam.code)
    foreign = antwerp.staff[Role.ANALYST]
    with pytest.raises(Denied) as refused:
        act(antwerp, consents.give, foreign, item.id, antwerp.code, rotterdam.code)
    assert refused.value.code == "not_originator"
    with pytest.raises(NotFound):
        act(panama, consents.give, analyst, item.id, rotterdam.code, antwerp.code)
    with pytest.raises(Invalid):
        act(panama, consents.give, analyst, item.id, antwerp.code, antwerp.code)


def test_a_correction_follows_onward_and_each_holder_is_told_back(three, item):
    panama, antwerp, rotterdam = three
    send(antwerp, item, rotterdam, consents=[consent(three, item)])
    assert bring(antwerp, rotterdam, item)
    supervisor = panama.staff[Role.SUPERVISOR]
    change = [{"path": "seals", "value": ["AB12354"]}]
    made = act(panama, items.correct, supervisor, item.id, change, "misread")
    assert bring(panama, antwerp, made.correction)
    receipts_back(antwerp, panama)
    (waiting,) = see(panama, recall.following, item.id)
    assert (waiting.partner, waiting.state, waiting.code) == (
        "BE-DOUANE", "done", "waiting NL-DOUANE",
    )  # fmt: skip
    assert bring(antwerp, rotterdam, made.correction)
    for node in (antwerp, rotterdam):
        state, now = see(node, newest, item.id)
        assert (state, now.version, now.body["seals"]) == ("current", 2, ["AB12354"])
    (row,) = see(rotterdam, post_store.arrived, made.correction.id)
    assert (row["originator"], row["partner"]) == ("PA-ANA", "BE-DOUANE")
    receipts_back(rotterdam, antwerp)
    receipts_back(antwerp, panama)
    (done,) = see(panama, recall.following, item.id)
    assert (done.state, done.code) == ("done", "")


def test_a_holder_hears_nothing_of_a_path_that_it_has_not(three, item):
    panama, antwerp, rotterdam = three
    send(antwerp, item, rotterdam, consents=[consent(three, item)], without=["seals"])
    assert bring(antwerp, rotterdam, item)
    supervisor = panama.staff[Role.SUPERVISOR]
    change = [{"path": "seals", "value": ["AB12354"]}]
    made = act(panama, items.correct, supervisor, item.id, change, "misread")
    assert bring(panama, antwerp, made.correction)
    assert see(antwerp, post_store.waiting, rotterdam.code, "immediate", 10) == []
    (held,) = see(rotterdam, reading.lookouts_in_force)
    assert "seals" not in held.item.body


def test_what_was_corrected_before_goes_with_its_correction(three, item):
    panama, antwerp, rotterdam = three
    raw = consent(three, item)
    supervisor = panama.staff[Role.SUPERVISOR]
    change = [{"path": "seals", "value": ["AB12354"]}]
    made = act(panama, items.correct, supervisor, item.id, change, "misread")
    assert bring(panama, antwerp, made.correction)
    send(antwerp, item, rotterdam, consents=[raw])
    assert bring(antwerp, rotterdam, item)
    assert take_in(rotterdam, made.correction)
    state, now = see(rotterdam, newest, item.id)
    assert (state, now.version, now.body["seals"]) == ("current", 2, ["AB12354"])
    send(antwerp, item, rotterdam, consents=[raw])
    assert bring(antwerp, rotterdam, item)
    assert len(see(rotterdam, post_store.arrived, made.correction.id)) == 1
    assert see(rotterdam, newest, item.id)[1].body["seals"] == ["AB12354"]
