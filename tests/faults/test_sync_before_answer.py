"""A declaration is on the disk before its answer leaves: the system calls of the node show it."""

import shutil
import signal
import subprocess
import time
from pathlib import Path

import holdings
import pytest
import traffic
from node_process import Served, init, token
from system_calls import TRACED, NotSynced, synced_before_answer

LOG = "isthmus.db-wal"
ANSWER = "HTTP/1.1 201"
GOOD = """\
7 recvfrom(9<TCP:[1]>, "POST /api/declarations HTTP/1.1\\r\\n"..., 65536, 0, NULL, NULL) = 900
8 pwrite64(5</n/isthmus.db-wal>, "page"..., 4096, 32) = 4096
8 fdatasync(5</n/isthmus.db-wal> <unfinished ...>
7 read(3</dev/null>, "", 1) = 0
8 <... fdatasync resumed>) = 0
7 sendto(9<TCP:[1]>, "HTTP/1.1 201 Created\\r\\n"..., 700, 0, NULL, 0) = 700
"""


def test_a_trace_with_the_sync_first_passes() -> None:
    write, sync, answer = synced_before_answer(GOOD.splitlines(), LOG, ANSWER)
    assert (write.name, sync.name, answer.name) == ("pwrite64", "fdatasync", "sendto")
    assert write.done < sync.begun < sync.done < answer.begun


def _moved(text: str, line: int, place: int) -> list[str]:
    lines = text.splitlines()
    lines.insert(place, lines.pop(line))
    return lines


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        pytest.param(_moved(GOOD, 5, 4), "not synced", id="sync ends after the answer"),
        pytest.param(_moved(GOOD, 5, 2), "not synced", id="sync begins after the answer"),
        pytest.param(_moved(GOOD, 1, 5), "nothing was written", id="write after the answer"),
        pytest.param(
            GOOD.replace("resumed>) = 0", "resumed>) = -1 EIO (Input/output error)").splitlines(),
            "not synced",
            id="sync failed",
        ),
        pytest.param(
            GOOD.replace("fdatasync(5</n/isthmus.db-wal>", "fdatasync(6</n/other>").splitlines(),
            "not synced",
            id="another file synced",
        ),
        pytest.param(_moved(GOOD, 1, 0), "nothing was written", id="write before the request"),
    ],
)
def test_a_trace_that_shows_no_sync_first_is_told(trace: list[str], words: str) -> None:
    with pytest.raises(NotSynced, match=words):
        synced_before_answer(trace, LOG, ANSWER)


def _traced(pid: int, file: Path) -> subprocess.Popen[str]:
    """Attach strace to a process and wait until it follows all its threads."""
    tracer = subprocess.Popen(
        [
            "strace",
            "-f",
            "-y",
            "-s",
            "80",
            "-e",
            f"trace={TRACED}",
            "-o",
            str(file),
            "-p",
            str(pid),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        tracer.wait(10)
        pytest.skip(f"strace may not trace here: {said.strip()}")
    return tracer


def _idle(root: Path) -> None:
    """Wait until the node has scored and sealed everything and no job is left."""
    end, unsealed = time.monotonic() + 30, 1
    while unsealed or holdings.waiting(root):
        assert time.monotonic() < end
        time.sleep(0.2)
        ((unsealed,),) = holdings.rows(
            root,
            """SELECT (SELECT count(*) FROM job WHERE state = 'running')
               + (SELECT count(*) FROM audit_entry
                  WHERE seq NOT IN (SELECT entry_seq FROM audit_seal))""",
        )


def test_the_log_is_synced_before_the_answer_leaves(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: the system calls cannot be seen")
    root = init(tmp_path / "node")
    with Served(root, token(root)) as node:
        client = node.client()
        # The first use of a token is noted, and the first scoring loads what it needs: not now.
        assert client.post("/api/declarations", traffic.declaration("WARM"))[0] == 201
        _idle(root)
        assert node.process is not None
        trace = tmp_path / "trace"
        tracer = _traced(node.process.pid, trace)
        try:
            time.sleep(0.5)
            status, answer = client.post("/api/declarations", traffic.declaration("TRACED"))
            time.sleep(0.5)
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=20)
        assert (status, answer["accepted"]) == (201, 1)
    lines = trace.read_text(errors="replace").splitlines()
    write, sync, said = synced_before_answer(lines, LOG, ANSWER)
    for call in (write, sync, said):
        print(f"\nline {call.begun:>5} to {call.done:>5}  {call.name}({call.arguments[:90]}")
    assert write.done < sync.begun <= sync.done < said.begun
