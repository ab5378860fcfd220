"""kill -9 of sender and receiver at any moment: nothing acknowledged is lost or applied twice.

``ISTHMUS_KILLS`` sets how often (50 unless set; the soak run sets 1,000). ``ISTHMUS_KILL_SEED``
repeats a run's moments.
"""

import os
import random
import time

import pytest

from federation.child import open_party, put_many
from isthmus.exchange.model import BATCH, Lane

KILLS = int(os.environ.get("ISTHMUS_KILLS", "50"))
SEED = int(os.environ.get("ISTHMUS_KILL_SEED", str(time.time_ns() % 1_000_000)))
LIFE = (0.0, 0.4)
PUTS = ("puts", "BE-DOUANE", "immediate", "0.005")
SETTLED = "SELECT count(*) FROM envelope WHERE direction = 'out' AND state = 'delivered'"
SEALED = "SELECT count(*) FROM ledger_entry WHERE seq NOT IN (SELECT entry_seq FROM ledger_leaf)"
ALARMS = "SELECT count(*) FROM exchange_alarm"
CHAIN = "SELECT sequence, hash FROM envelope WHERE sequence IS NOT NULL AND direction = '{}' ORDER BY sequence"


@pytest.mark.skipif(KILLS < 1, reason="no kills are asked for")
def test_kills_lose_and_double_nothing_and_the_chains_agree(federation):
    panama, antwerp = federation("PA-ANA", "BE-DOUANE")
    dice = random.Random(SEED)
    antwerp.start()
    panama.start(*PUTS)
    for _ in range(KILLS):
        time.sleep(dice.uniform(*LIFE))
        if dice.random() < 0.5:
            panama.kill()
            panama.start(*PUTS)
        else:
            antwerp.kill()
            antwerp.start()
    time.sleep(0.5)
    panama.kill()
    panama.start()
    acknowledged = panama.put()
    assert len(acknowledged) > KILLS
    agreed(panama, antwerp, acknowledged)
    print(f"\nseed {SEED}: {KILLS} kills, {len(acknowledged)} acknowledged")


@pytest.mark.skipif(KILLS < 1, reason="no kills are asked for")
def test_kills_within_a_catch_up_lose_and_double_nothing(federation):
    """The same with several full batches under way at a time."""
    panama, antwerp = federation("PA-ANA", "BE-DOUANE")
    dice, kills = random.Random(SEED), max(1, KILLS // 5)
    items = backlog(panama, antwerp)
    antwerp.start()
    panama.start()
    moments = 0
    for _ in range(kills):
        if not waiting(panama):
            items += backlog(panama, antwerp)
        time.sleep(dice.uniform(*LIFE))
        moments += waiting(panama) > 0
        hit = panama if dice.random() < 0.5 else antwerp
        hit.kill()
        hit.start()
    agreed(panama, antwerp, items)
    print(f"\nseed {SEED}: {kills} kills, {moments} within a catch-up, of {len(items)} items")
    assert moments > 0


def backlog(one, other):
    """Put more at a node than can be under way at once; it runs, or does not, meanwhile."""
    node = open_party(one.root)
    put = put_many(node, other.code, 5 * BATCH, Lane.IMMEDIATE)
    node.database.close()
    return put


def waiting(one):
    return one.rows("SELECT count(*) FROM envelope WHERE state = 'waiting'")[0][0]


def agreed(panama, antwerp, acknowledged):
    """Wait until all has arrived: nothing is lost, nothing applied twice, the chains are one."""
    total = panama.rows("SELECT count(*) FROM envelope WHERE direction = 'out'")[0][0]
    panama.wait(SETTLED, total)
    applied = antwerp.applied()
    assert len(applied) == len(set(applied)) == total
    assert set(acknowledged) <= set(applied)
    assert panama.rows(CHAIN.format("out")) == antwerp.rows(CHAIN.format("in"))
    for one in (panama, antwerp):
        one.wait(SEALED, 0)
        assert one.rows(ALARMS) == [(0,)]
