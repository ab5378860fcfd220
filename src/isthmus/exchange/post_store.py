"""All the SQL of channels, envelopes, receipts and onward copies."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, bindparam, func, or_, select, update
from sqlalchemy import insert as insert_into

from isthmus.access.gate import Scope, unscoped
from isthmus.exchange.tables import (
    Row,
    channel_table,
    earlier_table,
    envelope_table,
    receipt_table,
)
from isthmus.platform.transaction import Transaction

_e, _c, _r = envelope_table.c, channel_table.c, receipt_table.c

# Made once: making a statement costs more than running it.
_CHANNEL = select(channel_table).where(
    _c.direction == bindparam("direction_"),
    _c.partner == bindparam("partner_"),
    _c.lane == bindparam("lane_"),
)
_UNPLACED = (
    select(_e.seq)
    .where(
        _e.direction == "out",
        _e.partner == bindparam("partner_"),
        _e.lane == bindparam("lane_"),
        _e.state == "waiting",
        _e.sequence.is_(None),
    )
    .limit(1)
)
_MOVE = (
    update(channel_table)
    .where(
        _c.direction == bindparam("direction_"),
        _c.partner == bindparam("partner_"),
        _c.lane == bindparam("lane_"),
    )
    .values(epoch=bindparam("epoch_"), sequence=bindparam("sequence_"), hash=bindparam("hash_"))
)
_WAITING = (
    select(envelope_table)
    .where(
        _e.direction == "out",
        _e.partner == bindparam("partner_"),
        _e.lane == bindparam("lane_"),
        _e.state == "waiting",
        _e.seq > bindparam("after_"),
    )
    .order_by(_e.seq)
    .limit(bindparam("most"))
)
_AT = and_(
    _e.direction == bindparam("direction_"),
    _e.partner == bindparam("partner_"),
    _e.lane == bindparam("lane_"),
    _e.epoch == bindparam("epoch_"),
)
_SPAN = (
    select(envelope_table)
    .where(_AT, _e.sequence > bindparam("after"), _e.sequence <= bindparam("last"))
    .order_by(_e.sequence)
)
_SETTLE = (
    update(envelope_table)
    .where(_e.id == bindparam("id_"))
    .values(
        state=bindparam("state_"),
        code=bindparam("code_"),
        settled_at=bindparam("now_"),
        receipt_id=bindparam("receipt_"),
    )
)
_LOOKOUTS = select(func.count()).where(
    _e.partner == bindparam("partner_"),
    _e.direction == "in",
    _e.item_kind == "alert",
    _e.state == "delivered",
    (_e.expires_at.is_(None)) | (_e.expires_at > bindparam("now_", type_=_e.expires_at.type)),
)


@unscoped("envelopes are sent and received for the node, not for a person")
def channel(tx: Transaction, direction: str, partner: str, lane: str) -> RowMapping | None:
    """Return the head of a chain as it is stored."""
    values = {"direction_": direction, "partner_": partner, "lane_": lane}
    return tx.execute(_CHANNEL, values).mappings().first()


@unscoped("envelopes are sent and received for the node, not for a person")
def channels(tx: Transaction, direction: str, partner: str) -> list[RowMapping]:
    """Return the heads of all chains with a partner."""
    rows = tx.execute(select(channel_table).where(_c.direction == direction, _c.partner == partner))
    return list(rows.mappings())


def move(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Set the head of a chain."""
    named = {f"{name}_": value for name, value in row.items()}
    if tx.execute(_MOVE, named).rowcount == 0:
        tx.insert(channel_table, [row])


