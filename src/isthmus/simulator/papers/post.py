"""What is sent: documents in order of the moment of sending, written a day at a time."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

_STAMP = "%Y%m%dT%H%M%SZ"
_ENDINGS = {
    "cuscar": "edi",
    "baplie": "edi",
    "cusdec": "edi",
    "wco": "xml",
    "json": "json",
    "table": "csv",
    "events": "jsonl",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A document that will be sent; its bytes are made when it is written."""

    at: datetime
    sender: str
    kind: str  # the key of _ENDINGS
    reference: str  # the sender's own; sorts what is sent in the same second
    write: Callable[[], bytes]
    again: bool = False  # sent a second time, byte by byte

    @property
    def place(self) -> tuple[datetime, str, str, str, bool]:
        """Return where it stands in the order of sending."""
        return self.at, self.sender, self.reference, self.kind, self.again


Send = Callable[[Draft], None]
"""Takes a document that is to be sent at its moment."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which documents a process writes: those whose number leaves this remainder."""

    number: int = 0
    of: int = 1

    def mine(self, document: int) -> bool:
        """Whether this process writes a document."""
        return document % self.of == self.number


@dataclass(slots=True)
class Outbox:
    """Documents that wait until nothing older can come any more."""

    folder: Path
    share: Share
    counts: Counter[str] = field(default_factory=Counter)  # of every process, by kind
    written: int = 0  # bytes, by this process
    first: datetime | None = None
    last: datetime | None = None
    _waiting: list[tuple[tuple[datetime, str, str, str, bool], int, Draft]] = field(
        default_factory=list
    )
    _put: int = 0

    def put(self, draft: Draft) -> None:
        """Take a document to be sent at its moment."""
        self._put += 1
        heapq.heappush(self._waiting, (draft.place, self._put, draft))

    def flush(self, until: datetime) -> None:
        """Write everything that is sent before a moment."""
        while self._waiting and self._waiting[0][0][0] < until:
            draft = heapq.heappop(self._waiting)[2]
            self.first = self.first or draft.at
            self.last = draft.at
            number = self.counts.total() + 1
            self.counts[draft.kind] += 1
            if self.share.mine(number):
                self._write(draft, number)

    def _write(self, draft: Draft, number: int) -> None:
        """Write one document; its name tells when it was sent, its place and its format."""
        folder = self.folder / f"{draft.at:%Y-%m-%d}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{draft.at.strftime(_STAMP)}-{number:07d}.{draft.kind}.{_ENDINGS[draft.kind]}"
        content = draft.write()
        (folder / name).write_bytes(content)
        self.written += len(content)


def sent(folder: Path) -> Iterator[tuple[datetime, Path]]:
    """Yield the moment of sending and the file of every document in a folder, in order."""
    for day in sorted(folder.iterdir()):
        for path in sorted(day.iterdir()):
            yield datetime.strptime(path.name[:16], _STAMP).replace(tzinfo=UTC), path
