"""The overview: what was assessed, what picks found and missed, what waits for somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import RowMapping

from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.cargo import readings, service
from isthmus.cases import store as cases
from isthmus.cases.inspections import IRREGULAR
from isthmus.cases.model import Result
from isthmus.platform import jobs
from isthmus.platform.transaction import Transaction
from isthmus.risk.effectiveness import Estimate, wilson
from isthmus.risk.select import Basis
from isthmus.web import store
from isthmus.web.page import page
from isthmus.web.visitor import Visitor, may

router = APIRouter()

Seen = Annotated[Visitor, Depends(may(Permission.COVERAGE_READ))]
HITS = frozenset(result.value for result in IRREGULAR)


@dataclass(frozen=True, slots=True)
class Rate:
    """How often picks of one basis found something. ``delay`` is the trade's, in minutes."""

    basis: str
    inspected: int
    hits: int
    rate: Estimate | None
    delay: float | None


@router.get("/overview")
def overview(request: Request, visitor: Seen) -> Response:
    """Show coverage, hit rates of ranked and random picks, and what waits."""

    def read(tx: Transaction) -> dict[str, Any]:
        actor = visitor.actor
        results = cases.results(tx, scope(actor, Permission.PICK_READ))
        return {
            "coverage": service.coverage(tx, actor),
            "rates": rates(results),
            "alerts": store.count_alerts(tx, scope(actor, Permission.HOLD_READ)),
            "quarantined": store.count_quarantine(tx, scope(actor, Permission.QUARANTINE_READ)),
            "jobs": jobs.counts(tx) if visitor.may(Permission.JOB_READ) else None,
            "received": readings.totals(tx, scope(actor, Permission.DOCUMENT_READ)),
            "may_see_picks": visitor.may(Permission.PICK_READ),
        }

    found = visitor.node.database.read(read)
    return page(request, visitor, "overview.html", **found)


def rates(results: Sequence[RowMapping]) -> list[Rate]:
    """The hit rate of each basis among conclusive inspections, with Wilson's interval of 95 %."""
    told = []
    for basis in Basis:
        rows = [
            row for row in results if row["basis"] == basis and row["result"] != Result.INCONCLUSIVE
        ]
        hits = sum(row["result"] in HITS for row in rows)
        rate = wilson(hits / len(rows), len(rows)) if rows else None
        delays = [row["minutes_delay"] for row in rows if row["minutes_delay"] is not None]
        delay = sum(delays) / len(delays) if delays else None
        told.append(Rate(basis.value, len(rows), hits, rate, delay))
    return told
