"""Items of this node's own: drafted, amended, corrected and recalled by their originator alone.

A draft is version 1 and every amendment the next. A correction is an item of its own, which
follows every copy that was sent; here it makes the next version too. A recall ends all versions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, purpose_for
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.intelligence import keeping, store
from isthmus.intelligence.changes import changed
from isthmus.intelligence.keeping import Came, ItemState, categories
from isthmus.intelligence.model import Item, ItemKind, Marking
from isthmus.intelligence.validation import validate
from isthmus.kernel.errors import Conflict, Denied, Invalid, NotFound
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction

PREFIXES: Mapping[ItemKind, str] = {
    ItemKind.ALERT: "alr",
    ItemKind.SIGHTING: "sgt",
    ItemKind.SEIZURE: "szr",
    ItemKind.METHOD_CARD: "mth",
    ItemKind.RISK_PROFILE: "prf",
    ItemKind.REQUEST: "req",
    ItemKind.ANSWER: "ans",
    ItemKind.INSPECTION_REQUEST: "cue",
    ItemKind.INSPECTION_RESULT: "inr",
    ItemKind.FEEDBACK: "fbk",
    ItemKind.CORRECTION: "cor",
    ItemKind.RECALL: "rcl",
}
# The reason of a recall that has holders erase what they got (code list recall_reasons).
ERASURE = "erasure"
OVER = (ItemState.RECALLED, ItemState.ERASED)
# These come about by ``correct`` and ``recall`` only.
_BY_ACT = (ItemKind.CORRECTION, ItemKind.RECALL)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction gave: the item that tells of it, and the next version."""

    correction: Item
    item: Item


def draft(
    tx: Transaction,
    actor: Actor,
    node: str,
    kind: ItemKind,
    body: Mapping[str, Any],
    marking: Marking,
) -> Item:
    """Make an item of this node's own, under the node's code; nobody gets it by that.

    Raises ``Invalid`` naming the path that is not as the schema says. An item about persons is
    made by a person.
    """
    check(tx, actor, Permission.ITEM_WRITE)
    if kind in _BY_ACT:
        raise Conflict("item_by_act", "made by correcting or recalling an item", kind=kind.value)
    item = _new(tx, node, kind, body, marking)
    _enter_new(tx, actor, item)
    _told(tx, actor, "item.draft", item)
    events.emit(tx, "item.drafted", item.id, item_kind=kind.value, version=1)
    return item


def amend(
    tx: Transaction,
    actor: Actor,
    item_id: str,
    body: Mapping[str, Any],
    marking: Marking | None = None,
) -> Item:
    """Make the next version of an own item."""
    check(tx, actor, Permission.ITEM_WRITE, object_id=item_id)
    row, item = _own(tx, item_id)
    if item.kind in _BY_ACT:
        raise Conflict("item_by_act", "a correction or recall stays as it is", item=item_id)
    return _next(tx, actor, row, replace(item, body=body, marking=marking or item.marking), "amend")


def correct(
    tx: Transaction,
    actor: Actor,
    item_id: str,
    changes: Sequence[Mapping[str, Any]],
    reason: str,
) -> Corrected:
    """Correct paths of an own item: ``path``, new ``value``, and ``category`` of its person.

    A change without a value takes the path away. Whoever got the item has to hear of it: the
    correction is what travels.
    """
    check(tx, actor, Permission.ITEM_RECALL, object_id=item_id)
    row, item = _own(tx, item_id)
    body = {
        "about": item.id,
        "about_kind": item.kind.value,
        "version": item.version,
        "reason": reason,
        "changes": [dict(change) for change in changes],
    }
    correction = _new(tx, item.originator, ItemKind.CORRECTION, body, item.marking)
    validate(correction)
    fresh = _next(tx, actor, row, changed(item, changes), "correct")
    _enter_new(tx, actor, correction)
    _told(tx, actor, "item.draft", correction)
    events.emit(tx, "item.corrected", item.id, correction=correction.id, version=fresh.version)
    return Corrected(correction, fresh)


def recall(
    tx: Transaction, actor: Actor, item_id: str, reason: str, replaced_by: str | None = None
) -> Item:
    """Take an own item back, all its versions; the recall is what travels.

    What was seized or found by it stays: a recall ends use, it erases nothing. An erasure by law
    is no reason to give here: it begins with this node's own copy (``recall_erased``).
    """
    check(tx, actor, Permission.ITEM_RECALL, object_id=item_id)
    if reason == ERASURE:
        raise Invalid("erasure_is_no_recall", "what the law erases is erased", field="reason")
    _, item = _own(tx, item_id, OVER)
    return _recall(tx, actor, item, reason, replaced_by)


