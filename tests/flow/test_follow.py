"""Recall, correction and erasure over three nodes, each with a database of its own: A → B → C."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from exchange import conftest as nodes
from exchange.test_post import carry
from exchange.world import befriend
from flow.partner_nodes import MARK
from flow.treaties import (
    act,
    bring,
    envelope_of,
    ratified,
    receipts_back,
    see,
    settle_in,
    take_in,
)
from isthmus.access.gate import scope
from isthmus.access.model import Permission, Role, node_actor
from isthmus.agreements import lifecycle
from isthmus.cargo.derive import Home
from isthmus.exchange import consents, inbox, issued_store, post_store, recall
from isthmus.exchange.model import Lane
from isthmus.flow import erase, share
from isthmus.flow.erase import Eraser, erasers
from isthmus.intelligence import items, reading, retention, store
from isthmus.intelligence.model import ItemKind
from isthmus.kernel.errors import Conflict, Erased
from isthmus.platform import jobs
from isthmus.platform.erasure import Register
from isthmus.platform.settings import NodeFolder

make = nodes.make  # the fixture of the exchange's own tests
BODY = {
    "reason": "intelligence",
    "action": "inspect",
    "expires_at": "2026-03-01T00:00:00Z",
    "containers": ["MSKU1234565"],
    "seals": ["AB12345"],
}
GROUND = "subject_request"
EVERYTHING = scope(node_actor(), Permission.ITEM_READ)


@pytest.fixture
def three(make, tmp_path):
    """Panama, Antwerp and Rotterdam; each two trust each other and have an agreement."""
    three = tuple(make(code) for code in ("PA-ANA", "BE-DOUANE", "NL-DOUANE"))
    panama, antwerp, rotterdam = three
    for one in three:
        settle_in(one)
        folder = NodeFolder.bare(tmp_path / f"folder-{one.code}")
        folder.root.mkdir(exist_ok=True)
        one.register = Register(one.database, folder, erasers(Home(one.code[:2], "X")))
    for one, other in ((panama, antwerp), (antwerp, rotterdam), (panama, rotterdam)):
        befriend(one, other)
    ratified("PA-BE-2026", panama, antwerp)
    ratified("BE-NL-2026", antwerp, rotterdam)
    return three


@pytest.fixture
def item(three):
    """An alert of Panama that Antwerp has, and Rotterdam through Antwerp with its consent."""
    panama, antwerp, rotterdam = three
    analyst = panama.staff[Role.ANALYST]
    made = act(panama, items.draft, analyst, panama.code, ItemKind.ALERT, BODY, MARK)
    send(panama, made, antwerp)
    assert bring(panama, antwerp, made)
    raw = act(panama, consents.give, analyst, made.id, antwerp.code, rotterdam.code)
    send(antwerp, made, rotterdam, consents=[raw], without=["seals"])
    assert bring(antwerp, rotterdam, made)
    return made


def send(node, item, partner, **more):
    officer = node.staff[Role.ANALYST]
    return act(node, share.send, officer, item.id, partner.code, lane=Lane.IMMEDIATE, **more)


def states(node, item):
    return [row["state"] for row in see(node, store.copies_of, item.id)]


def following(node, item):
    return [(one.partner, one.state, one.code) for one in see(node, recall.following, item.id)]


def work(node) -> None:
    """Erase what originators erased, as the node's workers would."""
    while job := act(node, jobs.lease, "test", [erase.JOB]):
        erase.erase_recalled(node.register, job.payload["item"], job.payload["envelope"])
        act(node, jobs.finish, job, "test")


def officer(node):
    return node.staff[Role.DATA_PROTECTION_OFFICER]


def told(panama, item):
    """The recall that went after an item last."""
    return SimpleNamespace(id=see(panama, store.item, item.id)["recall"])


def has_any(node, item) -> bool:
    """Whether a node holds any bytes of an item, in an envelope or a copy."""
    for row in see(node, post_store.seen, EVERYTHING, item=item.id):
        try:
            see(node, inbox.opened, row["id"])
        except Erased:
            continue
        return True
    return any(row["document_id"] for row in see(node, store.copies_of, item.id))


def test_the_originators_terms_hold_at_the_third_node(three, item):
    panama, antwerp, rotterdam = three
    links = see(rotterdam, inbox.opened, envelope_of(rotterdam, item)).envelope.terms
    assert len(links) == 2
    first, second = (one["payload"] for one in links)
    assert first["issuer"] == panama.code
    assert second["issuer"] == antwerp.code
    assert set(second["paths"]) == set(first["paths"]) - {"seals"}
    # What Panama lets be kept for 180 days is not kept for the 730 of the agreement of the others.
    assert second["keep_until"] == first["keep_until"]
    (row,) = see(rotterdam, store.copies_of, item.id)
    assert row["retain_until"].isoformat() == first["keep_until"][:10]


def test_a_recall_reaches_the_third_node_and_names_who_has_not_answered(three, item):
    panama, antwerp, rotterdam = three
    taken = act(panama, items.recall, panama.staff[Role.SUPERVISOR], item.id, "source_withdrawn")
    assert following(panama, item) == [(antwerp.code, "asked", "")]
    assert bring(panama, antwerp, taken)
    receipts_back(antwerp, panama)
    # Antwerp is done; Rotterdam is away, and is named.
    assert following(panama, item) == [(antwerp.code, "done", f"waiting {rotterdam.code}")]
    assert states(antwerp, item) == ["recalled"]
    assert states(rotterdam, item) == ["current"]
    assert bring(antwerp, rotterdam, taken)  # it is back
    assert states(rotterdam, item) == ["recalled"]
    assert see(rotterdam, reading.lookouts_in_force) == []
    receipts_back(rotterdam, antwerp)
    receipts_back(antwerp, panama)
    assert following(panama, item) == [(antwerp.code, "done", "")]
    with pytest.raises(Conflict):
        send(antwerp, item, rotterdam)


