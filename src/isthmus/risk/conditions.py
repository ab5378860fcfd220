"""Conditions of a rule: a small typed tree, checked whole when it is read.

    condition := {all: [condition, ...]} | {any: [condition, ...]} | {not: condition} | test
    test      := {field: NAME, op: OPERATOR, value: VALUE}
               | {hours: [MOMENT FIELD, MOMENT FIELD], op: OPERATOR, value: VALUE}
    VALUE     := literal | [literal, ...] | {field: NAME} | {threshold: NAME} | {list: NAME}

``hours`` is the time from the first moment to the second in hours, negative when the second is
the earlier one. ``all`` and ``any`` follow three-valued logic (see ``operators``): ``all`` is
false as soon as one part is false, ``any`` true as soon as one part is true, else unknown when a
part is unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any as Anything
from typing import NoReturn

import polars as pl

from isthmus.kernel.errors import Invalid
from isthmus.risk.operators import CHANGE_COUNTERS, OPERATORS, Operator, Shape
from isthmus.risk.schema import EXTRA_PREFIX, Kind
from isthmus.risk.words import folded, needles

_EXACT = 2**53  # beyond it a float does not hold every whole number
_NUMERIC = (Kind.INTEGER, Kind.NUMBER)
FOLDED_SUFFIX = " folded"  # a space: no field of the unit can be called so


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the frame."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours from one moment to another."""

    start: str
    end: str
    kind: Kind = Kind.NUMBER


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison. ``value`` is checked: a literal, a tuple of literals, or another field."""

    operand: Field | Hours
    operator: str
    value: Anything = None


@dataclass(frozen=True, slots=True)
class All:
    """Every part must hold."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Any:
    """One part must hold."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part must be known and not hold."""

    part: "Condition"


Condition = All | Any | Not | Test


@dataclass(frozen=True, slots=True)
class Scope:
    """What a condition may name: fields with their kinds, thresholds, named lists."""

    kinds: Mapping[str, Kind]
    thresholds: Mapping[str, float] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def kind(self, name: Anything) -> Kind | None:
        """The kind of a field, or None when there is no such field."""
        if isinstance(name, str) and name.startswith(EXTRA_PREFIX):
            return Kind.TEXT
        return self.kinds.get(name) if isinstance(name, str) else None


def parse(document: Anything, scope: Scope, path: str = "when") -> Condition:
    """Read a condition from its plain form.

    Raises ``Invalid`` with the path of the part that is wrong and the reason in words.
    """
    if not isinstance(document, Mapping):
        _fail(path, "a condition is a mapping", document)
    keys = set(document)
    if keys in ({"all"}, {"any"}):
        (word,) = keys
        parts = document[word]
        if not isinstance(parts, list) or not parts:
            _fail(f"{path}.{word}", "needs a list of at least one condition", parts)
        read = tuple(parse(part, scope, f"{path}.{word}[{i}]") for i, part in enumerate(parts))
        return All(read) if word == "all" else Any(read)
    if keys == {"not"}:
        return Not(parse(document["not"], scope, f"{path}.not"))
    return _test(document, scope, path)


def expression(condition: Condition) -> pl.Expr:
    """The condition as an expression of true, false and null for unknown."""
    match condition:
        case All(parts):
            return pl.all_horizontal([expression(part) for part in parts])
        case Any(parts):
            return pl.any_horizontal([expression(part) for part in parts])
        case Not(part):
            return ~expression(part)
        case Test(operand, name, value):
            operator = OPERATORS[name]
            right = pl.col(value.name) if isinstance(value, Field) else value
            return operator.build(_left(operand, operator), operand.kind, right)


def columns(condition: Condition) -> set[str]:
    """The columns of the frame that the condition reads."""
    match condition:
        case All(parts) | Any(parts):
            return set().union(*(columns(part) for part in parts))
        case Not(part):
            return columns(part)
        case Test(operand, name, value):
            held = {value.name} if isinstance(value, Field) else set()
            if isinstance(operand, Hours):
                return held | {operand.start, operand.end}
            return held | {_column(operand, OPERATORS[name])}


def folded_columns(condition: Condition) -> set[str]:
    """The text columns of which the condition needs the folded words."""
    match condition:
        case All(parts) | Any(parts):
            return set().union(*(folded_columns(part) for part in parts))
        case Not(part):
            return folded_columns(part)
        case Test(Field(name), operator):
            return {name} if OPERATORS[operator].folds else set()
        case Test():
            return set()


def fold_expressions(names: set[str]) -> list[pl.Expr]:
    """The folded text of each column, under the name that expressions read it by."""
    return [folded(pl.col(name)).alias(name + FOLDED_SUFFIX) for name in sorted(names)]


def _column(operand: Field, operator: Operator) -> str:
    if operator.name.endswith("changed"):
        return CHANGE_COUNTERS[operand.name]
    return operand.name


def _left(operand: Field | Hours, operator: Operator) -> pl.Expr:
    if isinstance(operand, Hours):
        return (pl.col(operand.end) - pl.col(operand.start)).dt.total_microseconds() / 3_600_000_000
    name = _column(operand, operator)
    return pl.col(name + FOLDED_SUFFIX if operator.folds else name)


