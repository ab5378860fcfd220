"""The unit frame: the flat rows of the queue as columns.

The columns come from ``cargo.unit.Unit`` and from nowhere else: a field added there is a column
here. A row is stored as canonical JSON and gives back exactly the frame it came from, which is
what makes an assessment replayable.
"""

import types
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import orjson
import polars as pl

from isthmus.cargo.unit import Unit
from isthmus.kernel.canonical import canonical
from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import to_micros

MOMENT = pl.Datetime("us", "UTC")
PAIRS = pl.List(pl.Struct({"name": pl.String, "value": pl.String}))
EXTRA_PREFIX = "extra_"


class Kind(StrEnum):
    """What sort of value a column holds; rules are checked against it when they are loaded."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"
    LABELS = "labels"  # a set of codes, such as data-quality flags
    PAIRS = "pairs"  # name and value: read by rules only as columns ``extra_<name>``


DTYPES: Mapping[Kind, pl.DataType] = types.MappingProxyType(
    {
        Kind.TEXT: pl.String(),
        Kind.INTEGER: pl.Int64(),
        Kind.NUMBER: pl.Float64(),
        Kind.BOOLEAN: pl.Boolean(),
        Kind.MOMENT: MOMENT,
        Kind.LABELS: pl.List(pl.String),
        Kind.PAIRS: PAIRS,
    }
)

_SCALARS: Mapping[Any, Kind] = types.MappingProxyType(
    {
        str: Kind.TEXT,
        int: Kind.INTEGER,
        float: Kind.NUMBER,
        bool: Kind.BOOLEAN,
        datetime: Kind.MOMENT,
        tuple[str, ...]: Kind.LABELS,
        tuple[tuple[str, str], ...]: Kind.PAIRS,
    }
)


@cache
def unit_kinds() -> Mapping[str, Kind]:
    """Every field of the unit with its kind, in the order of the unit."""
    hints = get_type_hints(Unit, include_extras=True)
    return types.MappingProxyType({name: _kind(name, hint) for name, hint in hints.items()})


@cache
def unit_meanings() -> Mapping[str, str]:
    """The meaning of each field as its annotation states it, for those that state one."""
    hints = get_type_hints(Unit, include_extras=True)
    return types.MappingProxyType(
        {
            name: str(get_args(hint)[1])
            for name, hint in hints.items()
            if get_origin(hint) is Annotated
        }
    )


@cache
def unit_schema() -> pl.Schema:
    """The Polars schema of the unit frame."""
    return schema_of(unit_kinds())


def schema_of(kinds: Mapping[str, Kind]) -> pl.Schema:
    """The Polars schema of columns of these kinds."""
    return pl.Schema({name: DTYPES[kind] for name, kind in kinds.items()})


def frame(units: Iterable[Unit], extras: Sequence[str] = ()) -> pl.DataFrame:
    """Lay units out as columns.

    ``extras`` names declared fields without a home in the unit; each becomes a text column
    ``extra_<name>``, null where a unit does not carry it. A number that is not finite is no
    value: it becomes null. Raises ``Invalid`` when a moment does not know its zone or a value
    is not of the kind its field declares.
    """
    rows = list(units)
    columns = [_column(name, kind, rows) for name, kind in unit_kinds().items()]
    return with_extras(pl.DataFrame(columns), extras)


def with_extras(frame: pl.DataFrame, extras: Sequence[str]) -> pl.DataFrame:
    """Add a text column ``extra_<name>`` for each name, from the pairs in ``extra``."""
    if not extras:
        return frame
    held = [
        {pair["name"]: pair["value"] for pair in pairs or ()} for pairs in frame["extra"].to_list()
    ]
    return frame.with_columns(
        pl.Series(EXTRA_PREFIX + name, [row.get(name) for row in held], dtype=pl.String)
        for name in extras
    )


def plain_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Each row as plain values in JSON terms: nulls left out, moments as microseconds since 1970.

    Together with ``frame_from_plain`` this loses nothing: floats keep every bit.
    """
    schema = frame.schema  # made anew at each asking
    moments = [name for name, dtype in schema.items() if dtype == MOMENT]
    plain = frame.with_columns(pl.col(moments).cast(pl.Int64)) if moments else frame
    return [
        {name: value for name, value in zip(schema, row, strict=True) if value is not None}
        for row in plain.iter_rows()
    ]


def stored_rows(frame: pl.DataFrame) -> list[bytes]:
    """Each row as the canonical JSON under which it is stored."""
    return [canonical(row) for row in plain_rows(frame)]


def frame_from_plain(rows: Sequence[Mapping[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    """Rebuild the frame of this schema from plain rows; what a row does not name is null.

    Raises ``Invalid`` when a row names a column that the schema does not have: a stored row is
    read whole or not at all.
    """
    for position, row in enumerate(rows):
        strange = row.keys() - schema.keys()
        if strange:
            raise Invalid(
                "risk.row_unreadable",
                "the stored row has columns that this version does not know",
                row=position,
                columns=sorted(strange),
            )
    columns = []
    for name, dtype in schema.items():
        values = [row.get(name) for row in rows]
        if isinstance(dtype, pl.List):
            columns.append(_nested(name, values, dtype))
        else:
            first = pl.Int64() if dtype == MOMENT else dtype
            columns.append(pl.Series(name, values, dtype=first).cast(dtype))
    return pl.DataFrame(columns)


def _kind(name: str, hint: Any) -> Kind:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = [part for part in get_args(hint) if part is not type(None)]
    try:
        return _SCALARS[hint]
    except KeyError:
        raise TypeError(f"unit field {name}: no column holds {hint!r}") from None


def _column(name: str, kind: Kind, rows: Sequence[Unit]) -> pl.Series:
    values: list[Any] = list(map(attrgetter(name), rows))
    if kind is Kind.MOMENT:
        values = [None if value is None else _micros(name, value) for value in values]
        return pl.Series(name, values, dtype=pl.Int64).cast(MOMENT)
    if kind is Kind.PAIRS:
        values = [[{"name": key, "value": text} for key, text in pairs] for pairs in values]
    elif kind is Kind.NUMBER:
        values = [None if value is None else float(value) for value in values]
    if kind in (Kind.PAIRS, Kind.LABELS):
        return _nested(name, values, DTYPES[kind])
    try:
        column = pl.Series(name, values, dtype=DTYPES[kind])
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise Invalid("risk.unit_value", "not a value of its field", field=name) from error
    if kind is Kind.NUMBER:
        finite = pl.when(pl.col(name).is_finite()).then(pl.col(name))
        return column.to_frame().select(finite.alias(name)).to_series()
    return column


def _nested(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    # Decoding JSON in one go is ten times faster than building lists of structs one by one.
    texts = [None if value is None else orjson.dumps(value).decode() for value in values]
    return pl.Series(name, texts, dtype=pl.String).str.json_decode(dtype)


def _micros(name: str, moment: datetime) -> int:
    if moment.tzinfo is None:
        raise Invalid("risk.moment_without_zone", "a moment must know its zone", field=name)
    return to_micros(moment)
