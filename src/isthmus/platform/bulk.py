"""Rows entered without the cost of SQLAlchemy's work on every value of every row.

The statement and the converters of the columns are SQLAlchemy's own, made once for each table
and set of columns; the rows then go to the driver as plain tuples.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table

Convert = Callable[[Any], Any]


def insert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    passing_over: bool = False,
) -> int:
    """Insert rows, each naming the same columns, two at least; return how many were entered.

    ``passing_over`` leaves out rows whose unique key stands already.
    """
    if not rows:
        return 0
    names = tuple(rows[0])
    statement, converters = _prepared(table, names, passing_over, connection.dialect)
    values = list(map(itemgetter(*names), rows))
    if converters:
        columns = list(zip(*values, strict=True))
        for place, convert in converters:
            columns[place] = tuple(map(convert, columns[place]))
        values = list(zip(*columns, strict=True))
    given = values if len(values) > 1 else values[0]
    # SQLAlchemy keeps the driver's count only where it is asked to.
    options = {"preserve_rowcount": True} if passing_over else None
    outcome = connection.exec_driver_sql(statement, given, options)
    return outcome.rowcount if passing_over else len(values)


@lru_cache(maxsize=256)
def _prepared(
    table: Table, names: tuple[str, ...], passing_over: bool, dialect: Dialect
) -> tuple[str, tuple[tuple[int, Convert], ...]]:
    """Return the statement with a mark for each column, and the converters by place."""
    quote = dialect.identifier_preparer.quote
    marks = ", ".join(["?" if dialect.paramstyle == "qmark" else "%s"] * len(names))
    columns = ", ".join(quote(name) for name in names)
    converters = []
    for place, name in enumerate(names):
        kind = table.c[name].type.dialect_impl(dialect)
        if convert := kind.bind_processor(dialect):
            converters.append((place, convert))
    end = " ON CONFLICT DO NOTHING" if passing_over else ""
    statement = f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({marks}){end}"
    return statement, tuple(converters)
