"""Several batches under way: sent in their order, taken in their order, ended at a refusal."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from exchange.test_post import received
from federation.child import put_many
from isthmus.access.model import Role
from isthmus.exchange import backlog, dispatch, inbox, outbox, outgoing
from isthmus.exchange.backlog import Refused
from isthmus.exchange.model import Lane
from isthmus.exchange.order import MOST, Order
from isthmus.exchange.outgoing import Batch, Parcel
from isthmus.exchange.policy import HELD, REFUSED, Verdict
from isthmus.exchange.trust import partners
from isthmus.kernel.errors import Denied, Unavailable


def batches(panama, antwerp, number, size=5):
    """What waits, as so many batches that follow one another."""
    put_many(panama, antwerp.code, number * size, Lane.IMMEDIATE)
    found = outgoing.ready(panama.database, panama.policy, antwerp.code, [Lane.IMMEDIATE])
    raws = [one.raw for one in found.parcels]
    return [raws[size * place : size * (place + 1)] for place in range(number)]


def receive(panama, antwerp, raws, order):
    return inbox.receive(
        antwerp.database, antwerp.policy, panama.code, raws, inbox.Reception(order=order)
    )


def test_a_batch_that_came_before_the_one_it_follows_waits_for_it(both):
    panama, antwerp = both
    parts = batches(panama, antwerp, 3)
    order = Order(patience=30.0)
    with ThreadPoolExecutor(3) as pool:
        later = [pool.submit(receive, panama, antwerp, part, order) for part in parts[:0:-1]]
        time.sleep(0.3)
        assert not any(one.done() for one in later)
        answers = [receive(panama, antwerp, parts[0], order), *(one.result() for one in later)]
    assert [one.refused for one in answers] == [[], [], []]
    assert len(received(antwerp)) == len(set(received(antwerp))) == 15


def test_a_batch_whose_predecessor_never_comes_is_a_gap(both):
    panama, antwerp = both
    parts = batches(panama, antwerp, 2)
    order = Order(patience=0.3)
    began = time.monotonic()
    answer = receive(panama, antwerp, parts[1], order)
    assert {one["code"] for one in answer.refused} == {"sequence_gap"}
    assert 0.25 < time.monotonic() - began < 5.0
    assert received(antwerp) == []


def test_a_partner_has_only_so_many_batches_waiting():
    order, waiting = Order(patience=20.0), threading.Semaphore(0)
    there = threading.Event()

    def follows():
        waiting.release()
        return there.is_set()

    with ThreadPoolExecutor(MOST) as pool:
        held = [pool.submit(order.wait, "PA-ANA", follows) for _ in range(MOST)]
        for _ in range(2 * MOST):
            assert waiting.acquire(timeout=10)
        began = time.monotonic()
        order.wait("PA-ANA", lambda: False)  # one more is not waited for
        assert time.monotonic() - began < 1.0
        there.set()
        order.taken()
        for one in held:
            one.result(timeout=10)


# -- the sender's side --------------------------------------------------------------------


class Wires:
    """A partner who answers after a while, on so many connections."""

    def __init__(self, number, refuse_at=None, fail_at=None, stays=None):
        self.refuse_at, self.fail_at, self.stays = refuse_at, fail_at, stays
        self.sent, self.settled, self.most, self.now = [], [], 0, 0
        self.lock = threading.Lock()
        self.wires = [self.wire] * number

    def wire(self, batch):
        seq = batch.parcels[0].seq
        with self.lock:
            self.sent.append(seq)
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        with self.lock:
            self.now -= 1
        if seq == self.fail_at:
            raise Unavailable("partner_away", "gone")
        refused = [{"index": 0, "code": "sequence_gap"}] if seq == self.refuse_at else []
        return {"seq": seq, "refused": refused}

    def send(self, number):
        def ahead(after):
            seq = after[Lane.ROUTINE] + 1
            return batch(seq) if seq <= number else None

        def leaves(found):
            # Decided at the last moment: a connection is free.
            assert self.now < len(self.wires)
            return found.parcels[0].seq != self.stays

        def settle(told):
            self.settled.append(told["seq"])

        return backlog.send(batch(1), ahead, leaves, self.wires, settle)


def batch(seq):
    return Batch(Lane.ROUTINE, [Parcel(f"env_{seq}", b"", True, seq, None, None)])


@pytest.mark.parametrize("number", [1, 2, 3, 20])
@pytest.mark.parametrize("wires", [1, 3])
def test_a_backlog_goes_in_its_order_and_every_answer_is_noted(number, wires):
    partner = Wires(wires)
    assert partner.send(number) is None
    assert partner.settled == list(range(1, number + 1))
    assert sorted(partner.sent) == partner.settled
    assert partner.most <= wires
    if number > wires:
        assert partner.most == wires


def test_a_refusal_ends_the_flow_and_what_is_under_way_is_waited_for():
    partner = Wires(3, refuse_at=4)
    found = partner.send(50)
    assert isinstance(found, Refused)
    assert found.batch.parcels[0].seq == 4
    assert partner.now == 0
    assert set(partner.sent) <= set(range(1, 8))
    assert partner.settled[:4] == [1, 2, 3, 4]


def test_a_partner_that_goes_away_ends_the_flow():
    partner = Wires(3, fail_at=4)
    with pytest.raises(Unavailable):
        partner.send(50)
    assert partner.now == 0
    assert partner.settled == [1, 2, 3]


def test_what_may_not_leave_any_more_ends_the_flow():
    partner = Wires(3, stays=4)
    assert partner.send(50) is None
    assert partner.settled == [1, 2, 3]


def test_what_was_read_ahead_is_decided_when_it_leaves(both, clock):
    panama, antwerp = both
    items = put_many(panama, antwerp.code, 4, Lane.IMMEDIATE)
    late = panama.put(antwerp.code, expires_at=clock.now() + timedelta(hours=1))
    found = outgoing.ready(panama.database, panama.policy, antwerp.code, [Lane.IMMEDIATE], most=2)
    after = {Lane.IMMEDIATE: found.parcels[-1].seq}
    held = outgoing.ahead(panama.database, antwerp.code, (Lane.IMMEDIATE,), after)
    assert [one.opened.presented.item.id for one in held.parcels[:2]] == items[2:]
    assert held.parcels[2].id == late

    def leaves():
        return outgoing.leaves(panama.database, panama.policy, antwerp.code, held)

    assert leaves()
    for verdict in (Verdict(REFUSED, "no_clause"), Verdict(HELD, "agreement_differs")):
        panama.policy.at_dispatch[items[3]] = verdict  # a clause was suspended meanwhile
        assert not leaves()
    panama.policy.at_dispatch.clear()
    assert leaves()
    clock.advance(timedelta(hours=2))
    assert not leaves()
    clock.advance(-timedelta(hours=2))
    supervisor = panama.staff[Role.SUPERVISOR]
    panama.database.write(
        lambda tx: outbox.stop(tx, antwerp.code, Lane.IMMEDIATE, {late: "expired"})
    )
    assert not leaves()
    panama.database.write(lambda tx: partners.suspend(tx, supervisor, antwerp.code))
    assert not leaves()


def test_what_is_under_way_keeps_its_place(both):
    panama, antwerp = both
    put_many(panama, antwerp.code, 4, Lane.IMMEDIATE)
    found = outgoing.ready(panama.database, panama.policy, antwerp.code, [Lane.IMMEDIATE], most=2)
    after = {Lane.IMMEDIATE: found.parcels[-1].seq}
    held = outgoing.ahead(panama.database, antwerp.code, (Lane.IMMEDIATE,), after)
    for one in held.parcels:
        panama.policy.at_dispatch[one.opened.presented.item.id] = Verdict(REFUSED, "no_clause")
    assert not outgoing.leaves(panama.database, panama.policy, antwerp.code, held)
    answer = receive(panama, antwerp, [one.raw for one in found.parcels], None)
    dispatch.settle(panama.database, antwerp.code, answer.receipts)
    assert answer.refused == []
    assert len(received(antwerp)) == 2


def test_denied_at_once_is_no_flow():
    def wire(_batch):
        raise Denied("partner_not_trusted", "no")

    with pytest.raises(Denied):
        backlog.send(batch(1), lambda _: None, lambda _: True, [wire], lambda _: None)
