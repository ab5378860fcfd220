"""Mirror declarations: what partners' customs were told when the same goods left there (CUSDEC).

The exporter declares to its own customs what it was paid. What differs from the declaration here
is the mirror gap of trade statistics, for one consignment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from isthmus.cargo.model import Regime
from isthmus.simulator.dice import Dice
from isthmus.simulator.papers.post import Draft, Send
from isthmus.simulator.traffic.shipment import Shipment

PARTNERS = frozenset({"BE", "FR", "NL", "US", "MX", "EC", "CO", "ES"})
_SHARE = 0.5  # of what leaves a partner for Panama
_REGIMES = (Regime.IMPORT, Regime.FREE_ZONE_IN)
_BEFORE = (timedelta(days=6), timedelta(days=9))  # export, before arrival
_OPENS = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Export:
    at: datetime
    shipment: Shipment
    reference: str


class Mirrors:
    """Gathers exports by partner and day; a partner passes them on once the ship is announced."""

    def __init__(self, seed: int) -> None:
        self._dice = Dice(seed, "mirrors")
        self._slots: dict[tuple[datetime, str], list[_Export]] = {}

    def take(self, shipments: Sequence[Shipment]) -> None:
        """Take what these shipments' exporters declared where they left."""
        dice = self._dice
        for shipment in shipments:
            partner = shipment.origin[:2]
            if shipment.regime not in _REGIMES or partner not in PARTNERS:
                continue
            if shipment.arrival is None or not dice.chance(_SHARE):
                continue
            days = dice.whole(_BEFORE[0].days, _BEFORE[1].days)
            at = shipment.arrival.arrival - timedelta(days=days)
            export = _Export(at, shipment, f"{at:%y}{partner}{dice.text('0123456789', 12)}")
            slot = shipment.arrival.told.replace(hour=0, minute=0, second=0, microsecond=0)
            self._slots.setdefault((slot + timedelta(days=1), partner), []).append(export)

    def close(self, until: datetime, send: Send) -> None:
        """Send every day that ends before a moment."""
        for slot in sorted(key for key in self._slots if key[0] < until):
            (end, partner), exports = slot, self._slots.pop(slot)
            exports.sort(key=lambda export: (export.at, export.reference))
            at = end + timedelta(minutes=self._dice.whole(2, 90))
            control = self._dice.text("0123456789", 9)
            made = Message(partner, at, control, exports)
            send(Draft(at, f"{partner}CUSTOMS", "cusdec", control, made))


@dataclass(frozen=True, slots=True)
class Message:
    """One interchange of export declarations (UN/EDIFACT CUSDEC, D.96B), written when sent."""

    partner: str
    at: datetime
    control: str
    exports: Sequence[_Export]

    def __call__(self) -> bytes:
        """Return its bytes."""
        head = f"{self.at:%y%m%d}:{self.at:%H%M}+{self.control}"
        lines = [f"UNB+UNOC:3+{self.partner}CUSTOMS+PACUSTOMS+{head}"]
        for number, export in enumerate(self.exports, start=1):
            body = [f"UNH+{number}+CUSDEC:D:96B:UN", *self._body(export)]
            lines += [*body, f"UNT+{len(body) + 1}+{number}"]
        lines.append(f"UNZ+{len(self.exports)}+{self.control}")
        return "".join(f"{line}'\r\n" for line in lines).encode("latin-1", "replace")

    def _body(self, export: _Export) -> list[str]:
        shipment = export.shipment
        lines = [
            f"BGM+830+{export.reference}+9",
            "CST++1000",
            f"LOC+9+{shipment.origin}:139:6",
            f"LOC+11+{shipment.discharge}:139:6",
            f"DTM+137:{export.at:%Y%m%d}:102",
            f"RFF+BM:{shipment.bill}",
        ]
        for code, party in (("EX", shipment.shipper), ("CN", shipment.consignee)):
            if party is not None:
                lines.append(f"NAD+{code}+{party.identifier or ''}++{_plain(party.name)}")
        lines += [
            "UNS+D",
            f"CST+1+{shipment.goods.hs if shipment.goods else ''}:122",
            f"FTX+AAA+++{_plain(shipment.text or '')}",
            f"MEA+WT+AAL+KGM:{sum(load.net for load in shipment.loads)}",
            f"MOA+63:{shipment.exported}:USD",
            "UNS+S",
        ]
        return lines


def _plain(text: str) -> str:
    """Return a text with the service signs of EDIFACT released."""
    for sign in "?+:'":
        text = text.replace(sign, f"?{sign}")
    return text
