"""The overview: what was assessed, what picks found and missed, what waits for somebody."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.cargo import readings, service
from isthmus.flow.effectiveness import effectiveness
from isthmus.parties import hits
from isthmus.parties import store as lists
from isthmus.parties.hit import UNDECIDED
from isthmus.platform import jobs
from isthmus.platform.transaction import Transaction
from isthmus.web import store
from isthmus.web.page import page
from isthmus.web.visitor import Visitor, may

router = APIRouter()

Seen = Annotated[Visitor, Depends(may(Permission.COVERAGE_READ))]


@router.get("/overview")
def overview(request: Request, visitor: Seen) -> Response:
    """Show coverage, what picks came to for each objective, and what waits."""

    def read(tx: Transaction) -> dict[str, Any]:
        actor = visitor.actor
        return {
            "coverage": service.coverage(tx, actor),
            "measured": effectiveness(tx, actor) if visitor.may(Permission.PICK_READ) else None,
            "alerts": store.count_alerts(tx, scope(actor, Permission.HOLD_READ)),
            "quarantined": store.count_quarantine(tx, scope(actor, Permission.QUARANTINE_READ)),
            "jobs": jobs.counts(tx) if visitor.may(Permission.JOB_READ) else None,
            "hits": _undecided(tx, visitor) if visitor.may(Permission.HIT_READ) else None,
            "alarms": len(
                {row["list"] for row in lists.open_alarms(tx, scope(actor, Permission.LIST_READ))}
            ),
            "received": readings.totals(tx, scope(actor, Permission.DOCUMENT_READ)),
        }

    found = visitor.node.database.read(read)
    return page(request, visitor, "overview.html", **found)


def _undecided(tx: Transaction, visitor: Visitor) -> int:
    counts = hits.counts(tx, visitor.actor)
    return sum(counts.get(state, 0) for state in UNDECIDED)
