"""One declaration posted: acknowledged (durable) and scored, at 50 a second for 60 s.

    python bench/post.py [--rate 50] [--seconds 60] [--known 0] [--folder DIR]

Posts arrive when they arrive (Poisson, a fixed seed), whether or not earlier ones were answered,
at a real ``isthmus serve`` on loopback. A post is acknowledged when its answer has come, and scored
when an assessment of its unit can be read from the database; both are counted from the moment it
should have been sent. Beside it in the same run stands the floor: as many bare durable commits of
the same bytes into SQLite, at the same moments, on the same disk. ``--known`` declarations are
received and scored first, so that features look back on a history.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))

import traffic
from node_process import Served, init, isthmus, token

CONNECTIONS = 64
WARM_SECONDS = 8.0
# The database is asked this often which units are scored by now; half of it is in the figures.
LOOK_SECONDS = 0.01
CATCH_UP_SECONDS = 120.0
GOAL_MS = 300


def arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """Return the moments of arrival, in seconds from the start."""
    dice, moments, now = random.Random(seed), [], 0.0
    while (now := now + dice.expovariate(rate)) < seconds:
        moments.append(now)
    return moments


class Scored(threading.Thread):
    """Notes when each declaration's unit is first seen to be assessed."""

    def __init__(self, file: Path) -> None:
        super().__init__(daemon=True)
        self.file = file
        self.seen: dict[str, float] = {}
        self.stopping = threading.Event()

    def run(self) -> None:
        """Look at the database again and again."""
        place = f"file:{self.file}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=60)) as connection:
            ((last,),) = connection.execute("SELECT coalesce(max(seq), 0) FROM assessment")
            while not self.stopping.wait(LOOK_SECONDS):
                rows = connection.execute(
                    "SELECT a.seq, u.declaration_key FROM assessment a "
                    "JOIN unit u ON u.id = a.unit_id WHERE a.seq > ? ORDER BY a.seq",
                    (last,),
                ).fetchall()
                now = time.perf_counter()
                for last, key in rows:  # noqa: B007 - the last one stays
                    self.seen.setdefault(key, now)


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    await reader.readexactly(length)
    return status


async def post(
    port: int, secret: str, names: Sequence[str], moments: Sequence[float]
) -> tuple[dict[str, float], dict[str, float], int]:
    """Post each declaration at its moment; return when each was due and acknowledged, and how
    many were refused."""
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    due: dict[str, float] = {}
    told: dict[str, float] = {}
    refused = 0

    async def one(name: str) -> None:
        nonlocal refused
        body = traffic.declaration(name)
        reader, writer = await idle.get()
        writer.write(
            b"POST /api/declarations HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\n"
            + f"Authorization: Bearer {secret}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        status = await _answer(reader)
        told[name] = time.perf_counter()
        refused += status != 201
        idle.put_nowait((reader, writer))

    start, tasks = time.perf_counter(), []
    for name, moment in zip(names, moments, strict=True):
        due[name] = start + moment
        await asyncio.sleep(max(0.0, due[name] - time.perf_counter()))
        tasks.append(asyncio.create_task(one(name)))
    await asyncio.gather(*tasks)
    while not idle.empty():
        idle.get_nowait()[1].close()
    return due, told, refused


def floor(folder: Path, names: Sequence[str], moments: Sequence[float]) -> list[float]:
    """Return how long each of as many bare durable commits took, from the moment it was due."""
    found = []
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE kept (name TEXT PRIMARY KEY, body BLOB NOT NULL)")
        start = time.perf_counter()
        for name, moment in zip(names, moments, strict=True):
            time.sleep(max(0.0, start + moment - time.perf_counter()))
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO kept VALUES (?, ?)", (name, traffic.declaration(name)))
            connection.execute("COMMIT")
            found.append(time.perf_counter() - start - moment)
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _line(name: str, seconds: Sequence[float]) -> Iterator[str]:
    ordered = sorted(seconds)
    yield f"{name:<34}{len(ordered):>7,}"
    for share in (0.5, 0.9, 0.99, 1.0):
        value = 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
        yield f"{value:>10,.1f}"


def _known(root: Path, count: int, folder: Path) -> None:
    table = folder / "known.csv"
    table.write_text("".join(traffic.rows(count)))
    for arguments in (("receive", table), ("score",)):
        ended = isthmus("--node", root, *arguments, seconds=1200)
        if ended.status:
            raise SystemExit(ended.err)


def measure(folder: Path, rate: float, seconds: float, known: int) -> None:
    """Run once and print the table."""
    root = init(folder / "node")
    if known:
        _known(root, known, folder)
    moments = arrivals(rate, seconds, seed=7)
    names = [f"26PA{number:010d}" for number in range(len(moments))]
    warm = arrivals(rate / 2, WARM_SECONDS, seed=8)
    load_before = os.getloadavg()[0]
    with Served(root, token(root)) as node:
        assert node.process is not None
        asyncio.run(post(node.port, node.secret, [f"26WARM{n}" for n in range(len(warm))], warm))
        time.sleep(2)
        watch = Scored(root / "isthmus.db")
        watch.start()
        cpu, began = cpu_seconds(node.process.pid), time.perf_counter()
        due, told, refused = asyncio.run(post(node.port, node.secret, names, moments))
        took = time.perf_counter() - began
        cpu = cpu_seconds(node.process.pid) - cpu
        end = time.monotonic() + CATCH_UP_SECONDS
        while len(watch.seen) < len(names) and time.monotonic() < end:
            time.sleep(0.1)
        watch.stopping.set()
        watch.join(10)
    bare = floor(folder, names, moments)
    print(
        f"{len(names):,} declarations in {took:.1f} s ({len(names) / took:.1f} a second), "
        f"{refused} refused, {len(names) - len(watch.seen)} not scored, {known:,} known before; "
        f"the node used {100 * cpu / took:.0f} % of one of {os.cpu_count()} processors; "
        f"load of the machine before: {load_before:.1f}"
    )
    print(f"{'milliseconds':<34}{'count':>7}{'p50':>10}{'p90':>10}{'p99':>10}{'slowest':>10}")
    acknowledged = [told[name] - due[name] for name in names]
    scored = [watch.seen[name] - due[name] for name in names if name in watch.seen]
    for name, figures in (
        ("acknowledged, durable", acknowledged),
        ("scored", scored),
        ("floor: bare durable commit", bare),
    ):
        print("".join(_line(name, figures)))
    p99 = 1000 * sorted(scored)[int(0.99 * len(scored))] if scored else float("inf")
    reached = p99 <= GOAL_MS and not refused and len(scored) == len(names)
    print(f"goal: scored p99 <= {GOAL_MS} ms: {'reached' if reached else 'MISSED'} ({p99:,.0f} ms)")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--known", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the node is made; a temporary one else")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure(Path(folder), options.rate, options.seconds, options.known)


if __name__ == "__main__":
    main()
