"""What verification reads of assessments: rows as they are stored, whatever became of them."""

from typing import Any

from sqlalchemy import Column, ColumnElement, RowMapping, func, or_, select, type_coerce
from sqlalchemy.types import NullType

from isthmus.access.gate import unscoped
from isthmus.platform.erasure import erasure_table
from isthmus.platform.transaction import Transaction
from isthmus.risk.tables import (
    assessment_table,
    batch_table,
    feature_table,
    model_table,
    ruleset_table,
)

_RECOMPUTED = ("id", "objective", "ruleset_id", "model_id", "body")


@unscoped("verification recomputes assessments of every office")
def sample(tx: Transaction, count: int) -> list[RowMapping]:
    """Return assessments with their feature rows, spread evenly over all there are."""
    columns = assessment_table.c
    total: int = tx.execute(select(func.count()).select_from(assessment_table)).scalar() or 0
    step = max(1, total // max(1, count))
    numbered = select(
        columns.seq, func.row_number().over(order_by=columns.seq).label("place")
    ).subquery()
    chosen = (
        select(numbered.c.seq)
        .where((numbered.c.place - 1) % step == 0)
        .order_by(numbered.c.seq)
        .limit(count)
    )
    rows = tx.execute(
        select(
            *(_stored(columns[name]) for name in _RECOMPUTED),
            _stored(feature_table.c.body, "features"),
            _stored(feature_table.c.erasure_id),
        )
        .join(feature_table, feature_table.c.id == columns.feature_row_id, isouter=True)
        .where(columns.seq.in_(chosen))
        .order_by(columns.seq)
    )
    return list(rows.mappings())


@unscoped("verification walks all scored batches")
def batches(tx: Transaction) -> list[RowMapping]:
    """Return all scored batches as they are stored, oldest first."""
    rows = tx.execute(select(*map(_stored, batch_table.c)).order_by(batch_table.c.id))
    return list(rows.mappings())


@unscoped("verification compares a batch's assessments with the digest over them")
def assessments_in(tx: Transaction, batch_id: str) -> list[RowMapping]:
    """Return the assessments of one batch as they are stored, with their feature rows.

    In the order they were entered; ``feature_`` stands before the names of the feature row.
    """
    columns, features = assessment_table.c, feature_table.c
    rows = tx.execute(
        select(
            *map(_stored, columns),
            *(_stored(column, f"feature_{column.name}") for column in features),
        )
        .join(feature_table, features.id == columns.feature_row_id, isouter=True)
        .where(columns.batch_id == batch_id)
        .order_by(columns.seq)
    )
    return list(rows.mappings())


def _stored(column: Column[Any], name: str | None = None) -> ColumnElement[Any]:
    """Read a column without turning its value into anything: it may not be of its type."""
    return type_coerce(column, NullType()).label(name or column.name)


@unscoped("verification counts what each erasure erased")
def erased_features(tx: Transaction) -> dict[str, int]:
    """Return how many feature rows name each erasure."""
    columns = feature_table.c
    rows = tx.execute(
        select(columns.erasure_id, func.count().label("rows"))
        .where(columns.erasure_id.is_not(None))
        .group_by(columns.erasure_id)
    )
    return {row.erasure_id: row.rows for row in rows}


@unscoped("verification compares what is erased with what erasures said they erased")
def erasure_scopes(tx: Transaction) -> dict[str, int]:
    """Return how many feature rows each lawful erasure erased, as its register row has it."""
    rows = tx.execute(select(erasure_table.c.id, erasure_table.c.scope))
    return {row.id: row.scope.get("feature_row", 0) for row in rows}


@unscoped("verification compares kept rules and models with the digests that name them")
def kept_bodies(tx: Transaction) -> list[tuple[str, str, bytes]]:
    """Return table, id and bytes of every kept rule set and model."""
    return [
        (table.name, row.id, row.body)
        for table in (ruleset_table, model_table)
        for row in tx.execute(select(table.c.id, table.c.body).order_by(table.c.id))
    ]


@unscoped("verification looks for assessments that no scoring made")
def without_batch(tx: Transaction) -> list[str]:
    """Return the ids of assessments whose scored batch is not there."""
    columns = assessment_table.c
    made = select(batch_table.c.id).where(batch_table.c.id == columns.batch_id)
    rows = tx.execute(select(columns.id).where(~made.exists()).order_by(columns.id))
    return list(rows.scalars())


@unscoped("verification compares what is marked as in force with what was scored last")
def wrongly_current(tx: Transaction) -> list[str]:
    """Return assessments marked as current that are not of their unit's last scoring, or that are
    and are not marked so, or whose mark is no yes or no."""
    columns, newest = assessment_table.c, assessment_table.alias("newest").c
    last = select(func.max(columns.seq)).group_by(columns.unit_id)
    rows = tx.execute(
        select(columns.id)
        .join(newest.seq.table, newest.unit_id == columns.unit_id)
        .where(
            newest.seq.in_(last),
            or_(
                columns.current != (columns.batch_id == newest.batch_id),
                columns.current.not_in([True, False]),
            ),
        )
        .order_by(columns.id)
    )
    return list(rows.scalars())
