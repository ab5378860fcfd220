"""Amounts of money: a decimal and an ISO 4217 currency, never a float."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from isthmus.kernel.errors import Invalid


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217 alphabetic code)."""

    amount: Decimal
    currency: str


def decimal(text: str, field: str) -> Decimal:
    """Read a finite decimal number written with a point, as trade messages write it.

    Raises ``Invalid`` with the field and the text when it is no number, not finite, or longer
    than 30 digits.
    """
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise Invalid("value_impossible", "not a number", field=field, value=text) from None
    if not number.is_finite() or len(number.as_tuple().digits) > 30:
        raise Invalid("value_impossible", "not a usable number", field=field, value=text)
    return number
