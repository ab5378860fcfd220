"""Alarms about lists: a file that was refused, a list that has not come in for too long."""

from collections.abc import Sequence

from isthmus.kernel.ids import new_id
from isthmus.parties import store
from isthmus.parties.lists.catalogue import LISTS
from isthmus.parties.model import Fault
from isthmus.platform import events
from isthmus.platform.transaction import Transaction


def raise_alarms(
    tx: Transaction,
    by: str,
    list_code: str,
    found: Sequence[Fault],
    document_ids: Sequence[str],
    in_force: int | None,
) -> None:
    """Write alarms about a list down and tell them as events, in coded form."""
    rows = [
        {
            "id": new_id("lal"),
            "list": list_code,
            "at": tx.now,
            "raised_by": by,
            "code": alarm.code,
            "detail": alarm.detail,
            "documents": list(document_ids),
            "in_force": in_force,
            "ended_at": None,
        }
        for alarm in found
    ]
    store.insert_alarms(tx, rows)
    for row in rows:
        events.emit(
            tx, "list.alarm", list_code, alarm=row["id"], code=row["code"], in_force=in_force
        )


def watch(tx: Transaction) -> int:
    """Raise an alarm for each list that has not come in for longer than it may; return how many.

    The version stays in force: an old list is better than none. One alarm a list, until the list
    comes in again.
    """
    raised = 0
    for version in store.all_in_force(tx):
        most = LISTS[version["list"]].most_age
        age = tx.now - version["confirmed_at"]
        if most is None or age <= most or store.has_open_alarm(tx, version["list"], "list_stale"):
            continue
        stale = Fault("list_stale", {"days": age.days, "most_days": most.days})
        raise_alarms(tx, "node", version["list"], [stale], version["documents"], version["number"])
        raised += 1
    return raised
