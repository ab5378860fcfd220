"""All the SQL of what was learned and waits for a person to share it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cases.share_tables import to_share_table
from isthmus.kernel.errors import NotFound
from isthmus.platform.transaction import Transaction

_s = to_share_table.c


def enter(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter what was learned, once; say whether it is new."""
    return tx.insert_new(to_share_table, row)


def waiting(tx: Transaction, scope: Scope, limit: int) -> list[RowMapping]:
    """Return what waits and somebody may see, the newest first."""
    seen = scope.where(office_column=_s.office, terminal_column=_s.terminal)
    rows = tx.execute(
        select(to_share_table)
        .where(_s.state == "waiting", seen)
        .order_by(_s.raised_at.desc(), _s.id.desc())
        .limit(limit)
    )
    return list(rows.mappings())


def entry(tx: Transaction, scope: Scope, entry_id: str) -> RowMapping:
    """Return one entry; raises ``NotFound`` outside the scope."""
    seen = scope.where(office_column=_s.office, terminal_column=_s.terminal)
    found = tx.execute(select(to_share_table).where(_s.id == entry_id, seen)).mappings().first()
    if found is None:
        raise NotFound("entry_unknown", "nothing of that waits to be shared", entry=entry_id)
    return found


@unscoped("what is learned is entered once, whoever learned it")
def known(tx: Transaction, about_kind: str, about_id: str) -> RowMapping | None:
    """Return the entry about something that was learned."""
    wanted = select(to_share_table).where(_s.about_kind == about_kind, _s.about_id == about_id)
    return tx.execute(wanted).mappings().first()


@unscoped("what a person sent waits no longer, whoever sees it")
def waiting_as(tx: Transaction, item_kind: str, item_id: str) -> list[RowMapping]:
    """Return what waits as this item, or to be worded as an item of its kind."""
    rows = tx.execute(
        select(to_share_table).where(
            _s.state == "waiting",
            (_s.item_id == item_id) | (_s.item_id.is_(None) & (_s.item_kind == item_kind)),
        )
    )
    return list(rows.mappings())


def change(tx: Transaction, entry_id: str, **values: Any) -> None:
    """Change where an entry stands."""
    tx.execute(update(to_share_table).where(_s.id == entry_id).values(**values))
