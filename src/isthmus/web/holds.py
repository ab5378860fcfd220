"""The desk of holds: what a terminal must keep, what a supervisor must confirm, what went wrong.

A terminal sees which box to keep and until when, and nothing of why.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.cases import alerts, holds
from isthmus.cases import store as cases
from isthmus.cases.model import HOLD_STEPS
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.platform.transaction import Transaction
from isthmus.web.page import back, page
from isthmus.web.visitor import Form, Typed, Visitor, may

router = APIRouter()

Act = Callable[[Transaction], Any]
Seen = Annotated[Visitor, Depends(may(Permission.HOLD_READ))]
Answering = Annotated[Visitor, Depends(may(Permission.HOLD_ACKNOWLEDGE))]


@router.get("/holds")
def desk(request: Request, visitor: Seen) -> Response:
    """Show the holds in force or proposed, and open alerts."""

    def read(tx: Transaction) -> dict[str, Any]:
        seen = scope(visitor.actor, Permission.HOLD_READ)
        return {
            "holds": cases.holds(tx, seen, list(HOLD_STEPS)),
            "alerts": cases.alerts(tx, seen, boxes_only=not visitor.may(Permission.PICK_READ)),
            "names": {one.id: one.name or "–" for one in people.people(tx)},
        }

    found = visitor.node.database.read(read)
    # What the node knows of a consignment is not for terminals, so neither is the way there.
    why = visitor.may(Permission.UNIT_READ)
    return page(request, visitor, "holds.html", why=why, **found)


@router.post("/holds/{hold_id}/acknowledge")
def acknowledge(visitor: Answering, hold_id: str, _form: Typed) -> Response:
    """The terminal says that it keeps the box."""
    return hold_act(
        visitor, "/holds", "acknowledge",
        lambda tx: holds.acknowledge(tx, visitor.actor, hold_id),
    )  # fmt: skip


@router.post("/alerts/{alert_id}/see")
def see(visitor: Seen, alert_id: str, _form: Typed) -> Response:
    """An officer has seen an alert."""
    return hold_act(visitor, "/holds", "see", lambda tx: alerts.see(tx, visitor.actor, alert_id))


def hold_act(visitor: Visitor, path: str, done: str, act: Act) -> RedirectResponse:
    """Do something with a hold and go back to where it was asked for."""
    try:
        visitor.node.database.write(act)
    except (Conflict, Invalid) as error:
        return back(path, problem=error.code)
    except Denied as error:
        if error.code != "second_person":
            raise
        return back(path, problem=error.code)
    return back(path, done=done)


Confirming = Annotated[Visitor, Depends(may(Permission.HOLD_CONFIRM))]
Releasing = Annotated[Visitor, Depends(may(Permission.HOLD_RELEASE))]


@router.post("/holds/{hold_id}/confirm")
def confirm(visitor: Confirming, hold_id: str, form: Typed) -> Response:
    """Confirm a proposed hold."""
    return hold_act(
        visitor, _came_from(form), "confirm",
        lambda tx: holds.confirm(tx, visitor.actor, hold_id),
    )  # fmt: skip


@router.post("/holds/{hold_id}/refuse")
def refuse(visitor: Confirming, hold_id: str, form: Typed) -> Response:
    """Decline to confirm a hold."""
    reasons = form.many("reasons")
    return hold_act(
        visitor, _came_from(form), "refuse",
        lambda tx: holds.refuse(tx, visitor.actor, hold_id, reasons),
    )  # fmt: skip


@router.post("/holds/{hold_id}/extend")
def extend(visitor: Confirming, hold_id: str, form: Typed) -> Response:
    """Keep a box for another day."""
    reasons = form.many("reasons")
    return hold_act(
        visitor, _came_from(form), "extend",
        lambda tx: holds.extend(tx, visitor.actor, hold_id, reasons),
    )  # fmt: skip


@router.post("/holds/{hold_id}/release")
def release(visitor: Releasing, hold_id: str, form: Typed) -> Response:
    """End a hold."""
    reasons = form.many("reasons")
    return hold_act(
        visitor, _came_from(form), "release",
        lambda tx: holds.release(tx, visitor.actor, hold_id, reasons),
    )  # fmt: skip


def _came_from(form: Form) -> str:
    """The page with the form: a consignment, else the desk of holds."""
    path = form.text("back")
    return path if path.startswith("/consignments/unit_") else "/holds"
