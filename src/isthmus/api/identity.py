"""Who asks, and whether they may: the dependencies of every route, of the API and of the pages.

A person comes with a session, in a cookie or as a bearer token; a system with an API token. A
cookie is sent by a browser without being asked, so an act under one needs the form token of that
session besides. Every route depends on ``allowed(permission)``, on ``signed_in``, or is public.
"""

from functools import cache
from typing import Annotated

from fastapi import Depends, Header, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from isthmus.access import sessions, tokens
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.access.sessions import Admitted
from isthmus.api.served import NodeServed, Served
from isthmus.kernel.errors import Denied, Invalid, Unauthenticated

COOKIE = "isthmus_session"
SECURE_COOKIE = "__Host-isthmus_session"  # browsers take this name only with Secure and path /
CSRF_HEADER = "Isthmus-CSRF"
CSRF_FIELD = "csrf"
PURPOSE_HEADER = "Isthmus-Purpose"
REASON_HEADER = "Isthmus-Reason"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

_bearer = HTTPBearer(auto_error=False, description="An API token, or the token of a session.")
_cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    description=f"A person's session. Acts need the header {CSRF_HEADER} besides.",
)


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie on this connection."""
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def session_token(request: Request) -> str | None:
    """Return the session token that came in the cookie."""
    return request.cookies.get(cookie_name(request))


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Hand a session's token to the browser, out of reach of scripts and of other sites."""
    response.set_cookie(
        cookie_name(request),
        token,
        path="/",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="strict",
    )


def take_cookie(request: Request, response: Response) -> None:
    """Have the browser forget the session's token."""
    response.delete_cookie(
        cookie_name(request),
        path="/",
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="strict",
    )


async def form_token(request: Request) -> str | None:
    """Return the form token that came with the request: in its header, on pages in the form.

    Under ``/api`` only the header counts: reading a form here would use up the body of an upload.
    """
    if request.method in SAFE:
        return None
    if given := request.headers.get(CSRF_HEADER):
        return given
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.url.path.startswith("/api/") or kind not in _FORMS:
        return None
    field = (await request.form()).get(CSRF_FIELD)
    return field if isinstance(field, str) else None


def signed_in(
    request: Request,
    node: NodeServed,
    form: Annotated[str | None, Depends(form_token)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    _cookie: Annotated[str | None, Security(_cookie)],
) -> Actor:
    """Return who asks; raises ``Unauthenticated``, and ``Denied`` without the form token."""
    purpose, reason = _stated(request)
    if request.headers.get("authorization") is not None:
        if bearer is None:
            raise Unauthenticated("authorization_unknown", "send Authorization: Bearer TOKEN")
        secret = bearer.credentials
        if secret.startswith(tokens.PREFIX):
            admitted = node.database.read(lambda tx: tokens.actor_from_token(tx, secret))
        else:
            admitted = node.database.read(lambda tx: sessions.actor_from_session(tx, secret))
    else:
        token = session_token(request)
        if not token:
            raise Unauthenticated("session_missing", "sign in first")
        admitted = node.database.read(lambda tx: sessions.actor_from_session(tx, token))
        if request.method not in SAFE and not (form and sessions.csrf_fits(token, form)):
            raise Denied(
                "csrf_missing",
                f"an act under a cookie needs the session's form token ({CSRF_HEADER})",
                actor=admitted.actor.id,
                agency=admitted.actor.agency,
            )
    return _noted(request, node, admitted, purpose, reason)


def _noted(
    request: Request, node: Served, admitted: Admitted, purpose: Purpose | None, reason: str | None
) -> Actor:
    if admitted.note_due:
        node.database.write(lambda tx: sessions.note_use(tx, admitted.actor))
    known = admitted.actor
    actor = Actor(
        known.id,
        known.kind,
        known.agency,
        known.reaches,
        known.locale,
        known.session_id,
        purpose,
        reason,
    )
    request.state.actor = actor  # whom a refusal further on is written down to
    return actor


def _stated(request: Request) -> tuple[Purpose | None, str | None]:
    """Return the purpose and reason given with the request.

    Header fields are bytes; a reason is UTF-8 there, as browsers' and servers' libraries send it.
    """
    given = request.headers.get(PURPOSE_HEADER)
    try:
        purpose = Purpose(given) if given else None
    except ValueError:
        raise Invalid("purpose_unknown", "no such purpose", field=PURPOSE_HEADER) from None
    raw = request.headers.get(REASON_HEADER)
    reason = raw.encode("latin-1").decode("utf-8", "replace") if raw else None
    return purpose, reason


class Allowed:
    """The dependency that passes who holds a permission somewhere and returns them as actor.

    Where the thing acted on stands is checked by the service or the scope of the read.
    """

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, actor: Annotated[Actor, Depends(signed_in)]) -> Actor:
        """Return the actor; raises ``Denied`` without the permission."""
        if self.permission not in actor.permissions:
            raise Denied(
                "permission_missing",
                "this act is not allowed to you",
                permission=self.permission.value,
                actor=actor.id,
                agency=actor.agency,
            )
        return actor


@cache
def allowed(permission: Permission) -> Allowed:
    """Return the dependency for a permission, one for each, so that it runs once a request."""
    return Allowed(permission)


def stated_purpose(
    _purpose: Annotated[
        Purpose | None,
        Header(alias=PURPOSE_HEADER, description="why persons' data is opened, without a task"),
    ] = None,
    _reason: Annotated[
        str | None,
        Header(
            alias=REASON_HEADER,
            max_length=2_000,
            description="the reason in words (UTF-8), needed without a task",
        ),
    ] = None,
) -> None:
    """Describe the headers that ``signed_in`` reads, on the routes that open persons' data."""


Stated = Depends(stated_purpose)
Caller = Annotated[Actor, Depends(signed_in)]
