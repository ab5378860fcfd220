"""Which rules fire on which rows: all of them compiled into one pass over the frame."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import polars as pl

from isthmus.cargo.unit import Unit
from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import to_micros
from isthmus.risk import conditions
from isthmus.risk.conditions import Scope, moment
from isthmus.risk.rules import Rule
from isthmus.risk.schema import EXTRA_PREFIX, Kind, frame_from_plain, schema_of


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """Rules as expressions. ``columns`` are what a frame must have to be judged by them."""

    rules: tuple[Rule, ...]
    columns: frozenset[str]
    prelude: tuple[pl.Expr, ...]  # folded texts, made once for all rules
    expressions: tuple[pl.Expr, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """An example of a rule on which the rule did not do what the example says."""

    rule: str
    example: str  # "fires[0]", "silent[2]"
    expected: bool
    row: Mapping[str, Any]


def compile_rules(rules: Sequence[Rule]) -> Compiled:
    """Compile rules into expressions that one select evaluates."""
    needed: set[str] = set()
    folds: set[str] = set()
    for rule in rules:
        needed |= conditions.columns(rule.when)
        folds |= conditions.folded_columns(rule.when)
    expressions = tuple(
        conditions.expression(rule.when).fill_null(False).alias(rule.id) for rule in rules
    )
    prelude = tuple(conditions.fold_expressions(folds))
    return Compiled(tuple(rules), frozenset(needed), prelude, expressions)


def fire(frame: pl.DataFrame, compiled: Compiled) -> pl.DataFrame:
    """A column of booleans per rule, named by its id, a row per row of the frame.

    A declared field without a home (``extra_…``) that the frame lacks is null. Raises
    ``Invalid`` when the frame lacks any other column that a rule reads.
    """
    absent = compiled.columns - set(frame.columns)
    extras = [name for name in absent if name.startswith(EXTRA_PREFIX)]
    if len(extras) < len(absent):
        raise Invalid(
            "risk.column_missing",
            "the rows lack columns that the rules read",
            columns=sorted(absent - set(extras)),
        )
    if not compiled.rules:
        return frame.select()
    nulls = [pl.lit(None, dtype=pl.String).alias(name) for name in extras]
    # The in-memory engine by name: results must not depend on a setting of the process.
    return (
        frame.lazy()
        .with_columns(*nulls)
        .with_columns(*compiled.prelude)
        .select(compiled.expressions)
        .collect(engine="in-memory")
    )


def run_examples(rule: Rule, kinds: Mapping[str, Kind]) -> list[Failure]:
    """Try a rule on its own examples; an empty list means that all came out as said."""
    rows = [*rule.fires, *rule.silent]
    fired = fire(example_frame(rows, kinds), compile_rules([rule]))[rule.id].to_list()
    failures = []
    for number, (row, did) in enumerate(zip(rows, fired, strict=True)):
        expected = number < len(rule.fires)
        if did != expected:
            word, place = ("fires", number) if expected else ("silent", number - len(rule.fires))
            failures.append(Failure(rule.id, f"{word}[{place}]", expected, row))
    return failures


def example_frame(rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, Kind]) -> pl.DataFrame:
    """Rows written by a rule's author as a frame; what a row does not name is as in a new unit.

    Raises ``Invalid`` when a value is not of the kind of its field.
    """
    scope = Scope(kinds)
    whole = dict(kinds)
    plain = []
    for row in rows:
        values = dict(_DEFAULTS)
        for name, value in row.items():
            kind = scope.kind(name)
            if kind is None:
                raise Invalid("risk.example", "no such field", field=name)
            whole[name] = kind
            timed = kind is Kind.MOMENT and value is not None
            values[name] = to_micros(moment(value, name)) if timed else value
        plain.append(values)
    try:
        return frame_from_plain(plain, schema_of(whole))
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise Invalid("risk.example", f"a value is not of its field's kind: {error}") from error


_DEFAULTS = {
    field.name: list(field.default) if isinstance(field.default, tuple) else field.default
    for field in fields(Unit)
    if field.default is not MISSING and field.default is not None
} | {"id": "example", "kind": "container"}
