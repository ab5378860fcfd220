"""A backup while the node takes posts: restored elsewhere it holds all that was acknowledged
before it began, and nothing that was erased before, during or after it."""

import shutil
import threading
import time
from pathlib import Path

import holdings
import pytest
import traffic
from node_process import Client, Ended, Served, here, init, isthmus, token, verify
from senders import Senders

BEFORE, DURING, AFTER = ("26PAERASED0000", "26PAERASED0001", "26PAERASED0002")


def _erase(root: Path, document: str) -> Ended:
    return here(root, "erase", "--document", document, "--ground", "retention_ended")


def _send(client: Client, name: str) -> str:
    status, answer = client.post("/api/declarations", traffic.declaration(name))
    assert status == 201
    return str(answer["document"])


def _restore(backup: Path, root: Path, *options: str | Path) -> Ended:
    return here(root, "restore", backup, *options)


def _gone(root: Path, documents: dict[str, str]) -> None:
    """Check that nothing is left of what was erased, and that verify says so."""
    ended = verify(root)
    assert ended.status == 0, ended.out
    told = {
        notice["row"] for notice in ended.told["lawfully_erased"] if notice["table"] == "document"
    }
    assert told == set(documents.values())
    for name, document in documents.items():
        for table in ("document_key", "document_chunk", "record"):
            query = f"SELECT count(*) FROM {table} WHERE document_id = ?"
            assert holdings.rows(root, query, [document]) == [(0,)], f"{name} stands in {table}"
        units = "SELECT count(*) FROM unit WHERE declaration_key = ?"
        assert holdings.rows(root, units, [name]) == [(0,)]


def test_a_backup_under_load(tmp_path: Path) -> None:
    root, backup = init(tmp_path / "node"), tmp_path / "backup"
    erased: dict[str, str] = {}
    with Served(root, token(root)) as node, Senders(node.port, node.secret) as senders:
        client = node.client()
        documents = {name: _send(client, name) for name in (BEFORE, DURING, AFTER)}
        erased[BEFORE] = documents[BEFORE]
        assert _erase(root, erased[BEFORE]).status == 0
        senders.until(150)
        acknowledged = dict(senders.acknowledged)
        made: list[Ended] = []
        making = threading.Thread(
            target=lambda: made.append(isthmus("--node", root, "backup", backup, "--json"))
        )
        making.start()
        while making.is_alive() and not (backup / "erasures.jsonl").exists():
            time.sleep(0.005)
        erased[DURING] = documents[DURING]
        during = _erase(root, erased[DURING])
        assert during.status == 0, during.err
        making.join(120)
        assert made[0].status == 0, made[0].err
        went_on = len(senders.acknowledged)
        erased[AFTER] = documents[AFTER]
        after = _erase(root, erased[AFTER])
        assert (after.status, after.told["unreached_backups"]) == (0, [])
        client.close()
    assert senders.faults == []
    assert went_on > len(acknowledged) + 10  # the senders were not held up
    print(
        f"\n{len(acknowledged)} acknowledged before the backup, {went_on - len(acknowledged)} "
        f"while it was made in {made[0].told['seconds']} s"
    )

    # Where it was made: later erasures are in the journal beside it, though the node is gone.
    beside = tmp_path / "beside"
    kept_away = tmp_path / "kept away"
    root.rename(kept_away)
    ended = _restore(backup, beside)
    assert ended.status == 0, ended.err
    assert len(ended.told["erasures_replayed"]) >= 1
    _gone(beside, erased)
    assert holdings.lost(beside, acknowledged) == {}
    assert holdings.halves(beside) == {}

    # A copy elsewhere, the node gone and the first backup too: nobody kept its journal up.
    copy = tmp_path / "shelf" / "backup"
    shutil.copytree(backup, copy)
    backup.rename(tmp_path / "burnt")
    refused = _restore(copy, tmp_path / "never")
    assert refused.status == 2
    assert refused.told["error"]["code"] == "journal_needed"
    assert not (tmp_path / "never" / "node.toml").exists()

    # The same copy with the node's own journal named by hand.
    named = tmp_path / "named"
    ended = _restore(copy, named, "--erasures", kept_away / "erasures.jsonl")
    assert ended.status == 0, ended.err
    _gone(named, erased)

    # The same copy, the source node still where it was: its journal is found without being named.
    kept_away.rename(root)
    moved = tmp_path / "moved"
    ended = _restore(copy, moved)
    assert ended.status == 0, ended.err
    assert str(root / "erasures.jsonl") in ended.told["journals"]
    _gone(moved, erased)
    assert holdings.lost(moved, acknowledged) == {}


def test_an_erasure_after_the_copy_reaches_the_copy_by_the_node(tmp_path: Path) -> None:
    """An old copy of a backup, restored after a later erasure while the node stands, forgets it."""
    root, backup = init(tmp_path / "node"), tmp_path / "backup"
    file = tmp_path / "one.json"
    file.write_bytes(traffic.declaration(AFTER))
    assert here(root, "receive", file).status == 0
    ((document,),) = holdings.rows(root, "SELECT id FROM document")
    assert here(root, "backup", backup).status == 0
    copy = tmp_path / "copy"
    shutil.move(backup, copy)
    told = _erase(root, document)
    assert (told.status, told.told["unreached_backups"]) == (0, [str(backup)])
    ended = _restore(copy, tmp_path / "restored")
    assert ended.status == 0, ended.err
    assert len(ended.told["erasures_replayed"]) == 1
    _gone(tmp_path / "restored", {AFTER: document})


@pytest.mark.parametrize("name", ["isthmus.db", "node.toml", "manifest.json"])
def test_a_backup_with_one_byte_changed_is_refused(tmp_path: Path, name: str) -> None:
    root, backup = init(tmp_path / "node"), tmp_path / "backup"
    assert here(root, "backup", backup).status == 0
    file = backup / name
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    refused = _restore(backup, tmp_path / "restored")
    assert refused.status == 2
    assert refused.told["error"]["code"] == "backup_damaged"
    assert not (tmp_path / "restored" / "node.toml").exists()
