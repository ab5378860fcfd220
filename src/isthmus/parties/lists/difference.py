"""What changed between two versions of a list, by the list's own identifiers."""

from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.kernel.errors import Invalid, NotFound
from isthmus.parties import store
from isthmus.parties.lists.catalogue import watch_list
from isthmus.platform.transaction import Transaction


def diff(
    tx: Transaction, actor: Actor, list_code: str, first: int | None = None, last: int | None = None
) -> dict[str, Any]:
    """Return what changed between two versions: keys added and removed, and changed with fields.

    Without numbers the version in force is compared with the one before it; version 0 is the list
    before it first came. The answer names entries by the list's own identifiers and no person by
    name. Raises ``NotFound`` for a version that is not there.
    """
    check(tx, actor, Permission.LIST_READ)
    watch_list(list_code)
    reach = scope(actor, Permission.LIST_READ)
    numbers = {row["number"] for row in store.versions(tx, reach, list_code)} | {0}
    last = max(numbers) if last is None else last
    first = max(last - 1, 0) if first is None else first
    for number in (first, last):
        if number not in numbers:
            raise NotFound("list_version_unknown", "no such version", version=number)
    if first > last:
        raise Invalid("list_versions_order", "name the earlier version first")
    sides: tuple[dict[str, RowMapping], dict[str, RowMapping]] = ({}, {})
    for row in store.touched(tx, reach, list_code, first, last):
        for number, side in zip((first, last), sides, strict=True):
            if _stood(row, number):
                side[row["key"]] = row
    old, new = sides
    changed = [
        {"key": key, "fields": fields}
        for key in sorted(old.keys() & new.keys())
        if (fields := _fields(old[key]["body"], new[key]["body"]))
    ]
    return {
        "list": list_code,
        "from": first,
        "to": last,
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "changed": changed,
    }


def _stood(row: RowMapping, number: int) -> bool:
    until = row["until_version"]
    return row["from_version"] <= number and (until is None or until > number)


def _fields(old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[str]:
    """Return the fields that differ; of an entry that was erased on one side, that it was."""
    if old is None or new is None:
        return [] if old is new else ["erased"]
    return [name for name in new if old.get(name) != new[name]]
