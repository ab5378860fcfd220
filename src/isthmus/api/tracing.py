"""What is told of requests: figures and log lines by route, never by address, query or body.

The outermost layer: whatever no handler answered becomes a problem here that names only the id
under which the log has it.
"""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from isthmus.api.problems import problem
from isthmus.kernel.ids import new_id
from isthmus.platform import telemetry
from isthmus.platform.telemetry import Metrics

UNKNOWN = "unknown"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
)

_log = telemetry.log("api")


class Tracing:
    """Counts and logs each request, and answers what nobody else could."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and tell what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        request_id = new_id("req")
        of_api = scope["path"].startswith("/api/")

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if of_api:
                    message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        try:
            await self.app(scope, receive, told)
        except Exception as error:  # noqa: BLE001 - the last resort: logged without its message
            _log.error("request_broke", request=request_id, route=route_of(scope), exc_info=error)
            if not status:
                words = "the node failed; its log has the details under this id"
                answer = problem(500, "internal", "internal", words, request=request_id)
                await answer(scope, receive, told)
        finally:
            self._tell(scope, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else UNKNOWN
        route = route_of(scope)
        self.metrics.request(route, method, status, seconds)
        _log.debug("request", route=route, method=method, status=status, seconds=round(seconds, 4))


def route_of(scope: Scope) -> str:
    """Return the pattern of the route that answered, such as ``/api/units/{unit_id}``."""
    return str(getattr(scope.get("route"), "path", UNKNOWN))
