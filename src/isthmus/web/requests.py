"""The requests desk: what partners ask and what is asked of them, the clock that ends first on top.

What is done here without an item (taking, acknowledging, asking for more, refusing) is told to the
partner as it is done. An answer and a feedback are items: they are drafted here and go to the
composer, and are given once somebody sends them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import RowMapping
from starlette.datastructures import FormData

from isthmus.access import store as people
from isthmus.access.model import Permission
from isthmus.api.requests import own_node
from isthmus.cases import requests
from isthmus.cases.partner_model import REQUEST_STEPS, RequestState
from isthmus.cases.requests import LACKING, Question
from isthmus.exchange.trust import partners
from isthmus.flow.sharing import asking
from isthmus.flow.sharing.asking import Words
from isthmus.intelligence import reading, store
from isthmus.intelligence.model import Item
from isthmus.intelligence.objects import ObjectKind
from isthmus.intelligence.render import Rendered, label, render
from isthmus.kernel.errors import Conflict, Erased, Invalid, NotFound
from isthmus.platform.transaction import Transaction
from isthmus.reference.check_digits import container_number_valid, normalise_container
from isthmus.web.page import back, page, problem_key
from isthmus.web.visitor import Form, Typed, Visitor, may

router = APIRouter()

Seen = Annotated[Visitor, Depends(may(Permission.REQUEST_READ))]
Keeping = Annotated[Visitor, Depends(may(Permission.REQUEST_KEEP))]
Act = Callable[[Transaction], Any]
# States in which an officer of this node has something to do.
AT_WORK = {
    True: ("sent", "acknowledged", "accepted", "need_more", "partial"),
    False: ("draft", "complete", "need_more", "answered", "used", "refused"),
}
OWED = ("acknowledge_by", "answer_by", "written_by", "feedback_by")


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of a request: what is owed, until when, and how much of its time is gone."""

    owed: str
    due: datetime
    gone: float  # 0 to 1
    ours: bool  # whether this node owes it, and not the partner


@dataclass(frozen=True, slots=True)
class Line:
    """A request as the desk shows it."""

    row: RowMapping
    clock: Clock | None
    handling: tuple[str, ...]
    containers: tuple[str, ...]
    holder: str | None
    mine: bool


def clocks(row: RowMapping, now: datetime) -> list[Clock]:
    """The clocks of a request that run, the one that ends first on top."""
    since = row["sent_at"] or row["made_at"]
    found = []
    for owed in OWED:
        if (due := row[owed]) is not None:
            begun = row["changed_at"] if owed == "feedback_by" else since
            whole = max((due - begun).total_seconds(), 1.0)
            gone = (now - begun).total_seconds() / whole
            asked = owed in ("acknowledge_by", "answer_by")
            found.append(Clock(owed, due, min(max(gone, 0.0), 1.0), asked == row["incoming"]))
    return sorted(found, key=lambda one: one.due)


@router.get("/requests")
def desk(request: Request, visitor: Seen, side: str = "in", over: str = "") -> Response:
    """Show what partners ask, or what they are asked; or what is over."""
    incoming, closed = side != "out", over == "1"

    def read(tx: Transaction) -> dict[str, Any]:
        tasks, asked = requests.tasks(tx, visitor.actor), requests.asked(tx, visitor.actor)
        rows = tasks if incoming else asked
        if closed:
            rows = requests.closed(tx, visitor.actor, incoming=incoming)
        names = {one.id: one.name or "–" for one in people.people(tx)}
        late = visitor.reader.now
        return {
            "lines": [_line(tx, visitor, row, names) for row in rows],
            "counts": (len(tasks), len(asked)),
            "overdue": sum(
                1 for row in (*tasks, *asked) if row["due_at"] is not None and row["due_at"] < late
            ),
        }

    found = visitor.node.database.read(read)
    return page(
        request, visitor, "requests.html", incoming=incoming, closed=closed,
        at_work=AT_WORK[incoming], **found,
    )  # fmt: skip


def _line(tx: Transaction, visitor: Visitor, row: RowMapping, names: dict[str, str]) -> Line:
    item = _item(tx, visitor, row["id"])
    running = clocks(row, visitor.reader.now)
    holder = row["assigned_to"]
    return Line(
        row,
        running[0] if running else None,
        tuple(sorted(item.marking.handling)) if item else (),
        tuple(item.body.get("containers", ())) if item else (),
        names.get(holder) if holder else None,
        holder == visitor.actor.id,
    )


def _item(tx: Transaction, visitor: Visitor, item_id: str) -> Item | None:
    """What is kept of an item, without what is about persons; nothing where it is erased."""
    try:
        _, copies = reading.find(tx, visitor.actor, item_id)
    except (NotFound, Erased):
        return None
    return next((one.item for one in reversed(copies) if one.item is not None), None)


