"""One agreement on two nodes with a database each: a clause that stops, and texts that differ."""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import select

from agreements.conftest import person
from exchange import conftest as nodes
from exchange.test_post import carry, received, state
from exchange.world import MARKING, Party, befriend
from isthmus.access.model import Role
from isthmus.agreements import lifecycle, service, shipped
from isthmus.agreements.prohibitions import overlay
from isthmus.exchange import greeting, inbox, post_store, standing
from isthmus.exchange.by_agreements import ByAgreements
from isthmus.exchange.model import Lane
from isthmus.exchange.tables import ledger_entry_table
from isthmus.exchange.trust import ratify
from isthmus.flow import share
from isthmus.intelligence import items
from isthmus.intelligence.model import Handling, ItemKind
from isthmus.kernel.errors import Denied

make = nodes.make
AGREEMENT = "PA-BE-2026"
DRAFTER, FIRST, SECOND = person(1), person(2), person(3)
BODY = {"reason": "intelligence", "action": "inspect", "expires_at": "2026-12-01T00:00:00Z",
        "containers": ["MSKU1234565"]}  # fmt: skip


class Pair(NamedTuple):
    panama: Party
    antwerp: Party


def write(node, act, *arguments, **named):
    return node.database.write(lambda tx: act(tx, *arguments, **named))


def reviewed(node, text: str) -> str:
    version = write(node, lifecycle.enter, DRAFTER, text)
    write(node, lifecycle.review, FIRST, version)
    write(node, lifecycle.review, SECOND, version)
    return version


@pytest.fixture
def agreed(make) -> Pair:
    """The fictional agreement in force on both, by both signatures."""
    pair = Pair(make("PA-ANA"), make("BE-DOUANE"))
    befriend(*pair)
    version = ""
    for node in pair:
        node.database.clock.advance(timedelta(days=1))
        node.policy = ByAgreements(service.clauses_between, overlay)
        version = reviewed(node, shipped.text_of(AGREEMENT))
    signatures = [write(node, ratify.sign, SECOND, version) for node in pair]
    for node, other, signature in zip(pair, pair[::-1], signatures[::-1], strict=True):
        write(node, ratify.record, SECOND, version, other.code, signature)
        write(node, lifecycle.activate, SECOND, version, fictional=True)
    return pair


def send(pair: Pair) -> str:
    """Put an alert on a container into Panama's outbox for Antwerp; return the envelope."""
    panama, antwerp = pair
    officer = panama.staff[Role.ANALYST]
    marked = replace(MARKING, handling=frozenset({Handling.H0}))

    def work(tx):
        item = items.draft(tx, officer, panama.code, ItemKind.ALERT, BODY, marked)
        return share.send(tx, officer, item.id, antwerp.code, lane=Lane.IMMEDIATE).envelope

    return panama.database.write(work)


def counts(node, partner) -> dict[str, int]:
    supervisor = node.staff[Role.SUPERVISOR]
    told = node.database.read(lambda tx: standing.status(tx, supervisor))
    return next(one["envelopes"] for one in told["partners"] if one["code"] == partner.code)


def entered(node, envelope: str) -> list[str]:
    """What the ledger of a node says of an envelope, in order."""
    entry = ledger_entry_table.c
    query = select(entry.kind).where(entry.object_id == envelope).order_by(entry.seq)
    return node.database.read(lambda tx: list(tx.execute(query).scalars()))


def differences(node) -> list[tuple[str, str]]:
    found = node.database.read(lambda tx: service.differences(tx, FIRST))
    return [(row["partner"], row["agreement"]) for row in found]


def greet(pair: Pair) -> None:
    """Let each hear which texts the other holds, as partners tell each other every half minute."""
    for node, other in (pair, pair[::-1]):
        held = other.database.read(lambda tx, to=node: greeting.texts(tx, to.code))
        write(node, greeting.heard, other.code, {"agreements": held})


def narrower() -> str:
    """The next version of the text, of which art-3 lets no sighting pass."""
    text = shipped.text_of(AGREEMENT).replace("version: 1", "version: 2", 1)
    assert text.count("keep_days: 180") >= 1
    return text.replace("keep_days: 180", "keep_days: 170", 1)


def test_what_is_agreed_arrives_and_both_ledgers_have_it(agreed: Pair) -> None:
    panama, antwerp = agreed
    sent = send(agreed)
    carry(panama, antwerp)
    assert state(panama, sent) == "delivered"
    assert len(received(antwerp)) == 1
    assert counts(panama, antwerp)["out immediate delivered"] == 1
    assert counts(antwerp, panama)["in immediate delivered"] == 1
    assert entered(panama, sent)[0] == "envelope"


