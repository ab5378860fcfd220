"""What a risk profile says, as a condition on the fields that rules of this node may read.

A profile's rule is in the language that rules are written in, but over the fields of the node
that made it; its coded lists (places, ships, boxes, indicators) say more. All of what it says must
hold at once. What no field here tells is named, with what leaving it out does, and never dropped
silently.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from isthmus.intelligence.model import Item
from isthmus.kernel.errors import Invalid
from isthmus.risk import rulebook
from isthmus.risk.catalogue import field_kinds
from isthmus.risk.conditions import Scope, parse

Condition = Mapping[str, Any]
WIDER, NARROWER, NEITHER = "wider", "narrower", "neither"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a profile that no rule here can read: why, and what leaving it out does.

    Codes: ``no_field`` (nothing here tells it), ``by_name`` (parties are screened by name and
    never read by rules), ``unreadable`` (the rule reads what this node does not have),
    ``says_what_for`` (it tells what is looked for and is no condition).
    """

    path: str
    code: str
    value: str = ""
    effect: str = WIDER


@dataclass(frozen=True, slots=True)
class Terms:
    """A profile as a condition, the numbers it compares with, and what had to be left out."""

    when: Condition | None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    used: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@cache
def indicators() -> Mapping[str, Condition]:
    """Return the coded indicators that fields here tell, each as a condition."""
    text = (Path(__file__).parent / "profile_indicators.yaml").read_text(encoding="utf-8")
    held: Mapping[str, Condition] = yaml.safe_load(text)
    return held


def terms(item: Item) -> Terms:
    """Return what of a profile, or of the part of it that came, a rule here can say."""
    body = item.body
    numbers = {
        one["name"]: float(one["value"])
        for one in body.get("parameters", ())
        if "name" in one and "value" in one
    }
    parts: list[Condition] = []
    used: list[str] = []
    left: list[LeftOut] = []
    for name, value in body.items():
        reader = _READERS.get(name)
        if reader is None:
            continue
        found, out = reader(name, value, numbers)
        left += out
        if found is not None:
            parts += found["all"] if set(found) == {"all"} else [found]
            used.append(name)
    when = None if not parts else parts[0] if len(parts) == 1 else {"all": parts}
    kept = {one: numbers[one] for one in _thresholds(when) if one in numbers}
    return Terms(when, kept, tuple(used), tuple(left))


Read = tuple[Condition | None, list[LeftOut]]


def _rule(name: str, value: Any, numbers: Mapping[str, float]) -> Read:
    """The rule itself. A part that must hold with others is left out alone, else the whole."""
    scope = Scope(field_kinds(), numbers, rulebook.shipped().lists)
    fault = _fault(value, scope)
    if fault is None:
        return value, []
    parts = value.get("all") if isinstance(value, Mapping) else None
    if not isinstance(parts, list):
        return None, [LeftOut(name, "unreadable", fault)]
    good = []
    left = []
    for place, part in enumerate(parts):
        wrong = _fault(part, scope)
        if wrong is None:
            good.append(part)
        else:
            left.append(LeftOut(f"{name}.all[{place}]", "unreadable", wrong))
    return ({"all": good} if good else None), left


def _fault(condition: Any, scope: Scope) -> str | None:
    """Say which field or value of a condition this node cannot read, if any."""
    try:
        parse(condition, scope)
    except Invalid as error:
        return f"{error.where.get('value', '')}: {error.message}"
    except RecursionError:
        return "nested too deeply"
    return None


def _among(*fields: str) -> Callable[[str, Any, Mapping[str, float]], Read]:
    """Read a list of codes that one of these fields must hold."""

    def read(_name: str, value: Any, _numbers: Mapping[str, float]) -> Read:
        tests = [{"field": one, "op": "in", "value": list(value)} for one in fields]
        return (tests[0] if len(tests) == 1 else {"any": tests}), []

    return read


def _vessels(name: str, value: Any, _numbers: Mapping[str, float]) -> Read:
    numbers = [one["imo"] for one in value if "imo" in one]
    left = [
        LeftOut(f"{name}.{place}.{member}", "no_field", str(said), NARROWER)
        for place, one in enumerate(value)
        for member, said in one.items()
        if member != "imo" and "imo" not in one
    ]
    return ({"field": "vessel_imo", "op": "in", "value": numbers} if numbers else None), left


