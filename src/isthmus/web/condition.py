"""A rule's condition as people read it: one test a line, indented, in the reader's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any as Anything

from isthmus.risk.conditions import All, Any, Condition, Field, Hours, Not, Test
from isthmus.risk.explain import shown
from isthmus.web.labels import Labels

MOST_VALUES = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One line: how deep it stands, the joining word before it, and what it says."""

    depth: int
    word: str
    field: str = ""
    operator: str = ""
    value: str = ""


def lines(
    condition: Condition, labels: Labels, thresholds: Mapping[str, float] | None = None
) -> list[Line]:
    """The condition line by line."""
    return list(_lines(condition, labels, thresholds or {}, 0, ""))


def _lines(
    condition: Condition, labels: Labels, thresholds: Mapping[str, float], depth: int, word: str
) -> Iterator[Line]:
    t = labels.reader.t
    match condition:
        case All(parts) | Any(parts):
            joint = "all" if isinstance(condition, All) else "any"
            yield Line(depth, " ".join(part for part in (word, t(f"condition.{joint}")) if part))
            for part in parts:
                yield from _lines(part, labels, thresholds, depth + 1, "")
        case Not(part):
            negated = " ".join(one for one in (word, t("condition.not")) if one)
            yield from _lines(part, labels, thresholds, depth, negated)
        case Test(operand, operator, value):
            yield Line(
                depth,
                word,
                _operand(operand, labels),
                t(f"operator.{operator}"),
                _value(value, labels),
            )


def _operand(operand: Field | Hours, labels: Labels) -> str:
    if isinstance(operand, Hours):
        start, end = labels.field(operand.start), labels.field(operand.end)
        return labels.reader.t("condition.hours", start=start, end=end)
    return labels.field(operand.name)


def _value(value: Anything, labels: Labels) -> str:
    if value is None:
        return ""
    if isinstance(value, Field):
        return labels.field(value.name)
    if isinstance(value, datetime):
        return labels.reader.moment(value)
    if isinstance(value, tuple):
        told = [shown(one, labels.reader.locale).strip() for one in value[:MOST_VALUES]]
        more = len(value) - len(told)
        rest = [labels.reader.t("condition.more", count=more)] if more else []
        return ", ".join([*told, *rest])
    return shown(value, labels.reader.locale)
