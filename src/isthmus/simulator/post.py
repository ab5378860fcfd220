"""What is sent: documents with the moment of sending, and the events that become documents."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from isthmus.cargo.formats.events_jsonl import write_events
from isthmus.cargo.model import ContainerEvent
from isthmus.simulator.dice import Dice
from isthmus.simulator.shipment import Shipment
from isthmus.simulator.world import World

EVERY = timedelta(hours=6)  # a terminal sends its events this often
_STAMP = "%Y%m%dT%H%M%SZ"
_ENDINGS = {"cuscar": "edi", "baplie": "edi", "wco": "xml", "events": "jsonl"}


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it is sent."""

    at: datetime
    sender: str
    kind: str  # cuscar, wco, events, baplie
    reference: str  # the sender's own; sorts what is sent in the same second
    content: bytes
    again: bool = False  # sent a second time, byte by byte


def write(documents: Iterable[Document], folder: Path) -> list[Document]:
    """Write documents in order of time; a file's name tells when it was sent and its format.

    Returns them in that order.
    """
    folder.mkdir(parents=True)
    ordered = sorted(documents, key=lambda d: (d.at, d.sender, d.reference, d.again))
    for number, document in enumerate(ordered, start=1):
        ending = _ENDINGS[document.kind]
        name = f"{document.at.strftime(_STAMP)}-{number:06d}.{document.kind}.{ending}"
        (folder / name).write_bytes(document.content)
    return ordered


def sent(folder: Path) -> Iterator[tuple[datetime, Path]]:
    """Yield the moment of sending and the file of every document in a folder, in order."""
    for path in sorted(folder.iterdir()):
        yield datetime.strptime(path.name[:16], _STAMP).replace(tzinfo=UTC), path


def event_documents(world: World, shipments: Iterable[Shipment], seed: int) -> list[Document]:
    """Return the events of every sender as documents of six hours each.

    Events are numbered in order of time, by their sender. Some documents come a day late, and
    some events are told again in the next document.
    """
    dice = Dice(seed, "post")
    by_sender: dict[str, list[ContainerEvent]] = {}
    for shipment in shipments:
        for move in shipment.moves:
            by_sender.setdefault(move.sender, []).append(move)
    made: list[Document] = []
    for sender, moves in sorted(by_sender.items()):
        moves.sort(key=lambda move: (move.at, move.container, move.code))
        numbered = [replace(m, event_id=f"{sender}-{n:07d}") for n, m in enumerate(moves, start=1)]
        made += _batches(world, dice, sender, numbered)
    return made


def _batches(
    world: World, dice: Dice, sender: str, events: list[ContainerEvent]
) -> Iterator[Document]:
    again: list[ContainerEvent] = []
    while events:
        until = _slot_end(events[0].at)
        batch = [event for event in events if event.at < until]
        events = events[len(batch) :]
        late = timedelta(hours=24) if dice.chance(world.shares["late"]) else timedelta()
        at = until + timedelta(seconds=dice.whole(20, 900)) + late
        reference = f"{until:%Y%m%d%H}"
        yield Document(at, sender, "events", reference, write_events([*again, *batch]))
        repeats = dice.chance(world.shares["repeated"] * 4)
        again = [dice.pick(batch)] if repeats else []


def _slot_end(at: datetime) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + EVERY * ((at - midnight) // EVERY + 1)
