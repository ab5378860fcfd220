"""The partner listener: a door of its own, for partners alone.

TLS demands a certificate of the directory; every request is signed besides. Sizes, times and
headers are bounded before anything is believed. Bulk and flash are worked on apart, so that a
partner who catches up does not hold up anybody's flash.
"""

import asyncio
import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import anyio
import anyio.to_thread
import h11
import orjson
from uvicorn.protocols.http.h11_impl import H11Protocol

from isthmus.exchange.calls import Calls
from isthmus.exchange.trust import request
from isthmus.kernel.errors import Denied, Invalid, IsthmusError, NotFound, TooLarge
from isthmus.kernel.time import Clock
from isthmus.platform import telemetry

BODY_BYTES = 8 << 20
BODY_SECONDS = 15.0
HEAD_SECONDS = 10.0
HEAD_BYTES = 16 << 10
STATUS = {
    "invalid": 400,
    "unauthenticated": 403,
    "denied": 403,
    "purpose_needed": 403,
    "not_found": 404,
    "conflict": 409,
    "too_large": 413,
    "limited": 429,
}

Receive = Callable[[], Any]
Send = Callable[[Any], Any]

_log = telemetry.log("exchange.listener")


class Listener:
    """The ASGI application of the partner listener."""

    def __init__(self, calls: Calls, guard: request.Guard, clock: Clock) -> None:
        self.calls, self.guard, self.clock = calls, guard, clock
        self._flash = anyio.CapacityLimiter(8)
        self._bulk = anyio.CapacityLimiter(4)
        self._waiting = anyio.CapacityLimiter(64)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        sender = ""
        try:
            sender, answer = await self._answer(scope, receive)
            status = 200 if answer else 204
        except IsthmusError as error:
            status, answer = STATUS.get(error.kind, 503), orjson.dumps({"code": error.code})
            _log.warning("call_refused", code=error.code, partner=sender, status=status)
        except Exception as error:  # noqa: BLE001 - whatever a body provokes, the listener stands
            status, answer = 500, orjson.dumps({"code": "internal"})
            _log.error("call_failed", partner=sender, exc_info=error)
        headers = [(b"content-length", str(len(answer)).encode())]
        if status >= 400:  # whatever else stands in this connection is not read
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: Any, receive: Receive) -> tuple[str, bytes]:
        path = scope["path"]
        act = self.calls.act(path)
        plain = scope["raw_path"] == path.encode() and not scope["query_string"]
        if act is None or not plain:
            raise NotFound("call_unknown", "no such call")
        if scope["method"] != "POST":
            raise Invalid("call_method", "calls are posted")
        # The server bounds a head that comes in pieces; one that comes whole is bounded here.
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES:
            raise TooLarge("head_too_large", f"a head has at most {HEAD_BYTES} bytes")
        claims = [value for name, value in scope["headers"] if name == request.HEADER.encode()]
        if len(claims) != 1:
            raise Denied("request_unsigned", "one signed header is needed")
        now = self.clock.now()
        sender, wanted = await anyio.to_thread.run_sync(
            lambda: self.guard.claimed(claims[0].decode("latin-1"), "POST", path, now),
            limiter=self._flash,
        )
        body = await _body(scope, receive)
        if not hmac.compare_digest(sha256(body).hexdigest(), wanted):
            raise Denied("request_body_wrong", "not the body that was signed", partner=sender)
        limiter = {"flash": self._flash, "wait": self._waiting}.get(act.line, self._bulk)
        answer = await anyio.to_thread.run_sync(
            lambda: act.run(sender, body), limiter=limiter, abandon_on_cancel=False
        )
        return sender, answer


async def _body(scope: Any, receive: Receive) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > BODY_BYTES):
            raise TooLarge("body_too_large", f"more than {BODY_BYTES} bytes are announced")
        if name == b"content-encoding":
            raise Invalid("body_encoded", "bodies are not compressed")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Invalid("body_cut", "the connection ended within the body")
                part = message.get("body", b"")
                size += len(part)
                if size > BODY_BYTES:
                    raise TooLarge("body_too_large", f"more than {BODY_BYTES} bytes came")
                parts.append(part)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise Invalid("body_slow", "the body did not come in time") from None


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that waits only so long for the head of a request."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Take what came; wait for the rest of a head no longer than from its first byte."""
        if self._idle() and self._late is None:
            self._expect()
        super().data_received(data)
        if not self._idle():
            self._met()

    def shutdown(self) -> None:
        """End an idle connection at once: its other end reads only when it asks something, and so
        would not answer the goodbye of TLS, for which the stop of the node would wait."""
        idle = self._idle()
        super().shutdown()
        if idle and self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._met()
        super().connection_lost(exc)

    def _idle(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def _expect(self) -> None:
        self._late = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _met(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._late = None
        if self._idle() and self.transport is not None and not self.transport.is_closing():
            _log.warning("head_slow")
            self.transport.abort()
