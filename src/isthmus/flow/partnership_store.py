"""All the SQL of how a partnership went: what was sent and came, steps and when, over a period.

Rows only, and nothing of what was said. The audit says by which clauses an item went, so no
envelope is opened for a count.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import RowMapping, Table, func, select

from isthmus.access.gate import Scope
from isthmus.cases.partner_tables import chain_table, request_table
from isthmus.exchange.tables import (
    copy_table,
    envelope_table,
    ledger_entry_table,
    ledger_leaf_table,
    receipt_table,
)
from isthmus.intelligence.store import slices
from isthmus.intelligence.tables import copy_table as item_copy_table
from isthmus.intelligence.tables import item_table
from isthmus.platform.audit import audit_table
from isthmus.platform.events import event_table
from isthmus.platform.transaction import Transaction

SENT = "item.send"
BOXED = ("salt", "wrapped", "body")
FOLLOWING = ("correction", "recall")

_a, _e, _r, _v = audit_table.c, envelope_table.c, receipt_table.c, event_table.c


def shares(tx: Transaction, scope: Scope, since: datetime, until: datetime) -> list[RowMapping]:
    """Return the audit of every share in a period: item, moment, and in ``detail`` the rest."""
    rows = tx.execute(
        select(_a.seq, _a.at, _a.object_id, _a.purpose, _a.detail)
        .where(
            _a.seq >= _first(tx, audit_table, since),
            _a.action == SENT,
            _a.at >= since,
            _a.at < until,
            scope.where(),
        )
        .order_by(_a.seq)
    )
    return list(rows.mappings())


def _first(tx: Transaction, table: Table, since: datetime) -> int:
    """Return a row number before which everything is older: rows are numbered as they come.

    Looked for by halving, since moments have no index; work that ran long may have been numbered
    before others that began earlier, so a day is left to spare.
    """
    low, high = 0, int(tx.execute(select(func.max(table.c.seq))).scalar() or 0)
    while low < high:
        middle = (low + high) // 2
        found = tx.execute(
            select(table.c.at).where(table.c.seq >= middle).order_by(table.c.seq).limit(1)
        ).scalar()
        if found is not None and (since - found).days >= 1:
            low = middle + 1
        else:
            high = middle
    return low


def sent(tx: Transaction, scope: Scope, since: datetime) -> dict[str, RowMapping]:
    """Return what left or waits to leave since a moment, by the envelope's id, no content."""
    rows = tx.execute(
        select(_e.id, _e.state, _e.settled_at, _e.hash).where(
            _e.seq >= _first(tx, envelope_table, since),
            _e.direction == "out",
            _e.at >= since,
            scope.where(),
        )
    )
    return {row["id"]: row for row in rows.mappings()}


def exchanged(
    tx: Transaction, scope: Scope, partner: str, since: datetime, until: datetime
) -> list[RowMapping]:
    """Return the envelopes of a partner put or received in a period, oldest first, no content."""
    columns = [column for column in _e if column.key not in BOXED]
    rows = tx.execute(
        select(*columns)
        .where(
            _e.seq >= _first(tx, envelope_table, since),
            _e.partner == partner,
            _e.at >= since,
            _e.at < until,
            scope.where(),
        )
        .order_by(_e.seq)
    )
    return list(rows.mappings())


def opened_receipts(tx: Transaction, scope: Scope, since: datetime) -> list[RowMapping]:
    """Return the receipts of partners that say that a person opened an item, oldest first."""
    rows = tx.execute(
        select(_r.partner, _r.at, _r.body)
        .where(_r.kind == "opened", _r.direction == "in", _r.at >= since, scope.where())
        .order_by(_r.at, _r.id)
    )
    return list(rows.mappings())


