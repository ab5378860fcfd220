"""Alerts: something a duty officer must see now."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.cases import store
from isthmus.kernel.errors import Conflict
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction


def raise_alert(
    tx: Transaction,
    kind: str,
    about: Mapping[str, Any] | RowMapping,
    *,
    hold_id: str | None = None,
    detail: Mapping[str, Any],
) -> str:
    """Raise an alert about a unit, or about what hangs on none; returns its id."""
    alert_id = new_id("alert")
    store.insert_alert(
        tx,
        {
            "id": alert_id,
            "kind": kind,
            "at": tx.now,
            "unit_id": about["unit_id"],
            "hold_id": hold_id,
            "container": about["container"],
            "office": about["office"],
            "terminal": about["terminal"],
            "detail": dict(detail),
            "state": "open",
        },
    )
    events.emit(tx, "alert.raised", about["unit_id"] or alert_id, alert=alert_id, code=kind)
    return alert_id


def see(tx: Transaction, actor: Actor, alert_id: str) -> None:
    """Note that an officer has seen an alert. A terminal reads those about its boxes only."""
    tx.lock([alert_id])
    row = store.alert(tx, scope(actor, Permission.HOLD_READ), alert_id)
    check(
        tx,
        actor,
        Permission.HOLD_PROPOSE,
        office=row["office"],
        terminal=row["terminal"],
        object_id=alert_id,
    )
    if row["state"] != "open":
        raise Conflict("alert_seen", "somebody has seen it already", alert=alert_id)
    store.change_alert(tx, alert_id, state="seen", seen_by=actor.id, seen_at=tx.now)
    audit.record(tx, actor.id, "alert.see", "alert", alert_id, agency=actor.agency)