def test_an_erasure_by_law_reaches_every_holder_and_is_acknowledged(three, item):
    panama, antwerp, rotterdam = three
    outcome = Eraser(panama.register).item(officer(panama), item.id, GROUND)
    assert outcome.scope == {"item_copy": 1, "document": 1, "envelope": 1}
    assert not has_any(panama, item)
    assert see(panama, issued_store.issued, item.id, 1, "") is None
    assert see(panama, store.item, item.id)["state"] == "erased"
    recalled = told(panama, item)
    assert bring(panama, antwerp, recalled)
    assert states(antwerp, item) == ["recalled"]  # out of use at once, erased by the job
    work(antwerp)
    assert not has_any(antwerp, item)
    assert bring(antwerp, rotterdam, recalled)
    work(rotterdam)
    assert not has_any(rotterdam, item)
    assert states(rotterdam, item) == ["erased"]
    receipts_back(rotterdam, antwerp)
    receipts_back(antwerp, panama)
    assert following(panama, item) == [(antwerp.code, "done", "")]
    for node in (antwerp, rotterdam):
        (line,) = node.register.journal.lines()
        assert (line["subject"], line["basis"]) == (item.id, "originator_erased")


def test_what_corrected_an_erased_item_is_erased_with_it(three, item):
    panama, antwerp, _ = three
    change = [{"path": "containers", "value": ["MSKU7654321"]}]
    made = act(panama, items.correct, panama.staff[Role.SUPERVISOR], item.id, change, "misread")
    assert bring(panama, antwerp, made.correction)
    Eraser(panama.register).item(officer(panama), item.id, GROUND)
    assert bring(panama, antwerp, told(panama, item))
    work(antwerp)
    for node in (panama, antwerp):
        assert not has_any(node, item)
        assert not has_any(node, made.correction)


def test_what_is_held_as_evidence_is_refused_by_name_and_kept(three, item):
    panama, antwerp, rotterdam = three
    act(rotterdam, retention.set_hold, officer(rotterdam), item.id, held=True)
    Eraser(panama.register).item(officer(panama), item.id, GROUND)
    recalled = told(panama, item)
    bring(panama, antwerp, recalled)
    work(antwerp)
    bring(antwerp, rotterdam, recalled)
    work(rotterdam)
    assert has_any(rotterdam, item)
    assert states(rotterdam, item) == ["recalled"]  # kept, and out of use
    receipts_back(rotterdam, antwerp)
    assert following(antwerp, item) == [(rotterdam.code, "refused", "held_as_evidence")]


def test_an_item_recalled_before_is_erased_by_law_all_the_same(three, item):
    panama, antwerp, _ = three
    taken = act(panama, items.recall, panama.staff[Role.SUPERVISOR], item.id, "resolved")
    assert bring(panama, antwerp, taken)
    assert has_any(antwerp, item)  # a recall ends use, and erases nothing
    Eraser(panama.register).item(officer(panama), item.id, GROUND)
    assert bring(panama, antwerp, told(panama, item))
    work(antwerp)
    assert not has_any(antwerp, item)


def test_a_recall_passes_through_a_node_that_erased_its_own_copy(three, item):
    panama, antwerp, rotterdam = three
    Eraser(antwerp.register).item(officer(antwerp), item.id, GROUND)
    assert not has_any(antwerp, item)
    taken = act(panama, items.recall, panama.staff[Role.SUPERVISOR], item.id, "wrong")
    assert bring(panama, antwerp, taken)
    assert bring(antwerp, rotterdam, taken)
    assert states(rotterdam, item) == ["recalled"]


def test_a_partners_item_erased_here_is_recalled_nowhere(three, item):
    _, antwerp, rotterdam = three
    Eraser(antwerp.register).item(officer(antwerp), item.id, GROUND)
    assert carry(antwerp, rotterdam) is None
    assert states(rotterdam, item) == ["current"]


def test_what_may_be_kept_no_longer_goes_with_its_envelopes(three, item):
    panama, antwerp, rotterdam = three
    panama.database.clock.advance(timedelta(days=200))  # the agreement lets it be kept for 180
    for node in (antwerp, rotterdam):
        assert act(node, erase.sweep_items, node_actor()) == 1
        assert not has_any(node, item)
        assert act(node, erase.sweep_items, node_actor()) == 0
    assert act(panama, erase.sweep_items, node_actor()) == 0
    assert has_any(panama, item)


def test_a_suspended_agreement_stops_no_recall(three, item):
    panama, antwerp, _ = three
    act(panama, lifecycle.suspend, panama.lawyers[1], "PA-BE-2026", "essential_interests")
    taken = act(panama, items.recall, panama.staff[Role.SUPERVISOR], item.id, "wrong")
    assert carry(panama, antwerp).refused == []
    assert take_in(antwerp, taken)
    assert states(antwerp, item) == ["recalled"]
