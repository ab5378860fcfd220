"""Requests for information: what partners ask and what is asked of them, each step on its clock."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field, model_validator
from sqlalchemy import RowMapping

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.items import ITEM
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed, Served
from isthmus.api.wire import Answer, Ask, At, Code, Done, Limit, Listed, Text, coded, page
from isthmus.cases import requests
from isthmus.cases.partner_model import Pace, RequestState
from isthmus.cases.requests import LACKING, Question
from isthmus.exchange.trust.identity import node_code
from isthmus.flow.sharing import asking
from isthmus.flow.sharing.asking import Words
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/requests", tags=["requests"])
Reader = Annotated[Actor, Depends(allowed(Permission.REQUEST_READ))]
Keeper = Annotated[Actor, Depends(allowed(Permission.REQUEST_KEEP))]
RequestPath = Annotated[
    str, Path(pattern=ITEM, examples=["NL-DOUANE:req_06bq3f1m9t0xk2r8v5hc7n4ezs"])
]
NodeCode = Annotated[str, Field(pattern=r"^[A-Z]{2}-[A-Z0-9-]{1,30}$", examples=["NL-DOUANE"])]
CaseNumber = Annotated[str, Field(pattern=r"^[^\s].{0,78}[^\s]$|^[^\s]$", examples=["2026/117"])]
Box = Annotated[str, Field(pattern=r"^[A-Z]{4}[0-9]{7}$", examples=["MSKU1234565"])]
Boxes = Annotated[tuple[Box, ...], Field(max_length=50)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", examples=["es"])]


class RequestTold(Answer):
    """A request with its clocks; the item of the same id holds its wording."""

    id: str
    partner: str = Field(description="code of the other node")
    incoming: bool = Field(description="whether the partner asks; else this node does")
    state: RequestState
    urgency: str = Field(description="code list `request_urgency`")
    held: str = Field(description="code list `information_holding`")
    oral: bool
    questions: list[str] = Field(description="code list `request_questions`")
    citation: str | None = Field(description="the clause whose reply clock runs")
    own_case: str | None
    partner_case: str | None
    assigned_to: str | None
    refusal_ground: str | None = Field(description="code list `refusal_grounds`")
    lacks: list[str] | None = Field(description="which of its parts lack, while more is needed")
    answer_item: str | None = Field(description="the newest answer")
    feedback: str | None = Field(description="code list `feedback_outcomes`")
    made_at: At
    changed_at: At
    sent_at: At | None
    acknowledge_by: At | None
    answer_by: At | None = Field(description="null while it stands still, too")
    feedback_by: At | None
    written_by: At | None
    due_at: At | None = Field(description="the earliest clock that runs")


class Wording(Ask):
    """Free text, in the language it was written in."""

    text: Annotated[Text, Field(min_length=1)]
    language: Language

    def words(self) -> Words:
        """Return it as the drafts take it."""
        return Words(self.text, self.language)


class NewRequest(Ask):
    """What to ask of whom; it is drafted, and asked once the item is sent."""

    partner: NodeCode
    questions: Annotated[
        list[Annotated[Code, coded("request_questions")]], Field(min_length=1, max_length=12)
    ]
    case_number: CaseNumber
    urgency: Annotated[Code, coded("request_urgency")] = "normal"
    held: Annotated[Code, coded("information_holding")] = "directly"
    oral: Annotated[bool, Field(strict=True)] = False
    containers: Boxes = ()
    wording: Wording | None = None


class Acknowledging(Ask):
    """The own case number, for whoever asks."""

    case_number: CaseNumber | None = None


class Lacking(Ask):
    """Which parts of the request lack to answer it."""

    lacks: Annotated[list[Code], Field(min_length=1, max_length=len(LACKING))] = Field(
        json_schema_extra={"items": {"enum": list(LACKING)}}
    )


class Refusing(Ask):
    """On which ground a request is refused."""

    ground: Annotated[Code, coded("refusal_grounds")]


class Answering(Ask):
    """How a request is answered; a refusal names its ground."""

    outcome: Annotated[Code, coded("answer_outcomes")]
    ground: Annotated[Code, coded("refusal_grounds")] | None = None
    containers: Boxes = ()
    remarks: Wording | None = None

    @model_validator(mode="after")
    def _named(self) -> "Answering":
        if (self.outcome == "refused") != (self.ground is not None):
            raise ValueError("a refusal, and nothing else, names its ground")
        return self


class Feedback(Ask):
    """What became of an answer."""

    outcome: Annotated[Code, coded("feedback_outcomes")]


class Drafted(Answer):
    """The item that tells it was drafted; it is done once somebody sends it."""

    item: str
    object: str = Field(description="the request, chain or seizure that it is about")


def own_node(node: Served) -> str:
    """Return the code by which partners know this node."""
    agency = node.settings.agency
    return node_code(agency.country, agency.code)


def pace(node: Served) -> Pace:
    """Return the clocks that this node keeps where no clause says otherwise."""
    return Pace.of(node.settings.partners)


@router.get("", responses=answers())
def list_requests(
    node: NodeServed,
    actor: Reader,
    incoming: Annotated[bool, Query(description="what partners ask, else what they are asked")],
    closed: Annotated[bool, Query(description="those that are over instead")] = False,
    limit: Limit = 100,
) -> Listed[RequestTold]:
    """Return requests, the clock that runs out first at the top."""
    open_ones = requests.tasks if incoming else requests.asked

    def work(tx: Transaction) -> list[RowMapping]:
        if closed:
            return requests.closed(tx, actor, incoming=incoming, limit=limit + 1)
        return open_ones(tx, actor, limit + 1)

    rows = node.database.read(work)
    return page([RequestTold.model_validate(dict(row)) for row in rows], limit)


@router.get("/{request_id}", responses=answers(404))
def read_request(node: NodeServed, actor: Reader, request_id: RequestPath) -> RequestTold:
    """Return one request."""
    row = node.database.read(lambda tx: requests.request(tx, actor, request_id))
    return RequestTold.model_validate(dict(row))


@router.post("", status_code=201, responses=answers(404, 409))
def ask_partner(node: NodeServed, actor: Keeper, ask: NewRequest) -> Drafted:
    """Draft a request to a partner; its clocks start when the item is sent."""
    question = Question(
        ask.partner,
        tuple(ask.questions),
        ask.urgency,
        ask.held,
        ask.oral,
        own_case=ask.case_number,
    )
    words = ask.wording.words() if ask.wording else None
    made = node.database.write(
        lambda tx: asking.ask(tx, actor, own_node(node), question, ask.containers, words)
    )
    return Drafted(item=made, object=made)


@router.post("/{request_id}/take", responses=answers(404, 409))
def take_request(node: NodeServed, actor: Keeper, request_id: RequestPath) -> Done:
    """Make a request the caller's own task."""
    node.database.write(lambda tx: requests.take(tx, actor, request_id))
    return Done(id=request_id)


