"""What a sample of traffic is, once the readers have read it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from isthmus.cargo.formats.readers import recognise
from isthmus.cargo.formats.source import Source
from isthmus.cargo.model import Accepted, Rejected
from isthmus.simulator import world
from isthmus.simulator.run import Summary
from isthmus.simulator.traffic.calls import calls
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.traffic.trade import LONGEST_STAY, Trade

# A Monday, before the first paper.
START = datetime(2026, 8, 31, 6, tzinfo=UTC)
DAYS = 14
WORLD = world.load()


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


def drawn(seed: int, start: datetime, count: int = 60) -> list[Shipment]:
    """What is drawn for every call of two weeks, before anything is planted or lived."""
    known = calls(WORLD, seed, start, DAYS + LONGEST_STAY.days + 2)
    trade = Trade(WORLD, seed, known, start + timedelta(days=DAYS), count)
    shipments = []
    for call in known:
        trade.traders.day(call.arrival)
        shipments += trade.draw([call])
    return shipments