@pytest.mark.parametrize("clause", ["art-3", None])
def test_a_clause_suspended_between_outbox_and_dispatch_stops_the_envelope(agreed, clause) -> None:
    panama, antwerp = agreed
    sent = send(agreed)
    write(panama, lifecycle.suspend, FIRST, AGREEMENT, "essential_interests", clause)
    assert carry(panama, antwerp) is None
    row = panama.database.read(lambda tx: post_store.by_id(tx, sent))
    assert (row["state"], row["code"]) == ("stopped", "not_in_force")
    # The sender's ledger and standing say that it was stopped; the partner's never heard of it.
    assert entered(panama, sent) == ["envelope", "stopped"]
    assert counts(panama, antwerp) == {"out immediate stopped": 1}
    assert counts(antwerp, panama) == {}
    assert received(antwerp) == []
    with pytest.raises(Denied) as refused:
        send(agreed)
    assert refused.value.code == "not_in_force"


def test_when_the_suspension_is_lifted_what_follows_leaves_no_gap(agreed: Pair) -> None:
    panama, antwerp = agreed
    stopped = send(agreed)
    pause = write(panama, lifecycle.suspend, FIRST, AGREEMENT, "essential_interests", "art-3")
    carry(panama, antwerp)
    panama.database.clock.advance(timedelta(hours=1))
    write(panama, lifecycle.lift, SECOND, pause)
    sent = send(agreed)
    assert carry(panama, antwerp).refused == []
    assert [state(panama, one) for one in (stopped, sent)] == ["stopped", "delivered"]
    assert counts(panama, antwerp) == {"out immediate stopped": 1, "out immediate delivered": 1}
    assert counts(antwerp, panama) == {"in immediate delivered": 1}


def test_a_clause_that_the_receiver_suspended_is_refused_there_and_both_say_so(agreed) -> None:
    panama, antwerp = agreed
    write(antwerp, lifecycle.suspend, FIRST, AGREEMENT, "essential_interests", "art-3")
    sent = send(agreed)
    carry(panama, antwerp)
    assert state(panama, sent) == "refused"
    assert counts(panama, antwerp) == {"out immediate refused": 1}
    assert counts(antwerp, panama) == {"in immediate refused": 1}
    assert received(antwerp) == []


def test_envelopes_under_another_text_are_held_and_both_sides_show_it(agreed: Pair) -> None:
    panama, antwerp = agreed
    write(antwerp, lifecycle.activate, SECOND, reviewed(antwerp, narrower()), fictional=True)
    sent = send(agreed)
    carry(panama, antwerp)
    assert state(panama, sent) == "held"
    assert counts(panama, antwerp) == {"out immediate held": 1}
    assert counts(antwerp, panama) == {"in immediate held": 1}
    assert received(antwerp) == []
    assert differences(antwerp) == [("PA-ANA", AGREEMENT)]
    greet(agreed)
    assert differences(panama) == [("BE-DOUANE", AGREEMENT)]
    assert not panama.database.read(lambda tx: service.hashes_agree(tx, antwerp.code, AGREEMENT))
    assert not antwerp.database.read(lambda tx: service.hashes_agree(tx, panama.code, AGREEMENT))


def test_when_both_hold_one_text_again_neither_shows_a_difference(agreed: Pair) -> None:
    panama, antwerp = agreed
    for node in (antwerp, panama):
        write(node, lifecycle.activate, SECOND, reviewed(node, narrower()), fictional=True)
        greet(agreed)
    assert differences(panama) == differences(antwerp) == []
    sent = send(agreed)
    carry(panama, antwerp)
    assert state(panama, sent) == "delivered"


def test_what_is_held_is_applied_when_the_receiver_goes_back_to_the_text(agreed: Pair) -> None:
    """The receiver narrowed by itself, then both signed the sender's text again as a version."""
    panama, antwerp = agreed
    second = narrower()
    write(panama, lifecycle.activate, SECOND, reviewed(panama, second), fictional=True)
    sent = send(agreed)
    carry(panama, antwerp)
    assert state(panama, sent) == "held"
    write(antwerp, lifecycle.activate, SECOND, reviewed(antwerp, second), fictional=True)
    assert antwerp.database.write(lambda tx: inbox.reconsider(tx, antwerp.policy)) == 1
    assert len(received(antwerp)) == 1
    assert differences(antwerp) == []
