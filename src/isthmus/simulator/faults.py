"""Clerical errors: what goes wrong in papers without anybody meaning harm.

Some are planted before papers are written (a digit of a box's number, words that say nothing) and
end as flags; some are done to finished documents (a segment that is none, a date that never was)
and end in quarantine.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from isthmus.cargo.model import Regime
from isthmus.simulator.calls import Call
from isthmus.simulator.dice import Dice
from isthmus.simulator.post import Document
from isthmus.simulator.shipment import Shipment
from isthmus.simulator.world import World


@dataclass(frozen=True, slots=True)
class Fault:
    """One clerical error, and what a node is to do with it."""

    fault: str
    expected: str  # flagged, quarantined, duplicate, unsupported
    reference: str  # the bill, or the document's own reference


def in_papers(world: World, shipments: Sequence[Shipment], seed: int) -> list[Fault]:
    """Make the errors that every paper of a shipment then carries."""
    dice = Dice(seed, "faults", "papers")
    made: list[Fault] = []
    single = [
        s
        for s in shipments
        if s.goods is not None and not s.master and s.regime is Regime.TRANSHIPMENT and s.arrival
    ]
    for shipment in single[: len(single) // 2 : max(1, len(single) // 6)][:3]:
        number = shipment.box.number
        wrong = number[:10] + str((int(number[10]) + dice.whole(1, 9)) % 10)
        shipment.box.number = wrong
        shipment.moves = [replace(m, container=wrong) for m in shipment.moves]
        made.append(Fault("check_digit", "flagged", shipment.bill))
    for shipment in single[len(single) // 2 :: max(1, len(single) // 8)][:4]:
        shipment.text = dice.pick(world.texts["vague"][shipment.language])
        made.append(Fault("description", "flagged", shipment.bill))
    return made


def in_documents(documents: list[Document], seed: int) -> list[Fault]:
    """Spoil a few finished documents, and send some twice; the list is changed in place."""
    dice = Dice(seed, "faults", "documents")
    made: list[Fault] = []
    for kind, fault, spoil in (
        ("cuscar", "malformed_segment", _spoil_segment),
        ("wco", "impossible_date", _spoil_declared_date),
        ("events", "impossible_date", _spoil_event_date),
    ):
        found = [at for at, d in enumerate(documents) if d.kind == kind and spoil(d) is not None]
        if found:
            at = dice.pick(found)
            documents[at] = spoil(documents[at]) or documents[at]
            made.append(Fault(fault, "quarantined", documents[at].reference))
    for kind in ("cuscar", "wco"):
        twice = dice.pick([document for document in documents if document.kind == kind])
        later = twice.at + timedelta(minutes=dice.whole(20, 300))
        documents.append(replace(twice, at=later, again=True))
        made.append(Fault("sent_twice", "duplicate", twice.reference))
    return made


def stowage(call: Call, dice: Dice) -> tuple[Document, Fault]:
    """Return a stowage plan (BAPLIE) that a carrier sends to customs unasked."""
    control = dice.text("0123456789", 9)
    at = call.arrival.replace(microsecond=0) - timedelta(hours=20)
    body = [
        "UNH+1+BAPLIE:D:95B:UN:SMDG22",
        f"BGM++{control}+9",
        f"DTM+137:{at:%y%m%d%H%M}:201",
        f"TDT+20+{call.voyage}+++{call.service.carrier.code}:172:20+++{call.ship.imo}:146::{call.ship.name}",
        f"LOC+5+{call.service.ports[0]}:139:6",
        f"LOC+61+{call.service.terminal.place}:139:6",
    ]
    count = len(body) + 1
    lines = [
        f"UNB+UNOA:2+{call.service.carrier.code}+PACUSTOMS+{at:%y%m%d}:{at:%H%M}+{control}",
        *body,
        f"UNT+{count}+1",
        f"UNZ+1+{control}",
    ]
    content = "".join(f"{line}'\r\n" for line in lines).encode("ascii", "replace")
    document = Document(at, call.service.carrier.code, "baplie", control, content)
    return document, Fault("stowage_plan", "unsupported", control)


def _spoil_segment(document: Document) -> Document | None:
    """Break the tag of the gross mass of one goods line."""
    return _swapped(document, rb"(GID\+.*?')MEA(\+AAE\+)", rb"\1M*A\2")


def _spoil_declared_date(document: Document) -> Document | None:
    """Write a month that does not exist into the moment of issue."""
    if b"<FunctionCode>9<" not in document.content:
        return None
    pattern = rb"(<IssueDateTime>\s*<[^>]*>\d{4})\d{2}"
    return _swapped(document, pattern, rb"\g<1>13")


def _spoil_event_date(document: Document) -> Document | None:
    """Write a month that does not exist into the first weighing."""
    pattern = rb'("code":"isth:weigh"[^\n]*?"at":"\d{4}-)\d{2}'
    return _swapped(document, pattern, rb"\g<1>13")


def _swapped(document: Document, pattern: bytes, by: bytes) -> Document | None:
    content, count = re.subn(pattern, by, document.content, count=1, flags=re.DOTALL)
    return replace(document, content=content) if count else None
