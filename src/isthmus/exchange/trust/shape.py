"""The shape of what a statement says: exactly these members, each of its type, nothing else."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from isthmus.kernel.errors import Invalid
from isthmus.kernel.time import isoformat

# Types as written in a shape: a class, a list of one class, or a union by ``|``.
Shape = Mapping[str, Any]


def check(payload: Mapping[str, Any], shape: Shape, what: str) -> None:
    """Raise ``Invalid`` naming the first member that is missing, unknown or of another type."""
    for name in payload:
        if name not in shape:
            raise Invalid("member_unknown", f"{what} has no such member", member=str(name)[:80])
    for name, kind in shape.items():
        if name not in payload:
            raise Invalid("member_missing", f"{what} lacks a member", member=name)
        if not _fits(payload[name], kind):
            raise Invalid("member_wrong", f"a member of {what} has the wrong type", member=name)


def _fits(value: Any, kind: Any) -> bool:
    if isinstance(kind, list):
        # JSON has no subclasses: most lists are settled by the types that occur in them.
        return isinstance(value, list) and (
            (set(map(type, value)) <= {kind[0]} and kind[0] is not int)
            or all(_fits(one, kind[0]) for one in value)
        )
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53
    return isinstance(value, kind)


def moment(payload: Mapping[str, Any], name: str) -> datetime:
    """Return a moment; raises ``Invalid`` unless it is ISO 8601 in UTC as ``isoformat`` writes."""
    text = payload[name]
    try:
        found = datetime.fromisoformat(text)
        if isoformat(found) == text:
            return found
    except (TypeError, ValueError):
        pass
    raise Invalid("moment_wrong", "not a moment in UTC", member=name)


def digest(payload: Mapping[str, Any], name: str) -> bytes:
    """Return a SHA-256 written in lower-case hex."""
    text = payload[name]
    try:
        found = bytes.fromhex(text)
        if len(found) == 32 and found.hex() == text:
            return found
    except (TypeError, ValueError):
        pass
    raise Invalid("digest_wrong", "not a SHA-256 in hex", member=name)


def depth(value: Any, most: int) -> None:
    """Raise ``Invalid`` when lists and objects nest deeper than ``most``."""
    level, left = [value], most
    while level:
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
        level = [one for one in inner if isinstance(one, dict | list)]
        left -= 1
        if left < 0:
            raise Invalid("nesting_too_deep", f"nested deeper than {most} levels")
