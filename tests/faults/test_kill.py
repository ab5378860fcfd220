"""kill -9 at any moment: what was acknowledged is there exactly once, and nothing is half there.

``ISTHMUS_KILLS`` sets how often the node is killed during concurrent posts (50 unless set; the
soak run sets 500). ``ISTHMUS_KILL_SEED`` repeats a run's moments.
"""

import io
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import holdings
import pytest
import traffic
from node_process import Served, begin, here, init, isthmus, token, verify
from senders import Senders

from isthmus.cargo.formats.source import Source
from isthmus.node import Node
from isthmus.platform.jobs import STOPPED
from isthmus.platform.journal import Journal

KILLS = int(os.environ.get("ISTHMUS_KILLS", "50"))
SEED = int(os.environ.get("ISTHMUS_KILL_SEED", str(time.time_ns() % 1_000_000)))
# Between an answer and the kill; a start that is cut short is one of these too.
LIFE = (0.02, 0.9)
CUT_SHORT = 0.15
# Jobs that find what is to be done in the tables, whoever asked for it.
SWEEPS = {
    "score", "reassess", "audit.seal", "access.sweep", "documents.sweep", "jobs.clear",
    "lists.watch",
}  # fmt: skip
CATCH_UP = 60.0


def _settled(root: Path, seconds: float) -> None:
    """Wait until everything is scored and sealed."""
    end = time.monotonic() + seconds
    unsealed = (
        "SELECT count(*) FROM audit_entry WHERE seq NOT IN (SELECT entry_seq FROM audit_seal)"
    )
    while holdings.waiting(root) or holdings.rows(root, unsealed) != [(0,)]:
        assert time.monotonic() < end, (
            f"{holdings.waiting(root)} wait to be scored; jobs: "
            f"{holdings.rows(root, 'SELECT kind, state, attempts, error FROM job')[-5:]}"
        )
        time.sleep(0.1)


def _whole(root: Path) -> None:
    """Check that the command finds everything as it was written."""
    ended = verify(root)
    assert ended.status == 0, ended.out + ended.err
    assert ended.told["intact"]
    assert ended.told["faults"] == []


@pytest.mark.skipif(KILLS < 1, reason="no kills are asked for")
def test_kills_during_posts_lose_and_double_nothing(tmp_path: Path) -> None:
    root = init(tmp_path / "node")
    node = Served(root, token(root))
    senders = Senders(node.port, node.secret, seed=SEED)
    dice, began, starts = random.Random(SEED), time.monotonic(), []
    senders.start()
    for _ in range(KILLS):
        if dice.random() < CUT_SHORT:
            node.spawn()
            time.sleep(dice.uniform(0.0, 3.0))
        else:
            starts.append(node.start())
            time.sleep(dice.uniform(*LIFE))
        node.kill()
    killing = time.monotonic() - began
    # Killed, not started again: what stands in the tail that no job has sealed is checked too.
    _whole(root)
    starts.append(node.start())
    time.sleep(1.0)
    senders.stop()
    brought_forward = holdings.run_out_leases(root)
    _settled(root, CATCH_UP)
    assert node.stop() == 0
    print(
        f"\nseed {SEED}: {KILLS} kills in {killing:.0f} s, "
        f"start {sorted(starts)[len(starts) // 2]:.1f} s (median), answers {dict(senders.outcomes)}, "
        f"{len(senders.acknowledged)} acknowledged, {brought_forward} leases left behind"
    )
    assert senders.faults == []
    assert len(senders.acknowledged) > KILLS
    assert holdings.lost(root, senders.acknowledged) == {}
    assert holdings.halves(root) == {}
    # A job whose worker was killed under it eight times is set aside for a person to see. Only
    # sweeps are here, which find their work in the tables: what one left, the next has done.
    dead = holdings.rows(root, "SELECT DISTINCT kind, error FROM job WHERE state = 'dead'")
    assert {kind for kind, _ in dead} <= SWEEPS
    assert {error for _, error in dead} <= {STOPPED}
    _whole(root)


# -- kills of other work ------------------------------------------------------------------

