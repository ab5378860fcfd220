"""One element of a WCO message, and how its values are read.

A declaration is small enough to be held as a tree of these; a document of many declarations is
never held whole. Every value that is read is marked as used, so that what a declaration says
beyond the record is known exactly and kept beside it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from isthmus.kernel.errors import Invalid
from isthmus.kernel.money import Money, decimal
from isthmus.kernel.quantities import kilograms

# xsd:decimal: ASCII digits and one point. No exponent: 1E9999999 is a short text, a huge number.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_INTEGER = re.compile(r"[0-9]{1,9}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_ISO_8601 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2})?)?")
_ZONE = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")

# UN/EDIFACT code list 2379: digits of the moment, and whether a zone follows them.
_FORMATS: dict[str, tuple[str, bool]] = {
    "102": ("%Y%m%d", False),
    "203": ("%Y%m%d%H%M", False),
    "204": ("%Y%m%d%H%M%S", False),
    "205": ("%Y%m%d%H%M", True),
    "208": ("%Y%m%d%H%M%S", True),
    "303": ("%Y%m%d%H%M", True),
    "304": ("%Y%m%d%H%M%S", True),
}
_LENGTHS = {"%Y%m%d": 8, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}


class Element:
    """An element by its local name, with its line, attributes, text and children.

    An element of another vocabulary is named ``{namespace}name`` and so matches no WCO name.
    """

    __slots__ = ("attributes", "children", "line", "name", "parent", "text", "used")

    def __init__(
        self, name: str, line: int, attributes: dict[str, str], parent: "Element | None" = None
    ) -> None:
        self.name = name
        self.line = line
        self.attributes = attributes
        self.parent = parent
        self.children: list[Element] = []
        self.text = ""
        self.used = False

    # --- where things stand

    @property
    def path(self) -> str:
        """The way from the declaration to here; ``[n]`` where several bear the same name."""
        steps: list[str] = []
        node = self
        while node.parent is not None:
            peers = [child for child in node.parent.children if child.name == node.name]
            place = next((n for n, peer in enumerate(peers, 1) if peer is node), len(peers) + 1)
            steps.append(node.name if len(peers) < 2 else f"{node.name}[{place}]")
            node = node.parent
        return "/".join(reversed(steps))

    def all(self, path: str) -> list["Element"]:
        """Every element at this path of names below this one, in document order."""
        found = [self]
        for name in path.split("/"):
            found = [child for node in found for child in node.children if child.name == name]
        return found

    def one(self, path: str) -> "Element | None":
        """The element at this path; raises ``Invalid`` when it stands there more than once."""
        found = self.all(path)
        if len(found) > 1:
            raise found[1].fault("value_impossible", "stands twice where it may stand once")
        return found[0] if found else None

    # --- values

    def value(self) -> str | None:
        """The trimmed text of this element, marked as used; None when it is empty."""
        self.used = True
        return self.text.strip() or None

    def read(self, path: str) -> str | None:
        """The text at this path, or None when it is absent or empty."""
        found = self.one(path)
        return found.value() if found is not None else None

    def code(self, path: str) -> str | None:
        """The code at this path in upper case, or None."""
        text = self.read(path)
        return text.upper() if text is not None else None

    def count(self, path: str) -> int | None:
        """The whole number at this path, 0 to 999,999,999."""
        found = self.one(path)
        text = found.value() if found is not None else None
        if found is None or text is None:
            return None
        whole = text.partition(".")[0] if text.rstrip("0").endswith(".") else text
        if not _INTEGER.fullmatch(whole):
            raise found.fault("value_impossible", "is not a whole number")
        return int(whole)

    def number(self) -> Decimal | None:
        """The decimal number of this element, zero or more."""
        text = self.value()
        if text is None:
            return None
        if not _DECIMAL.fullmatch(text):
            raise self.fault("value_impossible", "is not a number")
        try:
            number = decimal(text, self.name)
        except Invalid as refused:
            raise self.fault(refused.code, f"is {refused.message}") from None
        if number < 0:
            raise self.fault("value_impossible", "is below zero")
        return number

    def mass(self, path: str) -> Decimal | None:
        """The mass at this path in kilograms; without a unit code it is declared in kilograms."""
        found = self.one(path)
        number = found.number() if found is not None else None
        if found is None or number is None:
            return None
        unit = found.attributes.get("unitCode", "").strip() or "KGM"
        try:
            return kilograms(number, unit)
        except Invalid:
            raise found.fault("code_unknown", f"has unit {unit!r}, which is no mass") from None

    def money(self, path: str) -> Money | None:
        """The amount at this path with its currency; an amount without one is refused."""
        found = self.one(path)
        number = found.number() if found is not None else None
        if found is None or number is None:
            return None
        currency = found.attributes.get("currencyID", "").strip().upper()
        if not currency:
            raise found.fault("value_missing", "is an amount without a currency")
        if not _CURRENCY.fullmatch(currency):
            raise found.fault("code_unknown", f"has currency {currency!r}, which is no code")
        return Money(number, currency)

    def moment(self, path: str) -> datetime | None:
        """The moment at this path in UTC.

        It stands in a ``DateTimeString`` with a format code (UN/EDIFACT 2379) or is written as
        ISO 8601. A moment without a zone is taken as UTC, a date as its first moment.
        """
        found = self.one(path)
        if found is None:
            return None
        inner = found.one("DateTimeString") or found.one("DateTime") or found
        text = inner.value()
        if text is None:
            return None
        form = inner.attributes.get("formatCode", "").strip()
        try:
            return _iso_moment(text) if not form else _coded_moment(text, form)
        except KeyError:
            raise inner.fault("code_unknown", f"has date format {form!r}, not known") from None
        except (ValueError, OverflowError):
            raise inner.fault("value_impossible", "is not a possible date or time") from None

    # --- what is wrong, and what is left

    def fault(self, code: str, words: str) -> Invalid:
        """An error that names the line, path and value of this element."""
        value = self.text.strip()
        shown = f": {value[:60]!r}" if value else ""
        return Invalid(
            code,
            f"line {self.line}: {self.path or self.name} {words}{shown}",
            field=self.path or self.name,
            value=value[:200] or None,
            line=self.line,
        )

    def missing(self, name: str) -> Invalid:
        """An error that says that this element lacks a mandatory one."""
        path = f"{self.path}/{name}" if self.path else name
        return Invalid(
            "value_missing",
            f"line {self.line}: {path} is missing",
            field=path,
            value=None,
            line=self.line,
        )

    def use(self) -> None:
        """Mark everything in this element as used."""
        self.used = True
        for child in self.children:
            child.use()

    def left(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Yield path and value of everything in here that no field of the record took."""
        totals = Counter(child.name for child in self.children)
        seen: Counter[str] = Counter()
        for child in self.children:
            seen[child.name] += 1
            index = f"[{seen[child.name]}]" if totals[child.name] > 1 else ""
            path = f"{prefix}{child.name}{index}"
            text = child.text.strip()
            if text and not child.used:
                yield path, text
                for name, value in child.attributes.items():
                    yield f"{path}@{name}", value
            yield from child.left(f"{path}/")


def _iso_moment(text: str) -> datetime:
    if not _ISO_8601.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _coded_moment(text: str, form: str) -> datetime:
    pattern, zoned = _FORMATS[form]
    digits, rest = text[: _LENGTHS[pattern]], text[_LENGTHS[pattern] :]
    if not (digits.isascii() and digits.isdigit() and len(digits) == _LENGTHS[pattern]):
        raise ValueError(text)
    zone = _zone(rest) if zoned else (UTC if not rest else None)
    if zone is None:
        raise ValueError(text)
    return datetime.strptime(digits, pattern).replace(tzinfo=zone).astimezone(UTC)


def _zone(text: str) -> timezone | None:
    if text in {"", "Z", "UTC", "GMT"}:
        return UTC
    match = _ZONE.fullmatch(text)
    if match is None or int(match[3] or 0) > 59:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(offset if match[1] == "+" else -offset)
