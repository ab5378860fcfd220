"""The target queue: who works on which pick, and what they decide."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import (
    Answer,
    Ask,
    At,
    CodeQuery,
    Done,
    IdPath,
    Limit,
    Listed,
    Offset,
    Reasons,
    Truth,
    page,
)
from isthmus.cases import picks, queue
from isthmus.cases import store as cases
from isthmus.cases.model import OPEN_PICKS, PickState
from isthmus.risk.select import Lane

router = APIRouter(prefix="/api/picks", tags=["picks"])
Reader = Annotated[Actor, Depends(allowed(Permission.PICK_READ))]
Taker = Annotated[Actor, Depends(allowed(Permission.PICK_TAKE))]
Clearer = Annotated[Actor, Depends(allowed(Permission.PICK_CLEAR))]


class Pick(Answer):
    """A picked unit: on which basis, with which probability, and where it stands."""

    id: str
    run_id: str
    unit_id: str
    unit_version: int
    assessment_id: str | None
    office: str | None
    terminal: str | None
    lane: Lane
    basis: str = Field(description="code list `pick_bases`")
    rule_id: str | None
    rank: int
    score: float | None
    propensity: float = Field(description="with which this run would have picked it")
    deadline_at: At | None
    state: PickState
    taken_by: str | None
    taken_until: At | None
    decided_by: str | None
    decided_at: At | None
    reasons: list[str] | None
    agrees: bool | None
    created_at: At


class QueuedPick(Pick):
    """A pick with what the queue shows of its unit."""

    kind: str
    container: str | None
    bill: str | None
    declaration_key: str | None
    regime: str
    description: str | None
    hs6: str | None
    place_loading: str | None
    place_discharge: str | None
    place_delivery: str | None
    vessel_imo: str | None
    voyage: str | None
    gross_kg: float | None
    unit_state: str


class Counted(Answer):
    """How many open picks stand in a lane and state."""

    lane: Lane
    state: PickState
    picks: int


class Counts(Answer):
    """How many open picks there are."""

    items: list[Counted]


class Decision(Ask):
    """Why an officer decides so, and whether the assessment was right."""

    reasons: Reasons = Field(examples=[["known_trader_checked"]])
    agrees: Truth | None = Field(None, description="with the assessment")


@router.get("", responses=answers())
def list_picks(
    node: NodeServed,
    actor: Reader,
    state: Annotated[list[PickState] | None, Query(max_length=10)] = None,
    lane: Lane | None = None,
    office: CodeQuery = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Listed[QueuedPick]:
    """Return the queue: mandated first, then by score, the soonest deadline first."""
    wanted = queue.Wanted(states=state or OPEN_PICKS, lane=lane, office=office)
    rows = node.database.read(
        lambda tx: queue.read(tx, scope(actor, Permission.PICK_READ), wanted, limit + 1, offset)
    )
    return page([QueuedPick.model_validate(dict(row)) for row in rows], limit)


@router.get("/counts", responses=answers())
def count_picks(node: NodeServed, actor: Reader) -> Counts:
    """Return how many open picks there are, by lane and state."""
    rows = node.database.read(
        lambda tx: queue.counts(tx, scope(actor, Permission.PICK_READ), queue.Wanted())
    )
    return Counts(items=[Counted.model_validate(dict(row)) for row in rows])


@router.get("/{pick_id}", responses=answers(404))
def read_pick(node: NodeServed, actor: Reader, pick_id: IdPath) -> Pick:
    """Return one pick."""
    row = node.database.read(lambda tx: cases.pick(tx, scope(actor, Permission.PICK_READ), pick_id))
    return Pick.model_validate(dict(row))


@router.post("/{pick_id}/take", responses=answers(404, 409))
def take_pick(node: NodeServed, actor: Taker, pick_id: IdPath) -> Pick:
    """Take a pick to work on; it is this officer's for fifteen minutes."""
    row = node.database.write(lambda tx: picks.take(tx, actor, pick_id))
    return Pick.model_validate(dict(row))


@router.post("/{pick_id}/put-back", responses=answers(404, 409))
def put_back_pick(node: NodeServed, actor: Taker, pick_id: IdPath) -> Done:
    """Offer a taken pick to others again."""
    node.database.write(lambda tx: picks.put_back(tx, actor, pick_id))
    return Done(id=pick_id, state=PickState.OFFERED)


@router.post("/{pick_id}/clear", responses=answers(404, 409))
def clear_pick(node: NodeServed, actor: Clearer, pick_id: IdPath, ask: Decision) -> Done:
    """Let a picked unit go."""
    node.database.write(lambda tx: picks.clear(tx, actor, pick_id, ask.reasons, agrees=ask.agrees))
    return Done(id=pick_id, state=PickState.CLEARED)


@router.post("/{pick_id}/watch", responses=answers(404, 409))
def watch_pick(node: NodeServed, actor: Taker, pick_id: IdPath, ask: Decision) -> Done:
    """Keep a picked unit in sight without holding it."""
    node.database.write(lambda tx: picks.watch(tx, actor, pick_id, ask.reasons, agrees=ask.agrees))
    return Done(id=pick_id, state=PickState.WATCH)
