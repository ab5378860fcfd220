"""Trial: a model in shadow beside what is in force, on the same stored feature rows.

A model in shadow changes nothing and is written into no assessment: an assessment names what made
it, and must come out the same from that alone. What the model would have said is computed when
somebody asks, from the feature rows that the assessments in force were made from.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

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


class Figure(StrEnum):
    """What a trial counts."""

    COMPARED = "compared"
    TOP = "top"
    SHARED = "shared"
    OUTCOMES = "outcomes"
    POSITIVES = "positives"


@dataclass(frozen=True, slots=True)
class Compared:
    """One unit in both rankings; the first rank is 1."""

    unit_id: str
    score_model: float
    rank_model: int
    score_in_force: float
    rank_in_force: int
    positive: bool | None  # an outcome learnt since the training; None while there is none


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
    rows: tuple[Compared, ...] = ()  # every unit compared, the model's first first

    def behind(self, figure: Figure) -> tuple[Compared, ...]:
        """Return the rows that a figure counts, the model's first first."""
        if figure is Figure.COMPARED:
            return self.rows
        counts: Mapping[Figure, Callable[[Compared], bool]] = {
            Figure.TOP: lambda row: row.rank_model <= self.top,
            Figure.SHARED: lambda row: max(row.rank_model, row.rank_in_force) <= self.top,
            Figure.OUTCOMES: lambda row: row.positive is not None,
            Figure.POSITIVES: lambda row: row.positive is True,
        }
        return tuple(filter(counts[figure], self.rows))


def trial(tx: Transaction, actor: Actor, model_id: str) -> Trial:
    """Run a model over the newest assessments of its objective; raises ``NotFound``."""
    row = store.model(tx, scope(actor, Permission.MODEL_READ), model_id)
    model = model_from_bytes(row["body"])
    rows = store.newest_assessed(tx, row["objective"], NEWEST)
    if not rows:
        return Trial(model_id, model.objective, 0, 0, None, 0, 0, None, None)
    said = model.predict(frame_from_stored([zlib.decompress(one["features"]) for one in rows]))
    stands = np.array([one["score"] for one in rows])
    known = store.outcomes_learnt(tx, row["objective"], row["trained_at"])
    told = [
        Compared(one["unit_id"], score, rank, standing, place, known.get(one["unit_id"]))
        for one, score, rank, standing, place in zip(
            rows, said.tolist(), _ranks(said), stands.tolist(), _ranks(stands), strict=True
        )
    ]
    top = max(1, round(len(rows) * TOP_SHARE))
    shared = sum(max(one.rank_model, one.rank_in_force) <= top for one in told) / top
    at = [place for place, one in enumerate(told) if one.positive is not None]
    positive = np.array([told[place].positive for place in at], dtype=bool)
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
        tuple(sorted(told, key=lambda one: one.rank_model)),
    )


def _ranks(scores: F64) -> list[int]:
    """The rank of each score, the highest first; equal ones keep their order."""
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks.tolist()
