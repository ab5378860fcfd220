"""Outbox and inbox of two nodes: chains, receipts, replays, gaps, stops."""

from datetime import timedelta

import orjson
import pytest

from isthmus.access.model import Role
from isthmus.exchange import dispatch, inbox, outbox, outgoing, post_store
from isthmus.exchange.model import Lane
from isthmus.exchange.policy import Verdict
from isthmus.exchange.trust import partners
from isthmus.exchange.verifiers import Verifiers
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Denied
from isthmus.kernel.time import SetClock


def carry(one, other, lane=Lane.IMMEDIATE, lose=False):
    """Bring what waits to the other side and the receipts back."""
    found = outgoing.ready(one.database, one.policy, other.code, [lane])
    if not found:
        return None
    raws = [parcel.raw for parcel in found.parcels]
    answer = inbox.receive(other.database, other.policy, one.code, raws)
    if not lose:
        dispatch.settle(one.database, other.code, answer.receipts)
    return answer


def state(one, envelope):
    return one.database.read(lambda tx: post_store.by_id(tx, envelope))["state"]


def received(one):
    """Items applied here, in order."""
    from sqlalchemy import select

    from isthmus.platform.events import event_table

    return one.database.read(
        lambda tx: [
            row.payload["item"]
            for row in tx.execute(
                select(event_table)
                .where(event_table.c.kind == "item.received")
                .order_by(event_table.c.seq)
            )
        ]
    )


def test_an_envelope_arrives_once_and_its_receipt_comes_back(both):
    panama, antwerp = both
    items = [panama.item() for _ in range(3)]
    sent = [panama.put(antwerp.code, item) for item in items]
    answer = carry(panama, antwerp)
    assert answer.refused == []
    assert [state(panama, one) for one in sent] == ["delivered"] * 3
    assert received(antwerp) == [item.id for item in items]
    opened = antwerp.database.read(
        lambda tx: [
            inbox.opened(tx, row["id"])
            for row in post_store.span(tx, "in", panama.code, "immediate", 1, 0, 9)
        ]
    )
    assert opened[0].presented.item.body == items[0].body


def test_only_the_disclosed_paths_travel(both):
    panama, antwerp = both
    panama.put(antwerp.code, paths=["container"])
    found = outgoing.ready(panama.database, panama.policy, antwerp.code, [Lane.IMMEDIATE])
    raw = found.parcels[0].raw
    carry(panama, antwerp)
    assert b"A. Someone" not in raw
    row = antwerp.database.read(
        lambda tx: post_store.span(tx, "in", panama.code, "immediate", 1, 0, 9)
    )[0]
    body = antwerp.database.read(lambda tx: inbox.opened(tx, row["id"])).presented.item.body
    assert body == {"container": "MSKU1234565"}


def test_a_lost_answer_doubles_nothing(both):
    panama, antwerp = both
    sent = panama.put(antwerp.code)
    carry(panama, antwerp, lose=True)
    assert state(panama, sent) == "waiting"
    carry(panama, antwerp)
    assert state(panama, sent) == "delivered"
    assert len(received(antwerp)) == 1


def test_a_gap_and_a_reordered_batch_take_no_place(both):
    panama, antwerp = both
    for _ in range(3):
        panama.put(antwerp.code)
    raws = [
        one.raw
        for one in outgoing.ready(
            panama.database, panama.policy, antwerp.code, [Lane.IMMEDIATE]
        ).parcels
    ]
    answer = inbox.receive(antwerp.database, antwerp.policy, panama.code, raws[1:])
    assert {one["code"] for one in answer.refused} == {"sequence_gap"}
    assert answer.heads["immediate"]["sequence"] == 0
    answer = inbox.receive(antwerp.database, antwerp.policy, panama.code, [raws[1], raws[0]])
    assert answer.refused == [{"index": 0, "code": "sequence_gap"}]
    assert len(received(antwerp)) == 1


def test_what_is_stopped_before_it_leaves_gives_its_place_up(both):
    panama, antwerp = both
    first, second, third = (panama.item() for _ in range(3))
    ids = [panama.put(antwerp.code, one) for one in (first, second, third)]
    panama.policy.at_dispatch[second.id] = Verdict("refused", "clause_suspended")
    carry(panama, antwerp)
    assert [state(panama, one) for one in ids] == ["delivered", "stopped", "delivered"]
    assert received(antwerp) == [first.id, third.id]


