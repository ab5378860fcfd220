"""The clocks of a request as they are kept, and telling a duty officer when one runs out."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from isthmus.cases import alerts, partner_store
from isthmus.cases.partner_model import Clocks
from isthmus.platform.transaction import Transaction

_MICRO = timedelta(microseconds=1)


def of_row(row: Mapping[str, Any] | RowMapping) -> Clocks:
    """Return the clocks of a request as they are kept."""
    left = row["answer_left"]
    return Clocks(
        row["acknowledge_by"],
        row["answer_by"],
        None if left is None else left * _MICRO,
        row["feedback_by"],
        row["written_by"],
    )


def columns(clocks: Clocks, untold: datetime | None) -> dict[str, Any]:
    """Return the clocks as columns; those due before ``untold`` were told as overdue already."""
    dues = sorted(clocks.running.values())
    ahead = [due for due in dues if untold is None or due >= untold]
    return asdict(clocks) | {
        "answer_left": None if clocks.answer_left is None else clocks.answer_left // _MICRO,
        "due_at": dues[0] if dues else None,
        "alert_at": ahead[0] if ahead else None,
    }


def tell_overdue(tx: Transaction) -> None:
    """Raise an alert for every clock that ran out, once. For a job."""
    for row in partner_store.late_requests(tx):
        running = of_row(row).running
        for owed, due in running.items():
            if row["alert_at"] <= due < tx.now:
                about = {"unit_id": None, "container": None, "office": None, "terminal": None}
                detail = {"request": row["id"], "owed": owed, "partner": row["partner"]}
                alerts.raise_alert(tx, f"request_{owed}_overdue", about, detail=detail)
        ahead = min((due for due in running.values() if due >= tx.now), default=None)
        partner_store.change_request(tx, row["id"], alert_at=ahead)
