"""The target queue as it is read, by pages and systems alike: picks with their units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, Select, func, select

from isthmus.access.gate import Scope
from isthmus.cargo.tables import unit_table
from isthmus.cases.model import OPEN_PICKS, PickState
from isthmus.cases.tables import pick_table, run_table
from isthmus.platform.transaction import Transaction
from isthmus.risk.tables import assessment_table


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the queue is wanted; None for everything."""

    states: Sequence[PickState] = OPEN_PICKS
    lane: str | None = None
    office: str | None = None
    basis: str | None = None
    objective: str | None = None
    mine: str | None = None  # a person's id: the picks this person works on


def read(
    tx: Transaction, scope: Scope, wanted: Wanted, limit: int, offset: int = 0
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
            units.vessel_imo,
            units.voyage,
            units.gross_kg,
            units.flags,
            units.state.label("unit_state"),
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


def counts(tx: Transaction, scope: Scope, wanted: Wanted) -> list[RowMapping]:
    """Return how many picks (``picks``) there are of what is wanted, by lane and state."""
    picks = pick_table.c
    counted = select(picks.lane, picks.state, func.count().label("picks"))
    statement = (
        _wanted(counted, scope, wanted)
        .group_by(picks.lane, picks.state)
        .order_by(picks.lane, picks.state)
    )
    return list(tx.execute(statement).mappings())


def _wanted(statement: Select[Any], scope: Scope, wanted: Wanted) -> Select[Any]:
    picks = pick_table.c
    placed = scope.where(office_column=picks.office, terminal_column=picks.terminal)
    statement = statement.where(picks.state.in_(list(wanted.states)), placed)
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
