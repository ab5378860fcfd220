"""All the SQL of onward copies: who got which item from here, and what follows it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, select, update

from isthmus.access.gate import unscoped
from isthmus.exchange.model import Direction
from isthmus.exchange.tables import Row, copy_table, envelope_table
from isthmus.platform.transaction import Transaction

# A correction that no clause let follow a copy (``follow_state``).
WITHHELD = "withheld"


def put_copy(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Note that a partner holds a copy of an item, or a newer version of it."""
    copies = copy_table.c
    if not tx.insert_new(copy_table, dict(row)):
        values = {name: row[name] for name in ("item_version", "envelope_id", "terms", "at")}
        tx.execute(
            update(copy_table)
            .where(copies.item_id == row["item_id"], copies.partner == row["partner"])
            .values(**values)
        )


@unscoped("a recall follows every copy, whoever asks")
def copies(tx: Transaction, item_id: str) -> list[RowMapping]:
    """Return who holds a copy of an item."""
    rows = tx.execute(
        select(copy_table).where(copy_table.c.item_id == item_id).order_by(copy_table.c.partner)
    )
    return list(rows.mappings())


@unscoped("a recall follows every copy, whoever asks")
def earlier(tx: Transaction, copy: Row) -> list[str]:
    """Return the envelopes by which a partner got an item before it got this copy."""
    envelopes = envelope_table.c
    found = tx.execute(
        select(envelopes.id).where(
            envelopes.item_id == copy["item_id"],
            envelopes.partner == copy["partner"],
            envelopes.direction == Direction.OUT.value,
            envelopes.id != copy["envelope_id"],
        )
    )
    return list(found.scalars())


@unscoped("what a partner has of an item is looked at for the node, whoever asks")
def last_sent(tx: Transaction, item_id: str, partner: str) -> RowMapping | None:
    """Return the newest envelope of an item that a partner has, or that is on its way there."""
    envelopes = envelope_table.c
    never = ("stopped", "expired", "refused")
    found = tx.execute(
        select(envelope_table)
        .where(
            envelopes.item_id == item_id,
            envelopes.partner == partner,
            envelopes.direction == Direction.OUT.value,
            envelopes.state.not_in(never),
        )
        .order_by(envelopes.seq.desc())
        .limit(1)
    )
    return found.mappings().first()


@unscoped("a correction that was held back follows once an agreement lets it, whoever asks")
def behind(tx: Transaction) -> list[RowMapping]:
    """Return the copies that a correction could not follow yet."""
    rows = tx.execute(
        select(copy_table)
        .where(copy_table.c.follow_state == WITHHELD)
        .order_by(copy_table.c.item_id, copy_table.c.partner)
    )
    return list(rows.mappings())


def change_copy(tx: Transaction, item_id: str, partner: str, **values: Any) -> int:
    """Change what is noted of a copy; return how many there were."""
    copies_ = copy_table.c
    return tx.execute(
        update(copy_table)
        .where(copies_.item_id == item_id, copies_.partner == partner)
        .values(**values)
    ).rowcount


def acted(tx: Transaction, partner: str, follow_id: str, outcome: str, code: str) -> None:
    """Note what a partner did about a recall or correction, by the item id of that."""
    copies_ = copy_table.c
    tx.execute(
        update(copy_table)
        .where(copies_.partner == partner, copies_.follow_id == follow_id)
        .values(follow_state=outcome, follow_code=code or None, follow_at=tx.now)
    )
