"""The desk of models: what each was trained on, how good it is, and who approves it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.flow.trial import Figure, trial
from isthmus.kernel.errors import Conflict, Denied
from isthmus.platform.transaction import Transaction
from isthmus.risk import models
from isthmus.web import store
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

PAGE = 50
METRICS = ("auc", "ap", "p_at_1", "p_at_5", "p_at_10", "brier")
Seen = Annotated[Visitor, Depends(may(Permission.MODEL_READ))]
Approving = Annotated[Visitor, Depends(may(Permission.MODEL_APPROVE))]


@router.get("/models")
def desk(request: Request, visitor: Seen) -> Response:
    """Show every model with its card, newest first."""

    def read(tx: Transaction) -> dict[str, Any]:
        return {
            "models": models.models(tx, visitor.actor),
            "names": {one.id: one.name or "–" for one in people.people(tx)},
        }

    return page(
        request, visitor, "models.html", metrics=METRICS, **visitor.node.database.read(read)
    )


@router.get("/models/{model_id}/trial")
def compare(
    request: Request,
    visitor: Seen,
    model_id: str,
    rows: Figure = Figure.TOP,
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Show what a model would have said of the newest consignments beside what is in force."""

    def read(tx: Transaction) -> dict[str, Any]:
        told = trial(tx, visitor.actor, model_id)
        found = told.behind(rows)
        shown = found[(number - 1) * PAGE : number * PAGE]
        seen = scope(visitor.actor, Permission.UNIT_READ)
        units = store.units(tx, seen, [one.unit_id for one in shown])
        return {"told": told, "rows": shown, "more": len(found) > number * PAGE, "units": units}

    found = visitor.node.database.read(read)
    return page(request, visitor, "trial.html", asked=rows, number=number, **found)


@router.post("/models/{model_id}/approve")
def approve(visitor: Approving, model_id: str, _form: Typed) -> Response:
    """Approve a model in shadow; the second person's approval makes it live."""
    try:
        state = visitor.node.database.write(lambda tx: models.approve(tx, visitor.actor, model_id))
    except Conflict as error:
        return back("/models", problem=error.code)
    except Denied as error:
        if error.code != "second_person":
            raise
        return back("/models", problem=error.code)
    return back("/models", done="model_live" if state == "live" else "model_first")


@router.post("/models/{model_id}/reject")
def reject(visitor: Approving, model_id: str, _form: Typed) -> Response:
    """Reject a model in shadow, or stop a live one."""
    try:
        visitor.node.database.write(lambda tx: models.reject(tx, visitor.actor, model_id))
    except Conflict as error:
        return back("/models", problem=error.code)
    return back("/models", done="model_stopped")
