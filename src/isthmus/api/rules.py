"""Rules: read, proposed as text, moved on by people."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import Field
from sqlalchemy import RowMapping

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import TEXT, Answer, Ask, At, Done
from isthmus.kernel.errors import Invalid
from isthmus.platform.transaction import Transaction
from isthmus.risk import rulebook
from isthmus.risk.objectives import Objective
from isthmus.risk.rules import Effect, RuleState
from isthmus.risk.rules import Rule as RuleRead

router = APIRouter(prefix="/api/rules", tags=["rules"])
Reader = Annotated[Actor, Depends(allowed(Permission.RULE_READ))]
# Moving a rule on needs rule.write, and rule.approve to make it live; the service asks for it.
Writer = Annotated[Actor, Depends(allowed(Permission.RULE_WRITE))]
Approver = Annotated[Actor, Depends(allowed(Permission.RULE_APPROVE))]

RuleKey = Annotated[
    str, InPath(pattern=r"^[a-z][a-z0-9_]{0,79}@[1-9][0-9]{0,8}$", examples=["late_consignee@1"])
]

LARGEST = 64 << 10


class Rule(Answer):
    """One version of a rule."""

    key: str = Field(examples=["late_consignee@1"])
    id: str
    version: int
    state: RuleState
    objective: Objective
    effect: Effect
    lane: str | None
    weight: float
    names: dict[str, str] = Field(description="in five languages")
    explain: dict[str, str] = Field(description="the reason shown when it fires")
    citation: str
    citation_verified: bool
    owner: str
    expires: date | None
    source: str = Field(description="the rule as its author wrote it, YAML")
    proposed_by: str
    proposed_at: At
    approved_by: str | None
    approved_at: At | None


class Rules(Answer):
    """Every rule version."""

    items: list[Rule]


class RuleProposal(Ask):
    """A rule as YAML: a list with one rule, its examples included."""

    text: Annotated[str, Field(min_length=1, max_length=LARGEST, pattern=TEXT)]


@router.get("", responses=answers())
def list_rules(node: NodeServed, actor: Reader) -> Rules:
    """Return every rule version."""
    rows = node.database.read(lambda tx: rulebook.rules(tx, actor))
    return Rules(items=[_rule(row, rule) for row, rule in rows])


@router.post("", status_code=201, responses=answers(409))
def propose_rule(node: NodeServed, actor: Writer, ask: RuleProposal) -> Done:
    """Enter a rule as a draft; its own examples must come out as it says."""

    def work(tx: Transaction) -> str:
        try:
            return rulebook.propose(tx, actor, ask.text)
        except RecursionError:
            raise Invalid("risk.rule_invalid", "the rule is nested too deeply") from None

    return Done(id=node.database.write(work), state=RuleState.DRAFT)


@router.post("/{rule_key}/shadow", responses=answers(404, 409))
def try_rule(node: NodeServed, actor: Writer, rule_key: RuleKey) -> Done:
    """Run a rule on trial: it is counted and changes nothing."""
    return _advance(node, actor, rule_key, RuleState.SHADOW)


@router.post("/{rule_key}/live", responses=answers(404, 409))
def approve_rule(node: NodeServed, actor: Approver, rule_key: RuleKey) -> Done:
    """Make a rule live; needs another person than the one who proposed it."""
    return _advance(node, actor, rule_key, RuleState.LIVE)


@router.post("/{rule_key}/retire", responses=answers(404, 409))
def retire_rule(node: NodeServed, actor: Writer, rule_key: RuleKey) -> Done:
    """Stop a rule for good."""
    return _advance(node, actor, rule_key, RuleState.RETIRED)


def _advance(node: NodeServed, actor: Actor, rule_key: str, then: RuleState) -> Done:
    node.database.write(lambda tx: rulebook.advance(tx, actor, rule_key, then))
    return Done(id=rule_key, state=then)


def _rule(row: RowMapping, rule: RuleRead) -> Rule:
    return Rule(
        key=row["id"],
        id=rule.id,
        version=rule.version,
        state=row["state"],
        objective=rule.objective,
        effect=rule.effect,
        lane=rule.lane,
        weight=rule.weight,
        names=dict(rule.names),
        explain=dict(rule.explain),
        citation=rule.citation.text,
        citation_verified=rule.citation.verified,
        owner=rule.owner,
        expires=rule.expires,
        source=row["source"],
        proposed_by=row["proposed_by"],
        proposed_at=row["proposed_at"],
        approved_by=row["approved_by"],
        approved_at=row["approved_at"],
    )