def recall_erased(tx: Transaction, actor: Actor, item_id: str) -> Item:
    """Tell every holder of an own item of an erasure by law.

    Each erases its own copies, unless they are evidence. It goes after an item that was recalled
    before, too.
    """
    check(tx, actor, Permission.ERASURE_PERFORM, object_id=item_id)
    _, item = _own(tx, item_id, (ItemState.ERASED,))
    return _recall(tx, actor, item, ERASURE, None)


def _recall(
    tx: Transaction, actor: Actor, item: Item, reason: str, replaced_by: str | None
) -> Item:
    body = {"about": item.id, "about_kind": item.kind.value, "reason": reason}
    if replaced_by is not None:
        body["replaced_by"] = replaced_by
    told = _new(tx, item.originator, ItemKind.RECALL, body, item.marking)
    _enter_new(tx, actor, told)
    _told(tx, actor, "item.recall", told)
    take_back(tx, item.id, told)
    events.emit(tx, "item.recalled", item.id, recall=told.id, reason=reason)
    return told


def take_back(tx: Transaction, item_id: str, told: Item) -> int:
    """Put an item and all its copies out of use by a recall; return how many copies stood."""
    copies = store.copies_of(tx, item_id)
    store.change_item(
        tx,
        item_id,
        state=ItemState.RECALLED.value,
        changed_at=tx.now,
        recall=told.id,
        recall_reason=told.body.get("reason"),
        replaced_by=told.body.get("replaced_by"),
    )
    standing = [one["id"] for one in copies if one["state"] != ItemState.ERASED]
    return store.settle_copies(tx, standing, ItemState.RECALLED.value)


# -- the common parts ---------------------------------------------------------------------


def _new(
    tx: Transaction, node: str, kind: ItemKind, body: Mapping[str, Any], marking: Marking
) -> Item:
    return Item(f"{node}:{new_id(PREFIXES[kind])}", kind, 1, node, tx.now, marking, body)


def _own(
    tx: Transaction, item_id: str, over: Sequence[ItemState] = OVER
) -> tuple[RowMapping, Item]:
    """Return an own item that stands, and its newest version."""
    tx.lock([item_id])
    row = store.item(tx, item_id)
    if row is None:
        raise NotFound("item_unknown", "no such item", item=item_id)
    if not row["own"]:
        raise Denied("not_originator", "only its originator changes an item", item=item_id)
    if row["state"] in over:
        raise Conflict("item_over", "the item is recalled or erased", item=item_id)
    newest = store.copies_of(tx, item_id)[-1]
    return row, keeping.load(tx, newest)


def _enter_new(tx: Transaction, actor: Actor, item: Item) -> None:
    validate(item)
    came = _came(tx, actor, item)
    store.insert_item(
        tx,
        {
            "id": item.id,
            "kind": item.kind.value,
            "originator": item.originator,
            "own": True,
            "version": 1,
            "state": ItemState.CURRENT.value,
            "changed_at": tx.now,
            "recall": None,
            "recall_reason": None,
            "replaced_by": None,
        },
    )
    keeping.enter(tx, actor.id, item, came)


def _next(tx: Transaction, actor: Actor, row: RowMapping, item: Item, act: str) -> Item:
    """Enter the next version of an own item; the versions before are corrected by it."""
    fresh = replace(item, version=row["version"] + 1, made_at=tx.now)
    validate(fresh)
    came = _came(tx, actor, fresh)
    before = [one["id"] for one in store.copies_of(tx, fresh.id)]
    store.settle_copies(tx, before, ItemState.CORRECTED.value)
    state = ItemState.CURRENT.value
    store.change_item(tx, fresh.id, version=fresh.version, state=state, changed_at=tx.now)
    keeping.enter(tx, actor.id, fresh, came)
    _told(tx, actor, f"item.{act}", fresh)
    if act == "amend":
        events.emit(tx, "item.amended", fresh.id, item_kind=fresh.kind.value, version=fresh.version)
    return fresh


def _came(tx: Transaction, actor: Actor, item: Item) -> Came:
    """Check who may make an item about persons, and say for which purpose their data are kept."""
    if not categories(item):
        return Came()
    check(tx, actor, Permission.ITEM_PERSONS, object_id=item.id)
    purpose: Purpose = purpose_for(tx, actor, Permission.ITEM_PERSONS, None, item.id)
    return Came(purpose=purpose)


def _told(tx: Transaction, actor: Actor, action: str, item: Item) -> None:
    audit.record(
        tx,
        actor.id,
        action,
        "item",
        item.id,
        agency=actor.agency,
        kind=item.kind.value,
        version=item.version,
        persons=len(categories(item)),
    )
