"""Backup, more exchanges, restore: over the wire nothing is lost, doubled or taken for a forgery."""

import shutil
import sqlite3
from contextlib import closing

from federation.child import open_party
from isthmus.exchange import epochs

PUTS = ("puts", "BE-DOUANE", "immediate", "0.01")
OPEN = "SELECT count(*) FROM envelope WHERE direction = 'out' AND state = 'waiting'"
ALARMS = "SELECT code FROM exchange_alarm"


def until(node, number):
    while len(node.put()) < number:
        pass


def copy(source, target):
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def test_a_restored_node_goes_on(federation, tmp_path):
    panama, antwerp = federation("PA-ANA", "BE-DOUANE")
    antwerp.start("puts", "PA-ANA", "immediate", "0.05")
    panama.start(*PUTS)
    until(panama, 20)
    copy(panama.root / "node.db", tmp_path / "backup.db")
    until(panama, 60)
    panama.kill()
    panama.start()  # what was acknowledged has reached Antwerp before the disk is lost
    panama.wait(OPEN, 0)
    panama.kill()
    came = set(panama.applied())

    for name in ("node.db", "node.db-wal", "node.db-shm"):
        (panama.root / name).unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "backup.db", panama.root / "node.db")
    node = open_party(panama.root)
    assert node.database.write(epochs.after_restore) == 2
    node.database.close()

    panama.start(*PUTS)
    until(panama, 80)
    panama.kill()
    panama.start()
    panama.wait(OPEN, 0)
    antwerp.kill()
    antwerp.start()
    antwerp.wait(OPEN, 0)
    applied = antwerp.applied()
    assert len(applied) == len(set(applied))
    assert set(panama.put()) <= set(applied)
    back = panama.rows("SELECT count(*) FROM envelope WHERE code = 'taken_back'")[0][0]
    assert back > 0
    assert came <= set(panama.applied())
    assert len(panama.applied()) == len(set(panama.applied()))
    assert panama.rows(ALARMS) == antwerp.rows(ALARMS) == []
