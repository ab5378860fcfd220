"""The rows behind each figure of the overview: picks, runs, consignments, documents."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.cargo import readings
from isthmus.cases import runs
from isthmus.cases import store as cases
from isthmus.cases.runs import Figure
from isthmus.risk.objectives import Objective
from isthmus.risk.select import Basis, Lane
from isthmus.web import store
from isthmus.web.page import page
from isthmus.web.visitor import Visitor, may

router = APIRouter(prefix="/overview")

PAGE = 50
Picked = Annotated[Visitor, Depends(may(Permission.PICK_READ))]
Found = Annotated[Visitor, Depends(may(Permission.UNIT_READ))]
Sent = Annotated[Visitor, Depends(may(Permission.DOCUMENT_READ))]
Short = Annotated[str, Query(max_length=70)]
PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]


@router.get("/picks")
def picks(
    request: Request,
    visitor: Picked,
    objective: Objective = Objective.CONTRABAND,
    figure: Figure = Figure.PICKED,
    lane: Lane | None = None,
    basis: Basis | None = None,
    number: PageNumber = 1,
) -> Response:
    """Show the picks that a figure counts."""
    rows = visitor.node.database.read(
        lambda tx: runs.picks_behind(
            tx,
            scope(visitor.actor, Permission.PICK_READ),
            figure,
            objective,
            lane=lane,
            basis=basis,
            limit=PAGE + 1,
            offset=(number - 1) * PAGE,
        )
    )
    return page(
        request, visitor, "figure_picks.html", rows=rows[:PAGE], more=len(rows) > PAGE,
        number=number, objective=objective, figure=figure, lane=lane, basis=basis,
    )  # fmt: skip


@router.get("/runs")
def targeting_runs(
    request: Request,
    visitor: Picked,
    objective: Objective = Objective.CONTRABAND,
    number: PageNumber = 1,
) -> Response:
    """Show the targeting runs for one objective, with how many each chose from."""
    rows = visitor.node.database.read(
        lambda tx: cases.runs(
            tx,
            scope(visitor.actor, Permission.PICK_READ),
            PAGE + 1,
            (number - 1) * PAGE,
            objective,
        )
    )
    return page(
        request, visitor, "figure_runs.html", rows=rows[:PAGE], more=len(rows) > PAGE,
        number=number, objective=objective,
    )  # fmt: skip


@router.get("/units")
def units(
    request: Request,
    visitor: Found,
    regime: Short = "",
    assessed: Short = "",
    number: PageNumber = 1,
) -> Response:
    """Show the known movements of one regime, all or only those that were assessed."""
    rows = visitor.node.database.read(
        lambda tx: store.known_units(
            tx,
            scope(visitor.actor, Permission.UNIT_READ),
            regime,
            assessed=bool(assessed),
            limit=PAGE + 1,
            offset=(number - 1) * PAGE,
        )
    )
    return page(
        request, visitor, "figure_units.html", rows=rows[:PAGE], more=len(rows) > PAGE,
        number=number, regime=regime, assessed=assessed,
    )  # fmt: skip


@router.get("/documents")
def documents(request: Request, visitor: Sent, number: PageNumber = 1) -> Response:
    """Show what was received, newest first."""
    rows = visitor.node.database.read(
        lambda tx: readings.documents(
            tx, scope(visitor.actor, Permission.DOCUMENT_READ), PAGE + 1, (number - 1) * PAGE
        )
    )
    return page(
        request, visitor, "figure_documents.html", rows=rows[:PAGE], more=len(rows) > PAGE,
        number=number,
    )  # fmt: skip
