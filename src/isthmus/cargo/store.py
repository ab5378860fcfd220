"""All the SQL of units and quarantine, and of the records behind a unit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from sqlalchemy import RowMapping, and_, bindparam, func, or_, select, update

from isthmus.access.gate import Scope, unscoped
from isthmus.cargo.tables import (
    STANDING,
    quarantine_table,
    record_table,
    unit_table,
)
from isthmus.cargo.unit import Unit, UnitState
from isthmus.kernel.errors import NotFound
from isthmus.platform.transaction import Transaction

# SQLite takes at most 32,766 bound values in one statement; this leaves room.
SLICE = 4000
_UNIT_FIELDS = tuple(field.name for field in fields(Unit))
_unit_values = attrgetter(*_UNIT_FIELDS)

# Made once: making a statement costs more than running it.
_UNITS_BY = {
    name: select(unit_table).where(unit_table.c[name].in_(bindparam("part", expanding=True)))
    for name in ("container", "bill", "declaration_key")
}
_UPDATE = update(unit_table).where(unit_table.c.id == bindparam("of"))
_SCORED = (
    update(unit_table)
    .where(unit_table.c.id.in_(bindparam("part", expanding=True)))
    .values(scored_version=bindparam("up_to"))
)


def slices(values: Iterable[str]) -> Iterator[list[str]]:
    """Part values into lists that one statement takes."""
    ordered = sorted(set(values))
    for start in range(0, len(ordered), SLICE):
        yield ordered[start : start + SLICE]


@unscoped("intake finds the units that new records touch, whatever their office")
def units_touched(
    tx: Transaction, containers: Iterable[str], bills: Iterable[str], declarations: Iterable[str]
) -> list[Unit]:
    """Return units by container, by bill and by declaration."""
    found: dict[str, Unit] = {}
    told = {"container": containers, "bill": bills, "declaration_key": declarations}
    for name, values in told.items():
        for part in slices(values):
            for row in tx.execute(_UNITS_BY[name], {"part": part}).mappings():
                found[row["id"]] = unit_of(row)
    return sorted(found.values(), key=lambda unit: unit.id)


def unit_of(row: RowMapping) -> Unit:
    """Return the unit of a row."""
    values = {name: row[name] for name in _UNIT_FIELDS}
    values["flags"] = tuple(values["flags"])
    values["extra"] = tuple((name, value) for name, value in values["extra"])
    return Unit(**values)


def unit_row(unit: Unit) -> dict[str, Any]:
    """Return the row of a unit."""
    return dict(zip(_UNIT_FIELDS, _unit_values(unit), strict=True))


def insert_units(tx: Transaction, units: Sequence[Unit]) -> None:
    """Enter new units."""
    tx.insert(unit_table, [unit_row(unit) for unit in units])


def update_units(tx: Transaction, units: Sequence[Unit]) -> None:
    """Write changed units."""
    if units:
        tx.execute(_UPDATE, [unit_row(unit) | {"of": unit.id} for unit in units])


def mark_scored(tx: Transaction, versions: Mapping[str, int]) -> None:
    """Note up to which version each unit has been scored."""
    by_version: dict[int, list[str]] = {}
    for unit_id, version in versions.items():
        by_version.setdefault(version, []).append(unit_id)
    for version, ids in by_version.items():
        for part in slices(ids):
            tx.execute(_SCORED, {"part": part, "up_to": version})


def score_again(tx: Transaction, named: Mapping[str, Iterable[str]]) -> int:
    """Let open units be due again by what stands in their columns, such as ``container``."""
    due = 0
    for column, values in named.items():
        for part in slices(values):
            due += tx.execute(
                update(unit_table)
                .where(unit_table.c.state == UnitState.OPEN, unit_table.c[column].in_(part))
                .values(scored_version=0)
            ).rowcount
    return due


def unit(tx: Transaction, scope: Scope, unit_id: str) -> Unit:
    """Return one unit within the reader's scope; raises ``NotFound``."""
    units = unit_table.c
    row = (
        tx.execute(
            select(unit_table).where(
                units.id == unit_id,
                scope.where(office_column=units.office, terminal_column=units.terminal),
            )
        )
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("unit_unknown", "no such unit", unit=unit_id)
    return unit_of(row)


def coverage(tx: Transaction, scope: Scope) -> list[RowMapping]:
    """Return, by regime, how many known movements there are and how many have been assessed."""
    units = unit_table.c
    rows = tx.execute(
        select(
            units.regime,
            func.count().label("known"),
            func.count().filter(units.scored_version > 0).label("assessed"),
        )
        .where(
            units.state != UnitState.SUPERSEDED,
            scope.where(office_column=units.office, terminal_column=units.terminal),
        )
        .group_by(units.regime)
        .order_by(units.regime)
    )
    return list(rows.mappings())


def quarantine(tx: Transaction, scope: Scope, state: str, limit: int) -> list[RowMapping]:
    """Return what stands in quarantine, newest first; only who may read it gets any."""
    entries = quarantine_table.c
    rows = tx.execute(
        select(quarantine_table)
        .where(entries.state == state, scope.where())
        .order_by(entries.at.desc(), entries.id)
        .limit(limit)
    )
    return list(rows.mappings())


@unscoped("a retry reads again exactly what was set apart")
def open_quarantine(tx: Transaction, document_id: str) -> set[int]:
    """Return the ordinals of a document's open quarantine entries."""
    entries = quarantine_table.c
    rows = tx.execute(
        select(entries.ordinal).where(entries.document_id == document_id, entries.state == "open")
    )
    return {row[0] for row in rows}


def settle_quarantine(
    tx: Transaction, document_id: str, ordinals: Iterable[int], state: str
) -> int:
    """Close the open quarantine entries of a document at these ordinals."""
    entries = quarantine_table.c
    outcome = tx.execute(
        update(quarantine_table)
        .where(
            entries.document_id == document_id,
            entries.ordinal.in_(list(ordinals)),
            entries.state == "open",
        )
        .values(state=state, settled_at=tx.now)
    )
    return outcome.rowcount


def unit_records(tx: Transaction, scope: Scope, of: Unit) -> list[RowMapping]:
    """Return every version of every record behind a unit the reader may see, oldest first."""
    records, units = record_table.c, unit_table.c
    allowed = select(units.id).where(
        units.id == of.id, scope.where(office_column=units.office, terminal_column=units.terminal)
    )
    behind = []
    if of.bill:
        behind.append(records.bill == of.bill)
    if of.declaration_key:
        behind.append(and_(records.kind == "declaration", records.key == of.declaration_key))
    if of.container:
        behind.append(and_(records.kind == "event", records.container == of.container))
    if not behind:
        return []
    rows = tx.execute(
        select(record_table).where(or_(*behind), STANDING, allowed.exists()).order_by(records.seq)
    )
    return list(rows.mappings())
