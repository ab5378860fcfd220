"""Units as frames, straight from their rows: what scoring and its history read.

A frame made here is the frame that ``schema.frame`` makes of the same units; only the detour over
an object for each unit is saved, which is most of the work for many.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, type_coerce
from sqlalchemy.types import NullType

from isthmus.access.gate import unscoped
from isthmus.cargo.tables import STANDING, record_table, unit_table
from isthmus.cargo.unit import UnitState
from isthmus.platform.transaction import Transaction
from isthmus.risk.history import OUTCOME_KEYS, UNIT_KEYS
from isthmus.risk.schema import DTYPES, MOMENT, Kind, schema_of, unit_kinds
from isthmus.risk.tables import outcome_table

SLICE = 4000
# Up to so many rows a frame is made row by row, beyond it column by column: each the quicker.
FEW = 200


def _fields(keys: Iterable[tuple[str, ...]], *more: str) -> tuple[str, ...]:
    used = {name for fields in keys for name in fields} | set(more)
    return tuple(name for name in unit_kinds() if name in used)


_ALL = tuple(unit_kinds())
_KNOWN = _fields(UNIT_KEYS.values(), "id", "lodged_at", "created_at", "net_kg", "gross_kg", "value")
_JUDGED = _fields(OUTCOME_KEYS.values(), "id")


# Written out, not bound: SQLite uses the partial index of what is due for nothing else.
_DUE = (
    unit_table.c.scored_version < unit_table.c.version,
    unit_table.c.state == literal_column(f"'{UnitState.OPEN.value}'"),
)


def _raw(column: Any) -> Any:
    """A column as it is stored: moments as microseconds, JSON as text."""
    return type_coerce(column, NullType()).label(column.name)


def _units(names: Sequence[str]) -> Select[Any]:
    return select(*(_raw(unit_table.c[name]) for name in names))


def _sources(kind: str, of: ColumnElement[Any]) -> Select[Any]:
    records = record_table.c
    return select(of.label("of"), records.id).where(
        records.kind == kind,
        of.in_(bindparam("part", expanding=True)),
        records.state == "current",
        STANDING,
    )


# Made once: making a statement costs more than running it.
_UNITS_DUE = _units(_ALL).where(*_DUE).order_by(unit_table.c.id).limit(bindparam("limit"))
_UNITS_KNOWN = (
    _units(_KNOWN)
    .add_columns(unit_table.c.seq)
    .where(unit_table.c.seq > bindparam("after"))
    .order_by(unit_table.c.seq)
    .limit(bindparam("limit"))
)
_UNITS_JUDGED = (
    _units(_JUDGED)
    .add_columns(
        outcome_table.c.objective,
        outcome_table.c.positive,
        _raw(outcome_table.c.recorded_at),
        outcome_table.c.seq,
    )
    .join(outcome_table, outcome_table.c.unit_id == unit_table.c.id)
    .where(outcome_table.c.seq > bindparam("after"))
    .order_by(outcome_table.c.seq)
    .limit(bindparam("limit"))
)
_SOURCES = {
    "consignment": _sources("consignment", record_table.c.bill),
    "declaration": _sources("declaration", record_table.c.key),
}


@unscoped("scoring works through every open unit of the node")
def units_due(tx: Transaction, limit: int) -> pl.DataFrame:
    """Return open units whose newest version has not been scored yet."""
    return _frame(tx, tx.execute(_UNITS_DUE, {"limit": limit}).all(), _ALL)


@unscoped("how much waits to be scored is a figure of the node")
def count_due(tx: Transaction) -> int:
    """Return how many open units wait to be scored."""
    return int(tx.execute(select(func.count()).select_from(unit_table).where(*_DUE)).scalar_one())


@unscoped("scoring reads units by id for its own batch")
def units_named(tx: Transaction, ids: Iterable[str]) -> pl.DataFrame:
    """Return units by their ids, in the order of the ids' sorting."""
    rows = list[Sequence[Any]]()
    for part in _slices(ids):
        found = _units(_ALL).where(unit_table.c.id.in_(part)).order_by(unit_table.c.id)
        rows += tx.execute(found).all()
    return _frame(tx, rows, _ALL)


