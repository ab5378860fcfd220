"""The processes of the three nodes: started, asked whether they are there, ended cleanly."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

from isthmus.cli.demo.places import HOST, Place
from isthmus.kernel.errors import Unavailable

LOG = "demo.log"
STARTS = 60.0  # seconds within which a node answers
ENDS = 30.0  # seconds within which a node finishes what it does
_LOOK = 0.1


def check_port(host: str, port: int) -> None:
    """Refuse a port that somebody else has, before anything long is done."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise Unavailable(
                "port_taken", "something else listens there: give another --port", port=port
            ) from None


@dataclass(slots=True)
class Processes:
    """The nodes that run, each in a folder under ``root``; its pages from port ``pages`` on."""

    root: Path
    pages: int
    running: dict[Place, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, places: Iterable[Place]) -> None:
        """Start these nodes and wait until each answers; ``Unavailable`` names one that does not.

        A node is of a session of its own, so that Ctrl-C reaches this process alone, which then
        ends the nodes in order.
        """
        begun = list(places)
        for place in begun:
            folder = self.root / place.folder
            with (folder / LOG).open("ab") as log:
                self.running[place] = subprocess.Popen(  # noqa: S603 - this program, no shell
                    [sys.executable, "-m", "isthmus.cli.demo.node", str(folder)],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        for place in begun:
            self._await(place)

    def _await(self, place: Place) -> None:
        until = time.monotonic() + STARTS
        while not self._answers(place):
            if self.running[place].poll() is not None or time.monotonic() > until:
                told = (self.root / place.folder / LOG).read_text(errors="replace")[-2000:]
                raise Unavailable("node_not_started", told or "no answer", node=place.code)
            time.sleep(_LOOK)

    def _answers(self, place: Place) -> bool:
        line = HTTPConnection(HOST, self.pages + place.number, timeout=10)
        try:
            line.request("GET", "/sign-in")
            return line.getresponse().status == HTTPStatus.OK
        except OSError:
            return False
        finally:
            line.close()

    def wake(self, place: Place) -> None:
        """Have a node look at once for what was written beside it."""
        process = self.running.get(place)
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):  # it ends: what waits is found when it is back
                process.stdin.write(b".")
                process.stdin.flush()

    def stop(self, places: Iterable[Place] | None = None) -> None:
        """End these nodes, or all: each finishes what it does."""
        ending = [(one, self.running.pop(one)) for one in list(places or self.running)
                  if one in self.running]  # fmt: skip
        for _, process in ending:
            process.terminate()
        for _, process in ending:
            try:
                process.wait(ENDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def watch(self) -> None:
        """Wait until a node ends by itself; ``Unavailable`` names it."""
        while True:
            for place, process in self.running.items():
                if process.poll() is not None:
                    raise Unavailable("node_ended", "a node ended", node=place.code)
            time.sleep(1.0)
