"""Partners, lanes and what may become of an envelope: plain records and their rules."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from isthmus.kernel.errors import Invalid


class Lane(StrEnum):
    """How soon an envelope has to arrive; each lane is a chain of its own and has its own line."""

    FLASH = "flash"
    IMMEDIATE = "immediate"
    ROUTINE = "routine"


class Direction(StrEnum):
    """Whether this node sent or received."""

    OUT = "out"
    IN = "in"


class PartnerState(StrEnum):
    """How far a partner is trusted."""

    PROPOSED = "proposed"  # entered from its card
    COMPARED = "compared"  # a first person compared the fingerprints over another channel
    TRUSTED = "trusted"  # a second person did, too
    SUSPENDED = "suspended"


class EnvelopeState(StrEnum):
    """Where an envelope stands."""

    WAITING = "waiting"  # in the outbox
    DELIVERED = "delivered"  # out: the partner's receipt is here; in: accepted and applied
    HELD = "held"  # arrived, not applied: the agreements of the two sides differ
    REFUSED = "refused"  # arrived and named as refused
    STOPPED = "stopped"  # no longer permitted when it was to be sent
    EXPIRED = "expired"  # its time was over before it could be sent


class ReceiptKind(StrEnum):
    """What a receipt says: it arrived, was opened by a person, was used, a recall was acted on."""

    DELIVERED = "delivered"
    OPENED = "opened"
    USED = "used"
    ACTED = "acted"  # on a recall or correction


# A clock may differ by so much before a statement made "later than now" is refused.
SKEW = timedelta(minutes=5)
BATCH = 200  # envelopes in one request
BATCH_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Caps:
    """What one partner may send at most."""

    disclosures: int = 500  # disclosed paths in an envelope
    nesting: int = 8  # levels of lists and objects in a disclosed value
    bytes: int = 1 << 20  # of one envelope
    rate: int = 600_000  # envelopes a minute
    lookouts: int = 5_000  # open lookouts (alerts in force) from this partner
    questions: int = 200_000  # elements asked blindly a day

    @staticmethod
    def of(plain: Mapping[str, Any]) -> "Caps":
        """Read caps as they are stored; raises ``Invalid`` naming a wrong one."""
        known = {entry.name for entry in fields(Caps)}
        for name, value in plain.items():
            if name not in known or not isinstance(value, int) or value < 1:
                raise Invalid("cap_wrong", "not a cap, or not a whole number above 0", cap=name)
        return Caps(**plain)

    def plain(self) -> dict[str, int]:
        """Return the caps as they are stored."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Partner:
    """A node of another authority, as the directory holds it."""

    code: str  # such as NL-DOUANE
    country: str
    name: str
    address: str  # host:port; empty when it only dials out
    state: PartnerState
    signing: str  # fingerprint of the key it signs by now
    certificate: str  # fingerprint (SHA-256 of the DER) of its TLS certificate
    compared_by: str | None
    trusted_by: str | None
    caps: Caps
    epoch: int  # the newest epoch it has opened
    since: datetime

    @property
    def trusted(self) -> bool:
        """Whether anything at all is exchanged with it."""
        return self.state is PartnerState.TRUSTED


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: the sequence of its last envelope and its hash."""

    epoch: int
    sequence: int
    hash: bytes

    def plain(self) -> dict[str, Any]:
        """Return the head as it is told to a partner."""
        return {"epoch": self.epoch, "sequence": self.sequence, "hash": self.hash.hex()}


def start_of(sender: str, recipient: str, lane: Lane, epoch: int) -> Head:
    """Return the head of a chain that has no envelope yet."""
    name = f"isthmus chain\0{sender}\0{recipient}\0{lane.value}\0{epoch}"
    return Head(epoch, 0, hashlib.sha256(name.encode()).digest())
