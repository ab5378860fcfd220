"""Tokens of connected systems; the secret is shown once."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access import tokens
from isthmus.access.model import Actor, Permission, Role
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Done, Id, IdPath, Line, Places, Whole

router = APIRouter(prefix="/api/tokens", tags=["tokens"])
Issuer = Annotated[Actor, Depends(allowed(Permission.TOKEN_ISSUE))]


class Token(Answer):
    """A token without its secret."""

    id: str
    label: str
    agency_id: str
    role: Role
    permissions: list[str]
    offices: list[str] | None
    terminals: list[str] | None
    issued_by: str
    issued_at: At
    expires_at: At
    used_at: At | None
    revoked_at: At | None


class Tokens(Answer):
    """All tokens."""

    items: list[Token]


class TokenAsk(Ask):
    """A token to issue."""

    label: Annotated[Line, Field(max_length=tokens.LABEL_MAX)] = Field(examples=["Terminal system"])
    agency: Id
    role: Role = Field(description="system or terminal")
    permissions: Annotated[frozenset[Permission], Field(min_length=1)] | None = Field(
        None, description="null: all that the role allows a system"
    )
    offices: Places | None = Field(None, description="null: all")
    terminals: Places | None = Field(None, description="null: all")
    days: Annotated[Whole, Field(ge=1, le=tokens.LONGEST.days)] = 90


class TokenIssued(Answer):
    """A token just issued."""

    id: str
    secret: str = Field(description="shown once; send it as Authorization: Bearer")
    expires_at: At


@router.get("", responses=answers())
def list_tokens(node: NodeServed, actor: Issuer) -> Tokens:
    """Return all tokens without their secrets, newest first."""
    rows = node.database.read(lambda tx: tokens.tokens(tx, actor))
    return Tokens(items=[Token.model_validate(row) for row in rows])


@router.post("", status_code=201, responses=answers(404))
def issue_token(node: NodeServed, actor: Issuer, ask: TokenAsk) -> TokenIssued:
    """Issue a token to a system of an agency."""
    made = node.database.write(
        lambda tx: tokens.issue_token(
            tx,
            actor,
            label=ask.label,
            agency=ask.agency,
            role=ask.role,
            permissions=ask.permissions,
            offices=ask.offices,
            terminals=ask.terminals,
            holds=timedelta(days=ask.days),
        )
    )
    return TokenIssued.model_validate(made)


@router.post("/{token_id}/revoke", responses=answers(404))
def revoke_token(node: NodeServed, actor: Issuer, token_id: IdPath) -> Done:
    """Revoke a token at once."""
    node.database.write(lambda tx: tokens.revoke_token(tx, actor, token_id))
    return Done(id=token_id, state="revoked")
