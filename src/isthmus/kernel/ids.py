"""Identifiers: a short prefix that names the kind of thing, then a time-ordered random number."""

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)


def new_id(prefix: str) -> str:
    """Make a new identifier such as ``doc_06bq3f1m9t0xk2r8v5hc7n4ezs``.

    48 bits of milliseconds followed by 80 random bits (the layout of a ULID), so identifiers of
    one kind sort by the moment of their making and cannot be guessed.
    """
    number = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    pairs = _PAIRS  # two digits at a time: a record is three identifiers, and there are millions
    high, low = number >> 60, number & (1 << 60) - 1
    return (
        f"{prefix}_{pairs[high >> 60]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}"
        f"{pairs[high >> 30 & 1023]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}"
        f"{pairs[high & 1023]}{pairs[low >> 50]}{pairs[low >> 40 & 1023]}"
        f"{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}"
        f"{pairs[low & 1023]}"
    )


def encode(number: int, width: int) -> str:
    """Write a non-negative number in Crockford base 32 with leading zeros up to ``width``."""
    digits = []
    for _ in range(width):
        digits.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(digits))