@router.post("/{request_id}/acknowledge", responses=answers(404, 409))
def acknowledge_request(
    node: NodeServed, actor: Keeper, request_id: RequestPath, ask: Acknowledging
) -> Done:
    """Acknowledge a partner's request; the partner is told."""
    node.database.write(lambda tx: requests.acknowledge(tx, actor, request_id, ask.case_number))
    return Done(id=request_id, state=RequestState.ACKNOWLEDGED)


@router.post("/{request_id}/accept", responses=answers(404, 409))
def accept_request(node: NodeServed, actor: Keeper, request_id: RequestPath) -> Done:
    """Accept a partner's request; an answer's clock that stood still goes on."""
    node.database.write(lambda tx: requests.accept(tx, actor, request_id))
    return Done(id=request_id, state=RequestState.ACCEPTED)


@router.post("/{request_id}/need-more", responses=answers(404, 409))
def ask_for_more(node: NodeServed, actor: Keeper, request_id: RequestPath, ask: Lacking) -> Done:
    """Say what lacks: the answer's clock stands still until the request is accepted."""
    node.database.write(lambda tx: requests.need_more(tx, actor, request_id, ask.lacks))
    return Done(id=request_id, state=RequestState.NEED_MORE)


@router.post("/{request_id}/refuse", responses=answers(404, 409))
def refuse_request(node: NodeServed, actor: Keeper, request_id: RequestPath, ask: Refusing) -> Done:
    """Refuse a partner's request on a named ground; the partner is told."""
    node.database.write(lambda tx: requests.refuse(tx, actor, request_id, ask.ground))
    return Done(id=request_id, state=RequestState.REFUSED)


@router.post("/{request_id}/answer", status_code=201, responses=answers(404, 409))
def answer_request(
    node: NodeServed, actor: Keeper, request_id: RequestPath, ask: Answering
) -> Drafted:
    """Draft the answer; the request is answered once the item is sent."""
    words = ask.remarks.words() if ask.remarks else None
    made = node.database.write(
        lambda tx: asking.answer(
            tx, actor, own_node(node), request_id, ask.outcome,
            ground=ask.ground, containers=ask.containers, words=words,
        )
    )  # fmt: skip
    return Drafted(item=made, object=request_id)


@router.post("/{request_id}/feedback", status_code=201, responses=answers(404, 409))
def tell_feedback(
    node: NodeServed, actor: Keeper, request_id: RequestPath, ask: Feedback
) -> Drafted:
    """Draft what became of the answer; the feedback is given once the item is sent."""
    made = node.database.write(
        lambda tx: asking.feedback(tx, actor, own_node(node), request_id, ask.outcome)
    )
    return Drafted(item=made, object=request_id)


@router.post("/{request_id}/confirm", responses=answers(404, 409))
def confirm_request(node: NodeServed, actor: Keeper, request_id: RequestPath) -> Done:
    """Note that an own oral request was confirmed in writing."""
    node.database.write(lambda tx: requests.confirm_in_writing(tx, actor, request_id))
    return Done(id=request_id)


@router.post("/{request_id}/close", responses=answers(404, 409))
def close_request(node: NodeServed, actor: Keeper, request_id: RequestPath) -> Done:
    """Close an own request: one that was refused, or answered and told what became of it."""
    node.database.write(lambda tx: requests.close(tx, actor, request_id))
    return Done(id=request_id, state=RequestState.CLOSED)
