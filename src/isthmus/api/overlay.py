"""The overlay: what this node forbids itself, and how two of its people change it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.agreements import prohibitions, register
from isthmus.agreements.overlay import plain, read_rule
from isthmus.api.agreement_forms import EffectTold, effect_told
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Done
from isthmus.flow.sharing import hindsight

router = APIRouter(prefix="/api/overlay", tags=["agreements"])
Reader = Annotated[Actor, Depends(allowed(Permission.AGREEMENT_READ))]
Proposer = Annotated[Actor, Depends(allowed(Permission.OVERLAY_PROPOSE))]
Approver = Annotated[Actor, Depends(allowed(Permission.OVERLAY_APPROVE))]
RuleId = Annotated[str, InPath(pattern=r"^[a-z][a-z0-9-]{0,59}$", examples=["death-penalty"])]
ChangeId = Annotated[str, InPath(pattern=r"^ovl_[0-9a-z]{26}$")]


class Rule(Answer):
    """A rule of the overlay in its plain form; an empty part matches everything."""

    id: str
    ground: str
    fixed: bool = Field(description="guards an originator's marks and cannot be changed")
    rule: dict[str, Any]


class Change(Answer):
    """A change of the overlay: proposed by one person, approved by another."""

    id: str
    rule: str
    body: dict[str, Any] | None = Field(description="null: the rule is taken out")
    proposed_by: str
    proposed_at: At
    approved_by: str | None
    approved_at: At | None


class OverlayTold(Answer):
    """What this node forbids itself, and every change of it, newest first."""

    rules: list[Rule]
    changes: list[Change]


class RuleAsked(Ask):
    """A rule in its plain form: `id`, `ground`, and what it matches."""

    rule: Annotated[dict[str, Any], Field(max_length=20)]


@router.get("", responses=answers())
def read_overlay(node: NodeServed, actor: Reader) -> OverlayTold:
    """Return what this node forbids itself, whatever any clause permits."""
    found = node.database.read(lambda tx: register.forbidden(tx, actor))
    rules = [*found.fixed, *found.rules]
    return OverlayTold(
        rules=[
            Rule(id=one.id, ground=one.ground, fixed=one.fixed, rule=plain(one)) for one in rules
        ],
        changes=[Change.model_validate(row) for row in found.changes],
    )


@router.post("", status_code=201, responses=answers(409))
def propose_rule_of_overlay(node: NodeServed, actor: Proposer, ask: RuleAsked) -> Done:
    """Propose to add a rule, or to replace the one with its id."""
    rule = read_rule(ask.rule, "rule")
    made = node.database.write(lambda tx: prohibitions.propose(tx, actor, rule))
    return Done(id=made, state="proposed")


@router.post("/effect", responses=answers())
def try_rule_of_overlay(node: NodeServed, actor: Reader, ask: RuleAsked) -> EffectTold:
    """Return what would have stayed behind under one more rule, in the last shares."""
    rule = read_rule(ask.rule, "rule")
    return effect_told(node.database.read(lambda tx: hindsight.of_rule(tx, actor, rule)))


@router.post("/{rule}/remove", status_code=201, responses=answers(404, 409))
def propose_removal(node: NodeServed, actor: Proposer, rule: RuleId) -> Done:
    """Propose to take a rule out."""
    made = node.database.write(lambda tx: prohibitions.propose_removal(tx, actor, rule))
    return Done(id=made, state="proposed")


@router.post("/changes/{change}/approve", responses=answers(404, 409))
def approve_overlay_change(node: NodeServed, actor: Approver, change: ChangeId) -> Done:
    """Put a proposed change in force; another person than its proposer, and no partner."""
    node.database.write(lambda tx: prohibitions.approve(tx, actor, change))
    return Done(id=change, state="approved")