@unscoped("the history of scoring looks back on every unit of the node")
def known_after(tx: Transaction, after: int, limit: int) -> tuple[pl.DataFrame, int]:
    """Return what the history keeps of units entered after the one with this number, page by
    page, and the number of the last of them."""
    rows = tx.execute(_UNITS_KNOWN, {"after": after, "limit": limit}).all()
    return _frame(tx, rows, _KNOWN), rows[-1].seq if rows else after


@unscoped("the history of scoring looks back on every outcome of the node")
def judged_after(tx: Transaction, after: int, limit: int) -> tuple[pl.DataFrame, int]:
    """Return what the history keeps of outcomes entered after the one with this number, page by
    page, and the number of the last of them."""
    rows = tx.execute(_UNITS_JUDGED, {"after": after, "limit": limit}).all()
    told = _frame(tx, rows, _JUDGED)
    if not rows:
        return told, after
    told = told.with_columns(
        pl.Series("objective", [row.objective for row in rows], dtype=pl.String),
        pl.Series("positive", [row.positive for row in rows], dtype=pl.Boolean),
        pl.Series("recorded_at", [row.recorded_at for row in rows], dtype=pl.Int64).cast(MOMENT),
    )
    return told, rows[-1].seq


@unscoped("an assessment names the record versions it was made from")
def sources_of(tx: Transaction, frame: pl.DataFrame) -> list[list[str]]:
    """Return for each unit the ids of the current record versions behind it, events left out."""
    named, declared = frame["bill"].to_list(), frame["declaration_key"].to_list()
    bills = _current(tx, "consignment", named)
    papers = _current(tx, "declaration", declared)
    return [
        sorted([*bills.get(bill, ()), *papers.get(declaration, ())])
        for bill, declaration in zip(named, declared, strict=True)
    ]


def _current(tx: Transaction, kind: str, values: Iterable[str | None]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in _slices(value for value in values if value is not None):
        for row in tx.execute(_SOURCES[kind], {"part": part}):
            found.setdefault(row.of, []).append(row.id)
    return found


def _frame(tx: Transaction, rows: Sequence[Sequence[Any]], names: tuple[str, ...]) -> pl.DataFrame:
    """Lay rows out as columns; each begins with the values of these fields, as they are stored."""
    if not rows:
        return _no_units(names)
    kept = _kept(names, tx.is_sqlite)
    if len(rows) < FEW:
        plain = [tuple(row[: len(names)]) for row in rows]
        frame = pl.DataFrame(plain, schema=kept, orient="row")
    else:
        columns = zip(kept.items(), zip(*rows, strict=True), strict=False)
        frame = pl.DataFrame([pl.Series(name, told, dtype=of) for (name, of), told in columns])
    # All that is kept in another form is turned in one pass: for one unit the passes cost most.
    return frame.with_columns(_turned(names))


@cache
def _no_units(names: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema_of({name: unit_kinds()[name] for name in names}))


@cache
def _kept(names: tuple[str, ...], in_sqlite: bool) -> dict[str, pl.DataType]:
    """The type of each field as it is stored."""
    stored = {**DTYPES, Kind.MOMENT: pl.Int64(), Kind.LABELS: pl.String(), Kind.PAIRS: pl.String()}
    if in_sqlite:  # which keeps yes and no as 1 and 0
        stored[Kind.BOOLEAN] = pl.Int64()
    return {name: stored[unit_kinds()[name]] for name in names}


@cache
def _turned(names: tuple[str, ...]) -> tuple[pl.Expr, ...]:
    told = (_told(name, unit_kinds()[name]) for name in names)
    return tuple(one for one in told if one is not None)


_PAIR = pl.struct(pl.element().list.get(0).alias("name"), pl.element().list.get(1).alias("value"))


def _told(name: str, kind: Kind) -> pl.Expr | None:
    """How a value is read that is kept in another form than the frame has it."""
    if kind in (Kind.MOMENT, Kind.BOOLEAN):
        return pl.col(name).cast(DTYPES[kind])
    if kind is Kind.LABELS:
        return pl.col(name).str.json_decode(DTYPES[kind])
    if kind is Kind.PAIRS:
        nested = pl.col(name).str.json_decode(pl.List(pl.List(pl.String)))
        return nested.list.eval(_PAIR).cast(DTYPES[kind])
    return None


def _slices(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), SLICE):
        yield ordered[start : start + SLICE]
