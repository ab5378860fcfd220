"""Alerts: something a duty officer must see now."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, At, Done, IdPath, Limit, Listed, page
from isthmus.cases import alerts
from isthmus.cases import store as cases

router = APIRouter(prefix="/api/alerts", tags=["alerts"])
Reader = Annotated[Actor, Depends(allowed(Permission.HOLD_READ))]


class AlertState(StrEnum):
    """Whether somebody has seen it."""

    OPEN = "open"
    SEEN = "seen"


class Alert(Answer):
    """An alert about a held or picked unit."""

    id: str
    kind: str = Field(examples=["hold_breached"])
    at: At
    unit_id: str | None
    hold_id: str | None
    container: str | None
    office: str | None
    terminal: str | None
    detail: dict[str, Any]
    state: AlertState
    seen_by: str | None
    seen_at: At | None


@router.get("", responses=answers())
def list_alerts(
    node: NodeServed, actor: Reader, state: AlertState = AlertState.OPEN, limit: Limit = 100
) -> Listed[Alert]:
    """Return alerts, newest first."""
    seen, boxes = scope(actor, Permission.HOLD_READ), Permission.PICK_READ not in actor.permissions
    rows = node.database.read(lambda tx: cases.alerts(tx, seen, state, limit + 1, boxes_only=boxes))
    return page([Alert.model_validate(dict(row)) for row in rows], limit)


@router.post("/{alert_id}/seen", responses=answers(404, 409))
def see_alert(node: NodeServed, actor: Reader, alert_id: IdPath) -> Done:
    """Note that the caller has seen an alert."""
    node.database.write(lambda tx: alerts.see(tx, actor, alert_id))
    return Done(id=alert_id, state=AlertState.SEEN)
