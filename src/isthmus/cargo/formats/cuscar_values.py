"""How the values of CUSCAR segments are read: one function per way that a profile names.

Every function takes a segment and a rule and returns the value, or None where the segment does
not give it. A value that cannot be is an ``Invalid`` that names the field and the value.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from isthmus.cargo.formats.cuscar_profile import Rule
from isthmus.cargo.formats.edifact import Segment
from isthmus.cargo.model import Packages, Party, PartyRole, Seal
from isthmus.kernel.errors import Invalid
from isthmus.kernel.money import Money, decimal
from isthmus.kernel.quantities import kilograms

LONGEST_CONTAINER_NUMBER = 17  # 8260
LONGEST_SEAL_RANGE = 50

FLAGS = frozenset({"hs_unknown"})
"""Faults that the trade lives with: the value is left out and flagged (code list quality_flags)."""

_SEAL_NOISE = re.compile(r"[\s\-./\\_]+")
_NUMBERED = re.compile(r"(.*?)(\d{1,9})$")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)\Z", re.ASCII)
_HS_NOISE = re.compile(r"[\s.]+")

# Data element 2379: the layout of a moment as its parts, the lengths of which add up to its own.
_LAYOUTS: dict[str, tuple[int, ...]] = {
    "101": (2, 2, 2),
    "102": (4, 2, 2),
    "201": (2, 2, 2, 2, 2),
    "203": (4, 2, 2, 2, 2),
    "204": (4, 2, 2, 2, 2, 2),
}
_ZONED = {"303": ("203", 3), "304": ("204", 3), "205": ("203", 5)}
_BY_LENGTH = {8: "102", 12: "203", 14: "204"}


def read(segment: Segment, rule: Rule, qualifier: str) -> Any:
    """Read what a rule says of a segment; None where the segment does not give it."""
    return _READERS[rule.take](segment, rule, qualifier)


def _text(segment: Segment, rule: Rule, _: str) -> str | None:
    return segment.at(*rule.at).strip() or None


def _code(segment: Segment, rule: Rule, qualifier: str) -> Any:
    code = segment.at(*rule.at).strip().upper()
    if rule.codes is None or not code:
        return code or None
    meaning = rule.codes.get(code)
    if meaning is None and rule.strict:
        raise Invalid(
            "code_unknown",
            "the code is not known",
            field=_name(segment, rule, qualifier),
            value=code,
        )
    return meaning


def _lines(segment: Segment, rule: Rule, _: str) -> str | None:
    return " ".join(part.strip() for part in segment.composite(rule.at[0]) if part.strip()) or None


def _count(segment: Segment, rule: Rule, qualifier: str) -> int | None:
    return _whole(segment.at(*rule.at), _name(segment, rule, qualifier))


def _container(segment: Segment, rule: Rule, qualifier: str) -> str | None:
    number = "".join(segment.at(*rule.at).split()).upper()
    if len(number) > LONGEST_CONTAINER_NUMBER:
        message = f"a container number has at most {LONGEST_CONTAINER_NUMBER} characters"
        raise Invalid(
            "value_too_long", message, field=_name(segment, rule, qualifier), value=number
        )
    return number or None


def _imo(segment: Segment, rule: Rule, _: str) -> str | None:
    number = segment.at(*rule.at).strip().upper().removeprefix("IMO").strip()
    return number if len(number) == 7 and number.isascii() and number.isdigit() else None


def _hs(segment: Segment, rule: Rule, _: str) -> str | None:
    declared = segment.at(*rule.at)
    code = _HS_NOISE.sub("", declared)
    if code and not (code.isascii() and code.isdigit() and 4 <= len(code) <= 10):
        raise Invalid("hs_unknown", "not an HS code", field="hs", value=declared)
    return code or None


def _mass(segment: Segment, rule: Rule, qualifier: str) -> Decimal | None:
    unit, amount, *_rest = (*segment.composite(rule.at[0]), "", "")
    if not amount.strip():
        return None
    field = _name(segment, rule, qualifier)
    number = _decimal(amount, field)
    if number < 0:
        raise Invalid("value_impossible", "a mass is not negative", field=field, value=amount)
    try:
        return kilograms(number, unit.strip())
    except Invalid as error:
        raise Invalid(error.code, error.message, field=field, value=unit) from None


def _money(segment: Segment, rule: Rule, qualifier: str) -> Money | None:
    _kind, amount, currency, *_rest = (*segment.composite(rule.at[0]), "", "", "")
    if not amount.strip():
        return None
    field = _name(segment, rule, qualifier)
    code = currency.strip().upper()
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        message = "an amount needs its currency, three letters"
        raise Invalid("value_missing", message, field=field, value=currency)
    return Money(_decimal(amount, field), code)


def _temperature(segment: Segment, rule: Rule, qualifier: str) -> Decimal | None:
    degrees, unit, *_rest = (*segment.composite(rule.at[0]), "", "")
    return _celsius(degrees, unit, _name(segment, rule, qualifier))


def _temperature_range(segment: Segment, rule: Rule, qualifier: str) -> Decimal | None:
    """Only a range without width is a set point: a middle would be a value nobody declared."""
    unit, low, high, *_rest = (*segment.composite(rule.at[0]), "", "", "")
    field = _name(segment, rule, qualifier)
    lowest, highest = _celsius(low, unit, field), _celsius(high, unit, field)
    return lowest if lowest == highest else None


def _celsius(degrees: str, unit: str, field: str) -> Decimal | None:
    if not degrees.strip():
        return None
    number = _decimal(degrees, field)
    match unit.strip().upper():
        case "CEL" | "":
            return number
        case "FAH":
            return ((number - 32) * 5 / 9).quantize(Decimal("0.1"))
    raise Invalid("code_unknown", "not a unit of temperature", field=field, value=unit)


def _packages(segment: Segment, rule: Rule, _: str) -> Packages | None:
    count = _whole(segment.at(*rule.parts["count"]), f"{segment.tag} count of packages")
    if count is None:
        return None
    return Packages(count, segment.at(*rule.parts["kind"]).strip().upper() or None)


def _party(segment: Segment, rule: Rule, qualifier: str) -> Party | None:
    """A party named in lines, in fields, or in both; a line is a name only where no field is."""
    parts = rule.parts

    def field(name: str) -> str | None:
        return segment.at(*parts[name]).strip() or None

    def lines(name: str) -> list[str]:
        return [s for s in (part.strip() for part in segment.composite(parts[name][0])) if s]

    free, name = lines("lines"), " ".join(lines("name")) or None
    if name is None and free:
        name, *free = free
    region = field("region")
    address = (*free, *lines("street"), *([region] if region else []))
    identifier, country = field("identifier"), field("country")
    if not (name or identifier or address):
        return None
    return Party(
        role=PartyRole((rule.codes or {})[qualifier]),
        name=name,
        identifier=identifier,
        address=address,
        city=field("city"),
        postcode=field("postcode"),
        country=country.upper() if country else None,
    )


def _seal(segment: Segment, rule: Rule, _: str) -> tuple[Seal, ...] | None:
    """The seals that one segment names: one, or every one of a range."""

    def coded(name: str, table: Mapping[str, Any]) -> str | None:
        path = rule.parts.get(name)
        code = segment.at(*path).strip().upper() if path else ""
        return table.get(code) if code else None

    codes = rule.codes or {}
    numbers = [_SEAL_NOISE.sub("", segment.at(*rule.parts["number"])).upper()]
    if not numbers[0]:
        first, last = (
            _SEAL_NOISE.sub("", segment.at(*rule.parts[end])).upper() for end in ("first", "last")
        )
        numbers = _range(first, last)
    kind, affixed_by, state = (
        coded(name, codes[table])
        for name, table in (("kind", "kinds"), ("affixed_by", "affixers"), ("state", "states"))
    )
    return tuple(Seal(n, kind, affixed_by, state) for n in numbers if n) or None


def _range(first: str, last: str) -> list[str]:
    """The seal numbers from first to last; both ends alone where they do not count up."""
    low, high = _NUMBERED.match(first), _NUMBERED.match(last)
    if low and high and low[1] == high[1] and len(low[2]) == len(high[2]):
        start, end = int(low[2]), int(high[2])
        if start <= end < start + LONGEST_SEAL_RANGE:
            return [f"{low[1]}{n:0{len(low[2])}d}" for n in range(start, end + 1)]
    return [first, last] if last != first else [first]


def _moment(segment: Segment, rule: Rule, qualifier: str) -> datetime | None:
    _kind, text, layout, *_rest = (*segment.composite(rule.at[0]), "", "", "")
    text = text.strip()
    if not text:
        return None
    field = _name(segment, rule, qualifier)
    layout = layout.strip() or _BY_LENGTH.get(len(text), "")
    offset = timedelta()
    if layout in _ZONED:
        layout, width = _ZONED[layout]
        text, zone = text[:-width], text[-width:]
        offset = _offset(zone, field)
    widths = _LAYOUTS.get(layout)
    if widths is None:
        raise Invalid("code_unknown", "unknown layout of a date", field=field, value=layout)
    if len(text) != sum(widths) or not (text.isascii() and text.isdigit()):
        raise Invalid("value_impossible", f"not a date of layout {layout}", field=field, value=text)
    parts, at = [], 0
    for width in widths:
        parts.append(int(text[at : at + width]))
        at += width
    if widths[0] == 2:
        parts[0] += 2000 if parts[0] < 80 else 1900
    year, month, day, hour, minute, second = (*parts, 0, 0, 0)[:6]
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC) - offset
    except (ValueError, OverflowError):
        raise Invalid("value_impossible", "no such date", field=field, value=text) from None


def _offset(zone: str, field: str) -> timedelta:
    if zone.upper() in ("UTC", "GMT"):
        return timedelta()
    sign, digits = zone[:1], zone[1:]
    if sign in ("+", "-") and digits.isascii() and digits.isdigit() and len(digits) in (2, 4):
        span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
        return span if sign == "+" else -span
    raise Invalid("code_unknown", "unknown time zone", field=field, value=zone)


def _decimal(text: str, field: str) -> Decimal:
    """Read a number as ISO 9735 writes it: no exponent; a comma may stand for the point."""
    plain = text.strip().replace(",", ".")
    if not _NUMBER.match(plain):
        raise Invalid("value_impossible", "not a number", field=field, value=text)
    return decimal(plain, field)


def _whole(text: str, field: str) -> int | None:
    if not text.strip():
        return None
    number = _decimal(text, field)
    if number < 0 or number != number.to_integral_value():
        raise Invalid("value_impossible", "not a count", field=field, value=text)
    return int(number)


def _name(segment: Segment, rule: Rule, qualifier: str) -> str:
    """Name the field for people: the segment and what it fills."""
    return f"{segment.tag} {rule.targets[qualifier].field}"


_READERS: dict[str, Callable[[Segment, Rule, str], Any]] = {
    "text": _text,
    "code": _code,
    "lines": _lines,
    "moment": _moment,
    "mass": _mass,
    "count": _count,
    "container": _container,
    "seal": _seal,
    "party": _party,
    "packages": _packages,
    "money": _money,
    "temperature": _temperature,
    "temperature_range": _temperature_range,
    "hs": _hs,
    "imo": _imo,
}
