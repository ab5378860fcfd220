"""Train: from the outcomes of one objective to a model that waits in shadow for two approvals.

A model learns from units as they were known when it was decided to inspect them: from the stored
feature row of the pick, not from the unit as the inspection and later events left it. The
features that look back are made again as of that moment, by the same path that scoring takes.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from isthmus.access.gate import check
from isthmus.access.model import Actor, Permission
from isthmus.cases import runs
from isthmus.flow.score import Scorer
from isthmus.kernel.errors import Invalid
from isthmus.platform.transaction import Transaction
from isthmus.risk import models, store, unit_frames
from isthmus.risk.assess import frame_from_stored
from isthmus.risk.objectives import Objective
from isthmus.risk.schema import unit_schema

SLICE = 4000


class Trainer:
    """Trains models on what this node has learnt."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self.database = scorer.database

    def train(self, actor: Actor, objective: Objective) -> tuple[str, dict[str, object]]:
        """Train a model on all outcomes of an objective; return its id and its card.

        Raises ``Invalid`` when there is too little to learn from, ``Conflict`` when the very same
        model was trained before and is not in shadow any more.
        """
        from isthmus.risk.training import train as fit  # loads the learner, two seconds

        frame = self.database.read(lambda tx: labelled(tx, actor, objective))
        model = fit(
            self.scorer.with_features(frame).filter(pl.col("as_of").is_not_null()), objective
        )
        body = model.canonical()
        model_id = hashlib.sha256(body).hexdigest()
        card = {"features": list(model.features), **dict(model.about)}
        self.database.write(lambda tx: models.register(tx, actor, model_id, objective, body, card))
        return model_id, card


def labelled(tx: Transaction, actor: Actor, objective: Objective) -> pl.DataFrame:
    """Return the units of which an outcome is known, as they were decided on, with ``positive``.

    Where a unit has an inspected and a declared outcome, the inspected one counts; where it was
    inspected more than once, one irregularity makes it positive. Units whose feature row was
    erased are left out: what was known of them then is gone. Raises ``Invalid`` when nothing is
    known of the objective.
    """
    check(tx, actor, Permission.MODEL_TRAIN)
    labels: dict[str, bool] = {}
    inspected: dict[str, str] = {}  # unit → the inspection that its label comes from
    for row in store.outcomes_of(tx, objective):  # of each unit, inspections come first
        unit, inspection = row["unit_id"], row["inspection_id"]
        if unit not in labels or (inspection and row["positive"] and not labels[unit]):
            labels[unit] = row["positive"]
            if inspection:
                inspected[unit] = inspection
    if not labels:
        raise Invalid(
            "risk.no_outcomes", "nothing is known of this objective yet", objective=objective
        )
    picked = runs.assessments_of(tx, inspected.values())
    chosen = {
        unit: picked[inspection] for unit, inspection in inspected.items() if inspection in picked
    }
    frame = pl.concat(_frames(tx, sorted(labels), chosen))
    positive = [labels[unit] for unit in frame["id"]]
    return frame.with_columns(pl.Series("positive", positive, dtype=pl.Boolean))


def _frames(
    tx: Transaction, units: Sequence[str], chosen: Mapping[str, str]
) -> Iterator[pl.DataFrame]:
    """Unit frames of these units, from their feature rows; a part at a time, for they are large."""
    columns = list(unit_schema())
    for start in range(0, len(units), SLICE):
        part = units[start : start + SLICE]
        rows = store.feature_rows(tx, part, chosen)
        bodies = [zlib.decompress(body) for body in rows.values() if body is not None]
        yield frame_from_stored(bodies).select(columns)
        # What no assessment was ever made of is still as it came in.
        yield unit_frames.units_named(tx, set(part) - rows.keys())
