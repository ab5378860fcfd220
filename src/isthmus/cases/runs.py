"""Targeting runs as they are kept, what each chose from, and what came of their picks."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, RowMapping, Select, Table, and_, select, type_coerce
from sqlalchemy.types import NullType

from isthmus.access.gate import Scope, unscoped
from isthmus.cargo.tables import unit_table
from isthmus.cases.tables import inspection_table, pick_table, run_table
from isthmus.kernel.canonical import digest
from isthmus.kernel.errors import Damaged, NotFound
from isthmus.platform.transaction import Transaction
from isthmus.risk.tables import assessment_table, outcome_table

SLICE = 4000
# Of each pick: what it is of and why it was made.
_WHY = (
    "id", "run_id", "unit_id", "unit_version", "assessment_id", "lane", "basis", "rule_id",
    "rank", "score", "propensity", "created_at",
)  # fmt: skip


def _placed(table: Table, scope: Scope) -> ColumnElement[bool]:
    return scope.where(office_column=table.c.office, terminal_column=table.c.terminal)


def insert_run(tx: Transaction, row: Mapping[str, Any]) -> None:
    """Enter a targeting run."""
    tx.insert(run_table, [row])


def pack_pool(present: Sequence[int], released: Sequence[int]) -> bytes:
    """Write the numbers of the assessments that a run chose from, as steps: they are many."""
    steps = [[b - a for a, b in pairwise([0, *sorted(part)])] for part in (present, released)]
    return zlib.compress(orjson.dumps(steps))


def unpack_pool(pool: bytes) -> tuple[list[int], list[int]]:
    """Read what ``pack_pool`` wrote; raises ``Damaged`` when it is not that."""
    try:
        present, released = orjson.loads(zlib.decompress(pool))
        return list(accumulate(present)), list(accumulate(released))
    except (zlib.error, ValueError, TypeError) as error:
        raise Damaged("pool_damaged", "not the units that a run chose from") from error


@unscoped("a replay compares a run with what is stored, for nobody in particular")
def run_row(tx: Transaction, run_id: str) -> RowMapping:
    """Return one run; raises ``NotFound``."""
    row = tx.execute(select(run_table).where(run_table.c.id == run_id)).mappings().first()
    if row is None:
        raise NotFound("run_unknown", "no such run", run=run_id)
    return row


@unscoped("verification looks at the runs of every office")
def run_ids(tx: Transaction) -> list[str]:
    """Return the ids of all runs, newest first."""
    order = (run_table.c.at.desc(), run_table.c.id.desc())
    return list(tx.execute(select(run_table.c.id).order_by(*order)).scalars())


@unscoped("the audit vouches for a run as it was made, whoever looks")
def digest_of_run(tx: Transaction, run_id: str) -> bytes:
    """Return the digest over a run and over why each of its picks was made, as stored.

    What becomes of a pick afterwards, and where its unit stands, is no part of it. Raises
    ``TypeError`` when a value is not even of its type.
    """
    run = select(*map(_raw, run_table.c)).where(run_table.c.id == run_id)
    why = select(*(_raw(pick_table.c[name]) for name in _WHY)).where(pick_table.c.run_id == run_id)
    told = [
        list(row) for query in (run, why.order_by(pick_table.c.id)) for row in tx.execute(query)
    ]
    return digest(told)


def _raw(column: Column[Any]) -> ColumnElement[Any]:
    """A column as it is stored: it may not be of its type any more."""
    return type_coerce(column, NullType()).label(column.name)


@unscoped("a replay compares the picks of a run, whatever their office")
def picks_of_run(tx: Transaction, run_id: str) -> list[RowMapping]:
    """Return the picks that a run made."""
    return list(tx.execute(select(pick_table).where(pick_table.c.run_id == run_id)).mappings())


@unscoped("a replay chooses again from the assessments that the run chose from")
def rated(tx: Transaction, numbers: Sequence[int]) -> list[RowMapping]:
    """Return the assessments of these numbers, as far as a run chooses by them."""
    columns = assessment_table.c
    found: list[RowMapping] = []
    for start in range(0, len(numbers), SLICE):
        part = numbers[start : start + SLICE]
        rows = tx.execute(
            select(
                columns.unit_id.label("id"),
                columns.score,
                columns.mandated_by,
                columns.asked_by,
                columns.own_score,
            ).where(columns.seq.in_(part))
        )
        found += rows.mappings()
    return found


@unscoped("training reads what was known of each inspected unit when it was picked")
def assessments_of(tx: Transaction, inspection_ids: Iterable[str]) -> dict[str, str]:
    """Return, by inspection, the assessment on which its unit was picked."""
    orders, picks = inspection_table.c, pick_table.c
    wanted = sorted(set(inspection_ids))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), SLICE):
        part = wanted[start : start + SLICE]
        rows = tx.execute(
            select(orders.id, picks.assessment_id)
            .join(pick_table, picks.id == orders.pick_id)
            .where(orders.id.in_(part), picks.assessment_id.is_not(None))
        )
        found.update((row.id, row.assessment_id) for row in rows)
    return found


class Figure(StrEnum):
    """What is counted of picks; the code names the figure in addresses and words."""

    PICKED = "picked"
    INSPECTED = "inspected"  # with a label: conclusive, by a control that could see it
    HITS = "hits"
    DELAYED = "delayed"  # inspected with a delay told, conclusive or not


def measured_picks(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return every pick with its run's objective and the label its inspection gave of it.

    ``positive`` is null where nothing was inspected, nothing came of it, or the control could
    not see irregularities of that objective.
    """
    picks = pick_table.c
    return list(tx.execute(_measured(scope, picks.lane, picks.basis, picks.propensity)).mappings())


