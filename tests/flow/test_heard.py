"""Who sent an item hears, once, that a person opened it and that it was of use."""

import pytest

from exchange import conftest as nodes
from exchange.world import befriend
from flow.loop_node import Loop, box
from flow.partner_nodes import MARK, as_party
from flow.treaties import act, bring, envelope_of, ratified, receipts_back, see, settle_in
from isthmus.access.model import Role
from isthmus.cargo.model import Function
from isthmus.exchange import post_store
from isthmus.exchange.model import Lane
from isthmus.flow import share
from isthmus.flow.sharing import heard
from isthmus.intelligence import items
from isthmus.intelligence.model import ItemKind

make = nodes.make  # the fixture of the exchange's own tests


@pytest.fixture
def loop(any_loop: Loop) -> Loop:
    """On SQLite and on PostgreSQL in turn."""
    return any_loop


@pytest.fixture
def both(loop: Loop, make):
    """Panama with its own traffic, and Antwerp."""
    panama, antwerp = both = as_party(loop), make("BE-DOUANE")
    for one in both:
        settle_in(one)
    befriend(panama, antwerp)
    ratified("PA-BE-2026", panama, antwerp)
    return both


def alert(panama, antwerp, number: int):
    """An alert of Antwerp about a box, as it came to Panama; returns item and envelope sent."""
    body = {
        "reason": "intelligence", "action": "inspect", "containers": [box(number)],
        "expires_at": "2026-03-01T00:00:00Z",
    }  # fmt: skip
    officer = antwerp.staff[Role.ANALYST]
    item = act(antwerp, items.draft, officer, antwerp.code, ItemKind.ALERT, body, MARK)
    sent = act(antwerp, share.send, officer, item.id, panama.code, lane=Lane.IMMEDIATE)
    assert bring(antwerp, panama, item)
    return item, sent.envelope


def unsent(panama, antwerp) -> int:
    return len(see(panama, post_store.unsent, antwerp.code))


def told_of(antwerp, envelope):
    row = see(antwerp, post_store.by_id, envelope)
    return row["opened_at"], row["used_at"]


def test_a_person_opens_it_and_the_sender_hears_so_once(loop: Loop, both):
    panama, antwerp = both
    item, sent = alert(panama, antwerp, 1)
    assert told_of(antwerp, sent) == (None, None)
    reader = panama.staff[Role.ANALYST]
    heard.note(panama.database, reader, item.id)
    heard.note(panama.database, reader, item.id)
    assert unsent(panama, antwerp) == 1
    receipts_back(panama, antwerp)
    assert told_of(antwerp, sent) == (loop.clock.now(), None)
    assert unsent(panama, antwerp) == 0


def test_a_system_that_reads_is_no_person(loop: Loop, both):
    panama, antwerp = both
    item, _ = alert(panama, antwerp, 1)
    heard.note(panama.database, loop.token("MIT"), item.id)
    assert unsent(panama, antwerp) == 0


def test_an_own_item_is_told_to_nobody(loop: Loop, both):
    panama, antwerp = both
    item, _ = alert(panama, antwerp, 1)
    heard.note(antwerp.database, antwerp.staff[Role.ANALYST], item.id)
    assert unsent(antwerp, panama) == 0


def test_a_lookout_that_gave_a_reason_was_of_use(loop: Loop, both):
    panama, antwerp = both
    loop.manifest(1)
    loop.node.scorer.score_all()
    item, sent = alert(panama, antwerp, 1)
    other, idle = alert(panama, antwerp, 2)
    assert loop.node.scorer.score_due() == 1
    assert see(panama, post_store.by_id, envelope_of(panama, item))["used_at"] is not None
    assert see(panama, post_store.by_id, envelope_of(panama, other))["used_at"] is None
    receipts_back(panama, antwerp)
    assert told_of(antwerp, sent) == (None, loop.clock.now())
    assert told_of(antwerp, idle) == (None, None)
    # Scored again it gives its reason again, and nobody is told again.
    loop.manifest(1, function=Function.CHANGE, description="FROZEN PRAWNS")
    assert loop.node.scorer.score_due() == 1
    assert unsent(panama, antwerp) == 0


def test_a_lookout_that_no_rule_heeds_was_of_no_use(loop: Loop, both, monkeypatch):
    panama, antwerp = both
    loop.manifest(1)
    loop.node.scorer.score_all()
    alert(panama, antwerp, 1)
    monkeypatch.setattr("isthmus.flow.score.with_lookouts", lambda frame, _asked: frame)
    loop.node.scorer.score_due()
    assert unsent(panama, antwerp) == 0
