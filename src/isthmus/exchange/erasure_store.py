"""The SQL of erasing what envelopes hold: keys, salts and bytes go, places and hashes stay."""

from sqlalchemy import ColumnElement, select, update

from isthmus.access.gate import unscoped
from isthmus.exchange.tables import earlier_table, envelope_table
from isthmus.platform.transaction import Transaction


@unscoped("an erasure reaches every copy here, whoever performs it")
def erase_item(tx: Transaction, item_id: str, erasure_id: str) -> int:
    """Destroy the content of every envelope of an item; return how many held any."""
    return _erase(tx, envelope_table.c.item_id == item_id, erasure_id)


@unscoped("what may be kept no longer goes for everybody")
def erase_envelope(tx: Transaction, envelope_id: str, erasure_id: str) -> int:
    """Destroy the content of one envelope; return whether it held any."""
    return _erase(tx, envelope_table.c.id == envelope_id, erasure_id)


def _erase(tx: Transaction, those: ColumnElement[bool], erasure_id: str) -> int:
    held, before = envelope_table.c, earlier_table.c
    nothing = {"salt": None, "wrapped": None, "body": None}
    ids = select(held.id).where(those)
    tx.execute(update(earlier_table).where(before.envelope_id.in_(ids)).values(**nothing))
    return tx.execute(
        update(envelope_table)
        .where(those, held.body.is_not(None))
        .values(**nothing, erasure_id=erasure_id)
    ).rowcount