# -- asking -------------------------------------------------------------------------------


@router.get("/requests/ask")
def blank(request: Request, visitor: Keeping) -> Response:
    """Show the form of a new request."""
    return _ask(request, visitor, Form(FormData()), {})


@router.post("/requests/ask")
def ask(request: Request, visitor: Keeping, form: Typed) -> Response:
    """Draft a request and lay it before whoever sends it."""
    boxes, wrong = _boxes(form.text("containers"))
    errors = {}
    if wrong:
        errors["containers"] = "requests.error_containers"
    if not form.many("questions"):
        errors["questions"] = "requests.error_questions"
    if not form.text("own_case"):
        errors["own_case"] = "requests.error_case"
    if errors:
        return _ask(request, visitor, form, errors, 422)
    question = Question(
        form.text("partner"),
        tuple(form.many("questions")),
        form.text("urgency") or "normal",
        form.text("held") or "directly",
        own_case=form.text("own_case")[:80],
    )
    words = Words(form.text("words")[:4000], form.text("language") or visitor.reader.locale)
    try:
        made = visitor.node.database.write(
            lambda tx: asking.ask(tx, visitor.actor, own_node(visitor.node), question, boxes, words)
        )
    except Invalid as error:
        key = problem_key(visitor.reader, error.code, error.kind)
        return _ask(request, visitor, form, {"questions": key}, 422)
    return composer(made, purpose="targeting", mode="on_request")


def _ask(
    request: Request, visitor: Visitor, form: Form, errors: dict[str, str], status: int = 200
) -> Response:
    def read(tx: Transaction) -> list[tuple[str, str]]:
        listed = partners.directory(tx, visitor.actor)
        return [(one.code, f"{one.name} ({one.code})") for one in listed if one.trusted]

    known = visitor.node.database.read(read)
    return page(
        request, visitor, "request_ask.html", status=status, known=known, form=form, errors=errors
    )


def _boxes(text: str) -> tuple[list[str], list[str]]:
    """The container numbers that were typed, and what is none."""
    typed = [normalise_container(one) for one in text.replace(",", " ").replace(";", " ").split()]
    wrong = [one for one in typed if not container_number_valid(one)]
    return [one for one in typed if one not in wrong], wrong


def composer(item: str, **said: str) -> RedirectResponse:
    """Go on to the composer of an item, with what is meant by sending it already stated."""
    pairs = [*said.items(), ("conditions", "case_number"), ("lane", "immediate")]
    return RedirectResponse(f"/items/{quote(item)}/compose?{urlencode(pairs)}", status_code=303)


# -- one request --------------------------------------------------------------------------


@router.get("/requests/{request_id}")
def one(request: Request, visitor: Seen, request_id: str) -> Response:
    """Show a request: the question in words, its clocks, its answers, and what can be done."""
    reader = visitor.reader

    def read(tx: Transaction) -> dict[str, Any]:
        row = requests.request(tx, visitor.actor, request_id)
        item = _item(tx, visitor, request_id)
        words: Rendered | None = render(item, reader.locale) if item else None
        return {
            "row": row,
            "item": item,
            "words": words,
            "clocks": clocks(row, reader.now),
            "answers": _answers(tx, visitor, request_id),
            "names": {person.id: person.name or "–" for person in people.people(tx)},
        }

    found = visitor.node.database.read(read)
    kind = found["item"].kind if found["item"] else None
    lacking = [(name, label(kind, name, reader.locale)) for name in LACKING] if kind else []
    return page(
        request,
        visitor,
        "request.html",
        lacking=lacking,
        acts=_acts(visitor, found["row"]),
        **found,
    )


def _answers(tx: Transaction, visitor: Visitor, request_id: str) -> list[dict[str, Any]]:
    """The answers to a request and what is told of them, oldest first."""
    told = []
    for row in store.naming(tx, ObjectKind.ITEM, [request_id]):
        if row["kind"] == "answer":
            item = _item(tx, visitor, row["item"])
            told.append(
                {"row": row, "words": render(item, visitor.reader.locale) if item else None}
            )
    return told


def _acts(visitor: Visitor, row: RowMapping) -> set[str]:
    """What this person can do with a request now."""
    if not visitor.may(Permission.REQUEST_KEEP):
        return set()
    state, ahead = RequestState(row["state"]), REQUEST_STEPS.get(RequestState(row["state"]), ())
    acts = set()
    if row["assigned_to"] is None and state in AT_WORK[row["incoming"]]:
        acts.add("take")
    if row["incoming"]:
        steps = {
            RequestState.ACKNOWLEDGED: "acknowledge",
            RequestState.ACCEPTED: "accept",
            RequestState.NEED_MORE: "need_more",
            RequestState.REFUSED: "refuse",
            RequestState.ANSWERED: "answer",
        }
        return acts | {name for then, name in steps.items() if then in ahead}
    if state in (RequestState.DRAFT, RequestState.COMPLETE):
        acts.add("compose")
    if state is RequestState.NEED_MORE:
        acts.add("amend")
    if state is RequestState.ANSWERED and row["answer_item"]:
        acts.add("feedback")
    if row["written_by"] is not None:
        acts.add("confirm")
    elif RequestState.CLOSED in ahead:
        acts.add("close")
    return acts


