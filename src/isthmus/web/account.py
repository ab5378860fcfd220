"""Entering and leaving: sign-in, the one-time link, sign-out."""

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from isthmus.access import credentials, invitations, sessions, sign_in
from isthmus.access.invitations import Invitation
from isthmus.api.identity import give_cookie, session_token, take_cookie
from isthmus.api.served import Hasher, NodeServed
from isthmus.kernel.errors import (
    Conflict,
    Denied,
    Invalid,
    IsthmusError,
    Limited,
    Unauthenticated,
)
from isthmus.web.page import open_page, problem_key
from isthmus.web.visitor import Form, Typed, reader_of, safe_next

router = APIRouter()


@router.get("/sign-in")
def ask(
    request: Request, wanted: Annotated[str, Query(alias="next", max_length=2000)] = "/"
) -> Response:
    """Show the form to sign in."""
    return _sign_in_page(request, wanted)


@router.post("/sign-in")
def enter(request: Request, node: NodeServed, hasher: Hasher, form: Typed) -> Response:
    """Sign in with login, password and a code."""
    wanted = form.text("next") or "/"
    try:
        signed = sign_in.sign_in(
            node.database,
            hasher,
            form.text("login"),
            password=form.raw("password"),
            code=form.text("code"),
            terms=node.session_terms,
            previous=session_token(request),
        )
    except Limited as error:
        return _sign_in_page(request, wanted, error, form.text("login"), 429)
    except Unauthenticated as error:
        return _sign_in_page(request, wanted, error, form.text("login"), 401)
    answer = RedirectResponse(safe_next(wanted), status_code=303)
    give_cookie(request, answer, signed.token)
    return answer


def _sign_in_page(
    request: Request,
    wanted: str,
    error: IsthmusError | None = None,
    login: str = "",
    status: int = 200,
) -> Response:
    reader = reader_of(request)
    key = problem_key(reader, error.code, error.kind) if error else None
    seconds = error.where.get("seconds") if error else None
    return open_page(
        request, reader, "sign_in.html", status=status, wanted=safe_next(wanted), login=login,
        error=key, seconds=seconds,
    )  # fmt: skip


@router.post("/sign-out")
def leave(request: Request, node: NodeServed, form: Typed) -> Response:
    """End the session and forget its cookie."""
    answer = RedirectResponse("/sign-in?done=sign_out", status_code=303)
    token = session_token(request)
    if token:
        if not sessions.csrf_fits(token, form.text("csrf")):
            raise Denied("csrf_missing", "this form is not from a page of your session")
        try:
            admitted = node.database.read(lambda tx: sessions.actor_from_session(tx, token))
            node.database.write(lambda tx: sessions.sign_out(tx, admitted.actor))
        except Unauthenticated:
            pass  # it has ended already, which is what was asked for
    take_cookie(request, answer)
    return answer


@router.get("/welcome/{secret}")
def welcome(request: Request, node: NodeServed, secret: str) -> Response:
    """Show what a one-time link is for, and the authenticator's seed where it sets one up."""
    link = node.database.read(lambda tx: invitations.invitation(tx, secret))
    return _welcome_page(request, link, secret, {"login": "", "name": ""}, {})


@router.post("/welcome/{secret}")
def accept(
    request: Request, node: NodeServed, hasher: Hasher, secret: str, form: Typed
) -> Response:
    """Use a one-time link; recovery codes are shown once."""
    link = node.database.read(lambda tx: invitations.invitation(tx, secret))
    errors = _mistyped(link, form)
    if not errors:
        try:
            codes = invitations.accept_invitation(
                node.database,
                hasher,
                secret,
                password=form.raw("password"),
                code=form.text("code"),
                login=form.text("login") or None,
                name=form.text("name") or None,
            )
        except (Invalid, Conflict) as error:
            reader = reader_of(request)
            field = str(error.where.get("field", "code"))
            errors[field] = problem_key(reader, error.code, error.kind)
        except (Unauthenticated, Limited) as error:
            errors["code"] = problem_key(reader_of(request), error.code, error.kind)
        else:
            reader = reader_of(request, link.person.locale)
            return open_page(request, reader, "welcomed.html", codes=codes)
    typed = {"login": form.text("login"), "name": form.text("name")}
    return _welcome_page(request, link, secret, typed, errors, 422)


def _mistyped(link: Invitation, form: Form) -> dict[str, str]:
    new = link.kind is not invitations.InvitationKind.SECOND_FACTOR
    if new and form.raw("password") != form.raw("again"):
        return {"again": "problem.password_differs"}
    return {}


def _welcome_page(
    request: Request,
    link: Invitation,
    secret: str,
    typed: dict[str, str],
    errors: dict[str, str],
    status: int = 200,
) -> Response:
    reader = reader_of(request, link.person.locale)
    settings = request.app.state.node.settings
    context: dict[str, Any] = {"picture": None}
    if link.seed:
        login = link.person.login or settings.node.name
        address = credentials.totp_uri(link.seed, login, settings.node.name)
        context["picture"] = segno.make(address, error="m").svg_data_uri(scale=4, border=2)
    return open_page(
        request, reader, "welcome.html", status=status, link=link, secret=secret, typed=typed,
        errors=errors, seed=_grouped(link.seed or ""), least=credentials.PASSWORD_MIN, **context,
    )  # fmt: skip


def _grouped(seed: str) -> str:
    return " ".join(seed[start : start + 4] for start in range(0, len(seed), 4))