def _test(document: Mapping[str, Anything], scope: Scope, path: str) -> Test:
    strange = set(document) - {"field", "hours", "op", "value"}
    if strange or ("field" in document) == ("hours" in document) or "op" not in document:
        _fail(path, "needs all, any, not, or one of field and hours with op", dict(document))
    name = "null" if document["op"] is None else document["op"]  # YAML reads a bare null so
    operator = OPERATORS.get(name) if isinstance(name, str) else None
    if operator is None:
        _fail(f"{path}.op", f"no such operator; there are {', '.join(OPERATORS)}", name)
    operand = _operand(document, scope, path)
    if operator.name.endswith("changed"):
        counted = isinstance(operand, Field) and operand.name in CHANGE_COUNTERS
        if not counted:
            _fail(path, f"changes are counted for {', '.join(CHANGE_COUNTERS)}", dict(document))
    elif operand.kind not in operator.kinds:
        _fail(f"{path}.op", f"{operator.name} does not apply to a field of {operand.kind}", name)
    given = document.get("value")
    if operator.shape is Shape.NOTHING:
        if given is not None:
            _fail(f"{path}.value", f"{operator.name} takes no value", given)
        return Test(operand, operator.name)
    return Test(operand, operator.name, _value(operator, operand.kind, given, scope, path))


def _operand(document: Mapping[str, Anything], scope: Scope, path: str) -> Field | Hours:
    if "hours" in document:
        pair = document["hours"]
        if not isinstance(pair, list) or len(pair) != 2:
            _fail(f"{path}.hours", "needs two moments: [from, to]", pair)
        for name in pair:
            if scope.kind(name) is not Kind.MOMENT:
                _fail(f"{path}.hours", "is not a moment", name)
        return Hours(*pair)
    kind = scope.kind(document["field"])
    if kind is None or kind is Kind.PAIRS:
        _fail(f"{path}.field", "no such field", document["field"])
    return Field(document["field"], kind)


def _value(operator: Operator, kind: Kind, given: Anything, scope: Scope, path: str) -> Anything:
    where = f"{path}.value"
    item = Kind.TEXT if kind is Kind.LABELS else kind
    match operator.shape:
        case Shape.ONE:
            if isinstance(given, Mapping) and set(given) == {"field"}:
                return _other(given["field"], kind, scope, where)
            return _literal(given, item, scope, where)
        case Shape.PAIR:
            if not isinstance(given, list) or len(given) != 2:
                _fail(where, "needs two values: [lowest, highest]", given)
            low, high = (_literal(value, item, scope, where) for value in given)
            if low > high:
                _fail(where, "the lowest value stands first", given)
            return (low, high)
        case Shape.NAMED:
            return _named(given, scope, where)
        case _:
            if isinstance(given, Mapping) and set(given) == {"list"}:
                values: Sequence[Anything] = _named(given["list"], scope, where)
            else:
                values = given if isinstance(given, list) else [given]
            if not values:
                _fail(where, "needs at least one value", given)
            read = tuple(_literal(value, item, scope, where) for value in values)
            if "" in read or (operator.folds and "  " in needles(read)):
                _fail(where, "an empty text is found everywhere", given)
            return tuple(needles(read)) if operator.folds else read


def _other(name: Anything, kind: Kind, scope: Scope, where: str) -> Field:
    other = scope.kind(name)
    if other is None:
        _fail(where, "no such field", name)
    if other is not kind and not (other in _NUMERIC and kind in _NUMERIC):
        _fail(where, f"a field of {other} cannot be compared with one of {kind}", name)
    return Field(name, other)


def _named(name: Anything, scope: Scope, where: str) -> tuple[str, ...]:
    if not isinstance(name, str) or name not in scope.lists:
        _fail(where, "no such list", name)
    return tuple(scope.lists[name])


def _literal(given: Anything, kind: Kind, scope: Scope, where: str) -> Anything:
    if isinstance(given, Mapping) and set(given) == {"threshold"}:
        if given["threshold"] not in scope.thresholds:
            _fail(where, "no such threshold in this rule", given["threshold"])
        given = scope.thresholds[given["threshold"]]
    good = False
    match kind:
        case Kind.BOOLEAN:
            good = isinstance(given, bool)
        case Kind.TEXT:
            good = isinstance(given, str)
        case Kind.INTEGER | Kind.NUMBER:
            number = isinstance(given, int | float) and not isinstance(given, bool)
            good = number and abs(given) < _EXACT  # false for what is not a number, too
        case Kind.MOMENT:
            return moment(given, where)
    if not good:
        _fail(where, f"is not a value of kind {kind}", given)
    return given


def moment(given: Anything, where: str) -> datetime:
    """Read a moment as rules write it: ISO 8601 with its zone. Raises ``Invalid``."""
    try:
        read = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        _fail(where, "is not a moment in ISO 8601", given)
    if read.tzinfo is None:
        _fail(where, "a moment must name its zone", given)
    return read.astimezone(UTC)


def _fail(path: str, reason: str, value: Anything) -> NoReturn:
    raise Invalid("risk.rule_invalid", reason, path=path, value=value)
