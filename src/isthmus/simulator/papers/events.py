"""Events: what terminals and the port system tell, each sender in documents of six hours."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from isthmus.cargo.formats.events_jsonl import write_events
from isthmus.cargo.model import ContainerEvent
from isthmus.simulator.dice import Dice
from isthmus.simulator.papers.post import Draft, Send
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.world import World

EVERY = timedelta(hours=6)
_LATE = timedelta(hours=24)


class Events:
    """Gathers the moves of boxes and sends them, numbered in order of time by their sender.

    Some documents come a day late, and some events are told again in the next document.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.told = 0
        self._dice = Dice(seed, "events")
        self._slots: dict[tuple[datetime, str], list[ContainerEvent]] = {}
        self._numbers: dict[str, int] = {}
        self._again: dict[str, ContainerEvent] = {}

    def take(self, shipments: Sequence[Shipment]) -> None:
        """Take the moves of these shipments."""
        for shipment in shipments:
            self.told += len(shipment.moves)
            for move in shipment.moves:
                slot = _slot_end(move.at), move.sender
                self._slots.setdefault(slot, []).append(move)

    def close(self, until: datetime, send: Send) -> None:
        """Send every slot that ends before a moment."""
        for slot in sorted(key for key in self._slots if key[0] < until):
            send(self._draft(*slot, self._slots.pop(slot)))

    def _draft(self, end: datetime, sender: str, moves: list[ContainerEvent]) -> Draft:
        dice, shares = self._dice, self.world.shares
        late = _LATE if dice.chance(shares["late"]) else timedelta()
        at = end + timedelta(seconds=dice.whole(20, 900)) + late
        moves.sort(key=lambda move: (move.at, move.container, move.code))
        first = self._numbers.get(sender, 0) + 1
        self._numbers[sender] = first + len(moves) - 1
        again = self._again.pop(sender, None)
        if dice.chance(shares["repeated"] * 4):
            place = dice.whole(0, len(moves) - 1)
            self._again[sender] = replace(moves[place], event_id=f"{sender}-{first + place:07d}")

        def write() -> bytes:
            told = [
                replace(move, event_id=f"{sender}-{number:07d}")
                for number, move in enumerate(moves, start=first)
            ]
            return write_events([again, *told] if again else told)

        return Draft(at, sender, "events", f"{end:%Y%m%d%H}", write)


def _slot_end(at: datetime) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + EVERY * ((at - midnight) // EVERY + 1)
