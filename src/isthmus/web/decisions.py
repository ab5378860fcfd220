"""What officers decide on a pick: each a form of its own, done by the services of the loop."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse, Response

from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.cases import picks
from isthmus.cases import store as cases
from isthmus.flow import inspect
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform.transaction import Transaction
from isthmus.web.page import back
from isthmus.web.visitor import Form, Typed, Visitor, may

router = APIRouter()

Taking = Annotated[Visitor, Depends(may(Permission.PICK_TAKE))]
Clearing = Annotated[Visitor, Depends(may(Permission.PICK_CLEAR))]
Proposing = Annotated[Visitor, Depends(may(Permission.HOLD_PROPOSE))]
Ordering = Annotated[Visitor, Depends(may(Permission.INSPECTION_ORDER))]
Act = Callable[[Transaction], Any]


@router.post("/picks/{pick_id}/take")
def take(visitor: Taking, pick_id: str, _form: Typed) -> Response:
    """Take a pick to work on it."""
    return _act(visitor, pick_id, "take", lambda tx: picks.take(tx, visitor.actor, pick_id))


@router.post("/picks/{pick_id}/put-back")
def put_back(visitor: Taking, pick_id: str, _form: Typed) -> Response:
    """Offer a pick to others again."""
    return _act(visitor, pick_id, "put_back", lambda tx: picks.put_back(tx, visitor.actor, pick_id))


@router.post("/picks/{pick_id}/clear")
def clear(visitor: Clearing, pick_id: str, form: Typed) -> Response:
    """Let a consignment go."""
    reasons, agrees = form.many("reasons"), _agrees(form)
    return _act(
        visitor,
        pick_id,
        "clear",
        lambda tx: picks.clear(tx, visitor.actor, pick_id, reasons, agrees=agrees),
    )


@router.post("/picks/{pick_id}/watch")
def watch(visitor: Taking, pick_id: str, form: Typed) -> Response:
    """Keep a consignment in sight."""
    reasons, agrees = form.many("reasons"), _agrees(form)
    return _act(
        visitor,
        pick_id,
        "watch",
        lambda tx: picks.watch(tx, visitor.actor, pick_id, reasons, agrees=agrees),
    )


@router.post("/picks/{pick_id}/hold")
def propose_hold(visitor: Proposing, pick_id: str, form: Typed) -> Response:
    """Propose to hold a consignment."""
    reasons = form.many("reasons")
    return _act(
        visitor,
        pick_id,
        "hold",
        lambda tx: inspect.propose_hold(tx, visitor.actor, pick_id, reasons),
    )


@router.post("/picks/{pick_id}/inspect")
def order(visitor: Ordering, pick_id: str, form: Typed) -> Response:
    """Order the inspection of a consignment."""
    control = form.text("control_type")
    return _act(
        visitor,
        pick_id,
        "inspect",
        lambda tx: inspect.order(tx, visitor.actor, pick_id, control),
    )


def _agrees(form: Form) -> bool | None:
    return {"yes": True, "no": False}.get(form.text("agrees"))


def _act(visitor: Visitor, pick_id: str, done: str, act: Act) -> RedirectResponse:
    """Do it and go back to the consignment, saying what was done or why it could not be."""

    def find(tx: Transaction) -> str:
        pick = cases.pick(tx, scope(visitor.actor, Permission.PICK_READ), pick_id)
        return f"/consignments/{pick['unit_id']}"

    path = visitor.node.database.read(find)
    try:
        visitor.node.database.write(act)
    except (Conflict, Invalid) as error:
        return back(path, problem=error.code)
    return back(path, done=done)
