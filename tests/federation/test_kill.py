"""kill -9 of sender and receiver at any moment: nothing acknowledged is lost or applied twice.

``ISTHMUS_KILLS`` sets how often (50 unless set; the soak run sets 1,000). ``ISTHMUS_KILL_SEED``
repeats a run's moments.
"""

import os
import random
import time

import pytest

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
    total = panama.rows("SELECT count(*) FROM envelope WHERE direction = 'out'")[0][0]
    panama.wait(SETTLED, total)
    applied = antwerp.applied()
    print(f"\nseed {SEED}: {KILLS} kills, {len(acknowledged)} acknowledged, {len(applied)} applied")
    assert len(applied) == len(set(applied)) == total
    assert set(acknowledged) <= set(applied)
    assert len(acknowledged) > KILLS
    assert panama.rows(CHAIN.format("out")) == antwerp.rows(CHAIN.format("in"))
    for one in (panama, antwerp):
        one.wait(SEALED, 0)
        assert one.rows(ALARMS) == [(0,)]
