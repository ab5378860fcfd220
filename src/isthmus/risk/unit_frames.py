"""Units as frames, straight from their rows: what scoring and its history read.

A frame made here is the frame that ``schema.frame`` makes of the same units; only the detour over
an object for each unit is saved, which is most of the work for many.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl
from sqlalchemy import Select, select, type_coerce
from sqlalchemy.types import NullType

from isthmus.access.gate import unscoped
from isthmus.cargo.tables import record_table, unit_table
from isthmus.cargo.unit import UnitState
from isthmus.platform.transaction import Transaction
from isthmus.risk.history import OUTCOME_KEYS, UNIT_KEYS
from isthmus.risk.schema import DTYPES, Kind, schema_of, unit_kinds
from isthmus.risk.tables import outcome_table

SLICE = 4000


def _fields(keys: Iterable[tuple[str, ...]], *more: str) -> tuple[str, ...]:
    used = {name for fields in keys for name in fields} | set(more)
    return tuple(name for name in unit_kinds() if name in used)


_KNOWN = _fields(UNIT_KEYS.values(), "id", "lodged_at", "created_at", "net_kg", "gross_kg", "value")
_JUDGED = _fields(OUTCOME_KEYS.values(), "id")


@unscoped("scoring works through every open unit of the node")
def units_due(tx: Transaction, limit: int) -> pl.DataFrame:
    """Return open units whose newest version has not been scored yet."""
    units = unit_table.c
    due = _units(tuple(unit_kinds())).where(
        units.scored_version < units.version, units.state == UnitState.OPEN
    )
    return _frame(tx.execute(due.order_by(units.id).limit(limit)).all(), tuple(unit_kinds()))


@unscoped("scoring reads units by id for its own batch")
def units_named(tx: Transaction, ids: Iterable[str]) -> pl.DataFrame:
    """Return units by their ids, in the order of the ids' sorting."""
    names, rows = tuple(unit_kinds()), list[Sequence[Any]]()
    for part in _slices(ids):
        found = _units(names).where(unit_table.c.id.in_(part)).order_by(unit_table.c.id)
        rows += tx.execute(found).all()
    return _frame(rows, names)


@unscoped("the history of scoring looks back on every unit of the node")
def known_after(tx: Transaction, after: int, limit: int) -> tuple[pl.DataFrame, int]:
    """Return what the history keeps of units entered after the one with this number, page by
    page, and the number of the last of them."""
    units = unit_table.c
    page = _units(_KNOWN).add_columns(units.seq).where(units.seq > after)
    rows = tx.execute(page.order_by(units.seq).limit(limit)).all()
    return _frame(rows, _KNOWN), rows[-1].seq if rows else after


@unscoped("the history of scoring looks back on every outcome of the node")
def judged_after(tx: Transaction, after: int, limit: int) -> tuple[pl.DataFrame, int]:
    """Return what the history keeps of outcomes entered after the one with this number, page by
    page, and the number of the last of them."""
    labels = outcome_table.c
    rows = tx.execute(
        _units(_JUDGED)
        .add_columns(labels.objective, labels.positive, _raw(labels.recorded_at), labels.seq)
        .join(outcome_table, labels.unit_id == unit_table.c.id)
        .where(labels.seq > after)
        .order_by(labels.seq)
        .limit(limit)
    ).all()
    told = _frame(rows, _JUDGED).with_columns(
        pl.Series("objective", [row.objective for row in rows], dtype=pl.String),
        pl.Series("positive", [row.positive for row in rows], dtype=pl.Boolean),
        _column("recorded_at", Kind.MOMENT, [row.recorded_at for row in rows]),
    )
    return told, rows[-1].seq if rows else after


@unscoped("an assessment names the record versions it was made from")
def sources_of(tx: Transaction, frame: pl.DataFrame) -> list[list[str]]:
    """Return for each unit the ids of the current record versions behind it, events left out."""
    bills = _current(tx, "consignment", frame["bill"])
    papers = _current(tx, "declaration", frame["declaration_key"])
    return [
        sorted([*bills.get(bill, ()), *papers.get(declaration, ())])
        for bill, declaration in frame.select("bill", "declaration_key").iter_rows()
    ]


def _current(tx: Transaction, kind: str, values: pl.Series) -> dict[str, list[str]]:
    records = record_table.c
    column = records.bill if kind == "consignment" else records.key
    found: dict[str, list[str]] = {}
    for part in _slices(values.drop_nulls()):
        rows = tx.execute(
            select(column.label("of"), records.id).where(
                records.kind == kind, column.in_(part), records.state == "current"
            )
        )
        for row in rows:
            found.setdefault(row.of, []).append(row.id)
    return found


def _units(names: Sequence[str]) -> Select[Any]:
    return select(*(_raw(unit_table.c[name]) for name in names))


def _raw(column: Any) -> Any:
    """A column as it is stored: moments as microseconds, JSON as text."""
    return type_coerce(column, NullType()).label(column.name)


def _frame(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> pl.DataFrame:
    kinds = {name: unit_kinds()[name] for name in names}
    if not rows:
        return pl.DataFrame(schema=schema_of(kinds))
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [
            _column(name, kind, values)
            for (name, kind), values in zip(kinds.items(), columns, strict=False)
        ]
    )


def _column(name: str, kind: Kind, values: Sequence[Any]) -> pl.Series:
    if kind is Kind.MOMENT:
        return pl.Series(name, values, dtype=pl.Int64).cast(DTYPES[kind])
    if kind is Kind.BOOLEAN:  # SQLite keeps 0 and 1
        return pl.Series(name, values).cast(DTYPES[kind])
    if kind is Kind.LABELS:
        return pl.Series(name, values, dtype=pl.String).str.json_decode(DTYPES[kind])
    if kind is Kind.PAIRS:
        nested = pl.List(pl.List(pl.String))
        pair = pl.struct(
            pl.element().list.get(0).alias("name"), pl.element().list.get(1).alias("value")
        )
        texts = pl.Series(name, values, dtype=pl.String).str.json_decode(nested)
        return texts.list.eval(pair).cast(DTYPES[kind])
    return pl.Series(name, values, dtype=DTYPES[kind])


def _slices(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), SLICE):
        yield ordered[start : start + SLICE]
