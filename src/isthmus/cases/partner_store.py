"""All the SQL of seizures, inspection chains and requests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, delete, func, or_, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cases.partner_tables import (
    chain_table,
    credit_table,
    goods_table,
    reopening_table,
    request_table,
    seizure_table,
)
from isthmus.kernel.errors import NotFound
from isthmus.platform.transaction import Transaction


def _placed(table: Table, scope: Scope) -> ColumnElement[bool]:
    return scope.where(office_column=table.c.office, terminal_column=table.c.terminal)


def _found(row: RowMapping | None, kind: str, object_id: str) -> RowMapping:
    if row is None:
        raise NotFound(f"{kind}_unknown", f"no such {kind}", **{kind: object_id})
    return row


def seizure(tx: Transaction, scope: Scope, number: str) -> RowMapping:
    """Return one seizure; raises ``NotFound`` outside the scope."""
    wanted = select(seizure_table).where(
        seizure_table.c.number == number, _placed(seizure_table, scope)
    )
    return _found(tx.execute(wanted).mappings().first(), "seizure", number)


@unscoped("the item that told of a seizure ends its clock, whoever sent it")
def seizure_row(tx: Transaction, number: str) -> RowMapping | None:
    """Return a seizure for what the loop tells of it."""
    wanted = select(seizure_table).where(seizure_table.c.number == number)
    return tx.execute(wanted).mappings().first()


@unscoped("a seizure is numbered once, whoever asks")
def seizure_of(tx: Transaction, inspection_id: str) -> str | None:
    """Return the number that the seizure of an inspection has already."""
    wanted = select(seizure_table.c.number).where(seizure_table.c.inspection_id == inspection_id)
    number: str | None = tx.execute(wanted).scalar()
    return number


@unscoped("the next number follows the newest, whoever asks")
def last_serial(tx: Transaction, finder: str, year: int) -> int:
    """Return the highest number a node has issued in a year, 0 before the first."""
    columns = seizure_table.c
    wanted = select(func.max(columns.serial)).where(columns.finder == finder, columns.year == year)
    return tx.execute(wanted).scalar() or 0


def insert_seizure(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter a seizure; say whether it was new."""
    return tx.insert_new(seizure_table, row)


def change_seizure(tx: Transaction, number: str, **values: Any) -> None:
    """Note that partners had their notice, or that it is late."""
    tx.execute(update(seizure_table).where(seizure_table.c.number == number).values(**values))


