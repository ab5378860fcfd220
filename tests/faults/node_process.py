"""A node as a process of its own: made, served on loopback, killed, and asked by the command line.

Nothing here reaches into the process that serves: what it did is seen from outside, over HTTP and
in its files. Every process started is ended by its own id.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from isthmus.access import sessions, store, tokens
from isthmus.access.model import Role
from isthmus.cli import commands
from isthmus.cli.app import REFUSED, app
from isthmus.kernel.errors import IsthmusError
from isthmus.node import Node
from isthmus.platform import telemetry
from isthmus.platform.transaction import Transaction

COMMAND = (str(Path(sys.executable).with_name("isthmus")),)
# A start imports the numeric libraries; on a busy machine that takes its time.
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def told(self) -> dict[str, Any]:
        """The one object that a command prints with ``--json``."""
        told: dict[str, Any] = json.loads(self.out)
        return told


def isthmus(*arguments: str | Path, seconds: float = 300.0, **environment: str) -> Ended:
    """Run a command of the product and wait for its end."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env=os.environ | environment,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def here(root: Path, *arguments: str | Path, **environment: str) -> Ended:
    """Run a command on a node in this process, with ``--json``: the command without its imports."""
    commands.load()
    words = ["--node", str(root), *map(str, arguments), "--json"]
    try:
        done = CliRunner().invoke(app, words, env=environment)
    finally:  # the runner's streams are closed now; later lines go where they can be read
        telemetry.configure(json=True, level="WARNING")
    if isinstance(done.exception, IsthmusError):  # what the program's ``main`` makes of it
        told = {"code": done.exception.code, "message": done.exception.message}
        return Ended(REFUSED, json.dumps({"error": told}), str(done.exception))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ended(done.exit_code, done.stdout, done.stderr)


def verify(root: Path, *options: str) -> Ended:
    """Run ``isthmus verify --json`` in this process."""
    return here(root, "verify", *options)


def begin(root: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a command on a node and leave it running; the caller ends it."""
    return subprocess.Popen(
        [*COMMAND, "--node", str(root), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def init(root: Path, *arguments: str) -> Path:
    """Make a node in a folder that is not there yet."""
    ended = isthmus("init", root, "--json", *arguments)
    assert ended.status == 0, ended.err
    return root


def token(root: Path) -> str:
    """Issue a token to a system that sends declarations, in the name of the administrator."""

    def issue(tx: Transaction) -> str:
        (administrator,) = (person for person in store.people(tx) if person.login is None)
        actor = sessions.actor_of(tx, administrator)
        issued = tokens.issue_token(
            tx,
            actor,
            label="declarations",
            agency=actor.agency,
            role=Role.SYSTEM,
            holds=timedelta(days=1),
        )
        return issued.secret

    with Node.open(root) as node:
        return node.database.write(issue)


def free_port() -> int:
    """Return a port of the loopback address that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Unanswered(Exception):
    """The connection broke before an answer came: nobody knows whether the node acted."""


class Client:
    """Speaks to one node over one connection, made anew when it broke."""

    def __init__(self, port: int, secret: str, timeout: float = 30.0) -> None:
        self.port = port
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: bytes, kind: str = "application/json") -> tuple[int, Any]:
        """Post a body; return status and answer. Raises ``Unanswered``."""
        return self._ask("POST", path, body, {"Content-Type": kind})

    def get(self, path: str) -> tuple[int, Any]:
        """Get a path; return status and answer. Raises ``Unanswered``."""
        return self._ask("GET", path, None, {})

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, Any]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=self.timeout
            )
        try:
            self._connection.request(method, path, body, self.headers | headers)
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            self.close()
            raise Unanswered(str(error)) from error


@dataclass(slots=True)
class Served:
    """``isthmus serve`` of one node on a loopback port."""

    root: Path
    secret: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    prefix: tuple[str, ...] = ()  # such as strace and its options

    def __enter__(self) -> "Served":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        """Where the process writes what it has to say."""
        return self.root.with_name(self.root.name + ".log")

    def spawn(self) -> None:
        """Start the process without waiting until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.prefix,
                    *COMMAND,
                    "--node",
                    str(self.root),
                    "serve",
                    "--port",
                    str(self.port),
                ],
                stdout=log,
                stderr=log,
            )

    def start(self) -> float:
        """Start the process and wait until it answers; return the seconds that took."""
        began = time.monotonic()
        self.spawn()
        self.answering(began + START_SECONDS)
        return time.monotonic() - began

    def answering(self, until: float) -> None:
        """Wait until the process answers."""
        assert self.process is not None
        client = self.client(timeout=5.0)
        while True:
            try:
                if client.get("/api/health")[0] == 200:
                    client.close()
                    return
            except Unanswered:
                pass
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended by itself: {self.log.read_text()[-3000:]}")
            if time.monotonic() > until:
                raise AssertionError(f"serve does not answer: {self.log.read_text()[-3000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill the process as a power cut would: no handler runs."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.process = None

    def stop(self) -> int:
        """Ask the process to end and wait; return its exit status (0 when it ended before)."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.process = None
        return status

    def client(self, timeout: float = 30.0) -> Client:
        """Return a new client of this node."""
        return Client(self.port, self.secret, timeout)
