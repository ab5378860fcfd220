"""All the SQL of picks, holds, inspections, findings and alerts.

The queue stands in ``queue``, runs in ``runs``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, select, true, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cargo.tables import unit_table
from isthmus.cases.model import ACTIVE_HOLDS, HoldState
from isthmus.cases.reach import within_reach
from isthmus.cases.tables import (
    alert_table,
    finding_table,
    hold_table,
    inspection_table,
    pick_table,
    run_table,
)
from isthmus.kernel.errors import NotFound
from isthmus.platform.transaction import Transaction

# What a terminal hears of: its boxes, and nothing of requests, seizures and partners.
BOX_ALERTS = (
    "hold_breached",
    "hold_moved",
    "hold_overlong",
    "hold_unanswered",
    "left_before_hold",
)


def _placed(table: Table, scope: Scope) -> ColumnElement[bool]:
    return scope.where(office_column=table.c.office, terminal_column=table.c.terminal)


def _one(tx: Transaction, scope: Scope, table: Table, object_id: str) -> RowMapping:
    statement = select(table).where(table.c.id == object_id, _placed(table, scope))
    row = tx.execute(statement).mappings().first()
    if row is None:
        raise NotFound(f"{table.name}_unknown", f"no such {table.name}", **{table.name: object_id})
    return row


def pick(tx: Transaction, scope: Scope, pick_id: str) -> RowMapping:
    """Return one pick; raises ``NotFound`` outside the scope."""
    return _one(tx, scope, pick_table, pick_id)


@unscoped("a pick follows its hold or inspection, whose access was checked")
def pick_row(tx: Transaction, pick_id: str) -> RowMapping:
    """Return one pick for the act that its hold or inspection calls for."""
    return tx.execute(select(pick_table).where(pick_table.c.id == pick_id)).mappings().one()


@unscoped("whether a unit is held decides what its pick becomes, whoever asks")
def hold_rows(tx: Transaction, unit_id: str) -> list[RowMapping]:
    """Return the holds of a unit."""
    return list(tx.execute(select(hold_table).where(hold_table.c.unit_id == unit_id)).mappings())


@unscoped("a second inspection of one unit is refused, whoever ordered the first")
def inspection_rows(tx: Transaction, unit_id: str) -> list[RowMapping]:
    """Return the inspections of a unit."""
    orders = inspection_table.c
    return list(tx.execute(select(inspection_table).where(orders.unit_id == unit_id)).mappings())


def hold(tx: Transaction, scope: Scope, hold_id: str) -> RowMapping:
    """Return one hold; raises ``NotFound`` outside the scope."""
    return _one(tx, scope, hold_table, hold_id)


def inspection(tx: Transaction, scope: Scope, inspection_id: str) -> RowMapping:
    """Return one inspection; raises ``NotFound`` outside the scope."""
    return _one(tx, scope, inspection_table, inspection_id)


def insert_picks(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter the picks of a run."""
    tx.insert(pick_table, rows)


