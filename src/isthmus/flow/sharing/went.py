"""What went: which version of an item a partner got last, and how what it would get now differs."""

from collections.abc import Mapping
from typing import Any

from isthmus.exchange import copy_store, inbox
from isthmus.kernel.errors import Erased
from isthmus.platform.transaction import Transaction


def last(tx: Transaction, item_id: str, partner: str) -> tuple[int | None, Mapping[str, Any]]:
    """Return the version a partner got last, and the values that it got; none where erased.

    What is on its way counts; what was stopped before it left, or refused there, does not.
    """
    row = copy_store.last_sent(tx, item_id, partner)
    if row is None:
        return None, {}
    try:
        shown = inbox.opened(tx, row["id"]).presented.paths
    except Erased:
        shown = {}
    return row["item_version"], shown


def change(path: str, value: Any, before: Mapping[str, Any], *, goes: bool) -> str:
    """Say how a path stands against what the partner got: new, changed, same, gone, or nothing."""
    if path not in before:
        return "new" if goes else ""
    if not goes:
        return "gone"
    return "same" if before[path] == value else "changed"
