"""Requests for information and customs assistance, asked of partners and by them, on the clock.

A partner's question is a task with its clock. The answer's clock comes from the clause relied on,
counts from the sending, stands still while more is needed, and tells a duty officer when it runs
out. An answer is not closed before the asker said what became of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access import service as people
from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, Purpose, node_actor
from isthmus.agreements.service import clause_of
from isthmus.cases import partner_store
from isthmus.cases.model import step
from isthmus.cases.partner_model import (
    ASKER,
    OPEN_REQUESTS,
    OPEN_TASKS,
    OVER_FOR_ASKED,
    PACE,
    REQUEST_STEPS,
    Pace,
    RequestState,
    Terms,
    after,
    sent,
    terms,
    way,
)
from isthmus.cases.request_clocks import columns, of_row
from isthmus.kernel.errors import Conflict, Denied, Invalid
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

# What a request may lack, as its fields are called (code list ``item_fields``).
LACKING = (
    "case_number", "wording", "containers", "seals", "vessels", "documents", "companies", "persons",
    "places", "window_from", "window_until", "about",
)  # fmt: skip
# The steps of the asking node that sending an item implies.
_ASKED_WAY: Mapping[tuple[RequestState, RequestState], tuple[RequestState, ...]] = {
    (RequestState.DRAFT, RequestState.SENT): (RequestState.COMPLETE, RequestState.SENT),
    (RequestState.COMPLETE, RequestState.SENT): (RequestState.SENT,),
    (RequestState.ANSWERED, RequestState.USED): (RequestState.USED,),
}
# What is told of a step, to the audit and to whoever heeds it.
_TOLD = ("refusal_ground", "lacks", "feedback", "answer_item", "citation")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of whom or by whom, and under which clause; the item holds the wording."""

    partner: str
    questions: tuple[str, ...]  # code list request_questions
    urgency: str = "normal"
    held: str = "directly"
    oral: bool = False
    citation: str | None = None
    own_case: str | None = None
    partner_case: str | None = None


def draft(tx: Transaction, actor: Actor, request_id: str, asked: Question) -> None:
    """Begin a request to a partner; ``request_id`` is the id of the item that asks."""
    check(tx, actor, Permission.REQUEST_KEEP, object_id=request_id)
    row = _row(tx, actor, request_id, asked) | {"incoming": False, "state": RequestState.DRAFT}
    if not partner_store.insert_request(tx, row):
        raise Conflict("request_known", "this request was begun already", request=request_id)
    _note(tx, actor, "request.draft", request_id)


def receive(
    tx: Transaction,
    actor: Actor,
    request_id: str,
    asked: Question,
    sent_at: datetime,
    pace: Pace = PACE,
) -> bool:
    """Keep a partner's request as a task; its clocks count from when the partner sent it.

    Returns whether it is new: the same request received again changes nothing. A moment of
    sending in the future counts as now.
    """
    check(tx, actor, Permission.ITEM_RECEIVE, object_id=request_id)
    since = min(sent_at, tx.now)
    clocks = sent(since, _terms(tx, asked.citation, asked, pace), oral=asked.oral)
    row = _row(tx, actor, request_id, asked) | {"incoming": True, "state": RequestState.SENT}
    new = partner_store.insert_request(tx, row | {"sent_at": since})
    if new:
        partner_store.change_request(tx, request_id, **columns(clocks, None))
        _note(tx, actor, "request.received", request_id, partner=asked.partner)
    return new


def complete(tx: Transaction, actor: Actor, request_id: str) -> None:
    """Say that a draft is complete and may be sent."""
    _move(tx, actor, request_id, RequestState.COMPLETE)


def send(
    tx: Transaction,
    actor: Actor,
    request_id: str,
    citation: str | None = None,
    pace: Pace = PACE,
) -> None:
    """Note that a request was sent: its clocks start, those of the clause by which it went."""
    relied: dict[str, Any] = {} if citation is None else {"citation": citation}
    _move(tx, actor, request_id, RequestState.SENT, pace, **relied)


def acknowledge(
    tx: Transaction, actor: Actor, request_id: str, case_number: str | None = None
) -> None:
    """Acknowledge a request, with the case number of the node that is asked."""
    row = _request(tx, actor, request_id)
    linked: dict[str, Any] = {_asked_case(row): case_number} if case_number else {}
    _move(tx, actor, request_id, RequestState.ACKNOWLEDGED, **linked)


def link(tx: Transaction, actor: Actor, request_id: str, case_number: str) -> None:
    """Keep the partner's case number of an own request, whenever it comes; for the node itself."""
    row = _request(tx, actor, request_id)
    _check(tx, actor, row, own=False)
    if row["partner_case"] is None:
        partner_store.change_request(tx, request_id, partner_case=case_number)


def accept(tx: Transaction, actor: Actor, request_id: str) -> None:
    """Accept a request; a clock that stood still goes on with what was left."""
    _move(tx, actor, request_id, RequestState.ACCEPTED)


