"""JSON text read without forgiving: what JSON leaves open is marked, so that it can be refused.

The marks are values of types that no schema knows: a repeated key, a number that is none (NaN),
one with a fraction or exponent (our documents write decimals as text), a whole number longer than
any count of the trade. The reading goes on behind them, so one bad record spoils no other.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_LONGEST_WHOLE_NUMBER = 18  # digits: what fits every store in 64 bits


@dataclass(frozen=True, slots=True)
class Unusable:
    """A number that stands where no such number can be used."""

    text: str


class RepeatedKey(dict[str, Any]):
    """An object in which a key stands twice: nobody knows which value was meant."""

    key: str = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    repeated = RepeatedKey(value)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            repeated.key = key
            break
        seen.add(key)
    return repeated


def _whole_number(text: str) -> int | Unusable:
    return int(text) if len(text) <= _LONGEST_WHOLE_NUMBER else Unusable(text[:40])


scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_whole_number,
    parse_float=lambda text: Unusable(text[:40]),
    parse_constant=Unusable,
).raw_decode
"""Read the JSON value that begins at this place of the text: the value, and the place behind it.

Raises json.JSONDecodeError when there is none, RecursionError when it is nested too deeply.
"""
