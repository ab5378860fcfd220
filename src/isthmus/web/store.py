"""What pages read across the areas: a search, what waits, rule hits.

Each area's own reads stand in its store; here are the joins that only a page needs.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select

from isthmus.access.gate import Scope
from isthmus.cargo.tables import quarantine_table, record_table, unit_table
from isthmus.cargo.unit import UnitState
from isthmus.cases.tables import alert_table, pick_table
from isthmus.platform.transaction import Transaction
from isthmus.risk.tables import assessment_table


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


def known_units(
    tx: Transaction, scope: Scope, regime: str, *, assessed: bool, limit: int, offset: int
) -> list[RowMapping]:
    """Return the known movements of a regime, as coverage counts them, the newest first."""
    units = unit_table.c
    statement = select(unit_table).where(
        units.regime == regime, units.state != UnitState.SUPERSEDED, _placed(unit_table, scope)
    )
    if assessed:
        statement = statement.where(units.scored_version > 0)
    statement = statement.order_by(units.changed_at.desc(), units.id)
    return list(tx.execute(statement.limit(limit).offset(offset)).mappings())


def units(tx: Transaction, scope: Scope, unit_ids: Sequence[str]) -> dict[str, RowMapping]:
    """Return what names a few units, by id; those out of sight are absent."""
    columns = unit_table.c
    rows = tx.execute(
        select(columns.id, columns.container, columns.bill, columns.declaration_key).where(
            columns.id.in_(unit_ids), _placed(unit_table, scope)
        )
    )
    return {row["id"]: row for row in rows.mappings()}


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
