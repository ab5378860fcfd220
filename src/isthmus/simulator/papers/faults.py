"""Clerical errors: what goes wrong in papers without anybody meaning harm.

Some are made before papers are written (a digit of a box's number, words that say nothing, a mass
that is corrected later) and end as flags or versions; some are done to finished documents (a
segment that is none, a date that never was) and end in quarantine; some documents come twice.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from isthmus.simulator.dice import Dice
from isthmus.simulator.papers.post import Draft, Outbox
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.world import World


@dataclass(frozen=True, slots=True)
class Fault:
    """One clerical error, and what a node is to do with it."""

    fault: str
    expected: str  # flagged, amended, quarantined, duplicate, unsupported
    reference: str  # the bill, or the document's own reference


class Faults:
    """Errs in papers and documents, at the world's rates, and keeps a list."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.made: list[Fault] = []
        self._papers = Dice(seed, "faults", "papers")
        self._documents = Dice(seed, "faults", "documents")

    def err(self, shipments: Sequence[Shipment]) -> None:
        """Make the errors that every paper of these shipments then carries."""
        dice, rates = self._papers, self.world.faults
        for shipment in shipments:
            if shipment.goods is None or shipment.master:
                continue
            if dice.chance(rates["check_digit"]):
                self._check_digit(shipment)
            if dice.chance(rates["description"]):
                shipment.text = dice.pick(self.world.texts["vague"][shipment.language])
                self._note("description", "flagged", shipment.bill)
            if shipment.arrival is not None and dice.chance(rates["mass"]):
                shipment.misstated = dice.pick((0.1, 1.1, 0.9, 1.01, 0.99))
                self._note("mass", "amended", shipment.bill)

    def send(self, draft: Draft, outbox: Outbox) -> None:
        """Send a document, now and then spoilt, now and then twice."""
        dice, rates = self._documents, self.world.faults
        spoilt, again = dice.chance(rates["spoilt"]), dice.chance(rates["twice"])
        delay = timedelta(minutes=dice.whole(20, 300))
        if spoilt and (spoil := _SPOILS.get(draft.kind)) is not None:
            draft = _with_fault(draft, spoil)
            self._note(spoil.__name__.removeprefix("_"), "quarantined", draft.reference)
        outbox.put(draft)
        if again:
            outbox.put(replace(draft, at=draft.at + delay, again=True))
            self._note("sent_twice", "duplicate", draft.reference)

    def _check_digit(self, shipment: Shipment) -> None:
        number = shipment.box.number
        wrong = number[:10] + str((int(number[10]) + self._papers.whole(1, 9)) % 10)
        shipment.box.number = wrong
        shipment.moves = [
            replace(move, container=wrong) if move.container == number else move
            for move in shipment.moves
        ]
        self._note("check_digit", "flagged", shipment.bill)

    def _note(self, fault: str, expected: str, reference: str) -> None:
        self.made.append(Fault(fault, expected, reference))


def _with_fault(draft: Draft, spoil: Callable[[bytes], bytes]) -> Draft:
    write = draft.write
    return replace(draft, write=lambda: spoil(write()))


def _malformed_segment(content: bytes) -> bytes:
    """Break the tag of the first segment that begins a bill or a piece of equipment."""
    return re.sub(rb"'(\s*)(CN|EQ)([ID])\+", rb"'\1\2*\3+", content, count=1)


def _impossible_month(content: bytes) -> bytes:
    """Write a month that does not exist into the first moment of lodging."""
    return re.sub(
        rb'(<IssueDateTime>\s*<[^>]*>\d{4}|"lodged_at":"\d{4}-|\r\n[^,]*,\d{4}-)\d{2}',
        rb"\g<1>13",
        content,
        count=1,
    )


def _impossible_event_month(content: bytes) -> bytes:
    """Write a month that does not exist into the first event."""
    return re.sub(rb'("at":"\d{4}-)\d{2}', rb"\g<1>13", content, count=1)


_SPOILS: Mapping[str, Callable[[bytes], bytes]] = {
    "cuscar": _malformed_segment,
    "wco": _impossible_month,
    "json": _impossible_month,
    "table": _impossible_month,
    "events": _impossible_event_month,
}
