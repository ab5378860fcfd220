"""Backup, 1,000 exchanges, restore: over the wire nothing is lost, doubled or taken for a forgery."""

import shutil
import sqlite3
from contextlib import closing

from federation.child import open_party, put_many
from isthmus.exchange import epochs

EXCHANGES = 1_000
OPEN = "SELECT count(*) FROM envelope WHERE direction = 'out' AND state = 'waiting'"
ALARMS = "SELECT code FROM exchange_alarm"
NEWEST = "SELECT {} FROM checkpoint WHERE node = '{}' AND epoch = {} AND state = '{}'"
SEALED = "SELECT count(*) FROM ledger_entry WHERE seq NOT IN (SELECT entry_seq FROM ledger_leaf)"


def copy(source, target):
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def filled(one, other, number):
    """Put items at a node that does not run; return their ids."""
    node = open_party(one.root)
    put = put_many(node, other.code, number)
    node.database.close()
    return put


def exchanged(*nodes):
    """Let nodes run until nothing waits at any of them, then end them as a power cut would."""
    for one in nodes:
        one.start()
    for one in nodes:
        one.wait(OPEN, 0, seconds=120)
        one.wait(SEALED, 0, seconds=120)
    for one in nodes:
        one.kill()


def test_a_restored_node_goes_on(federation, tmp_path):
    panama, antwerp = federation("PA-ANA", "BE-DOUANE")
    sent = filled(panama, antwerp, 50)
    got = filled(antwerp, panama, 50)
    exchanged(panama, antwerp)
    waited = filled(panama, antwerp, 5)  # in the backup it still waits
    copy(panama.root / "node.db", tmp_path / "backup.db")

    since = waited + filled(panama, antwerp, EXCHANGES // 2)
    came = filled(antwerp, panama, EXCHANGES // 2)
    exchanged(panama, antwerp)
    assert set(panama.applied()) == {*got, *came}

    for name in ("node.db", "node.db-wal", "node.db-shm"):
        (panama.root / name).unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "backup.db", panama.root / "node.db")
    node = open_party(panama.root)
    assert node.database.write(epochs.after_restore) == 2
    node.database.close()

    sent += filled(panama, antwerp, 50)
    got += filled(antwerp, panama, 50)
    exchanged(panama, antwerp)
    # Each item is at the other side, once; and Panama has everything back that it had sent.
    for one, wanted in ((antwerp, [*sent, *since]), (panama, [*got, *came])):
        applied = one.applied()
        assert len(applied) == len(set(applied)), one.code
        assert set(applied) == set(wanted), one.code
    back = panama.rows("SELECT count(*) FROM envelope WHERE code = 'taken_back'")[0][0]
    assert back == len(since)
    # Each witnesses what the other's log has become, the closed one and the new one.
    for one in (panama, antwerp):
        one.start()
    for one, other, epoch in ((panama, antwerp, 2), (antwerp, panama, 1)):
        newest = one.rows(NEWEST.format("max(size)", one.code, epoch, "own"))[0][0]
        other.wait(NEWEST.format(f"max(size) >= {newest}", one.code, epoch, "consistent"), 1)
    assert panama.rows(ALARMS) == antwerp.rows(ALARMS) == []
