"""Commitments: who owes what by when, and how one ends."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.agreements import commitments
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Done, Truth, coded

router = APIRouter(prefix="/api/commitments", tags=["agreements"])
Reader = Annotated[Actor, Depends(allowed(Permission.AGREEMENT_READ))]
Keeper = Annotated[Actor, Depends(allowed(Permission.COMMITMENT_KEEP))]
Verifier = Annotated[Actor, Depends(allowed(Permission.COMMITMENT_VERIFY))]
CommitmentId = Annotated[
    str,
    Field(
        pattern=r"^[A-Z0-9][A-Z0-9-]{2,39}/[a-z0-9][a-z0-9-]{0,39}$",
        examples=["PA-NL-2026/art-14"],
    ),
]


class CommitmentTold(Answer):
    """A commitment: who owes it, by when, and how it stands."""

    id: str
    agreement: str
    clause: str
    owners: dict[str, str] = Field(description="by party, the body that owes it")
    horizon: str
    due_on: date
    state: str = coded("commitment_states")
    evidence: list[str] = Field(description="ids of events offered as evidence")
    waived_by: dict[str, str] = Field(description="by party, the service number of its officer")
    offered_by: str | None
    verified_by: str | None
    changed_at: At


class Commitments(Answer):
    """Every commitment, those due first."""

    items: list[CommitmentTold]


class Step(Ask):
    """How a commitment stands from now on."""

    id: CommitmentId
    state: Annotated[str, coded("commitment_states")]


class Evidence(Ask):
    """Events that prove that it was kept."""

    id: CommitmentId
    events: Annotated[
        list[Annotated[str, Field(pattern=r"^evt_[0-9a-z]{26}$")]],
        Field(min_length=1, max_length=200),
    ]


class Verdict(Ask):
    """Whether the evidence that was offered proves it."""

    id: CommitmentId
    holds: Truth


class Waiver(Ask):
    """That an officer of a party waives it, named by service number."""

    id: CommitmentId
    party: Annotated[str, Field(pattern=r"^[A-Z]{2,6}$", examples=["PA"])]
    officer: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,39}$")]


@router.get("", responses=answers())
def list_commitments(node: NodeServed, actor: Reader) -> Commitments:
    """Return every commitment, those due first."""
    rows = node.database.read(lambda tx: commitments.commitments(tx, actor))
    return Commitments(items=[CommitmentTold.model_validate(row) for row in rows])


@router.post("/advance", responses=answers(404, 409))
def advance_commitment(node: NodeServed, actor: Keeper, ask: Step) -> Done:
    """Say how a commitment stands; to close it, it must have been verified."""
    node.database.write(lambda tx: commitments.advance(tx, actor, ask.id, ask.state))
    return Done(id=ask.id, state=ask.state)


@router.post("/evidence", responses=answers(404, 409))
def offer_evidence(node: NodeServed, actor: Keeper, ask: Evidence) -> Done:
    """Offer events that prove that it was kept."""
    node.database.write(lambda tx: commitments.offer_evidence(tx, actor, ask.id, ask.events))
    return Done(id=ask.id, state="evidence_offered")


@router.post("/verify", responses=answers(404, 409))
def verify_commitment(node: NodeServed, actor: Verifier, ask: Verdict) -> Done:
    """Say whether the evidence holds; another person than the one who offered it."""
    node.database.write(lambda tx: commitments.verify(tx, actor, ask.id, holds=ask.holds))
    return Done(id=ask.id, state="verified" if ask.holds else "at_risk")


@router.post("/waive", responses=answers(404, 409))
def waive_commitment(node: NodeServed, actor: Verifier, ask: Waiver) -> Done:
    """Note that a party's officer waives it; it ends when all parties did."""
    done = node.database.write(
        lambda tx: commitments.waive(tx, actor, ask.id, ask.party, ask.officer)
    )
    return Done(id=ask.id, state="waived" if done else None)
