"""From an error to an HTTP answer: problem details (RFC 9457), made here and nowhere else.

An answer says the kind and code of the error, words in plain English, and where it happened. It
never repeats what was sent beyond what the error itself names, and never says more of an
unexpected fault than the id under which the log has it.
"""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from isthmus.access import denials
from isthmus.kernel.errors import Denied, IsthmusError
from isthmus.platform import telemetry

MEDIA_TYPE = "application/problem+json"
STATUS: Mapping[str, int] = {
    "invalid": 422,
    "too_large": 413,
    "not_found": 404,
    "conflict": 409,
    "unauthenticated": 401,
    "denied": 403,
    "purpose_needed": 403,
    "limited": 429,
    "erased": 410,
    "damaged": 500,
    "unavailable": 503,
    "internal": 500,
}
_KINDS: Mapping[int, str] = {
    400: "invalid",
    401: "unauthenticated",
    403: "denied",
    404: "not_found",
    409: "conflict",
    413: "too_large",
    415: "invalid",
    422: "invalid",
    429: "limited",
    503: "unavailable",
}
_WORDS = {
    400: "The request cannot be read.",
    401: "Nobody is signed in, or the proof of identity failed.",
    403: "Signed in, but without the permission or the purpose.",
    404: "No such thing, or none that the caller may know of.",
    409: "The thing is not in a state that allows this act.",
    410: "Lawfully erased.",
    413: "The document or body exceeds its limit.",
    422: "The input is wrong; the answer says what and where.",
    429: "Too many tries: wait for the seconds named in Retry-After.",
    500: "Stored bytes are not what was stored, or a fault of the node.",
    503: "The node cannot answer now.",
}
LONGEST = 300
# Who was refused is known to the caller and to the audit; the answer need not say it.
_UNTOLD = frozenset({"actor", "agency"})

_log = telemetry.log("api")


class FieldProblem(BaseModel):
    """One thing wrong with one field."""

    place: list[str] = Field(description="path to the field", examples=[["body", "reasons"]])
    code: str = Field(examples=["missing"])
    message: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["urn:isthmus:problem:pick_taken"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(examples=[409])
    detail: str = Field(description="the message, where RFC 9457 has it")
    kind: str = Field(description="the sort of failure", examples=["conflict"])
    code: str = Field(description="stable name of the error", examples=["pick_taken"])
    message: str = Field(examples=["another officer works on it"])
    where: dict[str, Any] = Field(description="what and where, by name")
    errors: list[FieldProblem] = Field([], description="each field that is wrong")
    request: str | None = Field(None, description="under which id the log has it")


def answers(*statuses: int, public: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the documented failures of a route: those that any may have, and these."""
    common = {400, 413, 422, 500, 503} if public else {400, 401, 403, 413, 422, 500, 503}
    return {
        status: {"model": Problem, "description": _WORDS[status]}
        for status in sorted(common | set(statuses))
    }


def problem(
    status: int,
    kind: str,
    code: str,
    message: str,
    *,
    where: Mapping[str, Any] | None = None,
    errors: list[FieldProblem] | None = None,
    request: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that tells a problem."""
    told = Problem(
        type=f"urn:isthmus:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=message,
        kind=kind,
        code=code,
        message=message,
        where={name: plain(value) for name, value in (where or {}).items() if name not in _UNTOLD},
        errors=errors or [],
        request=request,
    )
    return JSONResponse(
        told.model_dump(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it, text cut short; anything else as its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 1 << 53:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(part) for part in list(value)[:20]]
    return str(value).encode("utf-8", "replace").decode()[:LONGEST]


def of_error(error: IsthmusError) -> Response:
    """Return the answer to one of our own errors."""
    status = STATUS[error.kind]
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 429:
        headers["Retry-After"] = str(error.where.get("seconds", 60))
    message = plain(error.message)
    return problem(status, error.kind, error.code, message, where=error.where, headers=headers)


async def note_denial(request: Request, error: Denied) -> None:
    """Write a refusal to the audit, in a transaction of its own: the act's was undone."""
    actor = getattr(request.state, "actor", None)
    if actor is not None:
        error.where = {"actor": actor.id, "agency": actor.agency, **error.where}
    database = request.app.state.node.database
    try:
        await run_in_threadpool(database.write, lambda tx: denials.note(tx, error))
    except IsthmusError as failure:  # the refusal stands even when it cannot be written down
        _log.error("denial_not_noted", code=error.code, exc_info=failure)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, IsthmusError)  # noqa: S101 - registered for this type below
    if isinstance(error, Denied):
        await note_denial(request, error)
    if STATUS[error.kind] >= 500:
        _log.error("request_failed", kind=error.kind, code=error.code, exc_info=error)
    return of_error(error)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type below
    kind = _KINDS.get(error.status_code, "invalid")
    code = f"http_{error.status_code}"
    words = _WORDS.get(error.status_code) or HTTPStatus(error.status_code).phrase
    return problem(error.status_code, kind, code, words, headers=error.headers)


async def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type below
    errors = [
        FieldProblem(
            place=[plain(str(part)) for part in item["loc"]],
            code=item["type"],
            message=plain(item["msg"]),
        )
        for item in error.errors()[:50]
    ]
    words = "the request does not have the form described"
    return problem(422, "invalid", "request_invalid", words, errors=errors)


def install(app: FastAPI) -> None:
    """Make every error of this application a problem."""
    app.add_exception_handler(IsthmusError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
