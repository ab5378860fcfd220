"""Many rows at once, without the cost of SQLAlchemy's work on every value of every row.

The statement and the converters of the columns are SQLAlchemy's own, made once for each table
and set of columns; the rows then go to the driver as plain tuples.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Table

from isthmus.platform.transaction import Transaction

Convert = Callable[[Any], Any]


def insert(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; each must name the same columns, two at least."""
    if not rows:
        return
    names = tuple(rows[0])
    statement, converters = _prepared(table, names, tx.connection.dialect)
    values = list(map(itemgetter(*names), rows))
    if converters:
        columns = list(zip(*values, strict=True))
        for place, convert in converters:
            columns[place] = tuple(map(convert, columns[place]))
        values = list(zip(*columns, strict=True))
    tx.connection.exec_driver_sql(statement, values)


@lru_cache(maxsize=64)
def _prepared(
    table: Table, names: tuple[str, ...], dialect: Dialect
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
    return f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({marks})", tuple(converters)