def put_credits(tx: Transaction, number: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace the shares of credit of a seizure."""
    tx.execute(delete(credit_table).where(credit_table.c.number == number))
    tx.insert(credit_table, rows)


def credits_of(tx: Transaction, scope: Scope, numbers: Sequence[str]) -> list[RowMapping]:
    """Return the shares of credit of these seizures, where the reader may see them."""
    rows = tx.execute(
        select(credit_table)
        .join(seizure_table, seizure_table.c.number == credit_table.c.number)
        .where(credit_table.c.number.in_(list(numbers)), _placed(seizure_table, scope))
        .order_by(credit_table.c.number, credit_table.c.node, credit_table.c.role)
    )
    return list(rows.mappings())


def put_goods(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter what was seized, line by line; lines that are known already stay as they are."""
    tx.insert_all_new(goods_table, rows)


def weigh(tx: Transaction, number: str, place: int, **values: Any) -> int:
    """Note what a line weighed; return how many lines that were."""
    columns = goods_table.c
    return tx.execute(
        update(goods_table).where(columns.number == number, columns.place == place).values(**values)
    ).rowcount


def goods_of(tx: Transaction, scope: Scope, numbers: Sequence[str]) -> list[RowMapping]:
    """Return what was seized under these numbers, where the reader may see it."""
    rows = tx.execute(
        select(goods_table)
        .join(seizure_table, seizure_table.c.number == goods_table.c.number)
        .where(goods_table.c.number.in_(list(numbers)), _placed(seizure_table, scope))
        .order_by(goods_table.c.number, goods_table.c.place)
    )
    return list(rows.mappings())


def newest_seizures(tx: Transaction, scope: Scope, limit: int, offset: int = 0) -> list[RowMapping]:
    """Return seizures, the newest first."""
    columns = seizure_table.c
    rows = tx.execute(
        select(seizure_table)
        .where(_placed(seizure_table, scope))
        .order_by(columns.seized_at.desc(), columns.number)
        .limit(limit)
        .offset(offset)
    )
    return list(rows.mappings())


def seizures(tx: Transaction, scope: Scope, since: datetime, until: datetime) -> list[RowMapping]:
    """Return the seizures made from ``since`` (inclusive) to ``until`` (exclusive)."""
    columns = seizure_table.c
    rows = tx.execute(
        select(seizure_table)
        .where(columns.seized_at >= since, columns.seized_at < until, _placed(seizure_table, scope))
        .order_by(columns.seized_at, columns.number)
    )
    return list(rows.mappings())


@unscoped("a notice owed to partners is noticed whoever looks")
def late_notices(tx: Transaction) -> list[RowMapping]:
    """Return own seizures whose notice is late, if nobody was alerted yet."""
    columns = seizure_table.c
    rows = tx.execute(
        select(seizure_table).where(
            columns.notice_by < tx.now, columns.noticed_at.is_(None), ~columns.told
        )
    )
    return list(rows.mappings())


def chain(tx: Transaction, scope: Scope, chain_id: str) -> RowMapping:
    """Return one chain; raises ``NotFound`` outside the scope."""
    wanted = select(chain_table).where(chain_table.c.id == chain_id, _placed(chain_table, scope))
    return _found(tx.execute(wanted).mappings().first(), "inspection_chain", chain_id)


@unscoped("a box is opened twice only with a reason, whoever opens it")
def chains_of(tx: Transaction, container: str) -> list[RowMapping]:
    """Return the chains about a container, newest first."""
    rows = tx.execute(
        select(chain_table)
        .where(chain_table.c.container == container)
        .order_by(chain_table.c.cued_at.desc(), chain_table.c.id)
    )
    return list(rows.mappings())


def chains(
    tx: Transaction, scope: Scope, states: Sequence[str], limit: int = 200
) -> list[RowMapping]:
    """Return chains in these states, those with the nearest deadline first."""
    rows = tx.execute(
        select(chain_table)
        .where(chain_table.c.state.in_(list(states)), _placed(chain_table, scope))
        .order_by(chain_table.c.deadline, chain_table.c.id)
        .limit(limit)
    )
    return list(rows.mappings())


@unscoped("what a partner tells of an item finds its chain, for the node and not for a person")
def chain_of_item(tx: Transaction, item_id: str) -> RowMapping | None:
    """Return the chain that an item asked for, or whose result it told."""
    columns = chain_table.c
    wanted = select(chain_table).where(
        or_(columns.cue_item == item_id, columns.result_item == item_id)
    )
    return tx.execute(wanted).mappings().first()


@unscoped("what a partner tells finds its chain, for the node and not for a person")
def chain_row(tx: Transaction, chain_id: str) -> RowMapping | None:
    """Return a chain for what partners and the loop tell of it."""
    wanted = select(chain_table).where(chain_table.c.id == chain_id)
    return tx.execute(wanted).mappings().first()


def reopenings_of(tx: Transaction, scope: Scope, chain_id: str) -> list[RowMapping]:
    """Return when a chain's box was opened again, oldest first."""
    rows = tx.execute(
        select(reopening_table)
        .join(chain_table, chain_table.c.id == reopening_table.c.chain)
        .where(reopening_table.c.chain == chain_id, _placed(chain_table, scope))
        .order_by(reopening_table.c.at, reopening_table.c.id)
    )
    return list(rows.mappings())


@unscoped(
    "an item that told a second opening tells all that the partner was not told, for the node"
)
def own_reopenings(tx: Transaction, chain_id: str) -> list[RowMapping]:
    """Return when this node opened a chain's box again, oldest first."""
    rows = tx.execute(
        select(reopening_table)
        .where(reopening_table.c.chain == chain_id, reopening_table.c.by.is_not(None))
        .order_by(reopening_table.c.at)
    )
    return list(rows.mappings())


@unscoped("the result of a second opening finds it, whoever reports it")
def reopening(tx: Transaction, inspection_id: str) -> RowMapping | None:
    """Return the second opening that an inspection, or an item of a partner, is."""
    wanted = select(reopening_table).where(reopening_table.c.id == inspection_id)
    return tx.execute(wanted).mappings().first()


def insert_reopening(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter that a box is opened again; say whether it was new."""
    return tx.insert_new(reopening_table, row)


def change_reopening(tx: Transaction, inspection_id: str, **values: Any) -> None:
    """Note the result of a second opening, or that the partner was told."""
    tx.execute(
        update(reopening_table).where(reopening_table.c.id == inspection_id).values(**values)
    )


def insert_chain(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter a chain; say whether it was new."""
    return tx.insert_new(chain_table, row)


def change_chain(tx: Transaction, chain_id: str, **values: Any) -> None:
    """Change where a chain stands."""
    tx.execute(update(chain_table).where(chain_table.c.id == chain_id).values(**values))


def request(tx: Transaction, scope: Scope, request_id: str) -> RowMapping:
    """Return one request; raises ``NotFound`` outside the scope."""
    wanted = select(request_table).where(request_table.c.id == request_id, scope.where())
    return _found(tx.execute(wanted).mappings().first(), "request", request_id)


@unscoped("what a partner tells of an item finds its request, for the node and not for a person")
def request_of_item(tx: Transaction, item_id: str) -> RowMapping | None:
    """Return the request that an item is, or that it answers."""
    columns = request_table.c
    wanted = select(request_table).where(or_(columns.id == item_id, columns.answer_item == item_id))
    return tx.execute(wanted).mappings().first()


def requests(
    tx: Transaction, scope: Scope, states: Sequence[str], *, incoming: bool, limit: int
) -> list[RowMapping]:
    """Return requests in these states, oldest clock first, those without a clock last."""
    columns = request_table.c
    rows = tx.execute(
        select(request_table)
        .where(columns.incoming == incoming, columns.state.in_(list(states)), scope.where())
        .order_by(columns.due_at.is_(None), columns.due_at, columns.made_at, columns.id)
        .limit(limit)
    )
    return list(rows.mappings())


@unscoped("an answer owed is noticed whoever looks")
def late_requests(tx: Transaction) -> list[RowMapping]:
    """Return requests with a clock that ran out and that nobody was alerted of yet."""
    rows = tx.execute(select(request_table).where(request_table.c.alert_at < tx.now))
    return list(rows.mappings())


def insert_request(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Enter a request; say whether it was new."""
    return tx.insert_new(request_table, row)


def change_request(tx: Transaction, request_id: str, **values: Any) -> None:
    """Change where a request stands."""
    tx.execute(update(request_table).where(request_table.c.id == request_id).values(**values))