def steps(
    tx: Transaction, scope: Scope, since: datetime, kinds: Sequence[str]
) -> dict[str, dict[str, datetime]]:
    """Return when each event of these kinds first happened since a moment: by thing, by kind."""
    rows = tx.execute(
        select(_v.object_id, _v.kind, _v.at)
        .where(
            _v.seq >= _first(tx, event_table, since),
            _v.kind.in_(list(kinds)),
            _v.at >= since,
            scope.where(),
        )
        .order_by(_v.seq)
    )
    found: dict[str, dict[str, datetime]] = {}
    for row in rows:
        found.setdefault(row.object_id, {}).setdefault(row.kind, row.at)
    return found


def requests(tx: Transaction, scope: Scope, since: datetime, until: datetime) -> list[RowMapping]:
    """Return the requests sent in a period, in either direction, oldest first."""
    columns = request_table.c
    rows = tx.execute(
        select(request_table)
        .where(columns.sent_at >= since, columns.sent_at < until, scope.where())
        .order_by(columns.sent_at, columns.id)
    )
    return list(rows.mappings())


def owed_feedback(tx: Transaction, scope: Scope, partner: str) -> list[RowMapping]:
    """Return answered requests whose asker owes the partner feedback still, oldest first."""
    columns = request_table.c
    rows = tx.execute(
        select(request_table)
        .where(columns.partner == partner, columns.feedback_by.is_not(None), scope.where())
        .order_by(columns.feedback_by, columns.id)
    )
    return list(rows.mappings())


def chains(tx: Transaction, scope: Scope, since: datetime, until: datetime) -> list[RowMapping]:
    """Return the inspection chains cued in a period, oldest first."""
    columns = chain_table.c
    rows = tx.execute(
        select(chain_table)
        .where(
            columns.cued_at >= since,
            columns.cued_at < until,
            scope.where(office_column=columns.office, terminal_column=columns.terminal),
        )
        .order_by(columns.cued_at, columns.id)
    )
    return list(rows.mappings())


def came(tx: Transaction, scope: Scope, since: datetime, until: datetime) -> list[RowMapping]:
    """Return the items that partners originated and that came here in a period, each once."""
    items, copies = item_table.c, item_copy_table.c
    rows = tx.execute(
        select(items.id, items.kind, items.originator, func.min(copies.entered_at).label("at"))
        .join(item_copy_table, copies.item == items.id)
        .where(
            ~items.own,
            items.kind.not_in(FOLLOWING),
            copies.entered_at >= since,
            copies.entered_at < until,
            scope.where(),
        )
        .group_by(items.id, items.kind, items.originator)
    )
    return list(rows.mappings())


def followed(
    tx: Transaction, scope: Scope, partner: str, since: datetime, until: datetime
) -> list[RowMapping]:
    """Return the copies at a partner that a recall or correction followed in a period."""
    copies = copy_table.c
    rows = tx.execute(
        select(
            copies.item_id, copies.follow_id, copies.follow_state, copies.follow_code,
            copies.follow_at,
        )
        .where(
            copies.partner == partner,
            copies.follow_id.is_not(None),
            copies.follow_at >= since,
            copies.follow_at < until,
            scope.where(),
        )
        .order_by(copies.follow_at, copies.item_id)
    )  # fmt: skip
    return list(rows.mappings())


def places(tx: Transaction, scope: Scope, ids: Iterable[str]) -> dict[str, RowMapping]:
    """Return where envelopes stand in this node's ledger: epoch and index, of those sealed."""
    entries, leaves = ledger_entry_table.c, ledger_leaf_table.c
    found: dict[str, RowMapping] = {}
    for part in slices(ids):
        rows = tx.execute(
            select(entries.object_id, leaves.epoch, leaves.index)
            .join_from(ledger_entry_table, ledger_leaf_table, leaves.entry_seq == entries.seq)
            .where(entries.object_id.in_(part), entries.kind == "envelope", scope.where())
            .order_by(entries.seq)
        )
        found |= {row["object_id"]: row for row in rows.mappings()}
    return found
