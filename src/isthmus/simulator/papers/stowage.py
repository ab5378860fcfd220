"""Stowage plans (BAPLIE), which carriers send to customs of some of their calls."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from isthmus.simulator.dice import Dice
from isthmus.simulator.papers.post import Draft
from isthmus.simulator.traffic.calls import Call
from isthmus.simulator.traffic.shipment import Shipment

_BEFORE = timedelta(hours=20)
_SHARE = 0.15  # of calls
_BAYS = tuple(range(1, 40, 2))


def plans(calls: Sequence[Call], shipments: Sequence[Shipment], dice: Dice) -> Iterator[Draft]:
    """Yield the plans of some of these calls: which box stands where on the ship."""
    for call in calls:
        if dice.chance(_SHARE):
            control = dice.text("0123456789", 9)
            at = call.arrival.replace(microsecond=0) - _BEFORE
            boxes = [box for s in shipments if s.arrival is call for box in s.boxes]
            lines = [(box.number, box.size_type, box.tare + box.gross) for box in boxes]
            yield Draft(
                at, call.service.carrier.code, "baplie", control, Plan(call, control, lines)
            )


class Plan:
    """The plan of one call, written when it is sent."""

    def __init__(self, call: Call, control: str, boxes: list[tuple[str, str, int]]) -> None:
        self.call, self.control, self.boxes = call, control, boxes

    def __call__(self) -> bytes:
        call, control = self.call, self.control
        at = call.arrival - _BEFORE
        carrier = call.service.carrier.code
        body = [
            "UNH+1+BAPLIE:D:95B:UN:SMDG22",
            f"BGM++{control}+9",
            f"DTM+137:{at:%y%m%d%H%M}:201",
            f"TDT+20+{call.voyage}+++{carrier}:172:20+++{call.ship.imo}:146::{call.ship.name}",
            f"LOC+5+{call.service.ports[0]}:139:6",
            f"LOC+61+{call.service.terminal.place}:139:6",
        ]
        for place, (number, kind, mass) in enumerate(self.boxes):
            bay = _BAYS[place % len(_BAYS)]
            row, tier = place // len(_BAYS) % 12, 82 + 2 * (place // (len(_BAYS) * 12) % 6)
            body.append(f"LOC+147+{bay:03d}{row:02d}{tier:02d}::5")
            body.append(f"MEA+VGM++KGM:{mass}")
            body.append(f"EQD+CN+{number}+{kind}+++5")
        lines = [
            f"UNB+UNOA:2+{carrier}+PACUSTOMS+{at:%y%m%d}:{at:%H%M}+{control}",
            *body,
            f"UNT+{len(body) + 1}+1",
            f"UNZ+1+{control}",
        ]
        return "".join(f"{line}'\r\n" for line in lines).encode("ascii", "replace")
