"""Nodes of the exchange as processes of their own, on loopback, over mutual TLS."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from exchange.world import Party, befriend, party
from isthmus.kernel.time import SystemClock
from isthmus.migrations import tables
from isthmus.platform.database import Database
from isthmus.platform.keys import KeyRing

CHILD = Path(__file__).with_name("child.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Nursery:
    """A process with everything read in, which splits into nodes: each is a process of its own
    and can be killed like any other, but begins in no time."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(CHILD), "nursery"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def begin(self, root: Path, *arguments: str) -> int:
        """Begin a node; return its process id."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(root), *arguments]) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


nursery = cache(Nursery)


@dataclass
class Process:
    """One node: its folder, and the process while it runs."""

    code: str
    root: Path
    port: int
    pid: int | None = None

    def start(self, *arguments: str, seconds: float = 30.0) -> None:
        (self.root / "up").unlink(missing_ok=True)
        self.pid = nursery().begin(self.root, *arguments)
        end = time.monotonic() + seconds
        while not (self.root / "up").exists():
            assert self.alive(), self.log()
            assert time.monotonic() < end, self.log()
            time.sleep(0.005)

    def alive(self) -> bool:
        assert self.pid is not None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        assert self.pid is not None
        os.kill(self.pid, signal.SIGKILL)
        end = time.monotonic() + 10
        while self.alive():
            assert time.monotonic() < end, "it does not die"
            time.sleep(0.001)
        self.pid = None

    def stop(self) -> None:
        if self.pid is not None and self.alive():
            self.kill()

    def log(self) -> str:
        return (self.root / "log").read_text(errors="replace")[-4000:]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(f"file:{self.root / 'node.db'}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def wait(self, query: str, wanted: object, seconds: float = 60.0) -> None:
        """Wait until a query's first value is what is wanted."""
        end = time.monotonic() + seconds
        while (found := self.rows(query)[0][0]) != wanted:
            assert time.monotonic() < end, f"{self.code}: {found} not {wanted}\n{self.log()}"
            time.sleep(0.02)

    def applied(self) -> list[str]:
        """Items applied here, in order; an item applied twice stands twice."""
        query = (
            "SELECT json_extract(payload, '$.item') FROM event WHERE kind = 'item.received' "
            "ORDER BY seq"
        )
        return [str(row[0]) for row in self.rows(query)]

    def put(self) -> list[str]:
        """Items whose putting was acknowledged."""
        path = self.root / "put"
        lines = path.read_bytes().split(b"\n") if path.exists() else []
        return [line.decode() for line in lines[:-1]]


def build(
    place: Path,
    *codes: str,
    dials_only: tuple[str, ...] = (),
    prepare: Callable[[list[Party]], object] = lambda _parties: None,
    **caps: int,
) -> list[Process]:
    """Make nodes that trust each other, each in a folder of its own.

    ``prepare`` is given them before they are let go of.
    """
    parties: list[Party] = []
    made = []
    for code in codes:
        root = place / code
        root.mkdir()
        ring = KeyRing.generate()
        ring.save(root / "key")
        database = Database(f"sqlite:///{root / 'node.db'}", SystemClock(), ring)
        tables.metadata.create_all(database.migrator())
        port = free_port()
        address = "" if code in dials_only else f"127.0.0.1:{port}"
        parties.append(party(database, code, address=address, listen=address))
        made.append(Process(code, root, port))
    for place_, one in enumerate(parties):
        for other in parties[place_ + 1 :]:
            befriend(one, other, **caps)
    prepare(parties)
    for one in parties:
        one.database.close()
    return made
