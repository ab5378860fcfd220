"""The models of the node: trained, watched in shadow, live after two people approve."""

from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.kernel.errors import Conflict, Denied
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.risk import store


def register(
    tx: Transaction, actor: Actor, model_id: str, objective: str, body: bytes, card: dict[str, Any]
) -> bool:
    """Enter a trained model in shadow; false when the very same model is there already.

    Raises ``Conflict`` when that one was rejected, retired or is live: it must not seem to wait.
    """
    check(tx, actor, Permission.MODEL_TRAIN)
    new = store.insert_model(
        tx,
        {
            "id": model_id,
            "objective": objective,
            "state": "shadow",
            "body": body,
            "card": card,
            "trained_by": actor.id,
            "trained_at": tx.now,
        },
    )
    if not new:
        state = store.model(tx, scope(actor, Permission.MODEL_READ), model_id)["state"]
        if state != "shadow":
            words = f"this very model is {state}; there is nothing new to learn from"
            raise Conflict("model_known", words, model=model_id, state=state)
    if new:
        audit.record(
            tx,
            actor.id,
            "model.train",
            "model",
            model_id,
            agency=actor.agency,
            objective=objective,
        )
    return new


def approve(tx: Transaction, actor: Actor, model_id: str) -> str:
    """Approve a model in shadow; the second approval, by another person, makes it live.

    Returns the state after it. Raises ``Denied`` when the same person approves twice.
    """
    check(tx, actor, Permission.MODEL_APPROVE, object_id=model_id)
    tx.lock(["model-approval"])
    row = store.model(tx, scope(actor, Permission.MODEL_READ), model_id)
    if row["state"] != "shadow":
        raise Conflict("model_not_shadow", "only a model in shadow is approved", model=model_id)
    if row["approved_by"] is None:
        store.change_model(tx, model_id, approved_by=actor.id, approved_at=tx.now)
        state = "shadow"
    elif row["approved_by"] == actor.id:
        raise Denied("second_person", "a second person must approve", model=model_id)
    else:
        store.retire_live(tx, row["objective"])
        store.change_model(tx, model_id, state="live", second_by=actor.id, second_at=tx.now)
        state = "live"
        events.emit(tx, "model.live", model_id, objective=row["objective"])
    audit.record(tx, actor.id, "model.approve", "model", model_id, agency=actor.agency, state=state)
    return state


def reject(tx: Transaction, actor: Actor, model_id: str) -> None:
    """Reject a model in shadow, or stop a live one at once."""
    check(tx, actor, Permission.MODEL_APPROVE, object_id=model_id)
    tx.lock(["model-approval"])
    row = store.model(tx, scope(actor, Permission.MODEL_READ), model_id)
    if row["state"] not in ("shadow", "live"):
        raise Conflict("model_not_running", "this model does not run", model=model_id)
    then = "rejected" if row["state"] == "shadow" else "retired"
    store.change_model(tx, model_id, state=then, retired_at=tx.now)
    audit.record(tx, actor.id, f"model.{then}", "model", model_id, agency=actor.agency)
    events.emit(tx, "model.stopped", model_id, objective=row["objective"])


def models(tx: Transaction, actor: Actor) -> list[RowMapping]:
    """Return all models with their cards, newest first."""
    return store.models(tx, scope(actor, Permission.MODEL_READ))
