"""All the SQL of picks, holds, inspections, findings and alerts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, func, or_, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cargo.tables import unit_table
from isthmus.cases.model import ACTIVE_HOLDS, OPEN_PICKS, HoldState, PickState
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


def insert(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter rows of one of this area's tables."""
    tx.insert(table, rows)


def change(tx: Transaction, table: Table, object_id: str, **values: Any) -> None:
    """Change one row of this area's tables."""
    tx.execute(update(table).where(table.c.id == object_id).values(**values))


def queue(
    tx: Transaction,
    scope: Scope,
    *,
    states: Sequence[PickState] = OPEN_PICKS,
    lane: str | None = None,
    office: str | None = None,
    limit: int = 200,
    offset: int = 0,
) -> list[RowMapping]:
    """Return picks with their units, mandated first, then by score, the soonest deadline first."""
    picks, units = pick_table.c, unit_table.c
    statement = (
        select(
            pick_table,
            units.kind,
            units.container,
            units.bill,
            units.declaration_key,
            units.regime,
            units.description,
            units.hs6,
            units.place_loading,
            units.place_discharge,
            units.place_delivery,
            units.vessel_imo,
            units.voyage,
            units.gross_kg,
            units.state.label("unit_state"),
        )
        .join(unit_table, units.id == picks.unit_id)
        .where(picks.state.in_(list(states)), _placed(pick_table, scope))
        .order_by(
            (picks.basis == "mandated").desc(),
            picks.score.desc().nulls_last(),
            picks.deadline_at.nulls_last(),
            picks.id,
        )
        .limit(limit)
        .offset(offset)
    )
    if lane:
        statement = statement.where(picks.lane == lane)
    if office:
        statement = statement.where(picks.office == office)
    return list(tx.execute(statement).mappings())


def queue_counts(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return how many open picks there are, by lane and state."""
    picks = pick_table.c
    rows = tx.execute(
        select(picks.lane, picks.state, func.count().label("picks"))
        .where(picks.state.in_(OPEN_PICKS), _placed(pick_table, scope))
        .group_by(picks.lane, picks.state)
        .order_by(picks.lane, picks.state)
    )
    return list(rows.mappings())


def picks_of_unit(tx: Transaction, scope: Scope, unit_id: str) -> list[RowMapping]:
    """Return all picks of one unit, newest first."""
    rows = tx.execute(
        select(pick_table)
        .where(pick_table.c.unit_id == unit_id, _placed(pick_table, scope))
        .order_by(pick_table.c.created_at.desc(), pick_table.c.id)
    )
    return list(rows.mappings())


def runs(tx: Transaction, scope: Scope, limit: int) -> list[RowMapping]:
    """Return the newest targeting runs."""
    rows = tx.execute(
        select(run_table)
        .where(scope.where(office_column=run_table.c.office))
        .order_by(run_table.c.at.desc(), run_table.c.id)
        .limit(limit)
    )
    return list(rows.mappings())


@unscoped("a run may pick each unit once, whoever picked it before")
def picked_units(tx: Transaction, unit_ids: Sequence[str] | None = None) -> set[str]:
    """Return the units that are in the queue, or were decided on in their present version."""
    picks = pick_table.c
    statement = select(picks.unit_id).where(picks.state != PickState.EXPIRED)
    if unit_ids is not None:
        statement = statement.where(picks.unit_id.in_(list(unit_ids)))
    return {row[0] for row in tx.execute(statement)}


@unscoped("locks that ran out and deadlines that passed are settled for everybody")
def overdue_picks(tx: Transaction, now: datetime) -> list[RowMapping]:
    """Return taken picks whose lock ran out and open ones whose deadline passed."""
    picks = pick_table.c
    lock = (picks.state == PickState.TAKEN) & (picks.taken_until < now)
    late = picks.state.in_([PickState.OFFERED, PickState.TAKEN, PickState.WATCH]) & (
        picks.deadline_at < now
    )
    rows = tx.execute(select(pick_table).where(or_(lock, late)).order_by(picks.id))
    return list(rows.mappings())


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
def active_holds(tx: Transaction, container: str) -> list[RowMapping]:
    """Return the holds in force on a container."""
    holds = hold_table.c
    rows = tx.execute(
        select(hold_table)
        .where(holds.container == container, holds.state.in_(ACTIVE_HOLDS))
        .order_by(holds.proposed_at, holds.id)
    )
    return list(rows.mappings())


@unscoped("a terminal that owes an answer is noticed whoever looks")
def unanswered_holds(tx: Transaction, now: datetime) -> list[RowMapping]:
    """Return confirmed holds that the terminal has not acknowledged in time."""
    holds = hold_table.c
    rows = tx.execute(
        select(hold_table).where(holds.state == HoldState.CONFIRMED, holds.acknowledge_by < now)
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


def results(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return every inspected pick with its propensity and result, for honest estimates."""
    picks, orders = pick_table.c, inspection_table.c
    rows = tx.execute(
        select(
            picks.basis,
            picks.lane,
            picks.propensity,
            orders.result,
            orders.objective,
            orders.minutes_delay,
        )
        .join(inspection_table, orders.pick_id == picks.id)
        .where(orders.result.is_not(None), _placed(pick_table, scope))
    )
    return list(rows.mappings())


def alerts(
    tx: Transaction, scope: Scope, state: str = "open", limit: int = 200
) -> list[RowMapping]:
    """Return alerts, newest first."""
    rows = tx.execute(
        select(alert_table)
        .where(alert_table.c.state == state, _placed(alert_table, scope))
        .order_by(alert_table.c.at.desc(), alert_table.c.id)
        .limit(limit)
    )
    return list(rows.mappings())


def alert(tx: Transaction, scope: Scope, alert_id: str) -> RowMapping:
    """Return one alert; raises ``NotFound`` outside the scope."""
    return _one(tx, scope, alert_table, alert_id)