def insert_hold(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a proposed hold."""
    tx.insert(hold_table, [row])


def insert_inspection(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter an ordered inspection."""
    tx.insert(inspection_table, [row])


def insert_findings(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter what an inspection found."""
    tx.insert(finding_table, rows)


def insert_alert(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter an alert."""
    tx.insert(alert_table, [row])


def change_pick(tx: Transaction, pick_id: str, **values: Any) -> None:
    """Change where a pick stands; why it was picked never changes."""
    tx.execute(update(pick_table).where(pick_table.c.id == pick_id).values(**values))


def change_hold(tx: Transaction, hold_id: str, **values: Any) -> None:
    """Change where a hold stands."""
    tx.execute(update(hold_table).where(hold_table.c.id == hold_id).values(**values))


def change_inspection(tx: Transaction, inspection_id: str, **values: Any) -> None:
    """Change where an inspection stands."""
    orders = inspection_table.c
    tx.execute(update(inspection_table).where(orders.id == inspection_id).values(**values))


def change_alert(tx: Transaction, alert_id: str, **values: Any) -> None:
    """Note who saw an alert."""
    tx.execute(update(alert_table).where(alert_table.c.id == alert_id).values(**values))


def picks_of_unit(tx: Transaction, scope: Scope, unit_id: str) -> list[RowMapping]:
    """Return all picks of one unit, newest first."""
    rows = tx.execute(
        select(pick_table)
        .where(pick_table.c.unit_id == unit_id, _placed(pick_table, scope))
        .order_by(pick_table.c.created_at.desc(), pick_table.c.id)
    )
    return list(rows.mappings())


def runs(
    tx: Transaction, scope: Scope, limit: int, offset: int = 0, objective: str | None = None
) -> list[RowMapping]:
    """Return the newest targeting runs, without what they chose from."""
    wanted = [column for column in run_table.c if column.name != "pool"]
    statement = select(*wanted).where(scope.where(office_column=run_table.c.office))
    if objective:
        statement = statement.where(run_table.c.objective == objective)
    statement = statement.order_by(run_table.c.at.desc(), run_table.c.id)
    return list(tx.execute(statement.limit(limit).offset(offset)).mappings())


@unscoped("a hold is confirmed on a unit that is still there, whoever asks")
def unit_state(tx: Transaction, unit_id: str) -> str | None:
    """Return where a unit stands."""
    state: str | None = tx.execute(
        select(unit_table.c.state).where(unit_table.c.id == unit_id)
    ).scalar()
    return state


@unscoped("a seizure is about a box, whose inspection was read with a scope")
def container_of(tx: Transaction, unit_id: str) -> str | None:
    """Return the container number of a unit."""
    number: str | None = tx.execute(
        select(unit_table.c.container).where(unit_table.c.id == unit_id)
    ).scalar()
    return number


@unscoped("a pick is offered while its unit is within reach, whoever asks")
def in_reach(tx: Transaction, unit_id: str) -> bool:
    """Return whether a unit can still be picked."""
    statement = select(unit_table.c.id).where(unit_table.c.id == unit_id, within_reach(tx.now))
    return tx.execute(statement).first() is not None


def holds(
    tx: Transaction, scope: Scope, states: Sequence[HoldState], limit: int = 200
) -> list[RowMapping]:
    """Return holds in these states, oldest first."""
    rows = tx.execute(
        select(hold_table)
        .where(hold_table.c.state.in_(list(states)), _placed(hold_table, scope))
        .order_by(hold_table.c.proposed_at, hold_table.c.id)
        .limit(limit)
    )
    return list(rows.mappings())


def holds_of_unit(tx: Transaction, scope: Scope, unit_id: str) -> list[RowMapping]:
    """Return all holds of one unit, newest first."""
    rows = tx.execute(
        select(hold_table)
        .where(hold_table.c.unit_id == unit_id, _placed(hold_table, scope))
        .order_by(hold_table.c.proposed_at.desc(), hold_table.c.id)
    )
    return list(rows.mappings())


@unscoped("a box that leaves is compared with every hold, whoever placed it")
def broken_holds(tx: Transaction, container: str) -> list[RowMapping]:
    """Return the open holds on a container whose own voyage is over: the box has left."""
    holds, units = hold_table.c, unit_table.c
    rows = tx.execute(
        select(hold_table, units.gate_out_at)
        .join(unit_table, units.id == holds.unit_id)
        .where(
            holds.container == container,
            holds.state.in_([HoldState.PROPOSED, *ACTIVE_HOLDS]),
            units.gate_out_at.is_not(None),
        )
        .order_by(holds.proposed_at, holds.id)
    )
    return list(rows.mappings())


def inspections(
    tx: Transaction, scope: Scope, states: Sequence[str], limit: int = 200
) -> list[RowMapping]:
    """Return inspections in these states with their units, oldest order first."""
    orders, units = inspection_table.c, unit_table.c
    rows = tx.execute(
        select(
            inspection_table,
            units.container,
            units.bill,
            units.declaration_key,
            units.description,
            units.reefer,
            units.size_type,
        )
        .join(unit_table, units.id == orders.unit_id)
        .where(orders.state.in_(list(states)), _placed(inspection_table, scope))
        .order_by(orders.ordered_at, orders.id)
        .limit(limit)
    )
    return list(rows.mappings())


def inspections_of_unit(tx: Transaction, scope: Scope, unit_id: str) -> list[RowMapping]:
    """Return all inspections of one unit, newest first."""
    orders = inspection_table.c
    rows = tx.execute(
        select(inspection_table)
        .where(orders.unit_id == unit_id, _placed(inspection_table, scope))
        .order_by(orders.ordered_at.desc(), orders.id)
    )
    return list(rows.mappings())


def findings(tx: Transaction, scope: Scope, inspection_ids: Sequence[str]) -> list[RowMapping]:
    """Return the findings of these inspections, where the reader may see the inspection."""
    orders = inspection_table.c
    rows = tx.execute(
        select(finding_table)
        .join(inspection_table, orders.id == finding_table.c.inspection_id)
        .where(orders.id.in_(list(inspection_ids)), _placed(inspection_table, scope))
        .order_by(finding_table.c.id)
    )
    return list(rows.mappings())


def alerts(
    tx: Transaction,
    scope: Scope,
    state: str = "open",
    limit: int = 200,
    *,
    boxes_only: bool = False,
) -> list[RowMapping]:
    """Return alerts, newest first; ``boxes_only`` for whoever keeps boxes and knows no case."""
    kinds = alert_table.c.kind.in_(BOX_ALERTS) if boxes_only else true()
    rows = tx.execute(
        select(alert_table)
        .where(alert_table.c.state == state, kinds, _placed(alert_table, scope))
        .order_by(alert_table.c.at.desc(), alert_table.c.id)
        .limit(limit)
    )
    return list(rows.mappings())


def alert(tx: Transaction, scope: Scope, alert_id: str) -> RowMapping:
    """Return one alert; raises ``NotFound`` outside the scope."""
    return _one(tx, scope, alert_table, alert_id)
