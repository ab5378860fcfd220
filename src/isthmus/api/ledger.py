"""The ledger: where it stands, who witnessed it, and proof of an envelope for a third party."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from fastapi.responses import Response
from pydantic import Field

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, At
from isthmus.exchange import traffic, upkeep
from isthmus.exchange.proof import ledger_store, proofs
from isthmus.exchange.trust import identity, partners
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/ledger", tags=["partners"])
Reader = Annotated[Actor, Depends(allowed(Permission.LEDGER_READ))]
EnvelopeId = Annotated[
    str, InPath(pattern=r"^env_[0-9a-z]{26}$", examples=["env_06bq3f1m9t0xk2r8v5hc7n4ezs"])
]


class Checkpoint(Answer):
    """A signed head of a ledger's tree."""

    node: str
    epoch: int
    size: int
    root: str = Field(description="SHA-256 in hex")
    seen_at: At
    via: str = Field(description="who showed it")
    state: str = Field(description="own, consistent, unproven, split")


class Witness(Answer):
    """A partner, and the newest checkpoint of this node that it said it holds."""

    partner: str
    epoch: int | None = None
    size: int | None = None
    at: At | None = None


class LedgerTold(Answer):
    """Where the ledger stands, who witnessed it, and what is witnessed here of others."""

    node: str
    epoch: int
    size: int
    newest: Checkpoint | None = Field(description="null: nothing is sealed yet")
    witnesses: list[Witness]
    checkpoints: list[Checkpoint] = Field(description="of any node, newest first")


@router.get("", responses=answers(404))
def read_ledger(node: NodeServed, actor: Reader) -> LedgerTold:
    """Return where the ledger stands, and which partner holds which checkpoint of it."""

    def find(tx: Transaction) -> LedgerTold:
        seen, me = scope(actor, Permission.LEDGER_READ), identity.me(tx)
        newest = ledger_store.newest(tx, me["node"])
        held = {
            one.code: traffic.witnessed(tx, seen, one.code) or {}
            for one in partners.directory(tx, actor)
        }
        return LedgerTold(
            node=me["node"],
            epoch=me["epoch"],
            size=ledger_store.size(tx, me["epoch"]),
            newest=_checkpoint(newest) if newest else None,
            witnesses=[Witness(**{**one, "partner": code}) for code, one in held.items()],
            checkpoints=[_checkpoint(row) for row in ledger_store.checkpoints(tx, seen, 50)],
        )

    return node.database.read(find)


@router.get(
    "/proofs/{envelope}",
    response_class=Response,
    responses={
        200: {
            "description": "the bundle",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        **answers(404, 409),
    },
)
def read_proof(node: NodeServed, actor: Reader, envelope: EnvelopeId) -> Response:
    """Return the bundle that proves an envelope, its receipt and their places in the ledger.

    `isthmus ledger verify` checks it with no node at all; docs/protocol/ledger.md says how.
    """
    upkeep.seal_ledger(node.database)
    raw = node.database.write(lambda tx: proofs.prove(tx, actor, envelope))
    named = {"content-disposition": f'attachment; filename="{envelope}.proof.json"'}
    return Response(raw, media_type="application/json", headers=named)


def _checkpoint(row: object) -> Checkpoint:
    held = dict(row)  # type: ignore[call-overload]
    return Checkpoint(**{**held, "root": held["root"].hex()})
