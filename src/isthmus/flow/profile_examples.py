"""Examples for a rule that came as data: a row on which it fires, and one on which it does not.

Rules are proved by their examples. A profile brings none, so they are looked for among the values
just beside those that its condition compares with, and tried by the rule itself.
"""

import itertools
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from isthmus.risk.catalogue import field_kinds
from isthmus.risk.conditions import All, Condition, Field, Hours, Not, Test
from isthmus.risk.conditions import Any as AnyOf
from isthmus.risk.firing import Compiled, example_frame, fire
from isthmus.risk.operators import CHANGE_COUNTERS
from isthmus.risk.schema import Kind

MOST = 2048
"""Rows that are tried at most."""

Row = Mapping[str, Any]
_BASE = datetime(2026, 1, 1, tzinfo=UTC)


def examples(when: Condition, compiled: Compiled) -> tuple[Row | None, Row | None]:
    """Return a row on which a rule fires and one on which it stays silent, where some are found."""
    beside: dict[str, list[Any]] = {}
    _gather(when, beside, wanted=True)
    rows: list[Row] = [{}, *_rows(beside)]
    fired = fire(example_frame(rows, field_kinds()), compiled).to_series().to_list()
    loud = next((row for row, did in zip(rows, fired, strict=True) if did), None)
    still = next((row for row, did in zip(rows, fired, strict=True) if not did), None)
    return loud, still


def _rows(beside: Mapping[str, Sequence[Any]]) -> list[Row]:
    """All combinations of the values where they are few, else the likeliest and some by chance."""
    names = list(beside)
    count = 1
    for values in beside.values():
        count = min(count * len(values), MOST + 1)
    if count <= MOST:
        combined = itertools.product(*beside.values())
        return [dict(zip(names, values, strict=True)) for values in combined]
    dice = random.Random(0)  # noqa: S311 - no secret: which rows are tried
    first = {name: values[0] for name, values in beside.items()}
    drawn = [{name: dice.choice(values) for name, values in beside.items()} for _ in range(MOST)]
    one_off = [{**first, name: value} for name, values in beside.items() for value in values[1:]]
    return [first, *one_off, *drawn]


def _gather(condition: Condition, beside: dict[str, list[Any]], *, wanted: bool) -> None:
    """Gather, for each column, the values beside those it is compared with, likeliest first."""
    match condition:
        case All(parts) | AnyOf(parts):
            for part in parts:
                _gather(part, beside, wanted=wanted)
        case Not(part):
            _gather(part, beside, wanted=not wanted)
        case Test():
            negated = condition.operator.startswith("not_") or condition.operator == "ne"
            for name, values in _values(condition).items():
                ordered = values if wanted != negated else values[::-1]
                known = beside.setdefault(name, [])
                known += [one for one in ordered if one not in known]


def _values(test: Test) -> dict[str, list[Any]]:
    """Return values of the columns of a test: those that meet it first."""
    operand, value = test.operand, test.value
    if isinstance(operand, Hours):
        hours = [] if isinstance(value, Field) else _numbers(test.operator, value)
        ends = [(_BASE + timedelta(hours=one)).isoformat() for one in hours]
        return {operand.start: [_BASE.isoformat()], operand.end: ends or [_BASE.isoformat()]}
    if test.operator.endswith("changed"):
        return {CHANGE_COUNTERS[operand.name]: [1, 0]}
    if isinstance(value, Field):
        return {operand.name: _some(operand.kind), value.name: _some(value.kind)}
    if test.operator.endswith(("empty", "null")):
        return {operand.name: [None, *_some(operand.kind)]}
    return {operand.name: _beside(test.operator, operand.kind, value)}


def _beside(operator: str, kind: Kind, value: Any) -> list[Any]:
    if kind in (Kind.INTEGER, Kind.NUMBER):
        numbers = _numbers(operator, value)
        return [round(one) for one in numbers] if kind is Kind.INTEGER else numbers
    if kind is Kind.MOMENT:
        bounds = value if isinstance(value, tuple) else (value,)
        near = [one + timedelta(hours=step) for one in bounds for step in (0, -1, 1)]
        return [one.isoformat() for one in near]
    if kind is Kind.BOOLEAN:
        return [value, not value]
    texts = [one.strip() for one in (value if isinstance(value, tuple) else (value,))][:3]
    if kind is Kind.LABELS:
        return [texts, *([one] for one in texts), []]
    other = f"{texts[0]}0" if operator.endswith(("with", "eq", "ne", "in")) else "0"
    return [*texts, other if operator != "begins_with" else f"0{texts[0]}"]


def _numbers(operator: str, value: Any) -> list[Any]:
    step = {"lt": -1, "gt": 1}.get(operator, 0)
    bounds = list(value)[:3] if isinstance(value, tuple) else [value]
    near = [one + by for one in bounds for by in dict.fromkeys((step, 0, -1, 1))]
    return list(dict.fromkeys(near))


def _some(kind: Kind) -> list[Any]:
    held: Mapping[Kind, list[Any]] = {
        Kind.TEXT: ["A", "B"], Kind.INTEGER: [1, 2, 0], Kind.NUMBER: [1.0, 2.0, 0.0],
        Kind.BOOLEAN: [True, False], Kind.LABELS: [["A"], []],
        Kind.MOMENT: [_BASE.isoformat(), (_BASE + timedelta(hours=1)).isoformat()],
    }  # fmt: skip
    return held[kind]
