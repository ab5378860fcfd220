"""Onward shares under the originator's terms, and recalls that follow every copy."""

import pytest

from exchange.test_post import carry, received
from exchange.world import befriend, released
from isthmus.access.model import Purpose
from isthmus.agreements.model import Asked, Duties, Mode, Onward
from isthmus.exchange import dispatch, inbox, issue, outbox, post_store, recall, release
from isthmus.exchange import terms as terms_
from isthmus.exchange.model import Lane
from isthmus.exchange.trust import identity
from isthmus.intelligence.model import ItemKind
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied


@pytest.fixture
def three(both, make):
    panama, antwerp = both
    rotterdam = make("NL-DOUANE")
    befriend(antwerp, rotterdam)
    befriend(panama, rotterdam)
    return panama, antwerp, rotterdam


def arrived(one, other, item):
    return one.database.read(lambda tx: post_store.arrived(tx, item.id))[0]["id"]


def share_on(one, other, item, paths, lie=False):
    """Pass an item on that came here, under terms narrower than those it came by."""
    asked = Asked(one.code, other.code, Purpose.TARGETING, Mode.SPONTANEOUS)
    decision = released(paths)

    def work(tx):
        opened = inbox.opened(tx, post_store.arrived(tx, item.id)[0]["id"])
        presented = issue.present(opened.presented, paths)
        chain = [canonical(one) for one in opened.envelope.terms]
        before = None if lie else terms_.unverified(chain[-1])
        link = release.terms_for(tx, presented, decision, asked, before=before)
        return outbox.put(
            tx, other.code, Lane.IMMEDIATE, presented, [*chain, link], decision, asked
        )

    return one.database.write(work)


def onward(*nodes):
    return Onward(frozenset(nodes), consent=False)


def test_an_onward_share_keeps_the_originators_terms(three):
    panama, antwerp, rotterdam = three
    item = panama.item()
    panama.put(antwerp.code, item, onward=onward(rotterdam.code))
    carry(panama, antwerp)
    share_on(antwerp, rotterdam, item, ["container"])
    assert carry(antwerp, rotterdam).refused == []
    opened = rotterdam.database.read(
        lambda tx: inbox.opened(tx, post_store.arrived(tx, item.id)[0]["id"])
    )
    assert opened.presented.item.body == {"container": "MSKU1234565"}
    assert opened.presented.item.originator == panama.code
    # The two partners hold provably one record.
    at_antwerp = antwerp.database.read(
        lambda tx: inbox.opened(tx, post_store.arrived(tx, item.id)[0]["id"])
    )
    assert opened.presented.digest == at_antwerp.presented.digest


def test_without_the_originators_word_nothing_is_passed_on(three):
    panama, antwerp, rotterdam = three
    item = panama.item()
    panama.put(antwerp.code, item)
    carry(panama, antwerp)
    with pytest.raises(Denied, match="does not let it go there"):
        share_on(antwerp, rotterdam, item, ["container"])
    # A node that passes it on all the same is refused by the next.
    share_on(antwerp, rotterdam, item, ["container"], lie=True)
    assert carry(antwerp, rotterdam).refused == [{"index": 0, "code": "terms_onward_refused"}]
    assert received(rotterdam) == []


def test_consent_of_the_originator_opens_the_way(three):
    panama, antwerp, rotterdam = three
    item = panama.item()
    panama.put(antwerp.code, item, onward=Onward(frozenset({rotterdam.code}), consent=True))
    carry(panama, antwerp)
    share_on(antwerp, rotterdam, item, ["container"])
    assert carry(antwerp, rotterdam).refused == [{"index": 0, "code": "terms_consent_missing"}]


def start_recall(panama, item):
    taken = panama.item(
        ItemKind.RECALL, about=item.id, about_kind="sighting", reason="source_unreliable"
    )

    def work(tx):
        issued = issue.issue(taken, identity.signer(tx))
        return recall.recall(tx, issued, item.id)

    return taken, panama.database.write(work)


def receipts_back(one, other):
    rows = one.database.read(lambda tx: post_store.unsent(tx, other.code))
    dispatch.settle(other.database, one.code, [row["body"] for row in rows])
    one.database.write(lambda tx: post_store.mark_sent(tx, [row["id"] for row in rows]))


def test_a_recall_follows_every_copy_and_names_who_has_not_answered(three):
    panama, antwerp, rotterdam = three
    for one in three:
        one.database.reactions = {"envelope.acted": (recall.answered,)}
    item = panama.item()
    panama.put(antwerp.code, item, onward=onward(rotterdam.code))
    carry(panama, antwerp)
    share_on(antwerp, rotterdam, item, ["container"])
    carry(antwerp, rotterdam)

    taken, told = start_recall(panama, item)
    assert told == [antwerp.code]
    carry(panama, antwerp)
    came = arrived(antwerp, panama, taken)
    assert antwerp.database.write(lambda tx: recall.pass_on(tx, came)) == [rotterdam.code]
    antwerp.database.write(lambda tx: recall.acted(tx, came, "done"))
    receipts_back(antwerp, panama)
    (at_antwerp,) = panama.database.read(lambda tx: recall.following(tx, item.id))
    assert (at_antwerp.state, at_antwerp.code) == ("done", "waiting NL-DOUANE")

    assert carry(antwerp, rotterdam).refused == []
    there = arrived(rotterdam, antwerp, taken)
    rotterdam.database.write(lambda tx: recall.acted(tx, there, "refused", "held_as_evidence"))
    receipts_back(rotterdam, antwerp)
    (at_rotterdam,) = antwerp.database.read(lambda tx: recall.following(tx, item.id))
    assert (at_rotterdam.state, at_rotterdam.code) == ("refused", "held_as_evidence")
    receipts_back(antwerp, panama)
    (at_antwerp,) = panama.database.read(lambda tx: recall.following(tx, item.id))
    assert (at_antwerp.state, at_antwerp.code) == ("done", "")


def test_nobody_but_the_originator_recalls(three):
    panama, antwerp, _ = three
    item = panama.item()
    panama.put(antwerp.code, item)
    carry(panama, antwerp)
    with pytest.raises(Denied, match="only the originator"):
        start_recall(antwerp, item)


def test_duties_become_terms(both):
    panama, antwerp = both
    from datetime import timedelta

    item = panama.item()
    asked = Asked(panama.code, antwerp.code, Purpose.JUDICIAL, Mode.SPONTANEOUS)
    decision = released(["container"])
    decision = type(decision)(
        decision.released, {}, Duties(feedback_within=timedelta(days=3), keep_for=timedelta(days=9))
    )

    def work(tx):
        presented = issue.present(issue.issue(item, identity.signer(tx)), ["container"])
        return terms_.unverified(release.terms_for(tx, presented, decision, asked))

    made = panama.database.write(work)
    now = panama.database.clock.now()
    assert made.feedback_due == now + timedelta(days=3)
    assert made.keep_until == now + timedelta(days=9)
    assert made.purposes == {"judicial"}
