"""Addresses under ``/api`` that no route answers: told as problems, not as pages."""

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from isthmus.api.problems import problem


class Nowhere:
    """Answers 405 with the methods that are allowed, or 404 where there is no such address."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self.routes = [route for route in routes if isinstance(route, APIRoute)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say that there is nothing here, or nothing by this method."""
        methods = {
            method
            for route in self.routes
            if route.path_regex.match(scope["path"])
            for method in route.methods or ()
        }
        if methods:
            allow = {"Allow": ", ".join(sorted(methods))}
            words = "this address takes other methods"
            answer = problem(405, "invalid", "method_not_allowed", words, headers=allow)
        else:
            answer = problem(404, "not_found", "address_unknown", "no such address")
        await answer(scope, receive, send)
