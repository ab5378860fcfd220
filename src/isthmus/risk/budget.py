"""What a ranking catches within a budget: precision, recall, harm caught, lift."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from isthmus.risk.metrics import F64, Bools

BUDGETS = (0.01, 0.02, 0.05, 0.10)


@dataclass(frozen=True, slots=True)
class Caught:
    """What the best-scored ``budget`` of all rows holds of one kind of positive.

    Precision is of the rows picked, recall of all positives of the kind, harm recall of their
    harm; lift is precision over the share of the kind in all rows. Harm recall is None where the
    kind has no harm to weigh.
    """

    budget: float
    positives: int
    precision: float
    recall: float
    harm_recall: float | None
    lift: float

    def as_dict(self) -> dict[str, float | int | None]:
        """Return the figures with six digits."""
        said = asdict(self)
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in said.items()}


@cache
def harm_per_kilogram() -> Mapping[str, float]:
    """Return the harm of a kilogram in US dollars, by code of the list ``seized_goods``."""
    text = (Path(__file__).parent / "harm.yaml").read_text(encoding="utf-8")
    return {code: float(harm) for code, harm in yaml.safe_load(text).items()}


def picked(scores: F64, budget: float) -> F64:
    """Return each row's chance of being picked when ties at the edge are drawn by lot."""
    size = max(1, round(len(scores) * budget))
    limit = np.partition(scores, len(scores) - size)[len(scores) - size]
    over, equal = scores > limit, scores == limit
    chance: F64 = over + equal * ((size - over.sum()) / equal.sum())
    return chance


def caught(scores: F64, positive: Bools, harm: F64, budget: float) -> Caught | None:
    """Return what a budget catches; None when nothing is positive.

    ``harm`` is that of each row in any unit, 0 or more; only that of positives counts.
    """
    positives = int(positive.sum())
    if positives == 0:
        return None
    chance = picked(scores, budget)
    hits = float(chance[positive].sum())
    whole = float(harm[positive].sum())
    precision = hits / float(chance.sum())
    return Caught(
        budget=budget,
        positives=positives,
        precision=precision,
        recall=hits / positives,
        harm_recall=float((chance * harm)[positive].sum()) / whole if whole else None,
        lift=precision / (positives / len(scores)),
    )
