"""One way to turn a value into bytes, so that equal values have equal digests."""

import hashlib
import hmac
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson

from isthmus.kernel.time import isoformat


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of a value: keys sorted, no spaces, UTF-8, shortest floats.

    Moments become ISO 8601 UTC text, decimals become text, enums their value, bytes hex. A
    value of another kind raises ``TypeError``: nothing is guessed. A float that is no number has
    no JSON form and becomes null, like a value that is missing.
    """
    return orjson.dumps(
        value,
        default=_plain,
        option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")


def digest(value: Any) -> bytes:
    """Return the SHA-256 of a value's canonical bytes."""
    return hashlib.sha256(canonical(value)).digest()


def commitment(salt: bytes, value: Any) -> bytes:
    """Return a salted commitment: HMAC-SHA-256 over the canonical bytes.

    Without the salt nobody can test a guess against it, so destroying the salt makes the
    commitment meaningless while whatever chain it stands in still verifies.
    """
    return hmac.digest(salt, canonical(value), "sha256")
