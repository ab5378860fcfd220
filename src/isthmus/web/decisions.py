"""What officers decide on a pick: each a form of its own, done by the services of the loop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from isthmus.access import store as people
from isthmus.access.gate import REASON_MIN, scope
from isthmus.access.model import Permission
from isthmus.cases import chains, partner_store, picks
from isthmus.cases import store as cases
from isthmus.cases.partner_model import Override
from isthmus.flow import inspect
from isthmus.kernel.errors import Conflict, Invalid, IsthmusError
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list
from isthmus.web.chains import steps as story
from isthmus.web.page import back, page
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
def order(request: Request, visitor: Ordering, pick_id: str, form: Typed) -> Response:
    """Order the inspection of a consignment; of a guarded box, only for a reason on record."""
    control = form.text("control_type")
    typed = Typing(
        form.text("override_reason"),
        form.text("override_words")[:2000],
        form.text("override_language"),
    )
    again = "override" in form
    why = typed.override if again and not typed.errors else None
    try:
        visitor.node.database.write(
            lambda tx: inspect.order(tx, visitor.actor, pick_id, control, why)
        )
    except (Conflict, Invalid) as error:
        if error.code == "second_opening":
            return _second_opening(request, visitor, pick_id, error, control, typed, again=again)
        return back(_path(visitor, pick_id), problem=error.code)
    return back(_path(visitor, pick_id), done="inspect_again" if why else "inspect")


@dataclass(frozen=True, slots=True)
class Typing:
    """Why a guarded box is to be opened, as typed."""

    reason: str
    words: str
    language: str

    @property
    def errors(self) -> dict[str, str]:
        """The key of the words beside each wrong field."""
        found = {}
        if self.reason not in code_list("override_reasons"):
            found["reason"] = "override.error_reason"
        if len(self.words) < REASON_MIN:
            found["words"] = "override.error_words"
        return found

    @property
    def override(self) -> Override:
        """The reason as the order takes it."""
        return Override(self.reason, self.words, self.language or None)


def _second_opening(
    request: Request,
    visitor: Visitor,
    pick_id: str,
    refused: IsthmusError,
    control: str,
    typed: Typing,
    *,
    again: bool,
) -> Response:
    """Say which chain guards the box and who opened it when, and take the reason to open it."""

    def read(tx: Transaction) -> dict[str, Any]:
        row = partner_store.chain_row(tx, str(refused.where["chain"]))
        assert row is not None  # noqa: S101 - it was just refused for it
        return {
            "row": row,
            "pick": cases.pick(tx, scope(visitor.actor, Permission.PICK_READ), pick_id),
            "steps": story(row, chains.reopenings(tx, visitor.actor, row["id"])),
            "own": row["asked"] if row["ours"] else row["cued_by"],
            "names": {one.id: one.name or "–" for one in people.people(tx)},
        }

    found = visitor.node.database.read(read)
    errors = typed.errors if again else {}
    return page(
        request, visitor, "chain_override.html", status=422,
        control=control, typed=typed, errors=errors, **found,
    )  # fmt: skip


def _agrees(form: Form) -> bool | None:
    return {"yes": True, "no": False}.get(form.text("agrees"))


def _path(visitor: Visitor, pick_id: str) -> str:
    """Where the consignment of a pick is shown."""

    def find(tx: Transaction) -> str:
        pick = cases.pick(tx, scope(visitor.actor, Permission.PICK_READ), pick_id)
        return f"/consignments/{pick['unit_id']}"

    return visitor.node.database.read(find)


def _act(visitor: Visitor, pick_id: str, done: str, act: Act) -> RedirectResponse:
    """Do it and go back to the consignment, saying what was done or why it could not be."""
    path = _path(visitor, pick_id)
    try:
        visitor.node.database.write(act)
    except (Conflict, Invalid) as error:
        return back(path, problem=error.code)
    return back(path, done=done)