def need_more(tx: Transaction, actor: Actor, request_id: str, lacks: Sequence[str] = ()) -> None:
    """Say which parts of the request lack to answer it: the answer's clock stands still."""
    unknown = [one for one in lacks if one not in LACKING]
    if unknown:
        raise Invalid("code_unknown", "no part of a request", field="lacks", value=unknown[0])
    _move(tx, actor, request_id, RequestState.NEED_MORE, lacks=list(lacks))


def refuse(
    tx: Transaction, actor: Actor, request_id: str, ground: str | None, item: str | None = None
) -> None:
    """Refuse a request on a ground (code list ``refusal_grounds``).

    ``item`` is the partner's answer that refuses ours; it may have been let name no ground.
    """
    if ground is not None or item is None:
        _code("refusal_grounds", ground, "ground")
    _move(tx, actor, request_id, RequestState.REFUSED, refusal_ground=ground, **_by(item))


def answer(
    tx: Transaction,
    actor: Actor,
    request_id: str,
    *,
    partial: bool = False,
    item: str | None = None,
    pace: Pace = PACE,
) -> None:
    """Note that an answer went out, or a part of one; a partial answer stops no clock."""
    then = RequestState.PARTIAL if partial else RequestState.ANSWERED
    if partial and _request(tx, actor, request_id)["state"] == then:  # another part of it
        partner_store.change_request(tx, request_id, changed_at=tx.now, **_by(item))
        return
    _move(tx, actor, request_id, then, pace, **_by(item))


def give_feedback(tx: Transaction, actor: Actor, request_id: str, outcome: str) -> None:
    """Say what became of the answer (code list ``feedback_outcomes``): the asker's duty."""
    _code("feedback_outcomes", outcome, "outcome")
    _move(tx, actor, request_id, RequestState.USED, feedback=outcome)


def close(tx: Transaction, actor: Actor, request_id: str) -> None:
    """Close a request; one that was asked orally must have come in writing."""
    row = _request(tx, actor, request_id)
    if row["written_by"] is not None:
        raise Conflict("not_in_writing", "the oral request is owed in writing", request=request_id)
    _move(tx, actor, request_id, RequestState.CLOSED)


def told(tx: Transaction, actor: Actor, request_id: str, then: RequestState) -> bool:
    """Take the steps that a partner's word implies before ``then``; for the node itself.

    False when the request is past it: then there is nothing to enter. An acknowledgement that
    comes after the answer is such a one.
    """
    row = _request(tx, actor, request_id)
    if (RequestState(row["state"]), RequestState.SENT) in _ASKED_WAY:  # its word came first
        went(tx, request_id, RequestState.SENT, request_id)
        row = _request(tx, actor, request_id)
    passed = way(RequestState(row["state"]), then)
    for state in passed[:-1]:
        _move(tx, actor, request_id, state)
    return bool(passed)


def went(
    tx: Transaction,
    request_id: str,
    then: RequestState,
    item: str,
    pace: Pace = PACE,
    **values: Any,
) -> None:
    """Take the step that an item is which a person sent: a request, an answer, a feedback.

    For the loop. Who may send was checked when it was sent; the steps before it are implied.
    """
    node = node_actor()
    row = _request(tx, node, request_id)
    state = RequestState(row["state"])
    if state is then and row["incoming"]:  # another part of an answer
        partner_store.change_request(tx, request_id, changed_at=tx.now, **_by(item))
    passed = way(state, then) if row["incoming"] else _ASKED_WAY.get((state, then), ())
    for one in passed:
        last = one is then
        more = values | (_by(item) if last and row["incoming"] else {}) if last else {}
        _move(tx, node, request_id, one, pace, through=item, **more)


def request(tx: Transaction, actor: Actor, request_id: str) -> RowMapping:
    """Return one request; raises ``NotFound``."""
    return partner_store.request(tx, scope(actor, Permission.REQUEST_READ), request_id)


def closed(tx: Transaction, actor: Actor, *, incoming: bool, limit: int = 200) -> list[RowMapping]:
    """Return requests that are over: those of partners once refused, or told what became of it."""
    seen = scope(actor, Permission.REQUEST_READ)
    over = OVER_FOR_ASKED if incoming else (RequestState.CLOSED,)
    return partner_store.requests(tx, seen, over, incoming=incoming, limit=limit)


def confirm_in_writing(tx: Transaction, actor: Actor, request_id: str) -> None:
    """Note that the asker confirmed an oral request in writing."""
    row = _request(tx, actor, request_id)
    _check(tx, actor, row, own=not row["incoming"])
    if row["written_by"] is None:
        raise Conflict("nothing_to_confirm", "no confirmation is owed", request=request_id)
    clocks = of_row({**row, "written_by": None})
    partner_store.change_request(tx, request_id, **columns(clocks, row["alert_at"]))
    _note(tx, actor, "request.written", request_id)


def take(tx: Transaction, actor: Actor, request_id: str) -> None:
    """Make an open request the actor's own task; it gives the purpose for what it opens."""
    row = _request(tx, actor, request_id)
    check(tx, actor, Permission.REQUEST_KEEP, object_id=request_id)
    over = OVER_FOR_ASKED if row["incoming"] else (RequestState.CLOSED,)
    if row["state"] in over:
        raise Conflict("state_forbids", "it is closed", request=request_id)
    if row["assigned_to"] not in (None, actor.id):
        raise Conflict("request_taken", "another officer has it", request=request_id)
    people.assign(tx, actor, actor.id, "request", request_id, purpose=Purpose.TARGETING)
    partner_store.change_request(tx, request_id, assigned_to=actor.id)
    _note(tx, actor, "request.take", request_id)


