"""Identifiers: a short prefix that names the kind of thing, then a time-ordered random number."""

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u


def new_id(prefix: str) -> str:
    """Make a new identifier such as ``doc_06bq3f1m9t0xk2r8v5hc7n4ezs``.

    48 bits of milliseconds followed by 80 random bits (the layout of a ULID), so identifiers of
    one kind sort by the moment of their making and cannot be guessed.
    """
    number = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10))
    return f"{prefix}_{encode(number, 26)}"


def encode(number: int, width: int) -> str:
    """Write a non-negative number in Crockford base 32 with leading zeros up to ``width``."""
    digits = []
    for _ in range(width):
        digits.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(digits))
