"""Who holds an item: the envelopes by which it went and came, and what each holder told since."""

from dataclasses import dataclass
from datetime import datetime

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor
from isthmus.access.permission import Permission
from isthmus.exchange import copy_store, holder_store, post_store
from isthmus.exchange.tables import Row
from isthmus.exchange.trust import key_store
from isthmus.platform.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Posted:
    """One envelope with an item, and what its recipient told of it."""

    id: str
    partner: str
    name: str  # of the partner
    direction: str  # out, in
    lane: str
    version: int  # of the item
    purpose: str
    state: str
    code: str  # why it is held, refused or stopped
    at: datetime  # put in the outbox, or received
    delivered_at: datetime | None
    opened_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A partner that an item went to: the version it got last, and what follows it there."""

    partner: str
    name: str
    version: int
    envelope: str
    at: datetime
    follow: str | None = None  # the correction or recall that follows
    follow_state: str | None = None  # asked, done, refused
    follow_code: str = ""
    follow_at: datetime | None = None


def post(tx: Transaction, actor: Actor, item_id: str, limit: int = 200) -> list[Posted]:
    """Return the envelopes of an item that somebody may see, newest first."""
    check(tx, actor, Permission.ITEM_READ, object_id=item_id)
    seen = scope(actor, Permission.PARTNER_READ)
    rows = post_store.seen(tx, seen, item=item_id, limit=limit)
    sent = [row["id"] for row in rows if row["direction"] == "out"]
    told: dict[tuple[str, str], datetime] = {}
    for one in holder_store.told(tx, seen, sent):
        told.setdefault((one["object_id"], one["kind"]), one["at"])
    names = _names(tx, actor)
    return [
        Posted(
            row["id"],
            row["partner"],
            names.get(row["partner"], row["partner"]),
            row["direction"],
            row["lane"],
            row["item_version"],
            row["purpose"],
            row["state"],
            row["code"] or "",
            row["at"],
            row["settled_at"] if row["state"] == "delivered" else None,
            told.get((row["id"], "envelope.opened")),
            told.get((row["id"], "envelope.used")),
        )
        for row in rows
    ]


def holders(tx: Transaction, actor: Actor, item_id: str) -> list[Holder]:
    """Return who got an item from here, by partner; whoever may see no partner sees nobody."""
    check(tx, actor, Permission.ITEM_READ, object_id=item_id)
    names = _names(tx, actor)
    return [
        _holder(row, names[row["partner"]])
        for row in copy_store.copies(tx, item_id)
        if row["partner"] in names
    ]


def _holder(row: Row, name: str) -> Holder:
    return Holder(
        row["partner"],
        name,
        row["item_version"],
        row["envelope_id"],
        row["at"],
        row["follow_id"],
        row["follow_state"],
        row["follow_code"] or "",
        row["follow_at"],
    )


def _names(tx: Transaction, actor: Actor) -> dict[str, str]:
    seen = scope(actor, Permission.PARTNER_READ)
    return {row["code"]: row["name"] for row in key_store.directory(tx, seen)}
