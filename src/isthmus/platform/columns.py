"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

from isthmus.kernel.canonical import canonical
from isthmus.kernel.time import from_micros, to_micros

# An ever-growing row number; SQLite grows only its own INTEGER key by itself.
Sequence = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """A moment, kept as whole microseconds since 1970 UTC: exact, sortable, the same everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        """Turn a moment into microseconds."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        """Turn microseconds into a moment."""
        return None if value is None else from_micros(value)


class Json(TypeDecorator[Any]):
    """A small structure, kept as canonical JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """Write canonical JSON."""
        return None if value is None else canonical(value).decode()

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        """Read JSON."""
        return None if value is None else orjson.loads(value)
