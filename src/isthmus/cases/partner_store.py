"""All the SQL of seizures, inspection chains and requests."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, delete, func, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cases.partner_tables import chain_table, credit_table, request_table, seizure_table
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


def chains(tx: Transaction, scope: Scope, states: Sequence[str]) -> list[RowMapping]:
    """Return chains in these states, those with the nearest deadline first."""
    rows = tx.execute(
        select(chain_table)
        .where(chain_table.c.state.in_(list(states)), _placed(chain_table, scope))
        .order_by(chain_table.c.deadline, chain_table.c.id)
    )
    return list(rows.mappings())


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
