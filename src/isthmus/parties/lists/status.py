"""How the lists stand: what is in force, how old it is, what is wrong."""

from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.parties import store
from isthmus.parties.lists.catalogue import LISTS, WatchList
from isthmus.platform.transaction import Transaction


def status(tx: Transaction, actor: Actor) -> list[dict[str, Any]]:
    """Return, for each list the node knows, its version in force, its age and its open alarms."""
    check(tx, actor, Permission.LIST_READ)
    reach = scope(actor, Permission.LIST_READ)
    held = {row["list"]: row for row in store.versions(tx, reach) if row["state"] == "in_force"}
    alarms: dict[str, list[dict[str, Any]]] = {}
    for row in store.open_alarms(tx, reach):
        told = {"code": row["code"], "at": row["at"], **row["detail"]}
        alarms.setdefault(row["list"], []).append(told)
    return [
        _status(tx, known, held.get(code), alarms.get(code, [])) for code, known in LISTS.items()
    ]


def _status(
    tx: Transaction, known: WatchList, row: RowMapping | None, alarms: list[dict[str, Any]]
) -> dict[str, Any]:
    told: dict[str, Any] = {"list": known.code, "title": known.title, "version": None}
    if row is not None:
        age = tx.now - row["confirmed_at"]
        told |= {
            "version": row["number"],
            "published_on": row["published_on"],
            "taken_at": row["taken_at"],
            "confirmed_at": row["confirmed_at"],
            "age_days": age.days,
            "stale": known.most_age is not None and age > known.most_age,
            "licence": row["licence"],
            "counts": row["counts"],
        }
    return {**told, "alarms": alarms}