def picks_behind(
    tx: Transaction,
    scope: Scope,
    figure: Figure,
    objective: str,
    *,
    lane: str | None = None,
    basis: str | None = None,
    limit: int,
    offset: int = 0,
) -> list[RowMapping]:
    """Return the picks that a figure counts, with their units, newest first."""
    picks, orders, units = pick_table.c, inspection_table.c, unit_table.c
    statement = _measured(
        scope,
        picks.id,
        picks.unit_id,
        picks.lane,
        picks.basis,
        picks.propensity,
        picks.state,
        picks.created_at,
        orders.id.label("inspection_id"),
        units.container,
        units.bill,
        units.declaration_key,
        units.description,
    ).join(unit_table, units.id == picks.unit_id)
    statement = statement.where(run_table.c.objective == objective)
    for column, value in ((picks.lane, lane), (picks.basis, basis)):
        if value:
            statement = statement.where(column == value)
    counted = {
        Figure.INSPECTED: outcome_table.c.positive.is_not(None),
        Figure.HITS: outcome_table.c.positive.is_(True),
        Figure.DELAYED: orders.minutes_delay.is_not(None),
    }
    if figure in counted:
        statement = statement.where(counted[figure])
    statement = statement.order_by(picks.created_at.desc(), picks.id).limit(limit).offset(offset)
    return list(tx.execute(statement).mappings())


def _measured(scope: Scope, *columns: ColumnElement[Any]) -> Select[Any]:
    """Picks with the label of the inspection that came of them, if any did."""
    picks, runs_, labels = pick_table.c, run_table.c, outcome_table.c
    orders = inspection_table.c
    done = and_(orders.pick_id == picks.id, orders.result.is_not(None))
    label = and_(labels.inspection_id == orders.id, labels.objective == runs_.objective)
    return (
        select(runs_.objective, orders.result, orders.minutes_delay, labels.positive, *columns)
        .select_from(pick_table)
        .join(run_table, runs_.id == picks.run_id)
        .join(inspection_table, done, isouter=True)
        .join(outcome_table, label, isouter=True)
        .where(_placed(pick_table, scope))
    )


def run_lanes(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return the objective of each run, and by lane its budget and how many it chose from."""
    rows = tx.execute(
        select(run_table.c.objective, run_table.c.lanes).where(
            scope.where(office_column=run_table.c.office)
        )
    )
    return list(rows.mappings())
