"""Models: trained, watched in shadow, live after two different people approve."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Done
from isthmus.risk import models
from isthmus.risk.objectives import Objective

router = APIRouter(prefix="/api/models", tags=["models"])
Reader = Annotated[Actor, Depends(allowed(Permission.MODEL_READ))]
Trainer = Annotated[Actor, Depends(allowed(Permission.MODEL_TRAIN))]
Approver = Annotated[Actor, Depends(allowed(Permission.MODEL_APPROVE))]

ModelId = Annotated[
    str, InPath(pattern=r"^[a-z0-9_]{4,80}$", description="digest of the model's bytes")
]


class Model(Answer):
    """A model and what it is worth."""

    id: str
    objective: Objective
    state: str = Field(description="code list `model_states`")
    card: dict[str, Any] = Field(description="metrics with intervals, span, counts")
    trained_by: str
    trained_at: At
    approved_by: str | None
    approved_at: At | None
    second_by: str | None
    second_at: At | None
    retired_at: At | None


class Models(Answer):
    """All models."""

    items: list[Model]


class Training(Ask):
    """Which objective to train a model of."""

    objective: Objective


class Trained(Answer):
    """A model just trained; it waits in shadow."""

    id: str
    objective: Objective
    card: dict[str, Any]


@router.get("", responses=answers())
def list_models(node: NodeServed, actor: Reader) -> Models:
    """Return all models with their cards, newest first."""
    rows = node.database.read(lambda tx: models.models(tx, actor))
    return Models(items=[Model.model_validate(dict(row)) for row in rows])


@router.post("", status_code=201, responses=answers())
def train_model(node: NodeServed, actor: Trainer, ask: Training) -> Trained:
    """Train a model on the outcomes known; it enters in shadow. May take a minute."""
    model_id, card = node.trainer.train(actor, ask.objective)
    return Trained(id=model_id, objective=ask.objective, card=card)


@router.post("/{model_id}/approve", responses=answers(404, 409))
def approve_model(node: NodeServed, actor: Approver, model_id: ModelId) -> Done:
    """Approve a model in shadow; the second approval, by another person, makes it live."""
    state = node.database.write(lambda tx: models.approve(tx, actor, model_id))
    return Done(id=model_id, state=state)


@router.post("/{model_id}/reject", responses=answers(404, 409))
def reject_model(node: NodeServed, actor: Approver, model_id: ModelId) -> Done:
    """Reject a model in shadow, or stop a live one at once."""
    node.database.write(lambda tx: models.reject(tx, actor, model_id))
    return Done(id=model_id)
