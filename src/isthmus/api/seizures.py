"""Seizures: one number each, what was seized as reported and as weighed, and whose credit it is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.requests import Drafted, NodeCode, own_node, pace
from isthmus.api.served import NodeServed
from isthmus.api.wire import (
    Answer,
    Ask,
    At,
    Code,
    Done,
    Id,
    Limit,
    Listed,
    Number,
    Offset,
    Whole,
    coded,
    page,
)
from isthmus.cases import partner_store, seizures
from isthmus.cases.seizures import Credit
from isthmus.flow.sharing import asking
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/seizures", tags=["seizures"])
Reader = Annotated[Actor, Depends(allowed(Permission.SEIZURE_READ))]
Registrar = Annotated[Actor, Depends(allowed(Permission.SEIZURE_REGISTER))]
SEIZURE = r"^SZ-[A-Z]{2}-[A-Z0-9-]{1,30}-[0-9]{4}-[0-9]{1,9}$"
NumberPath = Annotated[str, Path(pattern=SEIZURE, examples=["SZ-PA-ANA-2026-1"])]


class SeizureTold(Answer):
    """A seizure under the number that all who took part use."""

    number: str
    finder: str = Field(description="code of the node that gave the number")
    own: bool
    inspection_id: str | None
    unit_id: str | None
    container: str | None
    office: str | None
    terminal: str | None
    chain: str | None
    seized_at: At
    registered_at: At
    notice_by: At | None = Field(description="until when partners are owed the notice")
    noticed_at: At | None


class SeizedGoods(Answer):
    """One line of what was seized."""

    place: int
    goods: str = Field(description="code list `seized_goods`")
    quantity: float | None = Field(description="as reported")
    weighed: float | None = Field(description="on a calibrated scale, in the same unit")
    unit: str | None
    packages: int | None
    zone: str | None = Field(description="code list `concealment_zones`")


class CreditTold(Answer):
    """A node's share in a seizure."""

    node: str
    role: str = Field(description="code list `credit_roles`")
    share: int = Field(description="per cent")


class SeizureWhole(Answer):
    """A seizure with its goods and the shares of credit."""

    seizure: SeizureTold
    goods: list[SeizedGoods]
    credits: list[CreditTold]


class Registering(Ask):
    """Whose seizure gets its number."""

    inspection: Id


class CreditAsk(Ask):
    """One share."""

    node: NodeCode
    role: Annotated[Code, coded("credit_roles")]
    share: Annotated[Whole, Field(ge=0, le=100)]


class CreditsAsk(Ask):
    """All shares; they make 100 per cent."""

    credits: Annotated[list[CreditAsk], Field(min_length=1, max_length=20)]


class Weighing(Ask):
    """What a line weighed."""

    place: Annotated[Whole, Field(ge=0, le=10_000)]
    quantity: Annotated[Number, Field(ge=0, lt=1e9)]


@router.get("", responses=answers())
def list_seizures(
    node: NodeServed, actor: Reader, limit: Limit = 100, offset: Offset = 0
) -> Listed[SeizureTold]:
    """Return seizures, the newest first."""
    seen = scope(actor, Permission.SEIZURE_READ)
    rows = node.database.read(lambda tx: partner_store.newest_seizures(tx, seen, limit + 1, offset))
    return page([SeizureTold.model_validate(dict(row)) for row in rows], limit)


@router.get("/{number}", responses=answers(404))
def read_seizure(node: NodeServed, actor: Reader, number: NumberPath) -> SeizureWhole:
    """Return one seizure with its goods and shares of credit."""

    def work(tx: Transaction) -> SeizureWhole:
        seen = scope(actor, Permission.SEIZURE_READ)
        return SeizureWhole(
            seizure=SeizureTold.model_validate(dict(partner_store.seizure(tx, seen, number))),
            goods=[
                SeizedGoods.model_validate(dict(row)) for row in seizures.goods(tx, actor, [number])
            ],
            credits=[
                CreditTold.model_validate(dict(row))
                for row in partner_store.credits_of(tx, seen, [number])
            ],
        )

    return node.database.read(work)


@router.post("", status_code=201, responses=answers(404, 409))
def register_seizure(node: NodeServed, actor: Registrar, ask: Registering) -> Done:
    """Give the seizure of an inspection its number."""
    number = node.database.write(
        lambda tx: seizures.register(tx, actor, ask.inspection, own_node(node), pace=pace(node))
    )
    return Done(id=number)


@router.post("/{number}/credits", responses=answers(404, 409))
def share_credit(node: NodeServed, actor: Registrar, number: NumberPath, ask: CreditsAsk) -> Done:
    """Share the credit of an own seizure anew."""
    shares = [Credit(one.node, one.role, one.share) for one in ask.credits]
    node.database.write(lambda tx: seizures.share_credit(tx, actor, number, shares))
    return Done(id=number)


@router.post("/{number}/weigh", responses=answers(404, 409))
def weigh_goods(node: NodeServed, actor: Registrar, number: NumberPath, ask: Weighing) -> Done:
    """Note what a line of an own seizure weighed."""
    node.database.write(lambda tx: seizures.weigh(tx, actor, number, ask.place, ask.quantity))
    return Done(id=number)


@router.post("/{number}/notice", status_code=201, responses=answers(404, 409))
def draft_notice(node: NodeServed, actor: Registrar, number: NumberPath) -> Drafted:
    """Draft the notice to partners; they are told once the item is sent."""
    made = node.database.write(lambda tx: asking.seizure(tx, actor, own_node(node), number))
    return Drafted(item=made, object=number)
