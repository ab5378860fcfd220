"""What went to and fro lately, for people who watch it: lanes, round trips, receipts, recalls.

Rows only, and nothing of what was said. Whatever is counted over time looks back on a bounded
number of envelopes, so that watching costs the same after a million of them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement, RowMapping, func, select

from isthmus.access.gate import Scope, unscoped
from isthmus.exchange.tables import (
    channel_table,
    copy_table,
    envelope_table,
    partner_table,
    receipt_table,
)
from isthmus.intelligence.tables import copy_table as kept_table
from isthmus.intelligence.tables import object_table
from isthmus.platform.events import event_table
from isthmus.platform.transaction import Transaction

BACK = 5_000  # envelopes that are looked back on
RECEIPTS = 2_000  # and receipts; one speaks of up to a batch of envelopes
TRIPS = 2_000
WITNESSED = "checkpoint.witnessed"
# An envelope on its way out counts while it stands; what was stopped never went.
WENT = ("waiting", "delivered", "held", "refused")
SET_APART = ("held", "refused", "stopped", "expired")

_e, _c, _r, _o = envelope_table.c, channel_table.c, receipt_table.c, copy_table.c


def _lately() -> ColumnElement[bool]:
    newest = select(func.coalesce(func.max(_e.seq), 0)).scalar_subquery()
    return _e.seq > newest - BACK


def _newest_receipts() -> ColumnElement[bool]:
    newest = select(_r.id).order_by(_r.id.desc()).limit(RECEIPTS).subquery()
    return _r.id.in_(select(newest.c.id))


# -- lanes --------------------------------------------------------------------------------


def heads(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return the end of every chain: direction, partner, lane, epoch, sequence."""
    wanted = select(_c.direction, _c.partner, _c.lane, _c.epoch, _c.sequence).where(scope.where())
    return list(tx.execute(wanted).mappings())


def waiting(tx: Transaction, scope: Scope) -> list[Mapping[str, Any]]:
    """Return how many envelopes wait by partner and lane, and since when the oldest does."""
    rows = tx.execute(
        select(
            _e.partner,
            _e.lane,
            func.count().label("number"),
            func.count(_e.sequence).label("placed"),
            func.min(_e.seq).label("first"),
        )
        .where(_e.direction == "out", _e.state == "waiting", scope.where())
        .group_by(_e.partner, _e.lane)
    )
    found = [dict(row) for row in rows.mappings()]
    moments = select(_e.seq, _e.at).where(_e.seq.in_([row["first"] for row in found]))
    began = {row.seq: row.at for row in tx.execute(moments)}
    return [{**row, "since": began.get(row["first"])} for row in found]