def test_a_long_backlog_keeps_its_order_around_what_is_stopped(both):
    panama, antwerp = both
    items = [panama.item() for _ in range(12)]
    for item in items[:9]:
        panama.put(antwerp.code, item)
    for stopped in (items[1], items[5]):
        panama.policy.at_dispatch[stopped.id] = Verdict("refused", "clause_suspended")
    found = outgoing.ready(panama.database, panama.policy, antwerp.code, [Lane.IMMEDIATE], most=3)
    assert len(found.parcels) == 3
    for item in items[9:]:  # put while those before have no place
        panama.put(antwerp.code, item)
    while carry(panama, antwerp):
        pass
    wanted = [item.id for item in items if item not in (items[1], items[5])]
    assert received(antwerp) == wanted


def test_what_was_stopped_but_had_arrived_is_known_as_delivered(both):
    panama, antwerp = both
    first, second = panama.item(), panama.item()
    ids = [panama.put(antwerp.code, one) for one in (first, second)]
    carry(panama, antwerp, lose=True)
    panama.policy.at_dispatch[first.id] = Verdict("refused", "clause_suspended")
    answer = carry(panama, antwerp)
    assert answer.refused == [{"index": 0, "code": "sequence_taken"}]
    assert state(panama, ids[0]) == "delivered"  # its receipt told so
    known = antwerp.database.read(
        lambda tx: [
            inbox.line_of(row)
            for row in post_store.span(tx, "in", panama.code, "immediate", 1, 0, 9)
        ]
    )
    from isthmus.exchange import receipts

    _, raw = antwerp.database.write(
        lambda tx: receipts.write(tx, panama.code, "immediate", 1, known)
    )
    dispatch.settle(panama.database, antwerp.code, [raw])
    assert [state(panama, one) for one in ids] == ["delivered", "delivered"]
    assert received(antwerp) == [first.id, second.id]


def test_held_on_both_sides_and_applied_when_the_agreements_fit(both):
    panama, antwerp = both
    item = panama.item()
    antwerp.policy.at_receipt[item.id] = Verdict("held", "agreement_differs")
    sent = panama.put(antwerp.code, item)
    carry(panama, antwerp)
    assert state(panama, sent) == "held"
    assert received(antwerp) == []
    antwerp.policy.at_receipt.clear()
    assert antwerp.database.write(lambda tx: inbox.reconsider(tx, antwerp.policy)) == 1
    rows = antwerp.database.read(lambda tx: post_store.unsent(tx, panama.code))
    dispatch.settle(panama.database, antwerp.code, [row["body"] for row in rows])
    assert state(panama, sent) == "delivered"
    assert received(antwerp) == [item.id]


def test_an_expired_envelope_does_not_leave(both, clock):
    panama, antwerp = both
    sent = panama.put(antwerp.code, expires_at=clock.now() + timedelta(hours=1))
    clock.advance(timedelta(hours=1))
    assert carry(panama, antwerp) is None
    assert state(panama, sent) == "expired"


def test_a_flipped_byte_anywhere_is_refused(both):
    panama, antwerp = both
    panama.put(antwerp.code)
    raw = (
        outgoing.ready(panama.database, panama.policy, antwerp.code, [Lane.IMMEDIATE])
        .parcels[0]
        .raw
    )
    wrong = [raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] for at in range(0, len(raw), 61)]
    answer = inbox.receive(antwerp.database, antwerp.policy, panama.code, wrong)
    assert len(answer.refused) == len(wrong)
    assert received(antwerp) == []


@pytest.mark.parametrize(
    ("cap", "code"),
    [
        ({"disclosures": 2}, "disclosures_too_many"),
        ({"nesting": 3}, "nesting_too_deep"),
        ({"bytes": 3_000}, "envelope_too_large"),
    ],
)
def test_caps_hold(both, cap, code):
    panama, antwerp = both
    supervisor = antwerp.staff[Role.SUPERVISOR]
    item = panama.item(container="MSKU1234565", reason="x", deep=[[[["x"]]]], long="x" * 2_000)
    antwerp.database.write(lambda tx: partners.set_caps(tx, supervisor, panama.code, **cap))
    panama.put(antwerp.code, item)
    assert carry(panama, antwerp).refused == [{"index": 0, "code": code}]
    assert received(antwerp) == []


