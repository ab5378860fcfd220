"""Items that run out, may be kept no longer, are held, or are lawfully erased."""

from collections.abc import Mapping

from sqlalchemy import RowMapping

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.intelligence import keeping, store
from isthmus.intelligence.keeping import ItemState
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.objects import ObjectKind
from isthmus.kernel.errors import Conflict, NotFound
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction

RETENTION = "retention"
TOLD = 50
"""Items that one event names; of more that ran out at once there are several events."""


def expire(tx: Transaction, actor: Actor) -> list[str]:
    """Put what ran out out of use; return the items concerned."""
    rows = store.run_out(tx, tx.now)
    store.settle_copies(tx, [row["id"] for row in rows], ItemState.EXPIRED.value)
    items = sorted({row["item"] for row in rows})
    for item_id in items:
        standing = {row["state"] for row in store.copies_of(tx, item_id)}
        if ItemState.CURRENT not in standing:
            store.change_item(tx, item_id, state=ItemState.EXPIRED.value, changed_at=tx.now)
    if items:
        audit.record(
            tx, actor.id, "items.expire", "item", "expiry", agency=actor.agency, items=len(items)
        )
        for start in range(0, len(items), TOLD):
            part = items[start : start + TOLD]
            events.emit(tx, "items.expired", "expiry", items=part, count=len(part))
    return items


def sweep(tx: Transaction, actor: Actor) -> int:
    """Erase copies past their retention, unless held; audited. Returns how many."""
    rows = store.past_retention(tx, tx.now.date())
    erased = sum(keeping.forget(tx, row, RETENTION) for row in rows)
    for item_id in {row["item"] for row in rows}:
        _stand_erased(tx, item_id)
    if erased:
        audit.record(
            tx, actor.id, "items.sweep", "item", RETENTION, agency=actor.agency, copies=erased
        )
    return erased


def check_hold(tx: Transaction, item_id: str) -> None:
    """Refuse with ``Conflict`` while a copy of the item is under legal hold.

    Raises ``NotFound`` when nothing of it was ever here.
    """
    rows = _whole(tx, item_id)
    if not rows:
        raise NotFound("item_unknown", "no such item", item=item_id)
    if any(row["legal_hold"] for row in rows):
        raise Conflict("legal_hold", "the item is under legal hold", item=item_id)


def set_hold(tx: Transaction, actor: Actor, item_id: str, *, held: bool) -> int:
    """Put an item with what corrects it under legal hold, or lift it; return how many copies."""
    check(tx, actor, Permission.LEGAL_HOLD_SET, object_id=item_id)
    rows = _whole(tx, item_id)
    if not rows:
        raise NotFound("item_unknown", "no such item", item=item_id)
    hold = new_id("hld") if held else None
    for row in rows:
        store.change_copy(tx, row["id"], legal_hold=hold)
    action = "item.hold" if held else "item.unhold"
    audit.record(tx, actor.id, action, "item", item_id, agency=actor.agency, copies=len(rows))
    return len(rows)


def erase_item(tx: Transaction, item_id: str, erasure_id: str) -> Mapping[str, int]:
    """Erase what every copy of an item says, and every correction of it. Again does nothing."""
    erased = 0
    rows = [row for row in _whole(tx, item_id) if row["state"] != ItemState.ERASED]
    for row in rows:
        erased += keeping.forget(tx, row, erasure_id)
    for one in sorted({row["item"] for row in rows}):
        _stand_erased(tx, one)
    return {"item_copy": len(rows), "document": erased}


def items_of(tx: Transaction, item_id: str) -> list[str]:
    """Return an item and the corrections of it, which say parts of it again."""
    about = [
        str(row["item"])
        for row in store.naming(tx, ObjectKind.ITEM, [item_id])
        if row["kind"] == ItemKind.CORRECTION
    ]
    return list(dict.fromkeys([item_id, *about]))


def _whole(tx: Transaction, item_id: str) -> list[RowMapping]:
    return [row for one in items_of(tx, item_id) for row in store.copies_of(tx, one)]


def _stand_erased(tx: Transaction, item_id: str) -> None:
    states = {row["state"] for row in store.copies_of(tx, item_id)}
    if states <= {ItemState.ERASED.value}:
        store.change_item(tx, item_id, state=ItemState.ERASED.value, changed_at=tx.now)
