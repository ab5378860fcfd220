"""The inspection desk: orders to accept, and the form for what an inspection came to."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import RowMapping

from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.cargo import service as cargo
from isthmus.cases import inspections, partner_store
from isthmus.cases import store as cases
from isthmus.cases.model import InspectionState
from isthmus.cases.partner_model import ChainState
from isthmus.flow import inspect
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform.transaction import Transaction
from isthmus.risk import assessments
from isthmus.web.page import back, page, problem_key
from isthmus.web.result_form import Draft, blank, read_form
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

OPEN = (InspectionState.ORDERED, InspectionState.ACCEPTED)
DONE = (InspectionState.DONE, InspectionState.DECLINED)
Seen = Annotated[Visitor, Depends(may(Permission.INSPECTION_READ))]
Accepting = Annotated[Visitor, Depends(may(Permission.INSPECTION_ACCEPT))]
Recording = Annotated[Visitor, Depends(may(Permission.INSPECTION_RECORD))]


@router.get("/inspections")
def desk(request: Request, visitor: Seen, done: str = "") -> Response:
    """Show orders to work on, or those that are done."""
    # ``done`` in the address also tells what was just done; only this value asks for the others.
    finished = done == "all"

    def read(tx: Transaction) -> dict[str, Any]:
        seen = scope(visitor.actor, Permission.INSPECTION_READ)
        return {
            "orders": cases.inspections(tx, seen, DONE if finished else OPEN),
            "names": {one.id: one.name or "–" for one in people.people(tx)},
        }

    found = visitor.node.database.read(read)
    return page(request, visitor, "inspections.html", finished=finished, **found)


@router.get("/inspections/{inspection_id}")
def order(request: Request, visitor: Seen, inspection_id: str) -> Response:
    """Show one order: what to look at, what to look for, and the form once it is accepted."""
    return _show(request, visitor, inspection_id, None)


@router.post("/inspections/{inspection_id}/accept")
def accept(visitor: Accepting, inspection_id: str, _form: Typed) -> Response:
    """Accept an order as one's own task."""
    path = f"/inspections/{inspection_id}"
    try:
        visitor.node.database.write(lambda tx: inspections.accept(tx, visitor.actor, inspection_id))
    except Conflict as error:
        return back(path, problem=error.code)
    return back(path, done="accept")


@router.post("/inspections/{inspection_id}/decline")
def decline(visitor: Accepting, inspection_id: str, form: Typed) -> Response:
    """Decline an order with a reason."""
    reason = form.text("reason")
    try:
        visitor.node.database.write(
            lambda tx: inspections.decline(tx, visitor.actor, inspection_id, reason)
        )
    except (Conflict, Invalid) as error:
        return back(f"/inspections/{inspection_id}", problem=error.code)
    return back("/inspections", done="decline")


@router.post("/inspections/{inspection_id}/result")
def result(request: Request, visitor: Recording, inspection_id: str, form: Typed) -> Response:
    """Record what the inspection came to; what is wrong is said beside its field."""
    draft, told = read_form(form)
    if told is None:
        return _show(request, visitor, inspection_id, draft, status=422 if draft.errors else 200)
    try:
        visitor.node.database.write(
            lambda tx: inspect.report(tx, visitor.actor, inspection_id, told)
        )
    except Invalid as error:
        field = str(error.where.get("field", "result"))
        draft.errors[field] = problem_key(visitor.reader, error.code, error.kind)
        return _show(request, visitor, inspection_id, draft, status=422)
    except Conflict as error:
        return back(f"/inspections/{inspection_id}", problem=error.code)
    return back(f"/inspections/{inspection_id}", done="result")


def _show(
    request: Request,
    visitor: Visitor,
    inspection_id: str,
    draft: Draft | None,
    *,
    status: int = 200,
) -> Response:
    def read(tx: Transaction) -> dict[str, Any]:
        seen = scope(visitor.actor, Permission.INSPECTION_READ)
        order = cases.inspection(tx, seen, inspection_id)
        unit = cargo.find_unit(tx, visitor.actor, order["unit_id"])
        told = assessments.tell_current(tx, visitor.actor, [unit.id], visitor.reader.locale)
        found = cases.findings(tx, seen, [inspection_id])
        names = {one.id: one.name or "–" for one in people.people(tx)}
        return {"order": order, "unit": unit, "told": told.get(unit.id, []), "findings": found,
                "names": names, "seizure": partner_store.seizure_of(tx, inspection_id),
                "chain": _chain(tx, visitor, unit.container)}  # fmt: skip

    found = visitor.node.database.read(read)
    state, actor = found["order"]["state"], visitor.actor
    recordable = state == InspectionState.ACCEPTED and visitor.may(Permission.INSPECTION_RECORD)
    return page(
        request,
        visitor,
        "inspection.html",
        status=status,
        draft=draft or blank(found["order"]["control_type"]),
        recordable=recordable,
        acceptable=state == InspectionState.ORDERED and visitor.may(Permission.INSPECTION_ACCEPT),
        mine=found["order"]["accepted_by"] == actor.id,
        **found,
    )


def _chain(tx: Transaction, visitor: Visitor, container: str | None) -> RowMapping | None:
    """The chain in which a partner asked for the box and still waits for what comes of it."""
    if container is None or not visitor.may(Permission.CHAIN_READ):
        return None
    waiting = (ChainState.CUED, ChainState.ACCEPTED)
    rows = partner_store.chains_of(tx, container)
    return next((row for row in rows if row["ours"] and row["state"] in waiting), None)
