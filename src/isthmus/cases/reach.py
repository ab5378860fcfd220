"""Which units a run may pick: within reach, not in the queue, and not decided on already.

A unit is within reach until its deadline: closing of loading, or arrival. A box that came in has
none (``cargo.derive``): it stands on the terminal, where it is opened most easily, until it is
reported to have left. What was decided stays decided until something new is known of the unit: an
amendment or another document, or an assessment of a higher band.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select

from isthmus.access.gate import Scope, unscoped
from isthmus.cargo.tables import STANDING, record_table, unit_table
from isthmus.cargo.unit import UnitState
from isthmus.cargo.visits import VOYAGE
from isthmus.cases.model import OPEN_PICKS, PickState
from isthmus.cases.tables import inspection_table, pick_table
from isthmus.platform.transaction import Transaction
from isthmus.risk.assess import Band
from isthmus.risk.tables import assessment_table

DECIDED = (PickState.CLEARED, PickState.INSPECTED, PickState.RELEASED)
_BANDS = {band.value: place for place, band in enumerate(reversed(Band))}
_SLICE = 4000


def within_reach(now: datetime) -> ColumnElement[bool]:
    """The condition that a unit can still be picked at this moment.

    A box that came in longer ago than ``VOYAGE`` counts as gone: an exit reported now would be
    taken for one of a later voyage, and boxes whose leaving nobody reported would fill the queue.
    """
    units = unit_table.c
    stands = or_(
        units.container.is_(None),
        units.arrival_at.is_(None),
        units.arrival_at > now - VOYAGE,
        units.supplementary,  # released long ago: an audit needs no box
    )
    return and_(
        units.state == UnitState.OPEN,
        # Each side yes or no for every row, so that its contrary finds the rest.
        or_(
            and_(units.deadline_at.is_not(None), units.deadline_at > now),
            and_(units.deadline_at.is_(None), stands),
        ),
    )


def candidates(
    tx: Transaction, scope: Scope, objective: str, office: str | None
) -> list[RowMapping]:
    """Return the units that a run may pick, with their current assessment of one objective."""
    units, rated, picks = unit_table.c, assessment_table.c, pick_table.c
    queued = select(picks.id).where(picks.unit_id == units.id, picks.state.in_(OPEN_PICKS))
    statement = (
        select(
            rated.seq,
            rated.id.label("assessment_id"),
            rated.score,
            rated.mandated_by,
            rated.asked_by,
            rated.own_score,
            units.id,
            units.version,
            units.office,
            units.terminal,
            units.deadline_at,
            units.supplementary,
        )
        .join(unit_table, units.id == rated.unit_id)
        .where(
            rated.objective == objective,
            rated.current,
            within_reach(tx.now),
            ~queued.exists(),
            scope.where(office_column=units.office, terminal_column=units.terminal),
        )
        .order_by(units.id)
    )
    if office is not None:
        statement = statement.where(units.office == office)
    decided = decided_units(tx, objective)
    return [row for row in tx.execute(statement).mappings() if row["id"] not in decided]


@unscoped("a decision on a unit stands, whoever asks for the next run")
def decided_units(tx: Transaction, objective: str) -> set[str]:
    """Return the open units of which nothing new is known since a person decided on them."""
    picks, units, orders = pick_table.c, unit_table.c, inspection_table.c
    rows = tx.execute(
        select(units.id, units.bill, units.declaration_key, picks.decided_at, orders.done_at)
        .select_from(pick_table.join(unit_table, units.id == picks.unit_id))
        .join(inspection_table, orders.pick_id == picks.id, isouter=True)
        .where(picks.state.in_(DECIDED), units.state == UnitState.OPEN)
    ).all()
    moments: dict[str, datetime] = {}
    for row in rows:
        known = [one for one in (moments.get(row.id), row.decided_at, row.done_at) if one]
        moments[row.id] = max(known)
    bills = _newest(tx, "consignment", {row.bill for row in rows if row.bill})
    keys = {row.declaration_key for row in rows if row.declaration_key}
    papers = _newest(tx, "declaration", keys)
    amended = {
        row.id
        for row in rows
        for told in (bills.get(row.bill), papers.get(row.declaration_key))
        if told is not None and told > moments[row.id]
    }
    left = moments.keys() - amended
    return left - _risen(tx, objective, {unit: moments[unit] for unit in left})


def _newest(tx: Transaction, kind: str, values: Iterable[str]) -> dict[str | None, datetime]:
    """When the newest version of the records of each bill or declaration came in."""
    records = record_table.c
    column = records.bill if kind == "consignment" else records.key
    found: dict[str | None, datetime] = {}
    for part in _slices(values):
        rows = tx.execute(
            select(column.label("of"), func.max(records.received_at).label("at"))
            .where(records.kind == kind, STANDING, column.in_(part))
            .group_by(column)
        )
        found.update((row.of, row.at) for row in rows)
    return found


def _risen(tx: Transaction, objective: str, moments: Mapping[str, datetime]) -> set[str]:
    """The units whose band is higher now than when they were decided on."""
    rated = assessment_table.c
    then: dict[str, str] = {}
    now: dict[str, str] = {}
    for part in _slices(moments):
        rows = tx.execute(
            select(rated.unit_id, rated.at, rated.band)
            .where(rated.unit_id.in_(part), rated.objective == objective)
            .order_by(rated.seq)
        )
        for row in rows:
            now[row.unit_id] = row.band
            if row.at <= moments[row.unit_id]:
                then[row.unit_id] = row.band
    return {unit for unit, band in now.items() if _BANDS[band] > _BANDS[then.get(unit, band)]}


def _slices(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), _SLICE):
        yield ordered[start : start + _SLICE]
