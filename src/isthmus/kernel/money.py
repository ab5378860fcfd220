"""Amounts of money: a decimal and an ISO 4217 currency, never a float."""

import re
from dataclasses import dataclass
from decimal import Decimal

from isthmus.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217 alphabetic code)."""

    amount: Decimal
    currency: str


# Digits of the Latin script only; Python would read "1_000" and other scripts' digits too.
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_DIGITS = 30


def decimal(text: str, field: str) -> Decimal:
    """Read a decimal number written with a point, as trade messages and tables write it.

    Raises ``Invalid`` with the field and the text when it is no number, or needs more than 30
    digits before or after the point.
    """
    number = Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None
    if number is None:
        raise Invalid("value_impossible", "not a number", field=field, value=text[:80])
    _, digits, exponent = number.as_tuple()
    if len(digits) > _DIGITS or abs(int(exponent)) > _DIGITS:
        raise Invalid("value_impossible", "not a usable number", field=field, value=text[:80])
    return number