def set_apart(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return how many of the last envelopes are held, refused, stopped or expired, by lane."""
    group = (_e.direction, _e.partner, _e.lane, _e.state)
    rows = tx.execute(
        select(*group, func.count().label("number"))
        .where(_lately(), _e.state.in_(SET_APART), scope.where())
        .group_by(*group)
    )
    return list(rows.mappings())


def held(tx: Transaction, scope: Scope, partner: str, limit: int = 50) -> list[RowMapping]:
    """Return the last envelopes of a partner, of either direction, that are held, newest first."""
    columns = [column for column in _e if column.key not in ("salt", "wrapped", "body")]
    rows = tx.execute(
        select(*columns)
        .where(_lately(), _e.partner == partner, _e.state == "held", scope.where())
        .order_by(_e.seq.desc())
        .limit(limit)
    )
    return list(rows.mappings())


# -- what came of what was sent ------------------------------------------------------------


def round_trips(tx: Transaction, scope: Scope, since: datetime) -> list[timedelta]:
    """Return how long envelopes took from the outbox here to the partner's receipt here.

    Of those put since a moment, at most ``TRIPS`` of them, the newest.
    """
    rows = tx.execute(
        select(_e.at, _e.settled_at)
        .where(
            _lately(), _e.direction == "out", _e.state == "delivered", _e.at >= since, scope.where()
        )
        .order_by(_e.seq.desc())
        .limit(TRIPS)
    )
    return [row.settled_at - row.at for row in rows if row.settled_at is not None]


def told(tx: Transaction, scope: Scope) -> dict[bytes, dict[str, datetime]]:
    """Return when an envelope was said to be opened and used, by its hash, either direction."""
    rows = tx.execute(
        select(_r.kind, _r.at, _r.body)
        .where(_newest_receipts(), _r.kind.in_(("opened", "used")), scope.where())
        .order_by(_r.id)
    )
    found: dict[bytes, dict[str, datetime]] = {}
    for row in rows:
        for line in orjson.loads(row.body)["payload"]["envelopes"]:
            found.setdefault(bytes.fromhex(line["hash"]), {}).setdefault(row.kind, row.at)
    return found


def followed(tx: Transaction, scope: Scope, since: datetime) -> list[RowMapping]:
    """Return the copies that a recall or correction followed lately, or still waits for."""
    # Few items are recalls or corrections, and what they are about is found by index.
    kept, named = kept_table.c, object_table.c
    about = (
        select(named.value)
        .join(kept_table, kept.id == named.copy_id)
        .where(named.kind == "item", kept.kind.in_(("recall", "correction")))
    )
    rows = tx.execute(
        select(_o.item_id, _o.partner, _o.follow_id, _o.follow_state, _o.follow_code, _o.follow_at)
        .where(
            _o.item_id.in_(about),
            _o.follow_id.is_not(None),
            (_o.follow_state == "asked") | (_o.follow_at >= since),
            scope.where(),
        )
        .order_by(_o.follow_at.desc(), _o.partner)
        .limit(200)
    )
    return list(rows.mappings())


def last_sent(tx: Transaction, scope: Scope, limit: int) -> list[RowMapping]:
    """Return the last shares of this node, newest first: envelope, item and moment."""
    rows = tx.execute(
        select(_e.id, _e.at, _e.item_id, _e.item_version)
        .where(_e.direction == "out", _e.state.in_(WENT), _e.item_kind != "recall", scope.where())
        .order_by(_e.seq.desc())
        .limit(limit)
    )
    return list(rows.mappings())


# -- who is there -------------------------------------------------------------------------


def heard(tx: Transaction, scope: Scope) -> dict[str, datetime]:
    """Return when each partner was last heard: a call, an answer, an envelope or a receipt."""
    partners = partner_table.c
    asked: Sequence[Any] = (
        select(partners.code.label("partner"), partners.seen_at.label("at")).where(
            partners.seen_at.is_not(None), scope.where()
        ),
        select(_e.partner, func.max(_e.at).label("at"))
        .where(_lately(), _e.direction == "in", scope.where())
        .group_by(_e.partner),
        _last_receipts(scope),
    )
    found: dict[str, datetime] = {}
    for query in asked:
        for row in tx.execute(query):
            found[row.partner] = max(row.at, found.get(row.partner, row.at))
    return found


def _last_receipts(scope: Scope) -> Any:
    return (
        select(_r.partner, func.max(_r.at).label("at"))
        .where(_newest_receipts(), _r.direction == "in", scope.where())
        .group_by(_r.partner)
    )


def receipted(tx: Transaction, scope: Scope) -> dict[str, datetime]:
    """Return when the last receipt of each partner came."""
    return {row.partner: row.at for row in tx.execute(_last_receipts(scope))}


def witnessed(tx: Transaction, scope: Scope, partner: str) -> Mapping[str, Any] | None:
    """Return the newest checkpoint of this node that a partner said it holds, and when it did."""
    return None if scope.empty else last_witnessed(tx, partner)


@unscoped("what a partner witnessed is noted for the node, not for a person")
def last_witnessed(tx: Transaction, partner: str) -> Mapping[str, Any] | None:
    """Return epoch, size and moment of the newest checkpoint that a partner said it holds."""
    events = event_table.c
    row = tx.execute(
        select(events.at, events.payload)
        .where(events.object_id == witness_of(partner), events.kind == WITNESSED)
        .order_by(events.seq.desc())
        .limit(1)
    ).first()
    return None if row is None else {**row.payload, "at": row.at}


def witness_of(partner: str) -> str:
    """Return under which name it is told what a partner witnessed."""
    return f"witness:{partner}"