def tasks(tx: Transaction, actor: Actor, limit: int = 200) -> list[RowMapping]:
    """Return partners' requests that are not over here, oldest clock first."""
    seen = scope(actor, Permission.REQUEST_READ)
    return partner_store.requests(tx, seen, OPEN_TASKS, incoming=True, limit=limit)


def asked(tx: Transaction, actor: Actor, limit: int = 200) -> list[RowMapping]:
    """Return own open requests to partners, oldest clock first."""
    seen = scope(actor, Permission.REQUEST_READ)
    return partner_store.requests(tx, seen, OPEN_REQUESTS, incoming=False, limit=limit)


def _by(item: str | None) -> dict[str, Any]:
    return {} if item is None else {"answer_item": item}


def _move(
    tx: Transaction,
    actor: Actor,
    request_id: str,
    then: RequestState,
    pace: Pace = PACE,
    through: str | None = None,
    **values: Any,
) -> None:
    row = _request(tx, actor, request_id)
    if through is None:
        _check(tx, actor, row, own=(then in ASKER) != row["incoming"])
    step(REQUEST_STEPS, RequestState(row["state"]), then, request_id)
    term = _terms(tx, values.get("citation", row["citation"]), row, pace)
    if then is RequestState.SENT:
        clocks = sent(tx.now, term, oral=row["oral"])
        values["sent_at"] = tx.now
    else:
        clocks = after(of_row(row), then, tx.now, term.feedback)
    if then is RequestState.ACCEPTED:  # what lacked has come
        values["lacks"] = None
    resumed = row["answer_left"] is not None and clocks.answer_by is not None
    kept = columns(clocks, None if resumed else row["alert_at"] or tx.now)
    partner_store.change_request(tx, request_id, state=then, changed_at=tx.now, **kept, **values)
    over = OVER_FOR_ASKED if row["incoming"] else (RequestState.CLOSED,)
    if then in over and RequestState(row["state"]) not in over and row["assigned_to"] is not None:
        people.unassign(tx, actor, row["assigned_to"], "request", request_id)
    codes = {name: value for name, value in values.items() if name in _TOLD and value}
    _note(tx, actor, f"request.{then.value}", request_id, **codes)


def _request(tx: Transaction, actor: Actor, request_id: str) -> RowMapping:
    tx.lock([request_id])
    needed = Permission.REQUEST_READ if actor.is_person else Permission.ITEM_RECEIVE
    return partner_store.request(tx, scope(actor, needed), request_id)


def _check(tx: Transaction, actor: Actor, row: RowMapping, *, own: bool) -> None:
    """Let persons do this node's steps, and the node enter those that the partner told of."""
    if own != actor.is_person:
        raise Denied("step_of_the_other", "the other node takes this step", request=row["id"])
    needed = Permission.REQUEST_KEEP if own else Permission.ITEM_RECEIVE
    check(tx, actor, needed, object_id=row["id"])


def _asked_case(row: RowMapping) -> str:
    return "own_case" if row["incoming"] else "partner_case"


def _terms(tx: Transaction, citation: str | None, row: Question | RowMapping, pace: Pace) -> Terms:
    urgency = row.urgency if isinstance(row, Question) else row["urgency"]
    held = row.held if isinstance(row, Question) else row["held"]
    clause = clause_of(tx, citation) if citation else None
    if clause is None:
        return terms((), urgency, held, pace=pace)
    feedback = clause.permit.duties.feedback_within if clause.permit else None
    return terms(clause.clocks, urgency, held, feedback, pace)


def _row(tx: Transaction, actor: Actor, request_id: str, asked: Question) -> dict[str, Any]:
    if not asked.questions:
        raise Invalid("question_missing", "ask at least one question", field="questions")
    for question in asked.questions:
        _code("request_questions", question, "questions")
    _code("request_urgency", asked.urgency, "urgency")
    _code("information_holding", asked.held, "held")
    if asked.oral and asked.urgency != "urgent":
        raise Invalid("oral_unfit", "only an urgent request is made orally", field="oral")
    return asdict(asked) | {
        "id": request_id,
        "questions": list(asked.questions),
        "made_by": actor.id,
        "made_at": tx.now,
        "changed_at": tx.now,
    }


def _code(name: str, code: str | None, field: str) -> None:
    if code is None or code not in code_list(name):
        raise Invalid("code_unknown", f"not in the code list {name}", field=field, value=code)


def _note(tx: Transaction, actor: Actor, action: str, request_id: str, **detail: Any) -> None:
    audit.record(
        tx,
        actor.id,
        action,
        "request",
        request_id,
        agency=actor.agency,
        purpose=Purpose.TARGETING,
        **detail,
    )
    events.emit(tx, action, request_id, **detail)
