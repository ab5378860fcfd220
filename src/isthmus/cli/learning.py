"""Learning: ``train`` and ``approve``."""

import time
from typing import Annotated

import typer

from isthmus.cli.app import Json, Officer, app, officer, open_node, show
from isthmus.risk import models
from isthmus.risk.objectives import Objective


@app.command()
def train(
    objective: Annotated[Objective, typer.Option(help="What to learn.")] = Objective.CONTRABAND,
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Train a model on the outcomes of an objective; it waits in shadow for two approvals."""
    started = time.perf_counter()
    with open_node() as node:
        actor = officer(node, login)
        model_id, card = node.trainer.train(actor, objective)
    seconds = round(time.perf_counter() - started, 3)
    result = {"model": model_id, "state": "shadow", "card": card, "seconds": seconds}
    show(
        result,
        as_json,
        lambda: (
            f"{model_id}\n{card['rows']:,} outcomes, {card['positives']:,} positive; "
            f"in shadow until two people approve"
        ),
    )


@app.command()
def approve(
    model: Annotated[str, typer.Argument(help="Id of a model in shadow.")],
    login: Officer = None,
    as_json: Json = False,
) -> None:
    """Approve a model in shadow; the second approval, by another person, makes it live."""
    with open_node() as node:
        actor = officer(node, login)
        state = node.database.write(lambda tx: models.approve(tx, actor, model))
    show({"model": model, "state": state}, as_json, lambda: f"{model}: {state}")
