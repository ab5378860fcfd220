"""Copies of items as this node keeps them: an encrypted document each, and rows to find it by."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import RowMapping

from isthmus.access.model import Purpose
from isthmus.intelligence import store
from isthmus.intelligence.codec import from_plain, to_plain
from isthmus.intelligence.model import Item
from isthmus.intelligence.objects import objects_of
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Erased
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, documents
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

OWN = "own"
UNCLASSIFIED = "unclassified"
# As long as the trade data that items are about, unless an agreement says shorter.
RETAIN_FOR = timedelta(days=5 * 365)


class ItemState(StrEnum):
    """How an item, or a copy of it, stands (code list ``item_states``)."""

    CURRENT = "current"
    CORRECTED = "corrected"  # a newer version stands
    RECALLED = "recalled"
    EXPIRED = "expired"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Came:
    """How a copy came here: whence, for which purposes, and how long it may be used and kept."""

    source: str = OWN  # id of the envelope
    partner: str | None = None
    purposes: frozenset[Purpose] = field(default_factory=lambda: frozenset(Purpose))
    purpose: Purpose | None = None  # for which data of its persons are kept, if not all of them
    use_until: datetime | None = None
    keep_until: date | None = None

    @property
    def kept_for(self) -> Purpose:
        """The one purpose for which data of its persons are kept: targeting, if it came for it."""
        if self.purpose is not None:
            return self.purpose
        return Purpose.TARGETING if Purpose.TARGETING in self.purposes else min(self.purposes)


def enter(
    tx: Transaction, actor_id: str, item: Item, came: Came, state: ItemState = ItemState.CURRENT
) -> RowMapping | dict[str, Any]:
    """Keep a copy and return its row. Of a recalled item nothing is kept but that it came."""
    copy_id = new_id("cpy")
    document = None
    if state is not ItemState.RECALLED:
        # The id of the copy makes the document its own, so that erasing one erases no other.
        content = canonical({"copy": copy_id, "item": to_plain(item)})
        stored = documents.put(tx, content, kind="item", source=came.source, actor=actor_id)
        document = stored.id
        audit.record(
            tx,
            actor_id,
            "document.receive",
            "document",
            stored.id,
            object_digest=stored.digest,
            format="item",
            size=stored.size,
        )
    held = categories(item)
    today = tx.now.date()
    row = {
        "id": copy_id,
        "item": item.id,
        "version": item.version,
        "kind": item.kind.value,
        "state": state.value,
        "source": came.source,
        "partner": came.partner,
        "purposes": sorted(came.purposes),
        "targeting": Purpose.TARGETING in came.purposes,
        "document_id": document,
        "made_at": item.made_at,
        "entered_at": tx.now,
        "entered_by": actor_id,
        "expires_at": expiry(item, came),
        "categories": held,
        "purpose": came.kept_for.value,
        "review_on": today + _review_after(held) if held else None,
        "retain_until": came.keep_until or today + RETAIN_FOR,
        "legal_hold": None,
        "erasure_id": None,
    }
    in_force = state is ItemState.CURRENT
    named = [(kind.value, value) for kind, value in objects_of(item)] if in_force else []
    store.insert_copy(tx, row, named)
    return row


def expiry(item: Item, came: Came) -> datetime | None:
    """Return from when on a copy is not used: as the item says, or sooner as it was released."""
    said = item.body.get("expires_at")
    moments = [came.use_until, datetime.fromisoformat(said) if said else None]
    return min((one for one in moments if one is not None), default=None)


def categories(item: Item) -> list[str]:
    """Return the data-subject categories of whom an item, or the part that is here, is about."""
    found = {one.get("category", UNCLASSIFIED) for one in item.body.get("persons", ()) if one}
    found |= {one["category"] for one in item.body.get("changes", ()) if "category" in one}
    return sorted(found)


def _review_after(held: Iterable[str]) -> timedelta:
    """The soonest review that one of these categories asks."""
    entries = [code_list("data_subject_categories").entry(code) for code in held]
    return timedelta(days=min(int(one.extra["review_days"]) for one in entries if one is not None))


def load(tx: Transaction, row: RowMapping | dict[str, Any]) -> Item:
    """Return the item of a copy; raises ``Erased`` where nothing of it is kept."""
    if row["document_id"] is None:
        raise Erased("item_not_kept", "nothing of this item is kept", item=row["item"])
    content = b"".join(documents.read(tx, row["document_id"]))
    return from_plain(orjson.loads(content)["item"])


def came_as(row: RowMapping, source: str) -> Came:
    """Return how the corrected version of a copy is kept: as the copy is, and never longer."""
    return Came(
        source=source,
        partner=row["partner"],
        purposes=frozenset(Purpose(one) for one in row["purposes"]),
        purpose=Purpose(row["purpose"]),
        use_until=row["expires_at"],
        keep_until=row["retain_until"],
    )


def forget(tx: Transaction, row: RowMapping, erasure_id: str) -> int:
    """Destroy what a copy says; its row stays and tells that it was erased. Returns 1 or 0."""
    store.settle_copies(tx, [row["id"]], ItemState.ERASED.value)
    store.change_copy(tx, row["id"], document_id=None, categories=[], erasure_id=erasure_id)
    if row["document_id"] is None:
        return 0
    return documents.erase(tx, row["document_id"], erasure_id)
