"""Trial: a model in shadow beside what is in force, on the same stored feature rows.

A model in shadow changes nothing and is written into no assessment: an assessment names what made
it, and must come out the same from that alone. What the model would have said is computed when
somebody asks, from the feature rows that the assessments in force were made from.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.platform.transaction import Transaction
from isthmus.risk import store
from isthmus.risk.assess import frame_from_stored
from isthmus.risk.metrics import F64, auc
from isthmus.risk.model import model_from_bytes
from isthmus.risk.objectives import Objective

NEWEST = 2000
"""How many of the newest assessments are compared. A default of ours: a second's work."""

TOP_SHARE = 0.05
"""The share at the top of both rankings that is compared: about what can be inspected."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How a model's ranking compares with the one in force.

    ``shared`` is the part of the units in the top of one ranking that is in the top of the other.
    Ranking by outcome is told only from units whose outcome was learnt after the training, and of
    those only picked units have one: it flatters the ranking that picked them, never the other.
    """

    model_id: str
    objective: Objective
    compared: int
    top: int
    shared: float | None
    outcomes: int  # learnt since, among the compared
    positives: int
    auc_model: float | None  # None while outcomes of one kind are missing
    auc_in_force: float | None


def trial(tx: Transaction, actor: Actor, model_id: str) -> Trial:
    """Run a model over the newest assessments of its objective; raises ``NotFound``."""
    row = store.model(tx, scope(actor, Permission.MODEL_READ), model_id)
    model = model_from_bytes(row["body"])
    rows = store.newest_assessed(tx, row["objective"], NEWEST)
    if not rows:
        return Trial(model_id, model.objective, 0, 0, None, 0, 0, None, None)
    said = model.predict(frame_from_stored([zlib.decompress(one["features"]) for one in rows]))
    stands = np.array([one["score"] for one in rows])
    top = max(1, round(len(rows) * TOP_SHARE))
    shared = len(_best(said, top) & _best(stands, top)) / top
    known = store.outcomes_learnt(tx, row["objective"], row["trained_at"])
    at = [place for place, one in enumerate(rows) if one["unit_id"] in known]
    positive = np.array([known[rows[place]["unit_id"]] for place in at], dtype=bool)
    both = 0 < positive.sum() < len(at)
    return Trial(
        model_id,
        model.objective,
        len(rows),
        top,
        round(shared, 6),
        len(at),
        int(positive.sum()),
        auc(said[at], positive) if both else None,
        auc(stands[at], positive) if both else None,
    )


def _best(scores: F64, top: int) -> set[int]:
    return set(np.argsort(-scores, kind="stable")[:top].tolist())
