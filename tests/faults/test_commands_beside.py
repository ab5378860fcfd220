"""Commands beside ``serve``: several processes on one SQLite database, and nobody is turned away."""

import threading
from pathlib import Path

import holdings
import traffic
from node_process import Ended, Served, here, init, isthmus, token, verify
from senders import Senders, percentile

LINES = 5_000
# The longest unit of work of a command is one batch of rows; a post waits for one at most.
LONGEST_MS = 5_000


def test_a_table_is_received_while_posts_come_in(tmp_path: Path) -> None:
    root, table = init(tmp_path / "node"), tmp_path / "table.csv"
    table.write_text("".join(traffic.rows(LINES)))
    done: list[Ended] = []
    with Served(root, token(root)) as node:
        with Senders(node.port, node.secret, pause=0.05) as senders:
            senders.until(40)
            alone = list(senders.seconds)
            command = threading.Thread(
                target=lambda: done.append(
                    isthmus("--node", root, "receive", table, "--json", seconds=240)
                )
            )
            command.start()
            command.join(240)
        log = node.log.read_text()
    beside = senders.seconds[len(alone) :]
    print(
        f"\n{LINES} rows in {done[0].told['seconds']} s beside {len(beside)} posts; "
        f"posts alone p50 {percentile(alone, 0.5):.0f} ms, p99 {percentile(alone, 0.99):.0f} ms; "
        f"beside p50 {percentile(beside, 0.5):.0f} ms, p99 {percentile(beside, 0.99):.0f} ms, "
        f"slowest {percentile(beside, 1):.0f} ms"
    )
    assert done[0].status == 0, done[0].err
    assert (done[0].told["received"], done[0].told["accepted"]) == (LINES, LINES)
    assert senders.faults == []
    assert set(senders.outcomes) == {"201"}
    for said in (done[0].err, log):
        assert "locked" not in said
    assert percentile(beside, 0.99) < LONGEST_MS
    assert holdings.lost(root, senders.acknowledged) == {}
    assert holdings.halves(root) == {}
    ended = verify(root)
    assert ended.status == 0, ended.out


def test_score_verify_and_backup_run_beside_posts(tmp_path: Path) -> None:
    """Each command that writes or reads everything, one after the other, under posts."""
    root = init(tmp_path / "node")
    with Served(root, token(root)) as node, Senders(node.port, node.secret, pause=0.02) as senders:
        senders.until(20)
        for arguments in (
            ("score",),
            ("target", "--budget", "5"),
            ("verify",),
            ("backup", str(tmp_path / "backup")),
        ):
            ended = here(root, *arguments)
            assert ended.status == 0, f"{arguments}: {ended.out}{ended.err}"
            assert "locked" not in ended.err
        log = node.log.read_text()
    assert senders.faults == []
    assert "locked" not in log
    assert holdings.lost(root, senders.acknowledged) == {}
    # Two processes that score at once may both assess a unit; one assessment of it is in force.
    assert holdings.halves(root, holdings.TWICE) == {}
