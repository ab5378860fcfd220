"""The operators of a rule: what each compares, which kinds it accepts, its Polars expression.

Truth is three-valued. A comparison with a value that is not known is neither true nor false but
unknown, and so is its negation: ``ne``, ``not_in`` and the rest never hold for a missing value.
Only ``null``, ``not_null``, ``empty`` and ``not_empty`` are about the missing value itself and
always know their answer. A rule whose condition is unknown does not fire.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import polars as pl

from isthmus.risk.schema import Kind


class Shape(StrEnum):
    """What stands in ``value``."""

    NOTHING = "nothing"
    ONE = "one"  # a literal, a threshold, or another field
    PAIR = "pair"  # two literals or thresholds, the lower first
    MANY = "many"  # one literal, several, or a named list
    NAMED = "named"  # the name of a list


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. ``build`` makes the expression from the column and the checked value."""

    name: str
    kinds: frozenset[Kind]
    shape: Shape
    build: Callable[[pl.Expr, Kind, Any], pl.Expr]
    folds: bool = False  # reads the folded words of the text instead of the text


_NUMERIC = frozenset({Kind.INTEGER, Kind.NUMBER})
_ORDERED = _NUMERIC | {Kind.MOMENT}
_SCALAR = _ORDERED | {Kind.TEXT, Kind.BOOLEAN}
_TEXT = frozenset({Kind.TEXT})
_ANY = _SCALAR | {Kind.LABELS}

# A field that versions or events can change, and the counter in which the unit keeps how often.
CHANGE_COUNTERS: Mapping[str, str] = MappingProxyType(
    {
        "consignee_ref": "consignee_changes",
        "seal_count": "seal_changes",
        "bill": "amendments",
        "declaration_key": "amendments",
    }
)


def _in(column: pl.Expr, kind: Kind, values: Sequence[Any]) -> pl.Expr:
    if kind in _NUMERIC:
        return column.cast(pl.Float64).is_in([float(value) for value in values])
    return column.is_in(pl.Series(values, dtype=pl.String).implode())


def _prefixes(column: pl.Expr, _: Kind, values: Sequence[str]) -> pl.Expr:
    if len(values) == 1:
        return column.str.starts_with(values[0])
    return column.str.contains(rf"\A(?:{_alternatives(values)})")


def _suffixes(column: pl.Expr, _: Kind, values: Sequence[str]) -> pl.Expr:
    if len(values) == 1:
        return column.str.ends_with(values[0])
    return column.str.contains(rf"(?:{_alternatives(values)})\z")


def _contains(column: pl.Expr, kind: Kind, values: Sequence[str]) -> pl.Expr:
    if kind is Kind.LABELS:
        held = [column.list.contains(value) for value in values]
        return held[0] if len(held) == 1 else pl.any_horizontal(held)
    if len(values) == 1:
        return column.str.contains(values[0], literal=True)
    return column.str.contains_any(list(values))


def _words(column: pl.Expr, _: Kind, values: Sequence[str]) -> pl.Expr:
    return column.str.contains_any(list(values))


def _between(column: pl.Expr, _: Kind, values: Sequence[Any]) -> pl.Expr:
    return column.is_between(values[0], values[1])


def _empty(column: pl.Expr, kind: Kind, _: Any) -> pl.Expr:
    if kind is Kind.TEXT:
        return column.fill_null("") == ""
    if kind is Kind.LABELS:
        return column.list.len().fill_null(0) == 0
    return column.is_null()


def _alternatives(values: Sequence[str]) -> str:
    return "|".join(pl.escape_regex(value) for value in values)


_POSITIVE = (
    Operator("eq", _SCALAR, Shape.ONE, lambda column, _, value: column == value),
    Operator("lt", _ORDERED, Shape.ONE, lambda column, _, value: column < value),
    Operator("gt", _ORDERED, Shape.ONE, lambda column, _, value: column > value),
    Operator("le", _ORDERED, Shape.ONE, lambda column, _, value: column <= value),
    Operator("ge", _ORDERED, Shape.ONE, lambda column, _, value: column >= value),
    Operator("in", _NUMERIC | _TEXT, Shape.MANY, _in),
    Operator("between", _ORDERED, Shape.PAIR, _between),
    Operator("begins_with", _TEXT, Shape.MANY, _prefixes),
    Operator("ends_with", _TEXT, Shape.MANY, _suffixes),
    Operator("contains", _TEXT | {Kind.LABELS}, Shape.MANY, _contains),
    Operator("empty", _ANY, Shape.NOTHING, _empty),
    Operator("null", _ANY, Shape.NOTHING, lambda column, _, __: column.is_null()),
    Operator("member_of", _TEXT, Shape.NAMED, _in),
    Operator("matches_words", _TEXT, Shape.MANY, _words, folds=True),
    Operator("changed", _NUMERIC, Shape.NOTHING, lambda column, _, __: column > 0),
)
_NEGATIONS = {"eq": "ne"}
_WITHOUT_NEGATION = {"lt", "gt", "le", "ge"}


def _negation(operator: Operator) -> Operator:
    def build(column: pl.Expr, kind: Kind, value: Any) -> pl.Expr:
        return ~operator.build(column, kind, value)

    name = _NEGATIONS.get(operator.name, f"not_{operator.name}")
    return Operator(name, operator.kinds, operator.shape, build, operator.folds)


OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        operator.name: operator
        for positive in _POSITIVE
        for operator in (
            (positive,) if positive.name in _WITHOUT_NEGATION else (positive, _negation(positive))
        )
    }
)
"""Every operator by name."""