def test_a_clock_that_differs_too_much_is_told_and_waited_for(both, clock):
    panama, antwerp = both
    panama.database.clock = SetClock(clock.now() + timedelta(minutes=6))
    sent = panama.put(antwerp.code)
    assert carry(panama, antwerp).refused == [{"index": 0, "code": "clock_skew"}]
    assert state(panama, sent) == "waiting"
    clock.advance(timedelta(minutes=2))  # within the five minutes that clocks may differ
    assert carry(panama, antwerp).refused == []
    assert state(panama, sent) == "delivered"
    assert len(received(antwerp)) == 1


def malformed(raw):
    """Ways to write an envelope wrongly, by what is wrong."""
    held = orjson.loads(raw)
    said = held["payload"]

    def written(**members):
        return canonical({**held, "payload": {**said, **members}})

    return {
        "nothing": b"",
        "no JSON": b"\xff\xfe{",
        "no object": b"[]",
        "another object": b"{}",
        "cut": raw[:-40],
        "spaces": raw.replace(b":", b": ", 1),
        "another order": orjson.dumps(dict(reversed(held.items()))),
        "a member twice": raw.replace(b'{"algorithm"', b'{"algorithm":"none","algorithm"', 1),
        "no such member": written(more=1),
        "no lane": canonical({**held, "payload": {k: v for k, v in said.items() if k != "lane"}}),
        "an unknown lane": written(lane="express"),
        "a float": written(sequence=1.0),
        "a truth": written(sequence=True),
        "a negative": written(sequence=-1),
        "a huge number": raw.replace(b'"sequence":1', b'"sequence":' + b"9" * 400),
        "a local moment": written(made_at="2026-01-01T00:00:00+01:00"),
        "no moment": written(made_at="soon"),
        "capitals in a digest": written(previous=said["previous"].upper()),
        "another algorithm": canonical({**held, "algorithm": "none"}),
        "another kind": canonical({**held, "kind": "receipt"}),
        "no signature": canonical({**held, "signature": ""}),
        "a signature in capitals": canonical({**held, "signature": held["signature"].upper()}),
        "a longer signature": canonical({**held, "signature": held["signature"] + "00"}),
        "an item of two parts": written(item=said["item"].replace(".", "~", 1)),
        "no terms": written(terms=[]),
        "terms without end": written(terms=said["terms"] * 200),
        "deep": b"[" * 100_000,
    }


@pytest.mark.parametrize("number", [0, 2])
def test_malformed_envelopes_are_named_and_take_no_place(both, number):
    panama, antwerp = both
    panama.put(antwerp.code)
    found = outgoing.ready(panama.database, panama.policy, antwerp.code, [Lane.IMMEDIATE])
    raw = found.parcels[0].raw
    wrong = malformed(raw)
    verifiers = Verifiers(number)
    answer = inbox.receive(
        antwerp.database, antwerp.policy, panama.code, [*wrong.values(), raw],
        inbox.Reception(verifiers),
    )  # fmt: skip
    verifiers.close()
    refused = {name: code["code"] for name, code in zip(wrong, answer.refused, strict=True)}
    assert all(refused.values()), refused
    assert len(received(antwerp)) == 1  # the honest one behind them is taken
    assert answer.heads["immediate"]["sequence"] == 1


def test_nothing_goes_to_a_partner_that_one_person_compared(panama, make):
    other = make("NL-DOUANE")
    first = panama.staff[Role.SUPERVISOR]
    panama.database.write(lambda tx: partners.add(tx, first, other.card()))
    with pytest.raises(Denied, match="nothing is exchanged"):
        panama.put(other.code)


def test_a_path_without_a_clause_never_enters_the_outbox(both):
    panama, antwerp = both
    from exchange.world import released
    from isthmus.access.model import Purpose
    from isthmus.agreements.model import Asked, Mode
    from isthmus.exchange import issue, release
    from isthmus.exchange.trust import identity

    item = panama.item()
    asked = Asked(panama.code, antwerp.code, Purpose.TARGETING, Mode.SPONTANEOUS)

    def work(tx):
        issued = issue.issue(item, identity.signer(tx))
        presented = issue.present(issued, list(item.paths()))
        decision = released(["container"])
        terms = release.terms_for(tx, presented, decision, asked)
        outbox.put(tx, antwerp.code, Lane.FLASH, presented, [terms], decision, asked)

    with pytest.raises(Denied, match="no clause"):
        panama.database.write(work)