def _indicators(name: str, value: Any, _numbers: Mapping[str, float]) -> Read:
    """One of the indicators must be met."""
    known = [indicators()[code] for code in value if code in indicators()]
    effect = NARROWER if known else WIDER
    left = [LeftOut(name, "no_field", code, effect) for code in value if code not in indicators()]
    return (None if not known else known[0] if len(known) == 1 else {"any": known}), left


def _by_name(name: str, value: Any, _numbers: Mapping[str, float]) -> Read:
    return None, [LeftOut(f"{name}.{place}", "by_name") for place, one in enumerate(value) if one]


def _no_field(name: str, value: Any, _numbers: Mapping[str, float]) -> Read:
    return None, [LeftOut(f"{name}.{place}", "no_field") for place, one in enumerate(value) if one]


def _what_for(name: str, value: Any, _numbers: Mapping[str, float]) -> Read:
    said = [code if isinstance(code, str) else "" for code in value]
    return None, [LeftOut(name, "says_what_for", code, NEITHER) for code in said]


_READERS: Mapping[str, Callable[[str, Any, Mapping[str, float]], Read]] = {
    "rule": _rule,
    "containers": _among("container"),
    "vessels": _vessels,
    "origins": _among("place_origin", "place_loading"),
    "transhipments": _among("place_transhipment"),
    "destinations": _among("place_discharge", "place_delivery"),
    "indicators": _indicators,
    "companies": _by_name,
    "persons": _by_name,
    "vehicles": _no_field,
    "links": _no_field,
    "methods": _what_for,
    "goods_classes": _what_for,
}


def _thresholds(condition: Any) -> Iterator[str]:
    """Yield the names of the numbers that a condition compares with."""
    if isinstance(condition, Mapping):
        if set(condition) == {"threshold"}:
            yield condition["threshold"]
        for part in condition.values():
            yield from _thresholds(part)
    elif isinstance(condition, list):
        for part in condition:
            yield from _thresholds(part)


# -- the other way ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """An own condition in the words of a profile: the rule, and its numbers as parameters."""

    rule: Condition
    parameters: tuple[Mapping[str, str], ...]


def said(
    when: Condition, thresholds: Mapping[str, float], lists: Mapping[str, Sequence[str]]
) -> Said:
    """Return an own rule's condition as a profile says it: named lists written out, negations as
    ``not``, numbers as parameters. Raises ``Invalid`` for what a profile has no words for.
    """
    named = {name: text for name, value in thresholds.items() if (text := _number(value))}
    rule = _said(when, thresholds, named, lists)
    kept = list(dict.fromkeys(_thresholds(rule)))
    return Said(rule, tuple({"name": name, "value": named[name]} for name in kept))


def _said(
    one: Condition,
    numbers: Mapping[str, float],
    named: Mapping[str, str],
    lists: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    for word in ("all", "any"):
        if word in one:
            return {word: [_said(part, numbers, named, lists) for part in one[word]]}
    if "not" in one:
        return {"not": _said(one["not"], numbers, named, lists)}
    operator = "null" if one["op"] is None else one["op"]
    held = {name: one[name] for name in ("field", "hours") if name in one}
    positive = _POSITIVE.get(operator, operator)
    if positive == "member_of":
        test = {**held, "op": "in", "value": list(lists[one["value"]])}
    else:
        value = _value(one.get("value"), numbers, named, lists)
        test = {**held, "op": positive} | ({} if value is None else {"value": value})
    if isinstance(test.get("value"), list) and len(test["value"]) > _LONGEST:
        raise Invalid("profile_too_long", "a profile names at most 500 values", path=str(held))
    return {"not": test} if operator in _POSITIVE else test


_LONGEST = 500
_POSITIVE = {"ne": "eq"} | {
    f"not_{name}": name
    for name in (
        "in", "between", "begins_with", "ends_with", "contains", "empty", "null", "member_of",
        "matches_words", "changed",
    )
}  # fmt: skip


def _value(
    value: Any,
    numbers: Mapping[str, float],
    named: Mapping[str, str],
    lists: Mapping[str, Sequence[str]],
) -> Any:
    if isinstance(value, Mapping) and set(value) == {"list"}:
        return list(lists[value["list"]])
    if isinstance(value, Mapping) and set(value) == {"threshold"}:
        # A parameter is a number without sign; one below zero is written out.
        return dict(value) if value["threshold"] in named else numbers[value["threshold"]]
    if isinstance(value, list):
        return [numbers[one["threshold"]] if isinstance(one, Mapping) else one for one in value]
    return value


def _number(value: float) -> str:
    """Return a number as a parameter holds it: without sign and exactly; else nothing."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return text if 0 <= value < 1e15 and float(text) == value else ""
