"""Heard: whoever sent an item is told, once each, that a person opened it and that it was of use.

Both are signed receipts of the envelopes by which it came. Of use was a lookout that gave a reason
on a unit scored here, whatever an officer makes of it afterwards. What that came to is feedback, an
item that a person sends; it stands on the item that it is about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.exchange import post_store, receipts
from isthmus.exchange.model import ReceiptKind
from isthmus.intelligence import keeping, store
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.objects import ObjectKind
from isthmus.platform import events
from isthmus.platform.database import Database
from isthmus.platform.transaction import Event, Transaction
from isthmus.risk.assess import Assessed


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a recipient says became of an item; where it did not say so much, nothing stands."""

    item: str  # of the feedback itself
    partner: str
    given_at: datetime
    outcome: str | None  # code list feedback_outcomes
    used_for: tuple[str, ...] = ()  # code list purposes
    picks: int | None = None
    found: int | None = None
    seizures: tuple[str, ...] = ()


def feedback(tx: Transaction, actor: Actor, item_id: str) -> list[Feedback]:
    """Return what recipients said became of an item, the newest first; nothing of an exercise."""
    check(tx, actor, Permission.ITEM_READ, object_id=item_id)
    told = [
        keeping.load(tx, row)
        for row in store.naming(tx, ObjectKind.ITEM, [item_id])
        if row["kind"] == ItemKind.FEEDBACK
        and row["partner"] is not None
        and row["purposes"] != [Purpose.EXERCISE]
    ]
    found = [
        Feedback(
            one.id,
            one.originator,
            one.made_at,
            one.body.get("outcome"),
            tuple(one.body.get("used_for", ())),
            one.body.get("picks"),
            one.body.get("found"),
            tuple(one.body.get("seizures", ())),
        )
        for one in told
    ]
    return sorted(found, key=lambda one: one.given_at, reverse=True)


def note(database: Database, actor: Actor, item_id: str) -> None:
    """Note that a person reads an item that a partner sent; for whoever shows it to one.

    Nothing is written for an own item, or the second time. Call it when the person may see the
    item, outside of a transaction.
    """
    if actor.is_person and database.read(lambda tx: bool(_untold(tx, item_id, ReceiptKind.OPENED))):
        database.write(lambda tx: events.emit(tx, "item.opened", item_id))


def tell_opened(tx: Transaction, event: Event) -> None:
    """A person opened an item: tell who sent it. A reaction to ``item.opened``."""
    _tell(tx, event.object_id, ReceiptKind.OPENED)


def tell_used(tx: Transaction, event: Event) -> None:
    """Lookouts gave a reason: tell who sent them. A reaction to ``lookouts.raised``."""
    for item_id in event.payload["items"]:
        _tell(tx, item_id, ReceiptKind.USED)


def _tell(tx: Transaction, item_id: str, about: ReceiptKind) -> None:
    for envelope_id in _untold(tx, item_id, about):
        receipts.tell(tx, envelope_id, about)
        post_store.change(tx, envelope_id, **{f"{about.value}_at": tx.now})


def _untold(tx: Transaction, item_id: str, about: ReceiptKind) -> list[str]:
    """Return the envelopes that brought an item and whose sender was not told yet."""
    row = store.item(tx, item_id)
    if row is None or row["own"]:
        return []
    came = post_store.arrived(tx, item_id)
    return [one["id"] for one in came if one[f"{about.value}_at"] is None]


def raised(
    tx: Transaction,
    asked: Mapping[str, Mapping[str, str]],
    assessed: Iterable[Assessed],
) -> list[str]:
    """Note which lookouts gave a reason on a unit; return those heard of for the first time.

    ``asked`` are the lookouts on each unit, by its id. Rules say whether they give a reason.
    """
    if not asked:
        return []
    given: set[str] = set()
    for one in assessed:
        for unit, reasons in zip(one.table["id"].to_list(), one.reasons, strict=True):
            if unit in asked and any("partner_lookouts" in r["parameters"] for r in reasons):
                given |= asked[unit].keys()
    fresh = [item for item in sorted(given) if _untold(tx, item, ReceiptKind.USED)]
    if fresh:
        events.emit(tx, "lookouts.raised", fresh[0], items=fresh)
    return fresh