@router.post("/requests/{request_id}/take")
def take(visitor: Keeping, request_id: str, _form: Typed) -> Response:
    """Make a request one's own task."""
    return _act(
        visitor, request_id, "request_taken",
        lambda tx: requests.take(tx, visitor.actor, request_id),
    )  # fmt: skip


@router.post("/requests/{request_id}/acknowledge")
def acknowledge(visitor: Keeping, request_id: str, form: Typed) -> Response:
    """Acknowledge a request, with the own case number."""
    case = form.text("case")[:80] or None
    return _act(
        visitor, request_id, "request_acknowledged",
        lambda tx: requests.acknowledge(tx, visitor.actor, request_id, case),
    )  # fmt: skip


@router.post("/requests/{request_id}/accept")
def accept(visitor: Keeping, request_id: str, _form: Typed) -> Response:
    """Accept a request."""
    return _act(
        visitor, request_id, "request_accepted",
        lambda tx: requests.accept(tx, visitor.actor, request_id),
    )  # fmt: skip


@router.post("/requests/{request_id}/need-more")
def need_more(visitor: Keeping, request_id: str, form: Typed) -> Response:
    """Say what lacks to answer."""
    lacks = form.many("lacks")
    if not lacks:
        return back(f"/requests/{request_id}", problem="lacks_missing")
    return _act(
        visitor, request_id, "request_need_more",
        lambda tx: requests.need_more(tx, visitor.actor, request_id, lacks),
    )  # fmt: skip


@router.post("/requests/{request_id}/refuse")
def refuse(visitor: Keeping, request_id: str, form: Typed) -> Response:
    """Refuse a request on a named ground."""
    ground = form.text("ground")
    if not ground:
        return back(f"/requests/{request_id}", problem="ground_missing")
    return _act(
        visitor, request_id, "request_refused",
        lambda tx: requests.refuse(tx, visitor.actor, request_id, ground),
    )  # fmt: skip


@router.post("/requests/{request_id}/answer")
def answer(visitor: Keeping, request_id: str, form: Typed) -> Response:
    """Draft the answer and lay it before whoever sends it."""
    outcome = form.text("outcome") or "full"
    boxes, _ = _boxes(form.text("containers"))
    words = Words(form.text("words")[:4000], form.text("language") or visitor.reader.locale)
    return _draft(
        visitor,
        request_id,
        lambda tx: asking.answer(
            tx, visitor.actor, own_node(visitor.node), request_id, outcome,
            containers=boxes, words=words,
        ),
        "on_request",
    )  # fmt: skip


@router.post("/requests/{request_id}/feedback")
def feedback(visitor: Keeping, request_id: str, form: Typed) -> Response:
    """Draft what became of the answer and lay it before whoever sends it."""
    outcome = form.text("outcome")
    return _draft(
        visitor,
        request_id,
        lambda tx: asking.feedback(tx, visitor.actor, own_node(visitor.node), request_id, outcome),
        "spontaneous",
    )


@router.post("/requests/{request_id}/confirm")
def confirm(visitor: Keeping, request_id: str, _form: Typed) -> Response:
    """Note that an oral request was confirmed in writing."""
    return _act(
        visitor, request_id, "request_confirmed",
        lambda tx: requests.confirm_in_writing(tx, visitor.actor, request_id),
    )  # fmt: skip


@router.post("/requests/{request_id}/close")
def close(visitor: Keeping, request_id: str, _form: Typed) -> Response:
    """Close an own request."""
    return _act(
        visitor, request_id, "request_closed",
        lambda tx: requests.close(tx, visitor.actor, request_id),
    )  # fmt: skip


def _act(visitor: Visitor, request_id: str, done: str, act: Act) -> RedirectResponse:
    """Do it and go back to the request, saying what was done or why it could not be."""
    path = f"/requests/{request_id}"
    try:
        visitor.node.database.write(act)
    except (Conflict, Invalid) as error:
        return back(path, problem=error.code)
    return back(path, done=done)


def _draft(visitor: Visitor, request_id: str, act: Act, mode: str) -> RedirectResponse:
    try:
        made = visitor.node.database.write(act)
    except (Conflict, Invalid) as error:
        return back(f"/requests/{request_id}", problem=error.code)
    return composer(str(made), purpose="targeting", mode=mode)
