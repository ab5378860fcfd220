"""One cell of a table read as what its column is: the text of the field in, its value out.

A reader of a cell gives ``None`` for an empty field, and raises ``CellFault`` for one that cannot
be what the mapping says. Readers are pure, so what was read once is remembered: the codes, dates
and rates of trade repeat.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from isthmus.cargo.formats.mapping import Column
from isthmus.kernel.errors import Invalid
from isthmus.kernel.money import Money
from isthmus.kernel.quantities import kilograms
from isthmus.reference.check_digits import normalise_container

LONGEST_TEXT = 4000  # characters
LONGEST_CODE = 70
_REMEMBERED = 20_000  # cells of one column
_SHORT = 64  # longer texts hardly repeat

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_HS = re.compile(r"[0-9]{4,10}")
_YEARS = range(1900, 2200)

Read = Callable[[str], Any]


class CellFault(Exception):
    """A cell that cannot be what its column is."""

    def __init__(self, reason: str, message: str, column: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason  # code list quarantine_reasons
        self.message = message
        self.column = column  # None when the reader does not know it


class Remembered(dict[str, Any]):
    """What the cells of one column were read as; forgets all when it holds too many."""

    def __init__(self, read: Read) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Any:
        value = self._read(text)
        if len(text) <= _SHORT:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[text] = value
        return value


def remembering(read: Read) -> Read:
    """The same reader, which remembers."""
    return Remembered(read).__getitem__


def wanted(read: Read) -> Read:
    """The same reader for a column that must hold a value."""

    def must(text: str) -> Any:
        value = read(text)
        if value is None:
            raise CellFault("value_missing", "must hold a value and is empty")
        return value

    return must


def text_reader(most: int = LONGEST_TEXT) -> Read:
    """Trimmed text of at most so many characters."""

    def read(text: str) -> str | None:
        text = text.strip()
        if len(text) > most:
            raise CellFault("value_too_long", f"has more than {most} characters")
        return text or None

    return read


def cell_reader(column: Column, kind: Any, decimal_mark: str, iso_dates: bool) -> Read:
    """The reader of a column whose field is of this type of the model.

    ``iso_dates`` says that the source knows which cells are dates and writes those in ISO 8601,
    as a spreadsheet does. Raises Invalid when the column's type does not fit the field.
    """
    makers: dict[tuple[Any, str], Callable[[], Read]] = {
        (str, "text"): lambda: _text_like(column),
        (str, "code"): lambda: _text_like(column),
        (str, "hs"): lambda: _text_like(column),
        (int, "integer"): lambda: _integer(column),
        (bool, "boolean"): lambda: _boolean(column),
        (Decimal, "decimal"): lambda: _decimal(column, decimal_mark),
        (datetime, "date"): lambda: _moment(column, iso_dates),
    }
    if column.currency is not None:
        currency = column.currency
        makers[Money, "decimal"] = lambda: _money(column, decimal_mark, currency)
    if isinstance(kind, type) and issubclass(kind, Enum):
        makers[kind, "code"] = lambda: _enum(column, kind)
    if (kind, column.type) in makers:
        return makers[kind, column.type]()
    named = getattr(kind, "__name__", str(kind))
    message = f"the column {column.name!r} is {column.type}, its field {column.field} is {named}"
    if kind is Money:
        message += "; money is a decimal with a currency or a currency_column"
    raise Invalid("mapping_missing", message, column=column.name)


def money_reader(column: Column, decimal_mark: str) -> Callable[[str, str], Money | None]:
    """The reader of an amount whose currency stands in a column of its own."""
    amount_of = _decimal(column, decimal_mark)

    def read(text: str, currency: str) -> Money | None:
        amount = amount_of(text)
        if amount is None:
            return None
        code = currency.strip().upper()
        if len(code) != 3 or not (code.isascii() and code.isalpha()):
            reason = "value_impossible" if code else "value_missing"
            message = "is no currency code (ISO 4217)" if code else "must name the currency"
            raise CellFault(reason, message, column.currency_column)
        return Money(amount, code)

    return read


def _text_like(column: Column) -> Read:
    last = column.field.rsplit(".", 1)[-1]
    if column.field in ("container", "containers.number", "goods.containers"):
        return _shortened(lambda text: normalise_container(text) or None)
    if column.field.endswith("seals.number"):
        return _shortened(lambda text: re.sub(r"[^0-9A-Z]", "", text.upper()) or None)
    if column.type == "hs" or last == "hs":
        return _hs
    if column.type == "code":
        return _code(column)
    return text_reader()


def _shortened(read: Read) -> Read:
    trimmed = text_reader(LONGEST_CODE)

    def short(text: str) -> Any:
        value = trimmed(text)
        return None if value is None else read(value)

    return short


def _hs(text: str) -> str | None:
    digits = re.sub(r"[ .]", "", text)
    if not digits:
        return None
    if not _HS.fullmatch(digits):
        raise CellFault("value_impossible", "is no HS code of 4 to 10 digits")
    return digits


def _code(column: Column) -> Read:
    trimmed, codes, keep = text_reader(LONGEST_CODE), column.codes, column.unknown == "flag"

    def read(text: str) -> str | None:
        code: str | None = trimmed(text)
        if code is None:
            return None
        if codes is None:
            return code.upper()
        translated = codes.get(code)
        if translated is None and not keep:
            raise CellFault("code_unknown", f"is none of {', '.join(sorted(codes))}")
        return translated or code.upper()

    return read


def _enum(column: Column, kind: type[Enum]) -> Read:
    trimmed, codes = text_reader(LONGEST_CODE), column.codes
    known = {str(member.value) for member in kind}
    wrong = sorted(set((codes or {}).values()) - known)
    if wrong:
        message = f"the column {column.name!r} translates to {wrong}, which {column.field} is not"
        raise Invalid("mapping_missing", message, column=column.name)

    def read(text: str) -> Enum | None:
        code = trimmed(text)
        if code is None:
            return None
        value = code.lower() if codes is None else codes.get(code)
        if value not in known:
            allowed = sorted(known if codes is None else codes)
            raise CellFault("code_unknown", f"is none of {', '.join(allowed)}")
        return kind(value)

    return read


def _decimal(column: Column, mark: str) -> Read:
    least = None if column.minimum is None else Decimal(column.minimum)
    unit = column.unit

    def read(text: str) -> Decimal | None:
        text = text.strip()
        if not text:
            return None
        written = text if mark == "." else text.replace(".", "!").replace(",", ".")
        if not _NUMBER.fullmatch(written):
            raise CellFault("value_impossible", f"is no number with {mark!r} as decimal mark")
        number = Decimal(written)
        if least is not None and number < least:
            raise CellFault("value_impossible", f"is less than {least}")
        return number if unit is None else kilograms(number, unit)

    return read


def _money(column: Column, mark: str, currency: str) -> Read:
    amount_of = _decimal(column, mark)

    def read(text: str) -> Money | None:
        amount = amount_of(text)
        return None if amount is None else Money(amount, currency)

    return read


def _integer(column: Column) -> Read:
    least = -(10**9) if column.minimum is None else int(column.minimum)

    def read(text: str) -> int | None:
        text = text.strip()
        if not text:
            return None
        if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 9):
            raise CellFault("value_impossible", "is no whole number of at most nine digits")
        number = int(text)
        if number < least:
            raise CellFault("value_impossible", f"is less than {least}")
        return number

    return read


def _moment(column: Column, iso_dates: bool) -> Read:
    form = column.format
    if form is None:
        message = f"the column {column.name!r} is a date and has no format"
        raise Invalid("mapping_missing", message, column=column.name)
    try:
        zone = UTC if column.zone == "UTC" else ZoneInfo(column.zone)
    except (ZoneInfoNotFoundError, ValueError):
        message = f"the column {column.name!r} names the zone {column.zone!r}, which is unknown"
        raise Invalid("mapping_missing", message, column=column.name) from None

    def parsed(text: str) -> datetime:
        if iso_dates:
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                pass  # a cell of text: read below, in the form that the mapping names
        return datetime.strptime(text, form)  # noqa: DTZ007  (the zone is set below)

    def read(text: str) -> datetime | None:
        text = text.strip()
        if not text:
            return None
        try:
            moment = parsed(text)
        except ValueError:
            message = f"is no date of the form {form}"
            raise CellFault("value_impossible", message) from None
        if moment.year not in _YEARS:
            raise CellFault("value_impossible", "is a date outside 1900 to 2199")
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        return aware.astimezone(UTC)

    return read


def _boolean(column: Column) -> Read:
    codes = column.codes
    if codes is None or not set(codes.values()) <= {"true", "false"}:
        message = f"the column {column.name!r} is a boolean: codes must translate to true and false"
        raise Invalid("mapping_missing", message, column=column.name)

    def read(text: str) -> bool | None:
        text = text.strip()
        if not text:
            return None
        if text not in codes:
            raise CellFault("code_unknown", f"is none of {', '.join(sorted(codes))}")
        return codes[text] == "true"

    return read
