"""The application: every area's routes, errors as problems, bodies capped, requests counted."""

from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from isthmus import __version__
from isthmus.access.credentials import PasswordHasher
from isthmus.access.permission import Permission
from isthmus.api import (
    agencies,
    agreements,
    alerts,
    chains,
    code_lists,
    commitments,
    compose,
    coverage,
    documents,
    health,
    hits,
    holds,
    inspections,
    items,
    jobs,
    ledger,
    lists,
    models,
    nowhere,
    overlay,
    partners,
    partnership,
    people,
    picks,
    problems,
    profiles,
    protection,
    quarantine,
    receive,
    requests,
    rules,
    screen,
    seizures,
    session,
    targeting,
    tokens,
    trail,
    units,
)
from isthmus.api.bodies import OVERHEAD, BodyCap
from isthmus.api.identity import Allowed
from isthmus.api.problems import MEDIA_TYPE
from isthmus.api.served import Served
from isthmus.api.tracing import Tracing
from isthmus.platform.settings import LimitSettings

AREAS = (
    session,
    receive,
    documents,
    quarantine,
    units,
    coverage,
    targeting,
    picks,
    holds,
    inspections,
    requests,
    chains,
    seizures,
    alerts,
    screen,
    hits,
    lists,
    items,
    compose,
    rules,
    profiles,
    partnership,
    models,
    jobs,
    trail,
    people,
    agencies,
    tokens,
    agreements,
    commitments,
    overlay,
    partners,
    ledger,
    protection,
    code_lists,
    health,
)

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
ABOUT = """
One authority's node: what it received, how it scored that, what was picked and found.

Send `Authorization: Bearer TOKEN`, or sign in for a session in a cookie; an act under a cookie
needs the session's form token in `Isthmus-CSRF`. Where persons' data is opened without a task,
`Isthmus-Purpose` and `Isthmus-Reason` say why. Errors are problem details (RFC 9457).
"""


def create_app(node: Served, hasher: PasswordHasher | None = None) -> FastAPI:
    """Make the application that serves a node; its pages are mounted by ``web``.

    ``hasher`` is the one password hasher of the process, made here unless given. A page that
    takes uploads adds its path and limit to ``app.state.large_bodies``.
    """
    app = FastAPI(
        title="Isthmus",
        version=__version__,
        description=ABOUT,
        openapi_url="/api/openapi.json",
        docs_url=None,  # its scripts would come from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.node = node
    app.state.hasher = hasher or PasswordHasher()
    largest = largest_document(node.settings.limits) + OVERHEAD
    app.state.large_bodies = dict.fromkeys(receive.PATHS, largest)
    for area in AREAS:
        app.include_router(area.router)
    app.mount("/api", nowhere.Nowhere([route for area in AREAS for route in area.router.routes]))
    problems.install(app)
    app.add_middleware(BodyCap, large=app.state.large_bodies)
    app.add_middleware(Tracing, metrics=node.database.metrics)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def largest_document(limits: LimitSettings) -> int:
    """Return the largest limit of any format, in bytes."""
    return max(limits.cuscar, limits.wco, limits.tabular, limits.json_, limits.events,
               limits.unsupported)  # fmt: skip


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description of the API (OpenAPI): failures as the problems they are, and with
    each operation the permission that it needs."""
    if app.openapi_schema is None:
        routes = [route for area in AREAS for route in area.router.routes]
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=routes
        )
        by_address = {
            (route.path, method.lower()): route
            for route in routes
            if isinstance(route, APIRoute)
            for method in route.methods or ()
        }
        for path, operations in made["paths"].items():
            for method, operation in operations.items():
                route = by_address[path, method]
                operation["operationId"] = route.name
                if needed := permission_of(route.dependant):
                    operation["x-permission"] = needed.value
                    operation["description"] += f"\n\nNeeds the permission `{needed.value}`."
                for status, answer in operation["responses"].items():
                    if status >= "400":
                        answer["content"] = {MEDIA_TYPE: {"schema": _PROBLEM}}
        app.openapi_schema = made
    return app.openapi_schema


def permission_of(dependant: Dependant) -> Permission | None:
    """Return the permission that a route's dependencies demand, however deep it stands."""
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Allowed):
            return dependency.call.permission
        if found := permission_of(dependency):
            return found
    return None
