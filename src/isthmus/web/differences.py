"""Versions of a record side by side: which field said what, and what changed.

Records are kept without their parties, so nothing here names a person; that the consignee changed
is told by the reference that stands for it.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

CONSIGNEE = "consignee_ref"
# What every message says of itself; two versions differ in it by nature.
OWN = frozenset({"function", "reference", "issued_at"})


@dataclass(frozen=True, slots=True)
class Row:
    """One field over all versions. ``changed`` marks the values that differ from the one before."""

    field: str  # the last name of the path, for its label
    place: str  # where in the record, as ``goods 2``
    values: tuple[str | None, ...]
    changed: tuple[bool, ...]

    @property
    def differs(self) -> bool:
        """Whether any version said something else than the one before it."""
        return any(self.changed)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All versions of one record, oldest first."""

    kind: str
    key: str
    versions: tuple[RowMapping, ...]
    rows: tuple[Row, ...]

    @property
    def differing(self) -> tuple[Row, ...]:
        """The fields in which versions differ."""
        return tuple(row for row in self.rows if row.differs)

    @property
    def consignee_changed(self) -> bool:
        """Whether the consignee is another one in a later version."""
        return any(row.field == CONSIGNEE and row.differs for row in self.rows)


def compare(records: Sequence[RowMapping]) -> list[Comparison]:
    """Put the versions of each consignment and declaration side by side, oldest first."""
    by_key: dict[tuple[str, str], list[RowMapping]] = {}
    for record in records:
        if record["kind"] in ("consignment", "declaration"):
            by_key.setdefault((record["kind"], record["key"]), []).append(record)
    return [_compared(kind, key, versions) for (kind, key), versions in by_key.items()]


def _compared(kind: str, key: str, versions: list[RowMapping]) -> Comparison:
    versions = sorted(versions, key=lambda row: row["version"])
    flat = [_flat(row["body"]) for row in versions]
    paths = list(dict.fromkeys(path for one in flat for path in one))
    rows = [_row(path, [one.get(path) for one in flat]) for path in paths]
    refs = [row["consignee_ref"] for row in versions]
    if any(refs):
        # References are hashes or identifiers of persons: only whether they differ is shown.
        seen = list(dict.fromkeys(refs))
        names = [None if ref is None else chr(ord("A") + seen.index(ref) % 26) for ref in refs]
        rows.insert(0, _row((CONSIGNEE,), names))
    return Comparison(kind, key, tuple(versions), tuple(rows))


def _row(path: tuple[str, ...], values: Sequence[str | None]) -> Row:
    field = path[-1]
    own = field in OWN
    changed = (False, *(not own and one != next_ for one, next_ in itertools.pairwise(values)))
    return Row(field, " ".join(path[:-1]), tuple(values), changed)


def _flat(body: Mapping[str, Any], above: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for name, value in body.items():
        path = (*above, name)
        if isinstance(value, Mapping):
            found |= _money(path, value) or _flat(value, path)
        elif isinstance(value, list):
            found |= _listed(path, value)
        elif value is not None:
            found[path] = str(value)
    return found


def _money(path: tuple[str, ...], value: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    if set(value) == {"amount", "currency"}:
        return {path: f"{value['amount']} {value['currency']}"}
    return {}


def _listed(path: tuple[str, ...], values: list[Any]) -> dict[tuple[str, ...], str]:
    if all(isinstance(value, str | int) for value in values):
        return {path: ", ".join(str(value) for value in values)}
    found: dict[tuple[str, ...], str] = {}
    for place, value in enumerate(values, start=1):
        here = (*path[:-1], path[-1], _name_of(value, place))
        if isinstance(value, Mapping):
            found |= _flat(value, here)
        elif isinstance(value, list):
            found[(*path, str(value[0]))] = " ".join(str(part) for part in value[1:])
    return found


def _name_of(value: Any, place: int) -> str:
    """What tells an entry of a list from the others, so that a new one does not shift the rest."""
    if isinstance(value, Mapping) and isinstance(value.get("number"), str | int):
        return str(value["number"])
    return str(place)
