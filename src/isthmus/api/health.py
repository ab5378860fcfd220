"""Whether the node answers, for whoever asks; its figures, for its operators."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer
from isthmus.platform import jobs

router = APIRouter(prefix="/api", tags=["operation"])
Operator = Annotated[Actor, Depends(allowed(Permission.METRICS_READ))]


class Health(Answer):
    """The node answers and its database can be read."""

    status: Literal["ok"] = Field(examples=["ok"])


@router.get("/health", responses=answers(public=True))
def read_health(node: NodeServed) -> Health:
    """Say that the node answers and can read its database; nothing about what it holds."""
    node.database.read(lambda tx: jobs.next_due(tx, ["health"]))
    return Health(status="ok")


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={**answers(), 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def read_metrics(node: NodeServed, _actor: Operator) -> PlainTextResponse:
    """Return the figures of this process in Prometheus' text format."""
    body = node.database.metrics.render()
    return PlainTextResponse(body, media_type="text/plain; version=0.0.4; charset=utf-8")
