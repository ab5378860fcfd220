"""Which partners are there and where each lane stands: what people see of the exchange."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor
from isthmus.access.permission import Permission
from isthmus.exchange import traffic
from isthmus.exchange.model import Lane, Partner
from isthmus.exchange.trust import key_store, partners
from isthmus.platform.transaction import Transaction

# A partner that is there calls, or answers, every 30 seconds at least.
QUIET = timedelta(seconds=75)
# What waits longer than this, with nothing heard since, waits for a partner that is away.
WAITS = timedelta(seconds=10)


@dataclass(slots=True)
class Lanes:
    """Numbers of one lane, or of all: what went and came in this epoch, and what is set apart."""

    sent: int = 0
    waiting: int = 0
    received: int = 0
    held: int = 0  # either side
    refused: int = 0
    stopped: int = 0  # no longer permitted, or its time was over, before it left

    def add(self, other: "Lanes") -> None:
        """Count another lane in."""
        for name in ("sent", "waiting", "received", "held", "refused", "stopped"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Presence:
    """One partner: whether it is there, and its lanes."""

    partner: Partner
    heard_at: datetime | None
    receipt_at: datetime | None
    offline: bool
    waits_since: datetime | None
    alarms: tuple[str, ...]
    lanes: dict[Lane, Lanes] = field(default_factory=dict)

    @property
    def total(self) -> Lanes:
        """All lanes together."""
        total = Lanes()
        for one in self.lanes.values():
            total.add(one)
        return total


def presences(tx: Transaction, actor: Actor) -> list[Presence]:
    """Return every partner that somebody may see, by code."""
    check(tx, actor, Permission.PARTNER_READ)
    seen = scope(actor, Permission.PARTNER_READ)
    lanes = _lanes(tx, actor)
    heard, receipts = traffic.heard(tx, seen), traffic.receipted(tx, seen)
    since: dict[str, datetime] = {}
    for waiting in traffic.waiting(tx, seen):
        began, code = waiting["since"], waiting["partner"]
        if began is not None:
            since[code] = min(began, since.get(code, began))
    alarms: dict[str, list[str]] = {}
    for row in key_store.alarms(tx, seen):
        alarms.setdefault(row["partner"], []).append(row["code"])
    return [
        Presence(
            one,
            heard.get(one.code),
            receipts.get(one.code),
            one.trusted and _away(tx.now, heard.get(one.code), since.get(one.code)),
            since.get(one.code),
            tuple(sorted(alarms.get(one.code, ()))),
            {lane: lanes.get((one.code, lane.value), Lanes()) for lane in Lane},
        )
        for one in partners.directory(tx, actor)
    ]


def _away(now: datetime, heard: datetime | None, waits: datetime | None) -> bool:
    if heard is None or now - heard > QUIET:
        return True
    return waits is not None and heard < waits < now - WAITS


def _lanes(tx: Transaction, actor: Actor) -> dict[tuple[str, str], Lanes]:
    seen = scope(actor, Permission.PARTNER_READ)
    found: dict[tuple[str, str], Lanes] = {}

    def of(partner: str, lane: str) -> Lanes:
        return found.setdefault((partner, lane), Lanes())

    for head in traffic.heads(tx, seen):
        lane = of(head["partner"], head["lane"])
        setattr(lane, "received" if head["direction"] == "in" else "sent", head["sequence"])
    for waiting in traffic.waiting(tx, seen):
        lane = of(waiting["partner"], waiting["lane"])
        lane.waiting = waiting["number"]
        lane.sent = max(0, lane.sent - waiting["placed"])  # a place in the chain is no departure
    for apart in traffic.set_apart(tx, seen):
        lane = of(apart["partner"], apart["lane"])
        name = "stopped" if apart["state"] == "expired" else apart["state"]
        setattr(lane, name, getattr(lane, name) + apart["number"])
    return found
