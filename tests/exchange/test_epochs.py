"""A restore from a backup: nothing lost on either side, and no false alarm."""

import dataclasses
import sqlite3

import orjson
import pytest

from exchange.test_ledger import alarms, exchange_checkpoints, filled
from exchange.test_post import carry, received
from exchange.world import befriend
from isthmus.exchange import epochs, post_store, upkeep
from isthmus.exchange.model import Lane
from isthmus.exchange.trust import identity
from isthmus.platform.database import Database


@pytest.fixture
def pair(make):
    one, other = make("PA-ANA"), make("BE-DOUANE")
    befriend(one, other)
    return one, other


def backup(one, tmp_path):
    copy = tmp_path / f"{one.code}.backup"
    source = sqlite3.connect(one.database.path)
    target = sqlite3.connect(copy)
    with target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def restore(one, copy, opened):
    database = Database(f"sqlite:///{copy}", one.database.clock, one.database.keys)
    opened.append(database)
    return dataclasses.replace(one, database=database)


@pytest.fixture
def opened():
    held = []
    yield held
    for one in held:
        one.close()


def resynchronise(one, other):
    """What a line does when the partner does not know the epoch."""
    statement = one.database.read(lambda tx: bytes(identity.me(tx)["statement"]))
    back, after = 0, None
    while True:
        told = other.database.write(lambda tx, at=after: epochs.take(tx, one.code, statement, at))
        told = orjson.loads(orjson.dumps(told))
        back += epochs.resynchronise(one.database, one.policy, other.code, told)
        if (after := told["next"]) is None:
            return back


def test_a_restored_node_loses_nothing_and_alarms_nobody(pair, tmp_path, opened):
    panama, antwerp = pair
    filled(panama, antwerp, 3)
    filled(antwerp, panama, 2)
    waited = panama.put(antwerp.code)
    copy = backup(panama, tmp_path)
    lost_out = [waited, *filled(panama, antwerp, 4)]
    filled(antwerp, panama, 5)
    exchange_checkpoints(antwerp, panama)
    exchange_checkpoints(panama, antwerp)
    came = received(panama)

    panama = restore(panama, copy, opened)
    panama.database.write(epochs.open_new)
    sent = panama.put(antwerp.code)
    assert {one["code"] for one in carry(panama, antwerp).refused} == {"epoch_unknown"}
    assert resynchronise(panama, antwerp) == len(lost_out)
    assert resynchronise(panama, antwerp) == 0  # again: nothing doubles
    assert carry(panama, antwerp).refused == []
    assert panama.database.read(lambda tx: post_store.by_id(tx, sent))["state"] == "delivered"
    assert len(received(antwerp)) == len(set(received(antwerp))) == 9
    # What Antwerp had sent meanwhile comes again, each once.
    carry(antwerp, panama)
    assert received(panama) == came
    filled(panama, antwerp, 1)
    upkeep.seal_ledger(panama.database)
    assert exchange_checkpoints(antwerp, panama) == "consistent"
    assert exchange_checkpoints(panama, antwerp) == "consistent"
    assert alarms(antwerp) == []
    assert alarms(panama) == []


@pytest.mark.parametrize("part", [1, 3, 7, 100])
def test_what_was_lost_is_given_back_in_parts(pair, tmp_path, opened, monkeypatch, part):
    panama, antwerp = pair
    copy = backup(panama, tmp_path)
    filled(panama, antwerp, 5)
    panama.put(antwerp.code, lane=Lane.FLASH)
    panama.put(antwerp.code, lane=Lane.ROUTINE)
    carry(panama, antwerp, Lane.FLASH)
    carry(panama, antwerp, Lane.ROUTINE)
    monkeypatch.setattr(epochs, "BACK", part)
    panama = restore(panama, copy, opened)
    panama.database.write(epochs.open_new)
    assert resynchronise(panama, antwerp) == 7
    assert resynchronise(panama, antwerp) == 0


def test_an_old_epoch_is_closed(pair):
    panama, antwerp = pair
    filled(panama, antwerp, 1)
    first = panama.put(antwerp.code)
    raw = panama.database.read(lambda tx: (post_store.by_id(tx, first), tx.keys))
    from isthmus.exchange import inbox, vault

    old = vault.unlock(raw[1], first, raw[0])
    panama.database.write(epochs.open_new)
    resynchronise(panama, antwerp)
    answer = inbox.receive(antwerp.database, antwerp.policy, panama.code, [old])
    assert answer.refused == [{"index": 0, "code": "epoch_closed"}]
    carry(panama, antwerp)
    assert len(received(antwerp)) == 2
