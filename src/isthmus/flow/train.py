"""Train: from the outcomes of one objective to a model that waits in shadow for two approvals."""

import hashlib

import polars as pl

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.cargo import store as cargo
from isthmus.cargo.unit import Unit
from isthmus.flow.score import Scorer
from isthmus.kernel.errors import Invalid
from isthmus.platform.transaction import Transaction
from isthmus.risk import models, store
from isthmus.risk.objectives import Objective
from isthmus.risk.training import train as fit


class Trainer:
    """Trains models on what this node has learnt."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self.database = scorer.database

    def train(self, actor: Actor, objective: Objective) -> tuple[str, dict[str, object]]:
        """Train a model on all outcomes of an objective; return its id and its card.

        Features are as of each unit's lodging. Where a unit has an inspected and a declared
        outcome, the inspected one counts. Raises ``Invalid`` when there is too little to learn
        from.
        """
        units, positive = self.database.read(lambda tx: self._labelled(tx, actor, objective))
        if not units:
            raise Invalid(
                "risk.no_outcomes", "nothing is known of this objective yet", objective=objective
            )
        frame = self.scorer.frame_of(units).with_columns(
            pl.Series("positive", positive, dtype=pl.Boolean)
        )
        model = fit(frame.filter(pl.col("as_of").is_not_null()), objective)
        body = model.canonical()
        model_id = hashlib.sha256(body).hexdigest()
        card = {"features": list(model.features), **dict(model.about)}
        self.database.write(lambda tx: models.register(tx, actor, model_id, objective, body, card))
        return model_id, card

    def _labelled(
        self, tx: Transaction, actor: Actor, objective: Objective
    ) -> tuple[list[Unit], list[bool]]:
        check(tx, actor, Permission.MODEL_TRAIN)
        labels: dict[str, bool] = {}
        for row in store.outcomes_of(tx, objective):
            labels.setdefault(row["unit_id"], row["positive"])
        units = cargo.units_by_id(tx, labels)
        return list(units.values()), [labels[unit_id] for unit_id in units]
