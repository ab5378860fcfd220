"""All the SQL of issued items: the signed record and its salts, one row for all who get it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, delete, select

from isthmus.access.gate import unscoped
from isthmus.exchange.tables import issued_table
from isthmus.platform.transaction import Transaction

_i = issued_table.c


@unscoped("an item is issued by the node, for whichever partner gets it")
def issued(tx: Transaction, item_id: str, version: int, partner: str) -> RowMapping | None:
    """Return how a version was issued; ``partner`` is empty for the issue that all share."""
    found = select(issued_table).where(
        _i.item_id == item_id, _i.item_version == version, _i.partner == partner
    )
    return tx.execute(found).mappings().first()


def put(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Keep how a version was issued, in place of an issue whose key counts no longer."""
    names = ("item_id", "item_version", "partner")
    tx.execute(delete(issued_table).where(*(_i[name] == row[name] for name in names)))
    tx.insert(issued_table, [row])


def erase(tx: Transaction, item_id: str) -> int:
    """Destroy every issue of an item, keys and salts; return how many there were."""
    return tx.execute(delete(issued_table).where(_i.item_id == item_id)).rowcount
