"""The pages put together and placed beside the API, with the headers that keep them safe."""

from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from isthmus.api.problems import STATUS, note_denial
from isthmus.api.served import Served
from isthmus.kernel.errors import Denied, IsthmusError, NotFound, Unauthenticated
from isthmus.platform import telemetry
from isthmus.web import (
    account,
    agreement_tools,
    agreements,
    audit,
    chains,
    compose,
    consignment,
    decisions,
    figures,
    hits,
    holds,
    inspections,
    item,
    item_draft,
    items,
    jobs,
    lists,
    live,
    models,
    overview,
    partners,
    partnership,
    people,
    preferences,
    profiles,
    quarantine,
    queue,
    requests,
    rules,
    seizures,
    to_share,
)
from isthmus.web.i18n import catalogue
from isthmus.web.page import open_page, page, problem_key
from isthmus.web.visitor import known_visitor, reader_of, sign_in_path

_log = telemetry.log("web")

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""What every answer says: no source but this node's own, no frame, no guessing of types."""

DESKS = (
    account, preferences, queue, consignment, decisions, inspections, requests, chains, seizures,
    holds, hits, items, item_draft, item, compose, to_share, agreement_tools, agreements, partners,
    live, lists, quarantine,
    rules, profiles, partnership, models, overview, figures, people, jobs, audit,
)  # fmt: skip


def mount(app: FastAPI, node: Served) -> FastAPI:
    """Place the pages of a node beside its API; return them as the application they are."""
    for locale in ("es", "en", "fr", "nl", "pt"):
        catalogue(locale)  # a broken catalogue stops the start, not the first reader
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages.state.node, pages.state.hasher = node, app.state.hasher
    for desk in DESKS:
        pages.include_router(desk.router)
    pages.mount("/static", StaticFiles(directory=str(files("isthmus.web") / "static")))
    pages.add_exception_handler(IsthmusError, _refused)
    pages.add_exception_handler(RequestValidationError, _unreadable)
    pages.add_exception_handler(HTTPException, _http)
    pages.add_middleware(Guard)
    app.mount("/", pages)
    return pages


class Guard:
    """Gives every answer its headers, and refuses forms that another site sends."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                shared = "/static/" in scope["path"]
                headers["cache-control"] = "no-cache" if shared else "no-store"
            await send(message)

        if scope["method"] not in ("GET", "HEAD") and _foreign(Request(scope)):
            await Response("Forbidden", 403)(scope, receive, guarded)
            return
        await self.app(scope, receive, guarded)


def _foreign(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, IsthmusError)  # noqa: S101 - this handler is of that type
    if isinstance(error, Unauthenticated):
        return RedirectResponse(sign_in_path(request), status_code=303)
    if isinstance(error, Denied):
        await note_denial(request, error)
    status = STATUS[error.kind]
    if status >= 500:
        _log.error("request_failed", kind=error.kind, code=error.code, exc_info=error)
    return _error_page(request, error, status)


def _unreadable(request: Request, _error: Exception) -> Response:
    return _error_page(request, NotFound("page_unknown", "no such page"), 404)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - this handler is of that type
    return _error_page(request, NotFound("page_unknown", "no such page"), error.status_code)


def _error_page(request: Request, error: IsthmusError, status: int) -> Response:
    visitor = known_visitor(request)
    reader = visitor.reader if visitor else reader_of(request)
    told = {"key": problem_key(reader, error.code, error.kind), "code": error.code}
    if visitor:
        return page(request, visitor, "error.html", status=status, **told)
    return open_page(request, reader, "error.html", status=status, **told)
