"""Inspections: ordered, accepted or declined, and what they came to."""

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
    Code,
    Control,
    Done,
    Id,
    IdPath,
    Limit,
    Listed,
    Number,
    Reason,
    Text,
    Whole,
    coded,
    page,
)
from isthmus.cases import inspections
from isthmus.cases import store as cases
from isthmus.cases.inspections import LONGEST_DELAY, Found, Report
from isthmus.cases.model import InspectionState, Result
from isthmus.cases.partner_model import Override
from isthmus.flow import inspect
from isthmus.platform.transaction import Transaction
from isthmus.risk.objectives import Objective

router = APIRouter(prefix="/api/inspections", tags=["inspections"])
Reader = Annotated[Actor, Depends(allowed(Permission.INSPECTION_READ))]
Orderer = Annotated[Actor, Depends(allowed(Permission.INSPECTION_ORDER))]
Accepter = Annotated[Actor, Depends(allowed(Permission.INSPECTION_ACCEPT))]
Reporter = Annotated[Actor, Depends(allowed(Permission.INSPECTION_RECORD))]


class Inspection(Answer):
    """An inspection from its order to its result."""

    id: str
    pick_id: str | None
    unit_id: str
    office: str | None
    terminal: str | None
    state: InspectionState
    control_type: str = Field(description="code list `control_types`")
    ordered_by: str
    ordered_at: At
    accepted_by: str | None
    accepted_at: At | None
    done_by: str | None
    done_at: At | None
    result: Result | None
    objective: Objective | None
    share_unloaded: float | None
    minutes_delay: int | None
    decline_reason: str | None
    override: str | None = Field(description="why the box is opened again: `override_reasons`")
    chain: str | None = Field(description="the chain with a partner that this overrides")


class ListedInspection(Inspection):
    """An inspection with what the list shows of its unit."""

    container: str | None
    bill: str | None
    declaration_key: str | None
    description: str | None
    reefer: bool | None
    size_type: str | None


class Finding(Answer):
    """Something an inspection found."""

    id: str
    goods: str
    quantity: float | None
    unit: str | None
    pieces: int | None
    zone: str | None
    note: str | None
    language: str | None


class InspectionWhole(Answer):
    """An inspection with its findings."""

    inspection: Inspection
    findings: list[Finding]


class Overriding(Ask):
    """Why a box is opened that a chain with a partner guards; the partner is told the code."""

    reason: Annotated[Code, coded("override_reasons")] = Field(examples=["seal_changed"])
    words: Text = ""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = Field(
        None, description="of the words", examples=["es"]
    )

    def override(self) -> Override:
        """Return it as the order takes it."""
        return Override(self.reason, self.words, self.language)


class InspectionOrder(Ask):
    """Which picked unit to inspect, and how."""

    override: Overriding | None = Field(
        None, description="needed where the answer was `second_opening`"
    )
    pick: Id = Field(examples=["pick_06bq3f1m9t0xk2r8v5hc7n4ezs"])
    control_type: Control = Field(examples=["physical_full"])


class Declining(Ask):
    """Why an order is declined."""

    reason: Reason = Field(examples=["capacity"])


class FoundAsk(Ask):
    """Something found, in its own unit."""

    goods: Annotated[Code, coded("seized_goods")] = Field(examples=["cocaine"])
    quantity: Annotated[Number, Field(gt=0, lt=1e9)] | None = Field(None, examples=[12.5])
    unit: Code | None = Field(None, examples=["KGM"])
    pieces: Annotated[Whole, Field(ge=0, le=10_000_000)] | None = None
    zone: Annotated[Code, coded("concealment_zones")] | None = None
    note: Text | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = Field(
        None, description="of the note", examples=["es"]
    )


class ReportAsk(Ask):
    """What an inspector reports."""

    result: Result
    control_type: Control = Field(examples=["physical_full"])
    minutes_delay: Annotated[Whole, Field(ge=0, le=LONGEST_DELAY)] = Field(examples=[90])
    share_unloaded: Annotated[Number, Field(ge=0, le=1)] = Field(0.0, examples=[0.5])
    objective: Objective | None = Field(None, description="which kind of irregularity, if any")
    findings: Annotated[tuple[FoundAsk, ...], Field(max_length=200)] = ()


@router.get("", responses=answers())
def list_inspections(
    node: NodeServed,
    actor: Reader,
    state: Annotated[list[InspectionState] | None, Query(max_length=4)] = None,
    limit: Limit = 100,
) -> Listed[ListedInspection]:
    """Return inspections, oldest order first; without a state those under way."""
    states = state or [InspectionState.ORDERED, InspectionState.ACCEPTED]
    rows = node.database.read(
        lambda tx: cases.inspections(
            tx, scope(actor, Permission.INSPECTION_READ), states, limit + 1
        )
    )
    return page([ListedInspection.model_validate(dict(row)) for row in rows], limit)


@router.get("/{inspection_id}", responses=answers(404))
def read_inspection(node: NodeServed, actor: Reader, inspection_id: IdPath) -> InspectionWhole:
    """Return one inspection with its findings."""

    def work(tx: Transaction) -> InspectionWhole:
        seen = scope(actor, Permission.INSPECTION_READ)
        row = cases.inspection(tx, seen, inspection_id)
        found = cases.findings(tx, seen, [inspection_id])
        return InspectionWhole(
            inspection=Inspection.model_validate(dict(row)),
            findings=[Finding.model_validate(dict(one)) for one in found],
        )

    return node.database.read(work)


@router.post("", status_code=201, responses=answers(404, 409))
def order_inspection(node: NodeServed, actor: Orderer, ask: InspectionOrder) -> Done:
    """Order the inspection of a picked unit.

    Of a box that is inspected in a chain with a partner it is refused (`second_opening`) until the
    order says why it is opened again.
    """
    override = ask.override.override() if ask.override else None
    made = node.database.write(
        lambda tx: inspect.order(tx, actor, ask.pick, ask.control_type, override)
    )
    return Done(id=made, state=InspectionState.ORDERED)


@router.post("/{inspection_id}/accept", responses=answers(404, 409))
def accept_inspection(node: NodeServed, actor: Accepter, inspection_id: IdPath) -> Done:
    """Accept an order: the inspection becomes the caller's task."""
    node.database.write(lambda tx: inspections.accept(tx, actor, inspection_id))
    return Done(id=inspection_id, state=InspectionState.ACCEPTED)


@router.post("/{inspection_id}/decline", responses=answers(404, 409))
def decline_inspection(
    node: NodeServed, actor: Accepter, inspection_id: IdPath, ask: Declining
) -> Done:
    """Decline an order; the pick goes back to be decided on again."""
    node.database.write(lambda tx: inspections.decline(tx, actor, inspection_id, ask.reason))
    return Done(id=inspection_id, state=InspectionState.DECLINED)


@router.post("/{inspection_id}/report", responses=answers(404, 409))
def report_inspection(
    node: NodeServed, actor: Reporter, inspection_id: IdPath, ask: ReportAsk
) -> Inspection:
    """Record what an inspection came to; the node learns from it."""
    told = Report(
        result=ask.result,
        control_type=ask.control_type,
        minutes_delay=ask.minutes_delay,
        share_unloaded=ask.share_unloaded,
        objective=ask.objective,
        findings=tuple(Found(**found.model_dump()) for found in ask.findings),
    )
    row = node.database.write(lambda tx: inspect.report(tx, actor, inspection_id, told))
    return Inspection.model_validate(dict(row))
