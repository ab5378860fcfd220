"""Holds: proposed, confirmed by a person, acknowledged by the terminal, ended."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from sqlalchemy import RowMapping

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Done, Id, IdPath, Limit, Listed, Reasons, page
from isthmus.cases import holds
from isthmus.cases import store as cases
from isthmus.cases.model import HoldState
from isthmus.flow import inspect
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/holds", tags=["holds"])
Reader = Annotated[Actor, Depends(allowed(Permission.HOLD_READ))]
Proposer = Annotated[Actor, Depends(allowed(Permission.HOLD_PROPOSE))]
Confirmer = Annotated[Actor, Depends(allowed(Permission.HOLD_CONFIRM))]
Acknowledger = Annotated[Actor, Depends(allowed(Permission.HOLD_ACKNOWLEDGE))]
Releaser = Annotated[Actor, Depends(allowed(Permission.HOLD_RELEASE))]

# What a terminal is told: which box to keep and until when, never why, nor of which pick it is.
REASONED = (
    "pick_id", "reasons", "extension_reasons", "end_reasons", "proposed_by", "confirmed_by",
    "extended_by", "ended_by",
)  # fmt: skip
SHOWN_TO_TERMINALS = (
    HoldState.CONFIRMED,
    HoldState.ACKNOWLEDGED,
    HoldState.RELEASED,
    HoldState.BREACHED,
)


class Hold(Answer):
    """A hold. A terminal sees neither the reasons nor who decided."""

    id: str
    unit_id: str
    container: str | None
    office: str | None
    terminal: str | None
    state: HoldState
    pick_id: str | None
    reasons: list[str] | None
    proposed_by: str | None
    proposed_at: At
    confirmed_by: str | None
    confirmed_at: At | None
    acknowledge_by: At | None = Field(description="until when the terminal owes its answer")
    acknowledged_by: str | None
    acknowledged_at: At | None
    holds_until: At | None
    extended_by: str | None = Field(description="the newest extension; the audit has them all")
    extended_at: At | None
    extension_reasons: list[str] | None
    ended_by: str | None
    ended_at: At | None
    end_reasons: list[str] | None

    @staticmethod
    def of(row: RowMapping, actor: Actor) -> "Hold":
        """Return a hold as this actor may see it."""
        values = dict(row)
        if Permission.PICK_READ not in actor.permissions:
            values |= dict.fromkeys(REASONED)
        return Hold.model_validate(values)


class Proposal(Ask):
    """Which picked unit to hold, and why."""

    pick: Id = Field(examples=["pick_06bq3f1m9t0xk2r8v5hc7n4ezs"])
    reasons: Reasons = Field(examples=[["indicator_seal"]])


class Extension(Ask):
    """Why a box is kept longer."""

    reasons: Reasons = Field(examples=[["inspection_waiting"]])


class Ending(Ask):
    """Why a hold is refused or released."""

    reasons: Reasons = Field(examples=[["known_trader_checked"]])


@router.get("", responses=answers())
def list_holds(
    node: NodeServed,
    actor: Reader,
    state: Annotated[list[HoldState] | None, Query(max_length=6)] = None,
    limit: Limit = 100,
) -> Listed[Hold]:
    """Return holds, oldest first; without a state those that await somebody or are in force."""
    open_ = (HoldState.PROPOSED, HoldState.CONFIRMED, HoldState.ACKNOWLEDGED, HoldState.BREACHED)
    states = state or open_
    if Permission.PICK_READ not in actor.permissions:
        states = [one for one in states if one in SHOWN_TO_TERMINALS]
    rows = node.database.read(
        lambda tx: cases.holds(tx, scope(actor, Permission.HOLD_READ), states, limit + 1)
    )
    return page([Hold.of(row, actor) for row in rows], limit)


@router.post("", status_code=201, responses=answers(404, 409))
def propose_hold(node: NodeServed, actor: Proposer, ask: Proposal) -> Done:
    """Propose to hold a picked unit; nothing is held until a person confirms."""
    made = node.database.write(lambda tx: inspect.propose_hold(tx, actor, ask.pick, ask.reasons))
    return Done(id=made, state=HoldState.PROPOSED)


@router.post("/{hold_id}/confirm", responses=answers(404, 409))
def confirm_hold(node: NodeServed, actor: Confirmer, hold_id: IdPath) -> Done:
    """Confirm a hold that another person proposed: from now on the terminal must keep the box."""
    node.database.write(lambda tx: holds.confirm(tx, actor, hold_id))
    return Done(id=hold_id, state=HoldState.CONFIRMED)


@router.post("/{hold_id}/refuse", responses=answers(404, 409))
def refuse_hold(node: NodeServed, actor: Confirmer, hold_id: IdPath, ask: Ending) -> Done:
    """Decline to confirm a proposed hold; the pick goes back to its officer."""
    node.database.write(lambda tx: holds.refuse(tx, actor, hold_id, ask.reasons))
    return Done(id=hold_id, state=HoldState.REFUSED)


@router.post("/{hold_id}/acknowledge", responses=answers(404, 409))
def acknowledge_hold(node: NodeServed, actor: Acknowledger, hold_id: IdPath) -> Done:
    """Say, as the terminal, that the box is kept. Saying so twice changes nothing."""
    node.database.write(lambda tx: holds.acknowledge(tx, actor, hold_id))
    return Done(id=hold_id, state=HoldState.ACKNOWLEDGED)


@router.post("/{hold_id}/extend", responses=answers(404, 409))
def extend_hold(node: NodeServed, actor: Confirmer, hold_id: IdPath, ask: Extension) -> Hold:
    """Keep the box for another 24 hours from now; every further day asks for a reason again."""

    def work(tx: Transaction) -> RowMapping:
        holds.extend(tx, actor, hold_id, ask.reasons)
        return cases.hold(tx, scope(actor, Permission.HOLD_READ), hold_id)

    return Hold.of(node.database.write(work), actor)


@router.post("/{hold_id}/release", responses=answers(404, 409))
def release_hold(node: NodeServed, actor: Releaser, hold_id: IdPath, ask: Ending) -> Done:
    """End a hold: the box may go."""
    node.database.write(lambda tx: holds.release(tx, actor, hold_id, ask.reasons))
    return Done(id=hold_id, state=HoldState.RELEASED)
