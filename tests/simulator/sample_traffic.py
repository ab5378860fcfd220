"""What a sample of traffic is, once the readers have read it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from isthmus.cargo.formats.readers import recognise
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import Accepted, Rejected
from isthmus.simulator.run import Summary

# A Monday, before the first paper.
START = datetime(2026, 8, 31, 6, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Read:
    """A document of the sample with what the readers made of it."""

    at: datetime
    path: Path
    format: str | None
    accepted: list[Accepted]
    rejected: list[Rejected]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample, read."""

    folder: Path
    summary: Summary
    planted: list[dict]
    faults: list[dict]
    documents: list[Read]

    def records(self, kind: type):
        """Every accepted record of a kind, in the order in which it was sent."""
        return [
            reading.record
            for document in self.documents
            for reading in document.accepted
            if isinstance(reading.record, kind)
        ]


def read(at: datetime, path: Path) -> Read:
    """Read one document."""
    source = Source(path.name)
    format_ = recognise(path.read_bytes()[:8192], source)
    if format_ is None:
        return Read(at, path, None, [], [])
    with path.open("rb") as stream:
        readings = list(format_.read(stream, source))
    return Read(
        at,
        path,
        format_.code,
        [reading for reading in readings if isinstance(reading, Accepted)],
        [reading for reading in readings if isinstance(reading, Rejected)],
    )
