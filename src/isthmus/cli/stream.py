"""``isthmus simulate stream``: a run's documents sent into a running node, as they were sent."""

import http.client
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import orjson
import typer

from isthmus.cargo.readings import COUNTS
from isthmus.cli.app import SET_APART, Json, show
from isthmus.cli.loop import progress
from isthmus.cli.simulate import simulate
from isthmus.kernel.errors import Invalid, Unavailable
from isthmus.simulator import run
from isthmus.simulator.papers import post

TRIES = 8
PATIENCE = 30.0  # seconds that one answer may take
TAKEN = (200, 201, 202)
TOKEN = "ISTHMUS_TOKEN"  # noqa: S105 - the name of the variable, not the token


@simulate.command()
def stream(
    folder: Annotated[Path, typer.Argument(help="A folder that ``simulate generate`` wrote.")],
    to: Annotated[str, typer.Option(help="Address of the node.")] = "http://127.0.0.1:8440",
    speed: Annotated[
        float, typer.Option(help="Seconds of the world that pass in one; 0: as fast as it goes.")
    ] = 3600.0,
    seconds: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = None,
    as_json: Json = False,
) -> None:
    """Send a run's documents into a running node at a chosen speed, in their order.

    The token of a sending system stands in the environment variable ISTHMUS_TOKEN. Exit status 1
    when the node set something apart.
    """
    documents = list(_documents(folder))
    token = os.environ.get(TOKEN, "")
    if not token:
        raise Invalid("token_missing", f"put the token of a sending system into {TOKEN}")
    node, started = _Node(to, token), time.monotonic()
    counts: Counter[str] = Counter()
    with progress("documents", len(documents)) as advance:
        for at, path in documents:
            passed = time.monotonic() - started
            if seconds is not None and passed > seconds:
                break
            if speed > 0:
                due = (at - documents[0][0]).total_seconds() / speed
                time.sleep(max(0.0, due - passed))
            counts.update(node.send(path))
            advance(1)
    result = {name: counts[name] for name in ("documents", *COUNTS, "unsupported")}
    took = time.monotonic() - started
    whole = {**result, "seconds": round(took, 2), "per_second": round(counts["received"] / took, 1)}
    show(whole, as_json, lambda: "\n".join(f"{n:14}{v:>14,}" for n, v in whole.items()))
    if counts["quarantined"] or counts["parked"]:
        raise typer.Exit(SET_APART)


def _documents(folder: Path) -> Iterator[tuple[datetime, Path]]:
    sent = folder / run.DOCUMENTS
    if not sent.is_dir():
        raise Invalid("folder_missing", "no run was written here", folder=str(sent))
    yield from post.sent(sent)


@dataclass(slots=True)
class _Node:
    """A node that takes documents, over one connection that is made anew when it breaks."""

    address: str
    token: str
    _connection: http.client.HTTPConnection | None = field(default=None, init=False)

    def send(self, path: Path) -> dict[str, int]:
        """Send one document until it is acknowledged; return what became of its records.

        To send again is safe: the same bytes twice change nothing. Raises ``Invalid`` when the
        node refuses it and ``Unavailable`` when it cannot be reached.
        """
        target = f"/api/receive?filename={quote(path.name)}"
        body = path.read_bytes()
        for attempt in range(TRIES):
            try:
                status, answer = self._post(target, body)
            except (OSError, http.client.HTTPException):
                self._connection = None
                time.sleep(min(8.0, 0.25 * 2**attempt))
                continue
            if (
                status == http.client.TOO_MANY_REQUESTS
                or status >= http.client.INTERNAL_SERVER_ERROR
            ):
                time.sleep(min(8.0, 0.25 * 2**attempt))
                continue
            return _counted(status, answer, path)
        raise Unavailable("node_unreachable", "the node does not answer", address=self.address)

    def _post(self, target: str, body: bytes) -> tuple[int, Any]:
        connection = self._connection = self._connection or self._connect()
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/octet-stream",
        }
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, orjson.loads(content) if content else None

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid("address_invalid", "an address begins with http:// or https://")
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        return kind(parts.hostname, parts.port, timeout=PATIENCE)


def _counted(status: int, answer: Any, path: Path) -> dict[str, int]:
    if status not in TAKEN:
        words = answer.get("detail") or answer.get("title") if isinstance(answer, dict) else status
        raise Invalid("document_refused", f"the node refuses it: {words}", file=path.name)
    counts: Sequence[str] = (*COUNTS, "unsupported")
    return {"documents": 1, **{name: int(answer[name]) for name in counts}}
