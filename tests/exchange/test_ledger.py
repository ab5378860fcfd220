"""The ledger of a node: sealed apart, proved, witnessed; a split view is caught."""

import pytest

from exchange.test_post import carry
from isthmus.access.model import Role
from isthmus.exchange import post_store, upkeep
from isthmus.exchange.proof import bundle, ledger, ledger_store, proofs, witness
from isthmus.exchange.trust import identity, key_store, signing
from isthmus.kernel.time import isoformat


def exchange_checkpoints(asks, answers):
    question = asks.database.read(lambda tx: witness.question(tx, answers.code))
    told = answers.database.read(lambda tx: witness.answer(tx, asks.code, question))
    return asks.database.write(lambda tx: witness.take(tx, answers.code, told))


def alarms(one):
    from isthmus.access.gate import scope
    from isthmus.access.permission import Permission

    supervisor = one.staff[Role.SUPERVISOR]
    return one.database.read(
        lambda tx: [
            row["code"] for row in key_store.alarms(tx, scope(supervisor, Permission.PARTNER_READ))
        ]
    )


def filled(one, other, number):
    sent = [one.put(other.code) for _ in range(number)]
    carry(one, other)
    upkeep.seal_ledger(one.database)
    upkeep.seal_ledger(other.database)
    return sent


def test_a_bundle_verifies_without_a_node_and_every_flipped_byte_fails(both):
    panama, antwerp = both
    sent = filled(panama, antwerp, 3)[1]
    auditor = panama.staff[Role.AUDITOR]
    raw = panama.database.write(lambda tx: proofs.prove(tx, auditor, sent))
    found, findings = bundle.verify(raw)
    assert findings == []
    assert (found.sender, found.recipient, found.outcome) == (
        panama.code,
        antwerp.code,
        "delivered",
    )
    assert set(found.inclusions) == {"PA-ANA/envelope", "PA-ANA/receipt"}
    pins = {node: [fingerprint] for node, fingerprint in found.keys.items()}
    assert bundle.verify(raw, pins)[1] == []
    assert bundle.verify(raw, {**pins, antwerp.code: ["00" * 32]})[1]
    for at in range(len(raw)):
        wrong = raw[:at] + bytes([raw[at] ^ (1 << at % 7)]) + raw[at + 1 :]
        shown, faults = bundle.verify(wrong)
        assert shown is None, at
        assert all(fault.where and fault.code for fault in faults), at


def test_the_receiver_proves_it_too(both):
    panama, antwerp = both
    filled(panama, antwerp, 2)
    row = antwerp.database.read(
        lambda tx: post_store.span(tx, "in", panama.code, "immediate", 1, 0, 9)
    )[0]
    auditor = antwerp.staff[Role.AUDITOR]
    raw = antwerp.database.write(lambda tx: proofs.prove(tx, auditor, row["id"]))
    assert bundle.verify(raw)[1] == []


def test_a_growing_log_is_proved_to_its_witness(both):
    panama, antwerp = both
    for number in (1, 2, 5):
        filled(panama, antwerp, number)
        assert exchange_checkpoints(antwerp, panama) == "consistent"
    assert alarms(antwerp) == []


def test_a_rewritten_log_is_a_split_view(both):
    panama, antwerp = both
    filled(panama, antwerp, 3)
    exchange_checkpoints(antwerp, panama)
    rewrite(panama)
    filled(panama, antwerp, 2)
    assert exchange_checkpoints(antwerp, panama) == "split"
    assert "ledger_split" in alarms(antwerp)


def rewrite(one):
    """What a dishonest node does: another commitment in place of one that was sealed."""
    from sqlalchemy import update

    from isthmus.exchange.proof import merkle
    from isthmus.exchange.tables import ledger_node_table

    nodes = ledger_node_table.c
    forged = merkle.leaf_hash(ledger.leaf("envelope", b"\1" * 32))

    def work(tx):
        size = ledger_store.size(tx, 1)
        level, index, value = 0, 0, forged
        while (index + 1) << level <= size:
            tx.execute(
                update(ledger_node_table)
                .where(nodes.epoch == 1, nodes.level == level, nodes.index == index)
                .values(hash=value)
            )
            sibling = ledger_store.node(tx, 1, level, 1)
            if sibling is None:
                break
            value = merkle.node_hash(value, sibling)
            level += 1

    one.database.write(work)


def test_two_histories_shown_to_two_partners_are_caught_by_their_gossip(both, make):
    from exchange.world import befriend

    panama, antwerp = both
    rotterdam = make("NL-DOUANE")
    befriend(panama, rotterdam)
    befriend(antwerp, rotterdam)
    filled(panama, antwerp, 3)
    exchange_checkpoints(antwerp, panama)
    # To Rotterdam Panama shows another log of the same size.
    size = panama.database.read(lambda tx: ledger_store.size(tx, 1))
    other = panama.database.read(
        lambda tx: signing.sign(
            identity.signer(tx),
            ledger.CHECKPOINT,
            {
                "node": panama.code,
                "epoch": 1,
                "size": size,
                "root": "11" * 32,
                "at": isoformat(tx.now),
            },
        )
    )
    import orjson

    told = {"checkpoint": orjson.loads(other), "proofs": [], "seen": []}
    rotterdam.database.write(lambda tx: witness.take(tx, panama.code, told))
    exchange_checkpoints(antwerp, rotterdam)
    assert "ledger_split" in alarms(antwerp)


def test_a_stopped_envelope_stands_in_the_ledger(both):
    from isthmus.exchange import outgoing
    from isthmus.exchange.model import Lane
    from isthmus.exchange.policy import Verdict

    panama, antwerp = both
    item = panama.item()
    sent = panama.put(antwerp.code, item)
    panama.policy.at_dispatch[item.id] = Verdict("refused", "clause_suspended")
    outgoing.ready(panama.database, panama.policy, antwerp.code, [Lane.IMMEDIATE])
    upkeep.seal_ledger(panama.database)
    leaf = panama.database.read(lambda tx: ledger_store.leaf_of(tx, sent))
    assert leaf["kind"] == "stopped"


@pytest.mark.parametrize("number", [1, 7, 20])
def test_seals_in_batches_give_one_tree(both, number):
    panama, antwerp = both
    for _ in range(number):
        panama.put(antwerp.code)
    while panama.database.write(lambda tx: ledger.seal(tx, 3)):
        pass
    from isthmus.exchange.proof import merkle

    def check(tx):
        size = ledger_store.size(tx, 1)
        head = ledger_store.newest(tx, panama.code)
        assert head["size"] == size == number
        assert merkle.root(size, ledger.node_reader(tx, 1)) == head["root"]

    panama.database.read(check)
