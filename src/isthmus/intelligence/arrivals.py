"""Items that come from partners: entered once, corrected and recalled by their originator.

Whether an item may come at all was decided before (``agreements``); here it takes its place among
what is known. Order does not matter: a recall that overtakes its item leaves a tombstone, and a
correction waits for the version that it corrects.
"""

from dataclasses import dataclass, replace

from sqlalchemy import RowMapping

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.intelligence import keeping, store
from isthmus.intelligence.changes import changed
from isthmus.intelligence.items import take_back
from isthmus.intelligence.keeping import Came, ItemState
from isthmus.intelligence.model import Item, ItemKind
from isthmus.intelligence.objects import ObjectKind
from isthmus.intelligence.validation import validate_part
from isthmus.kernel.errors import Denied, Invalid
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of an item that came: the copy, how it stands, and how many copies it changed."""

    copy_id: str
    state: ItemState
    new: bool  # false when this envelope had brought it before
    changed: int = 0  # copies that a correction or recall reached


def receive(tx: Transaction, actor: Actor, item: Item, came: Came) -> Arrived:
    """Enter an item, or the paths of it that a partner released. The same again does nothing.

    Raises ``Invalid`` when it is not as the schema says, ``Denied`` when it corrects or recalls
    what another node originated, or is one of this node's own.
    """
    check(tx, actor, Permission.ITEM_RECEIVE, object_id=item.id)
    validate_part(item)
    about = _about(item)
    tx.lock([item.id, *([about] if about else [])])
    if before := store.copy_from(tx, item.id, item.version, came.source):
        return Arrived(before["id"], ItemState(before["state"]), new=False)
    known = store.item(tx, item.id)
    if known is not None and known["own"]:
        raise Denied("own_item", "this node originated the item", item=item.id)
    state = _state(tx, item, came, known)
    _stand(tx, item, known, state)
    copy_id = str(keeping.enter(tx, actor.id, item, came, state)["id"])
    reached = _reach(tx, actor, item, about, came) if state is ItemState.CURRENT else 0
    audit.record(
        tx,
        actor.id,
        "item.receive",
        "item",
        item.id,
        agency=actor.agency,
        copy=copy_id,
        kind=item.kind.value,
        version=item.version,
        partner=came.partner,
        state=state.value,
        reached=reached,
    )
    events.emit(
        tx,
        "item.entered",
        item.id,
        copy=copy_id,
        item_kind=item.kind.value,
        version=item.version,
        partner=came.partner,
        state=state.value,
        about=about,
    )
    return Arrived(copy_id, state, new=True, changed=reached)


def _about(item: Item) -> str | None:
    """Return the item that a correction or recall is about; it must be of the same originator."""
    if item.kind not in (ItemKind.CORRECTION, ItemKind.RECALL):
        return None
    about = item.body.get("about")
    if about is None:
        raise Invalid("item_invalid", "does not say about which item", path="about")
    if str(about).partition(":")[0] != item.originator:
        raise Denied("not_originator", "only its originator changes an item", item=about)
    return str(about)


def _state(tx: Transaction, item: Item, came: Came, known: RowMapping | None) -> ItemState:
    if known is not None and known["state"] == ItemState.RECALLED:
        return ItemState.RECALLED
    if known is not None and item.version < known["version"]:
        return ItemState.CORRECTED
    until = keeping.expiry(item, came)
    if until is not None and until <= tx.now:
        return ItemState.EXPIRED
    return ItemState.CURRENT


def _stand(tx: Transaction, item: Item, known: RowMapping | None, state: ItemState) -> None:
    """Bring the item's own row up to date; versions before this one are corrected by it."""
    if known is None:
        store.insert_item(tx, _row(tx, item, item.kind.value, item.version, state))
    elif state is ItemState.RECALLED or item.version < known["version"]:
        store.change_item(tx, item.id, kind=item.kind.value)
    else:
        store.change_item(
            tx,
            item.id,
            kind=item.kind.value,
            version=item.version,
            state=state.value,
            changed_at=tx.now,
        )
        older = [
            one["id"]
            for one in store.copies_of(tx, item.id)
            if one["version"] < item.version and one["state"] == ItemState.CURRENT
        ]
        store.settle_copies(tx, older, ItemState.CORRECTED.value)


def _row(
    tx: Transaction, item: Item, kind: str | None, version: int, state: ItemState
) -> dict[str, object]:
    return {
        "id": item.id,
        "kind": kind,
        "originator": item.originator,
        "own": False,
        "version": version,
        "state": state.value,
        "changed_at": tx.now,
        "recall": None,
        "recall_reason": None,
        "replaced_by": None,
    }


def _reach(tx: Transaction, actor: Actor, item: Item, about: str | None, came: Came) -> int:
    """Let a correction or recall reach what is here, or the item what waits for it."""
    if about is None or item.kind is ItemKind.CORRECTION:
        return _settle(tx, actor, about or item.id)
    if store.item(tx, about) is None:
        # The recall overtook its item: what comes later finds it recalled.
        tombstone = replace(item, id=about)
        kind = item.body.get("about_kind")
        store.insert_item(tx, _row(tx, tombstone, kind, 0, ItemState.RECALLED))
    reached = take_back(tx, about, item)
    events.emit(
        tx, "item.recalled", about, recall=item.id, reason=item.body.get("reason"), by=came.partner
    )
    return reached


def _settle(tx: Transaction, actor: Actor, item_id: str) -> int:
    """Apply every correction that waits for a version which is here; one may lead to the next."""
    told = [
        keeping.load(tx, row)
        for row in store.naming(tx, ObjectKind.ITEM, [item_id])
        if row["kind"] == ItemKind.CORRECTION
    ]
    reached = 0
    while more := sum(_correct(tx, actor, one) for one in told):
        reached += more
    return reached


def _correct(tx: Transaction, actor: Actor, correction: Item) -> int:
    """Correct the copies of the version that a correction is about; return how many."""
    about, version = correction.body["about"], correction.body.get("version")
    changes = correction.body.get("changes", ())
    reached = 0
    if version is None:
        return 0  # the version was withheld: nobody can tell what is corrected
    for row in store.copies_of(tx, about):
        if row["version"] != version or row["state"] != ItemState.CURRENT:
            continue
        item = replace(
            changed(keeping.load(tx, row), changes, part=True),
            version=row["version"] + 1,
            made_at=correction.made_at,
        )
        validate_part(item)
        keeping.enter(tx, actor.id, item, keeping.came_as(row, f"{row['source']}>{correction.id}"))
        store.settle_copies(tx, [row["id"]], ItemState.CORRECTED.value)
        reached += 1
    if reached:
        store.change_item(tx, about, version=version + 1, changed_at=tx.now)
        events.emit(tx, "item.corrected", about, correction=correction.id, version=version + 1)
    return reached