def insert(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter envelopes."""
    if rows:
        tx.insert(envelope_table, rows)


@unscoped("envelopes are sent and received for the node, not for a person")
def waiting(
    tx: Transaction, partner: str, lane: str, most: int, after: int = 0
) -> list[RowMapping]:
    """Return what waits for a partner on a lane behind a row, oldest first."""
    values = {"partner_": partner, "lane_": lane, "most": most, "after_": after}
    return list(tx.execute(_WAITING, values).mappings())


@unscoped("envelopes are sent and received for the node, not for a person")
def still_waiting(tx: Transaction, ids: Sequence[str]) -> int:
    """Return how many of these envelopes wait and are kept."""
    those = and_(_e.id.in_(ids), _e.state == "waiting", _e.body.is_not(None))
    return int(tx.execute(select(func.count()).where(those)).scalar_one())


@unscoped("envelopes are sent and received for the node, not for a person")
def span(
    tx: Transaction, direction: str, partner: str, lane: str, epoch: int, after: int, last: int
) -> list[RowMapping]:
    """Return the envelopes of a chain after one sequence and up to another, in order."""
    values = {
        "direction_": direction, "partner_": partner, "lane_": lane, "epoch_": epoch,
        "after": after, "last": last,
    }  # fmt: skip
    return list(tx.execute(_SPAN, values).mappings())


@unscoped("envelopes are sent and received for the node, not for a person")
def settled_head(tx: Transaction, partner: str, lane: str, epoch: int) -> RowMapping | None:
    """Return the last envelope of an outgoing chain that the partner has acknowledged."""
    rows = tx.execute(
        select(envelope_table)
        .where(
            _e.direction == "out",
            _e.partner == partner,
            _e.lane == lane,
            _e.epoch == epoch,
            _e.sequence.is_not(None),
            _e.state.in_(("delivered", "held", "refused")),
        )
        .order_by(_e.sequence.desc())
        .limit(1)
    )
    return rows.mappings().first()


@unscoped("a restored node takes back what it sent, for no person")
def waiting_item(tx: Transaction, partner: str, lane: str, item_id: str) -> list[RowMapping]:
    """Return what waits for a partner on a lane of one item."""
    rows = tx.execute(
        select(envelope_table).where(
            _e.item_id == item_id,
            _e.direction == "out",
            _e.partner == partner,
            _e.lane == lane,
            _e.state == "waiting",
        )
    )
    return list(rows.mappings())


@unscoped("receipts are matched with what they acknowledge, for the node")
def by_hash(tx: Transaction, hashes: Iterable[bytes]) -> dict[bytes, RowMapping]:
    """Return outgoing envelopes by their hash, present or earlier."""
    wanted = list(hashes)
    found: dict[bytes, RowMapping] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        rows = tx.execute(
            select(envelope_table).where(_e.hash.in_(part), _e.direction == "out")
        ).mappings()
        found |= {row["hash"]: row for row in rows}
        lacking = [one for one in part if one not in found]
        if not lacking:
            continue
        earlier = earlier_table.c
        joined = select(envelope_table, earlier.hash.label("earlier")).join_from(
            earlier_table, envelope_table, earlier.envelope_id == _e.id
        )
        for row in tx.execute(joined.where(earlier.hash.in_(lacking))).mappings():
            found[row["earlier"]] = row
    return found


@unscoped("what travelled is shown to the areas above, which hold the scope")
def by_id(tx: Transaction, envelope_id: str) -> RowMapping | None:
    """Return one envelope."""
    rows = tx.execute(select(envelope_table).where(_e.id == envelope_id))
    return rows.mappings().first()


def seen(
    tx: Transaction, scope: Scope, *, partner: str | None = None, item: str | None = None,
    state: str | None = None, limit: int = 200,
) -> list[RowMapping]:  # fmt: skip
    """Return envelopes that somebody may see, newest first, without their content."""
    columns = [column for column in _e if column.key not in ("salt", "wrapped", "body")]
    query = select(*columns).where(scope.where())
    for column, value in ((_e.partner, partner), (_e.item_id, item), (_e.state, state)):
        if value is not None:
            query = query.where(column == value)
    return list(tx.execute(query.order_by(_e.seq.desc()).limit(limit)).mappings())


@unscoped("the state of the exchange is told in numbers, without what was exchanged")
def counts(tx: Transaction) -> list[RowMapping]:
    """Return how many envelopes stand in which state, by partner, direction and lane."""
    group = (_e.partner, _e.direction, _e.lane, _e.state)
    return list(
        tx.execute(select(*group, func.count().label("number")).group_by(*group)).mappings()
    )


def settle(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set state, code and receipt of envelopes: members id_, state_, code_, receipt_."""
    if rows:
        tx.execute(_SETTLE, [{**row, "now_": tx.now} for row in rows])


def change(tx: Transaction, envelope_id: str, **values: Any) -> None:
    """Change one envelope."""
    tx.execute(update(envelope_table).where(_e.id == envelope_id).values(**values))


@unscoped("what may have reached a partner is kept by the node, for no person")
def keep_earlier(tx: Transaction, envelope_id: str) -> None:
    """Keep what an envelope with a place is now: the partner may have it."""
    _keep_earlier(tx, _e.id == envelope_id)


@unscoped("a chain is sealed anew by the node, for no person")
def give_up_places(tx: Transaction, partner: str, lane: str) -> None:
    """Take their places from all that wait on a lane, and keep what they were."""
    those = and_(
        _e.direction == "out", _e.partner == partner, _e.lane == lane, _e.state == "waiting"
    )
    _keep_earlier(tx, those)
    tx.execute(update(envelope_table).where(those, _e.sequence.is_not(None)).values(sequence=None))


def _keep_earlier(tx: Transaction, those: ColumnElement[bool]) -> None:
    held = earlier_table.c
    known = select(held.hash).where(held.hash == _e.hash).exists()
    found = select(_e.hash, _e.id, _e.salt, _e.wrapped, _e.body).where(
        those, _e.sequence.is_not(None), ~known
    )
    names = ["hash", "envelope_id", "salt", "wrapped", "body"]
    tx.execute(insert_into(earlier_table).from_select(names, found))


@unscoped("envelopes are sent and received for the node, not for a person")
def unplaced(tx: Transaction, partner: str, lane: str) -> bool:
    """Whether something waits on a lane that has no place in the chain yet."""
    return tx.execute(_UNPLACED, {"partner_": partner, "lane_": lane}).first() is not None


@unscoped("a receipt may name what an envelope was before it was sealed anew")
def earlier(tx: Transaction, hash_: bytes) -> RowMapping | None:
    """Return what an envelope was before, by its hash."""
    rows = tx.execute(select(earlier_table).where(earlier_table.c.hash == hash_))
    return rows.mappings().first()


@unscoped("the cap on a partner's lookouts is held by the node, for no person")
def open_lookouts(tx: Transaction, partner: str) -> int:
    """Return how many lookouts of a partner are in force."""
    return int(tx.execute(_LOOKOUTS, {"partner_": partner, "now_": tx.now}).scalar_one())


@unscoped("held envelopes are looked at again by the node when agreements change")
def held(tx: Transaction, partner: str | None = None, *, leaving: bool = False) -> list[RowMapping]:
    """Return the envelopes that arrived and are held, or that are held here before they leave."""
    arrived_ = and_(_e.direction == "in", _e.body.is_not(None))
    here = and_(_e.direction == "out", _e.sequence.is_(None)) if leaving else arrived_
    query = select(envelope_table).where(here, _e.state == "held")
    if partner is not None:
        query = query.where(_e.partner == partner)
    return list(tx.execute(query.order_by(_e.seq)).mappings())


@unscoped("what follows an item is told for the node, not for a person")
def arrived(tx: Transaction, item_id: str) -> list[RowMapping]:
    """Return the envelopes by which an item came here and was applied."""
    rows = tx.execute(
        select(envelope_table).where(
            _e.item_id == item_id, _e.direction == "in", _e.state == "delivered"
        )
    )
    return list(rows.mappings())


# -- receipts -----------------------------------------------------------------------------


def insert_receipt(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter a receipt; false when the very same stands already."""
    return tx.insert_new(receipt_table, row)


@unscoped("receipts are sent for the node, not for a person")
def unsent(tx: Transaction, partner: str, most: int = 200) -> list[RowMapping]:
    """Return receipts that a partner has not got yet, oldest first."""
    rows = tx.execute(
        select(receipt_table)
        .where(_r.partner == partner, ~_r.sent)
        .order_by(_r.at, _r.id)
        .limit(most)
    )
    return list(rows.mappings())


def mark_sent(tx: Transaction, ids: Sequence[str]) -> None:
    """Note that a partner got these receipts."""
    tx.execute(update(receipt_table).where(_r.id.in_(ids)).values(sent=True))


def mark_got(tx: Transaction, partner: str, hashes: Sequence[bytes]) -> None:
    """Note which of our receipts a partner says it got."""
    tx.execute(
        update(receipt_table)
        .where(_r.partner == partner, _r.direction == "out", _r.hash.in_(hashes))
        .values(sent=True)
    )


@unscoped("proofs are made of receipts for whoever may see the envelope")
def receipt(tx: Transaction, receipt_id: str) -> RowMapping | None:
    """Return one receipt."""
    return tx.execute(select(receipt_table).where(_r.id == receipt_id)).mappings().first()


@unscoped("a receipt told twice is one receipt")
def receipt_by_hash(tx: Transaction, hash_: bytes) -> RowMapping | None:
    """Return a receipt by the hash of its statement."""
    return tx.execute(select(receipt_table).where(_r.hash == hash_)).mappings().first()


def make_room(tx: Transaction, row: Row, epoch: int, sequence: int) -> None:
    """Take a place in a chain away from whichever other envelope was to have it; it is sealed
    anew afterwards."""
    tx.execute(
        update(envelope_table)
        .where(
            _e.direction == "out",
            _e.partner == row["partner"],
            _e.lane == row["lane"],
            _e.epoch == epoch,
            _e.sequence == sequence,
            _e.id != row["id"],
        )
        .values(sequence=None)
    )


@unscoped("a restored partner gets its own envelopes back from the node")
def since(
    tx: Transaction, direction: str, partner: str, lane: str, epoch: int, sequence: int, until: int,
    most: int,
) -> list[RowMapping]:  # fmt: skip
    """Return the envelopes of a chain after a place, in this and later epochs before ``until``."""
    rows = tx.execute(
        select(envelope_table)
        .where(
            _e.direction == direction,
            _e.partner == partner,
            _e.lane == lane,
            _e.epoch < until,
            or_(_e.epoch > epoch, and_(_e.epoch == epoch, _e.sequence > sequence)),
        )
        .order_by(_e.epoch, _e.sequence)
        .limit(most)
    )
    return list(rows.mappings())