LINES = 10_000
ROWS = 3_000
EACH = min(20, max(2, KILLS // 16))


def _started(root: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a command and wait until it has opened the node (its imports take most of the time)."""
    process = begin(root, *arguments)
    end = time.monotonic() + 60
    maps = Path(f"/proc/{process.pid}/fd")
    while process.poll() is None and time.monotonic() < end:
        try:
            if any(holdings.DATABASE in str(entry.readlink()) for entry in maps.iterdir()):
                break
        except OSError:
            pass  # a file closed while we looked
        time.sleep(0.002)
    return process


def _cut(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)


def test_a_large_file_whose_receipt_is_killed_is_read_to_its_end(tmp_path: Path) -> None:
    """Killed again and again while it is stored and read; the same command goes on each time."""
    root, dice = init(tmp_path / "node"), random.Random(SEED)
    table = tmp_path / "table.csv"
    table.write_text("".join(traffic.rows(LINES)))
    reached = []
    count = "SELECT coalesce(max(ordinal), 0) FROM reading"
    for turn in range(EACH):
        process = _started(root, "receive", table, "--json")
        # Later turns wait until reading has moved on, so that batches are cut too.
        ((before,),) = holdings.rows(root, count)
        end = time.monotonic() + 20
        while turn and process.poll() is None and time.monotonic() < end:
            if holdings.rows(root, count)[0][0] > before:
                break
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.4))
        _cut(process)
        reached.append(holdings.rows(root, count)[0][0])
    ended = isthmus("--node", root, "receive", table, "--json")
    assert ended.status == 0, ended.err
    assert reached == sorted(reached)
    print(f"\nseed {SEED}: {EACH} kills, reading had reached {reached} of {LINES}")
    counts = ("received", "accepted", "quarantined", "duplicates")
    assert holdings.rows(root, f"SELECT {', '.join(counts)} FROM reading") == [(LINES, LINES, 0, 0)]
    ((documents,),) = holdings.rows(root, "SELECT count(*) FROM document")
    assert documents == 1
    assert holdings.halves(root) == {}
    _whole(root)


def test_a_posted_file_is_read_on_after_a_kill(tmp_path: Path) -> None:
    """What was answered with 202 is read to its end by the next process."""
    root = init(tmp_path / "node")
    node = Served(root, token(root))
    node.start()
    body = "".join(traffic.rows(LINES)).encode()
    status, answer = node.client().post("/api/receive?filename=table.csv", body, "text/csv")
    assert (status, answer["state"]) == (202, "stored")
    end, query = time.monotonic() + 60, "SELECT ordinal, state FROM reading"
    while holdings.rows(root, query)[0][0] == 0:
        assert time.monotonic() < end
        time.sleep(0.01)
    node.kill()
    ((ordinal, state),) = holdings.rows(root, query)
    assert (0 < ordinal < LINES, state) == (True, "reading")
    assert holdings.run_out_leases(root) >= 1
    node.start()
    while holdings.rows(root, query)[0][1] != "read":
        assert time.monotonic() < end + 60
        time.sleep(0.1)
    _settled(root, CATCH_UP)
    assert node.stop() == 0
    assert holdings.rows(root, "SELECT received, accepted FROM reading") == [(LINES, LINES)]
    assert holdings.halves(root) == {}
    _whole(root)


def test_a_backup_that_was_killed_is_no_backup_and_harms_nothing(tmp_path: Path) -> None:
    root, dice = init(tmp_path / "node"), random.Random(SEED)
    with Node.open(root) as node:
        _send(node, "".join(traffic.rows(ROWS)).encode(), "table.csv")
    cut = 0
    for turn in range(EACH):
        place = tmp_path / f"backup{turn}"
        process = _started(root, "backup", place)
        while process.poll() is None and not place.exists():
            time.sleep(0.002)
        # The first is cut as it begins: how long one takes differs between machines.
        time.sleep(dice.uniform(0, 0.25) if turn else 0)
        _cut(process)
        if (place / "manifest.json").exists():
            continue
        cut += 1
        refused = here(tmp_path / f"never{turn}", "restore", place)
        assert refused.status == 2
        assert refused.told["error"]["code"] == "backup_missing"
        assert not (tmp_path / f"never{turn}" / "node.toml").exists()
    print(f"\nseed {SEED}: {cut} of {EACH} backups cut short")
    assert cut > 0
    whole = tmp_path / "whole"
    assert here(root, "backup", whole).status == 0
    assert here(tmp_path / "restored", "restore", whole).status == 0
    for node in (root, tmp_path / "restored"):
        assert holdings.rows(node, "SELECT accepted FROM reading") == [(ROWS,)]
        _whole(node)


ERASING = """
import sys
from pathlib import Path
from isthmus.access import console
from isthmus.node import Node
with Node.open(Path(sys.argv[1])) as node:
    actor = node.database.write(lambda tx: console.operator(tx, node.settings.agency.code))
    print("ready", flush=True)
    for document in sys.argv[2:]:
        node.eraser.document(actor, document, "subject_request")
        print(document, flush=True)
"""


def test_an_erasure_that_was_killed_is_done_or_not_begun(tmp_path: Path) -> None:
    """A line in the journal without its rows is completed when the node is opened next."""
    root, dice = init(tmp_path / "node"), random.Random(SEED)
    with Node.open(root) as node:
        waiting = [
            _send(node, traffic.declaration(traffic.reference(1, turn)), "one.json")
            for turn in range(40 * EACH)
        ]
    told: list[str] = []
    for _turn in range(EACH):
        process = subprocess.Popen(
            [sys.executable, "-c", ERASING, str(root), *waiting], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(dice.randrange(30)):  # counted, not timed: machines differ
            told.append(process.stdout.readline().strip())
        time.sleep(dice.uniform(0, 0.005))
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split()
        process.wait(20)
        waiting = [document for document in waiting if document not in told]
    noted = {line["subject"] for line in Journal(root / "erasures.jsonl").lines()}
    assert set(told) <= noted
    ended = verify(root)  # the node is opened here, and what was cut off is completed
    assert ended.status == 0, ended.out
    assert {notice["row"] for notice in ended.told["lawfully_erased"]} == noted
    print(f"\nseed {SEED}: {EACH} kills, {len(told)} erasures told, {len(noted)} noted")
    for document, records in holdings.rows(
        root,
        "SELECT d.id, count(e.seq) FROM document d LEFT JOIN record e ON e.document_id = d.id "
        "GROUP BY d.id",
    ):
        assert records == (0 if document in noted else 1), document
    assert 0 < len(told) < 40 * EACH
    assert holdings.halves(root) == {}


def _send(node: Node, content: bytes, name: str) -> str:
    return node.receiver.receive(node.actor, io.BytesIO(content), Source(name)).document_id
