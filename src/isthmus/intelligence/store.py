"""All the SQL of items, their copies and the objects they name."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, delete, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.intelligence.objects import ObjectKind
from isthmus.intelligence.tables import copy_table, item_table, object_table
from isthmus.platform.transaction import Transaction

SLICE = 400  # ids in one statement


def slices(values: Iterable[str]) -> Iterator[list[str]]:
    """Yield values in parts small enough for one statement."""
    listed = sorted(set(values))
    for start in range(0, len(listed), SLICE):
        yield listed[start : start + SLICE]


# -- items --------------------------------------------------------------------------------


@unscoped("what the node knows of an item decides what may be entered, for no person")
def item(tx: Transaction, item_id: str) -> RowMapping | None:
    """Return an item's row."""
    return tx.execute(select(item_table).where(item_table.c.id == item_id)).mappings().first()


def insert_item(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter an item."""
    tx.insert(item_table, [row])


def change_item(tx: Transaction, item_id: str, **values: Any) -> None:
    """Change how an item stands."""
    tx.execute(update(item_table).where(item_table.c.id == item_id).values(**values))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items a desk shows."""

    kinds: Collection[str] = ()
    states: Collection[str] = ("current",)
    own: bool | None = None
    partner: str | None = None

    def where(self) -> ColumnElement[bool]:
        """Return the condition for a select over items, but for the partner."""
        items = item_table.c
        parts = [items.state.in_(sorted(self.states))]
        if self.kinds:
            parts.append(items.kind.in_(sorted(self.kinds)))
        if self.own is not None:
            parts.append(items.own.is_(self.own))
        return and_(*parts)


def items(
    tx: Transaction, scope: Scope, wanted: Wanted, limit: int, offset: int = 0
) -> list[RowMapping]:
    """Return items, the last changed first."""
    query = select(item_table).where(wanted.where(), scope.where())
    if wanted.partner is not None:
        sent = select(copy_table.c.item).where(copy_table.c.partner == wanted.partner)
        query = query.where(item_table.c.id.in_(sent))
    rows = tx.execute(
        query.order_by(item_table.c.changed_at.desc(), item_table.c.id).limit(limit).offset(offset)
    )
    return list(rows.mappings())


# -- copies -------------------------------------------------------------------------------


def insert_copy(tx: Transaction, row: Mapping[str, Any], named: Iterable[tuple[str, str]]) -> None:
    """Enter a copy, with the objects by which it is found."""
    tx.insert(copy_table, [row])
    rows = [{"kind": kind, "value": value, "copy_id": row["id"]} for kind, value in sorted(named)]
    if rows:
        tx.insert(object_table, rows)


@unscoped("an envelope that was applied is not applied again, for the node")
def copy_from(tx: Transaction, item_id: str, version: int, source: str) -> RowMapping | None:
    """Return the copy that one envelope brought."""
    columns = copy_table.c
    found = tx.execute(
        select(copy_table).where(
            columns.item == item_id, columns.version == version, columns.source == source
        )
    )
    return found.mappings().first()


@unscoped("corrections, recalls and erasures reach every copy, whoever may see it")
def copies_of(tx: Transaction, item_id: str) -> list[RowMapping]:
    """Return all copies of an item, oldest version first."""
    rows = tx.execute(
        select(copy_table)
        .where(copy_table.c.item == item_id)
        .order_by(copy_table.c.version, copy_table.c.seq)
    )
    return list(rows.mappings())


def copies_seen(tx: Transaction, scope: Scope, item_id: str) -> list[RowMapping]:
    """Return the copies of an item that a person may see, oldest version first."""
    rows = tx.execute(
        select(copy_table)
        .where(copy_table.c.item == item_id, scope.where())
        .order_by(copy_table.c.version, copy_table.c.seq)
    )
    return list(rows.mappings())


def settle_copies(tx: Transaction, copy_ids: Iterable[str], state: str) -> int:
    """Put copies out of force: they change their state and are found by no object any more."""
    changed = 0
    for part in slices(copy_ids):
        changed += tx.execute(
            update(copy_table).where(copy_table.c.id.in_(part)).values(state=state)
        ).rowcount
        tx.execute(delete(object_table).where(object_table.c.copy_id.in_(part)))
    return changed


def change_copy(tx: Transaction, copy_id: str, **values: Any) -> None:
    """Change a copy's row."""
    tx.execute(update(copy_table).where(copy_table.c.id == copy_id).values(**values))


@unscoped("what runs out does so for everybody")
def run_out(tx: Transaction, now: datetime) -> list[RowMapping]:
    """Return the copies in force whose time is over."""
    columns = copy_table.c
    rows = tx.execute(
        select(copy_table)
        .where(columns.state == "current", columns.expires_at <= now)
        .order_by(columns.seq)
    )
    return list(rows.mappings())


@unscoped("what may be kept no longer goes for everybody")
def past_retention(tx: Transaction, today: date) -> list[RowMapping]:
    """Return the copies that may be kept no longer, but for those under legal hold."""
    columns = copy_table.c
    rows = tx.execute(
        select(copy_table)
        .where(
            columns.retain_until <= today,
            columns.legal_hold.is_(None),
            columns.document_id.is_not(None),
        )
        .order_by(columns.seq)
    )
    return list(rows.mappings())


# -- what is in force ---------------------------------------------------------------------


@unscoped("scoring and screening watch for what is in force, for the node and not for a person")
def in_force(tx: Transaction, kind: str, now: datetime, *, targeting: bool) -> list[RowMapping]:
    """Return the copies of a kind that are in force, oldest first."""
    columns = copy_table.c
    query = select(copy_table).where(
        columns.kind == kind, columns.state == "current", columns.expires_at > now
    )
    if targeting:
        query = query.where(columns.targeting.is_(True))
    return list(tx.execute(query.order_by(columns.seq)).mappings())


@unscoped("screening and questions look for objects, for the node and not for a person")
def naming(tx: Transaction, kind: ObjectKind, values: Sequence[str]) -> list[RowMapping]:
    """Return the copies in force that name one of these objects, with the object as ``value``."""
    found: list[RowMapping] = []
    for part in slices(values):
        rows = tx.execute(
            select(object_table.c.value, copy_table)
            .join(copy_table, copy_table.c.id == object_table.c.copy_id)
            .where(object_table.c.kind == kind.value, object_table.c.value.in_(part))
            .order_by(copy_table.c.seq)
        )
        found += rows.mappings()
    return found


@unscoped("a partner's blind question is put to all that agreements let it ask about")
def named(tx: Transaction, kinds: Collection[ObjectKind]) -> Iterator[RowMapping]:
    """Yield every object of these kinds that a copy in force names, with the item that does."""
    yield from tx.stream(
        select(
            object_table.c.kind,
            object_table.c.value,
            copy_table.c.item,
            copy_table.c.kind.label("item_kind"),
            copy_table.c.partner,
        )
        .join(copy_table, copy_table.c.id == object_table.c.copy_id)
        .where(object_table.c.kind.in_(sorted(one.value for one in kinds)))
        .order_by(object_table.c.kind, object_table.c.value, copy_table.c.seq)
    )
