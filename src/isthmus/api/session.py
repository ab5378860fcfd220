"""Signing in and out, and who one is."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from isthmus.access import sessions, sign_in
from isthmus.access.model import Actor, ActorKind, Permission, Purpose
from isthmus.api.identity import Caller, give_cookie, session_token, take_cookie
from isthmus.api.problems import answers
from isthmus.api.served import Hasher, NodeServed
from isthmus.api.wire import TEXT, Answer, Ask, Truth

router = APIRouter(prefix="/api", tags=["session"])


class SignIn(Ask):
    """Login, password and a code."""

    login: Annotated[str, Field(min_length=3, max_length=254, pattern=TEXT)] = Field(
        examples=["ana.batista@customs.example"]
    )
    password: Annotated[str, Field(min_length=1, max_length=256, pattern=TEXT)] = Field(
        examples=["seven blue cranes at noon"]
    )
    code: Annotated[str, Field(min_length=6, max_length=40, pattern=TEXT)] = Field(
        description="of the authenticator, or a recovery code", examples=["123456"]
    )
    bearer: Truth = Field(False, description="answer with the token instead of a cookie")


class Self(Answer):
    """Who asks, and what they may do."""

    id: str
    kind: ActorKind
    agency: str
    language: str
    permissions: list[Permission] = Field(description="allowed somewhere")
    offices: list[str] | None = Field(description="null: all")
    terminals: list[str] | None = Field(description="null: all")
    purposes: list[Purpose] = Field(description="that the roles serve")


class SignedIn(Answer):
    """A session has begun."""

    self: Self
    csrf: str = Field(description="form token: send it in Isthmus-CSRF with every act")
    token: str | None = Field(description="the session's token, when asked for")


@router.post("/sign-in", responses=answers(401, 429, public=True))
def sign_in_person(
    ask: SignIn, request: Request, response: Response, node: NodeServed, hasher: Hasher
) -> SignedIn:
    """Sign in with login, password and a time or recovery code."""
    signed = sign_in.sign_in(
        node.database,
        hasher,
        ask.login,
        password=ask.password,
        code=ask.code,
        terms=node.session_terms,
        previous=session_token(request),
    )
    if not ask.bearer:
        give_cookie(request, response, signed.token)
    return SignedIn(
        self=self_of(signed.actor),
        csrf=sessions.csrf_token(signed.token),
        token=signed.token if ask.bearer else None,
    )


@router.post("/sign-out", status_code=204, responses=answers())
def sign_out(request: Request, response: Response, node: NodeServed, actor: Caller) -> None:
    """End the session this request came with; an API token stays as it is."""
    node.database.write(lambda tx: sessions.sign_out(tx, actor))
    take_cookie(request, response)


@router.get("/session", responses=answers())
def who_am_i(actor: Caller) -> Self:
    """Return who the caller is and what they may do."""
    return self_of(actor)


def self_of(actor: Actor) -> Self:
    """Return an actor as its own answer."""
    purposes = {reach.purpose for reach in actor.reaches if reach.purpose is not None}
    return Self(
        id=actor.id,
        kind=actor.kind,
        agency=actor.agency,
        language=actor.locale,
        permissions=sorted(actor.permissions),
        offices=None if actor.offices is None else sorted(actor.offices),
        terminals=None if actor.terminals is None else sorted(actor.terminals),
        purposes=sorted(purposes),
    )
