"""Targeting runs: what an office inspects in a shift, within its budget."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Code, Limit, Line, Listed, Number, Whole, page
from isthmus.cases import store as cases
from isthmus.flow import target
from isthmus.kernel.errors import Invalid
from isthmus.risk.objectives import Objective

router = APIRouter(prefix="/api/runs", tags=["targeting"])
Runner = Annotated[Actor, Depends(allowed(Permission.TARGET_RUN))]
Reader = Annotated[Actor, Depends(allowed(Permission.PICK_READ))]
Budget = Annotated[Whole, Field(ge=0, le=target.LARGEST_BUDGET)]


class RunOrder(Ask):
    """What is asked of a run: an office's shift and how many it can inspect."""

    budget: Budget = Field(description="physical inspections", examples=[20])
    office: Code | None = Field(None, description="null: the whole node")
    shift: Line = Field("day", examples=["day"])
    objective: Objective = Objective.CONTRABAND
    floor: Annotated[Number, Field(gt=0, le=1)] | None = Field(
        None, description="share drawn at random; not below the node's own; null: the node's own"
    )
    documentary: Budget = Field(0, description="document checks of what is not inspected")
    audits: Budget = Field(0, description="post-release audits")


class Picked(Answer):
    """One pick of a run, with the probability with which it was picked."""

    id: str
    unit_id: str
    lane: str = Field(description="code list `lanes`")
    basis: str = Field(description="code list `pick_bases`")
    rank: int
    score: float | None
    propensity: float
    rule_id: str | None


class RunMade(Answer):
    """What a run did."""

    id: str
    candidates: int
    overflow: int = Field(description="mandated units for which no budget was left")
    picks: list[Picked]


class Run(Answer):
    """A run of the past."""

    id: str
    at: At
    run_by: str
    office: str | None
    shift: str
    objective: Objective
    budget: int
    floor: float
    candidates: int
    overflow: int


@router.post("", status_code=201, responses=answers())
def run_targeting(node: NodeServed, actor: Runner, ask: RunOrder) -> RunMade:
    """Pick what to inspect within the budget: mandated, ranked, and drawn at random."""
    least = node.settings.targeting.random_floor
    floor = least if ask.floor is None else ask.floor
    if floor < least:
        raise Invalid("risk.floor", f"this node draws at least {least}", field="floor", value=floor)
    order = target.Order(
        budget=ask.budget,
        office=ask.office,
        shift=ask.shift,
        objective=ask.objective,
        floor=floor,
        documentary=ask.documentary,
        audits=ask.audits,
    )
    made = node.database.write(lambda tx: target.run(tx, actor, order))
    return RunMade(
        id=made.id,
        candidates=made.candidates,
        overflow=made.overflow,
        picks=[Picked.model_validate(pick) for pick in made.picks],
    )


@router.get("", responses=answers())
def list_runs(node: NodeServed, actor: Reader, limit: Limit = 100) -> Listed[Run]:
    """Return the newest runs."""
    rows = node.database.read(
        lambda tx: cases.runs(tx, scope(actor, Permission.PICK_READ), limit + 1)
    )
    return page([Run.model_validate(dict(row)) for row in rows], limit)
