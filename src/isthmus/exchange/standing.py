"""Where the exchange stands: numbers by partner, alarms, the ledger. Nothing of what was said."""

from typing import Any

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor
from isthmus.access.permission import Permission
from isthmus.agreements import service
from isthmus.exchange import post_store
from isthmus.exchange.proof import ledger_store
from isthmus.exchange.trust import identity, key_store, partners
from isthmus.platform.transaction import Transaction


def status(tx: Transaction, actor: Actor) -> dict[str, Any]:
    """Return the state of the exchange as somebody may see it."""
    check(tx, actor, Permission.PARTNER_READ)
    me = identity.me(tx)
    numbers: dict[str, dict[str, int]] = {}
    for row in post_store.counts(tx):
        name = f"{row['direction']} {row['lane']} {row['state']}"
        numbers.setdefault(row["partner"], {})[name] = row["number"]
    alarms: dict[str, list[str]] = {}
    for row in key_store.alarms(tx, scope(actor, Permission.PARTNER_READ)):
        alarms.setdefault(row["partner"], []).append(row["code"])
    differing: dict[str, list[str]] = {}
    for row in service.differences(tx, actor):
        differing.setdefault(row["partner"], []).append(row["agreement"])
    return {
        "node": me["node"],
        "address": me["address"],
        "epoch": me["epoch"],
        "ledger": ledger_store.size(tx, me["epoch"]),
        "partners": [
            {
                "code": one.code,
                "state": one.state.value,
                "epoch": one.epoch,
                "envelopes": numbers.get(one.code, {}),
                "alarms": sorted(alarms.get(one.code, [])),
                # Agreements of which the two hold different texts: what stands on them is held.
                "differing": sorted(differing.get(one.code, [])),
            }
            for one in partners.directory(tx, actor)
        ],
    }
