"""What pages read across the areas: the queue with its units, a search, what waits, rule hits.

Each area's own reads stand in its store; here are the joins that only a page needs.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select

from isthmus.access.gate import Scope
from isthmus.cargo.tables import quarantine_table, record_table, unit_table
from isthmus.cases.model import OPEN_PICKS
from isthmus.cases.tables import alert_table, pick_table, run_table
from isthmus.platform.transaction import Transaction
from isthmus.risk.tables import assessment_table


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the queue is wanted; None for everything."""

    lane: str | None = None
    state: str | None = None
    office: str | None = None
    basis: str | None = None
    objective: str | None = None
    mine: str | None = None  # a person's id: the picks this person works on


def queue(
    tx: Transaction, scope: Scope, wanted: Wanted, limit: int, offset: int
) -> list[RowMapping]:
    """Return one page of the queue: mandated first, then by score, the soonest deadline first.

    The page is found on the picks alone, then its few rows are joined: the queue may be long.
    """
    picks = pick_table.c
    order = (
        (picks.basis == "mandated").desc(),
        picks.score.desc().nulls_last(),
        picks.deadline_at.nulls_last(),
        picks.id,
    )
    found = _wanted(select(picks.id), scope, wanted).order_by(*order).limit(limit).offset(offset)
    ids = [row[0] for row in tx.execute(found)]
    units, rated = unit_table.c, assessment_table.c
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
            units.place_transhipment,
            units.place_discharge,
            units.place_delivery,
            units.origin_country,
            units.destination_country,
            units.gross_kg,
            units.flags,
            units.version.label("version_now"),
            rated.band,
            rated.basis.label("score_basis"),
            run_table.c.objective,
        )
        .join(unit_table, units.id == picks.unit_id)
        .join(run_table, run_table.c.id == picks.run_id)
        .join(assessment_table, rated.id == picks.assessment_id, isouter=True)
        .where(picks.id.in_(ids))
        .order_by(*order)
    )
    return list(tx.execute(statement).mappings())


def queue_counts(tx: Transaction, scope: Scope, wanted: Wanted) -> dict[str, int]:
    """Return how many picks there are of what is wanted, by state."""
    picks = pick_table.c
    counted = select(picks.state, func.count().label("count"))
    statement = _wanted(counted, scope, wanted).group_by(picks.state)
    return {row["state"]: row["count"] for row in tx.execute(statement).mappings()}


def _wanted(statement: Select[Any], scope: Scope, wanted: Wanted) -> Select[Any]:
    picks = pick_table.c
    states = [wanted.state] if wanted.state else list(OPEN_PICKS)
    statement = statement.where(picks.state.in_(states), _placed(pick_table, scope))
    for column, value in (
        (picks.lane, wanted.lane),
        (picks.office, wanted.office),
        (picks.basis, wanted.basis),
        (picks.taken_by, wanted.mine),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.objective:
        runs = select(run_table.c.id).where(run_table.c.objective == wanted.objective)
        statement = statement.where(picks.run_id.in_(runs))
    return statement


def budget(tx: Transaction, scope: Scope, run_id: str) -> dict[str, int]:
    """Return how many picks of a run there are, by state."""
    picks = pick_table.c
    rows = tx.execute(
        select(picks.state, func.count().label("count"))
        .where(picks.run_id == run_id, _placed(pick_table, scope))
        .group_by(picks.state)
    )
    return {row["state"]: row["count"] for row in rows.mappings()}


def find_units(tx: Transaction, scope: Scope, text: str, limit: int) -> list[RowMapping]:
    """Return units whose container, bill or declaration is this text or begins with it."""
    units = unit_table.c
    # The next text of the same length ends the range, so an index serves it.
    after = text[:-1] + chr(ord(text[-1]) + 1)
    found = or_(
        *(
            and_(column >= text, column < after)
            for column in (units.container, units.bill, units.master_bill, units.declaration_key)
        )
    )
    rows = tx.execute(
        select(unit_table)
        .where(found, _placed(unit_table, scope))
        .order_by((units.state == "open").desc(), units.changed_at.desc(), units.id)
        .limit(limit)
    )
    return list(rows.mappings())


def ranked_units(
    tx: Transaction, scope: Scope, objective: str, limit: int, offset: int
) -> list[RowMapping]:
    """Return open units, picked or not, by their current score for one objective."""
    units, rated = unit_table.c, assessment_table.c
    rows = tx.execute(
        select(
            unit_table,
            rated.band,
            rated.score,
            rated.basis.label("score_basis"),
            rated.mandated_by,
        )
        .join(assessment_table, rated.unit_id == units.id)
        .where(
            rated.current,
            rated.objective == objective,
            units.state == "open",
            _placed(unit_table, scope),
        )
        .order_by(rated.score.desc(), units.id)
        .limit(limit)
        .offset(offset)
    )
    return list(rows.mappings())


def recent_bodies(tx: Transaction, scope: Scope, limit: int) -> list[str]:
    """Return the newest current assessments as they are kept, to count which rules fired."""
    units, rated = unit_table.c, assessment_table.c
    rows = tx.execute(
        select(rated.body)
        .join(unit_table, units.id == rated.unit_id)
        .where(rated.current, rated.body.is_not(None), _placed(unit_table, scope))
        .order_by(rated.seq.desc())
        .limit(limit)
    )
    return [row[0] for row in rows]


def waiting(tx: Transaction, scope: Scope, limit: int) -> list[RowMapping]:
    """Return amendments and cancellations whose parent is not known yet, newest first."""
    records = record_table.c
    rows = tx.execute(
        select(
            records.key,
            records.kind,
            records.function,
            records.parent_key,
            records.document_id,
            records.position,
            records.received_at,
        )
        .where(records.state == "parked", scope.where())
        .order_by(records.seq.desc())
        .limit(limit)
    )
    return list(rows.mappings())


def count_quarantine(tx: Transaction, scope: Scope) -> int:
    """Return how much stands in quarantine."""
    entries = quarantine_table.c
    statement = select(func.count()).where(entries.state == "open", scope.where())
    return int(tx.execute(statement).scalar_one())


def count_alerts(tx: Transaction, scope: Scope) -> int:
    """Return how many alerts nobody has seen."""
    alerts = alert_table.c
    statement = select(func.count()).where(alerts.state == "open", _placed(alert_table, scope))
    return int(tx.execute(statement).scalar_one())


def _placed(table: Any, scope: Scope) -> ColumnElement[bool]:
    return scope.where(office_column=table.c.office, terminal_column=table.c.terminal)
