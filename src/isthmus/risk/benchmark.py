"""The benchmark's table: what each baseline catches at each budget, and over several sets."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.risk.baselines import LABEL, Ranked
from isthmus.risk.budget import BUDGETS, Caught, caught, harm_per_kilogram
from isthmus.risk.metrics import F64, Bools

ALL = "all"
T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Two-sided 95 % points of Student's t for 1 to 9 degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one baseline catches of one kind: ``all``, an objective, or a method's code."""

    baseline: str
    kind: str
    caught: Caught


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over sets with its interval of 95 % (Student's t); no interval for a single set."""

    mean: float
    half: float | None
    sets: int


def lines(ranked: Ranked) -> list[Line]:
    """Return every line of one set: by baseline, kind and budget."""
    rows = ranked.rows
    illicit = rows[LABEL].to_numpy() == 1
    harm = harm_of(ranked)
    kinds: dict[str, Bools] = {ALL: illicit}
    for column in ("objective", "method"):
        for kind in sorted(rows.filter(illicit)[column].drop_nulls().unique(), key=_natural):
            kinds[kind] = illicit & (rows[column].eq_missing(kind)).to_numpy()
    return [
        Line(name, kind, found)
        for name, scores in ranked.scores.items()
        for kind, positive in kinds.items()
        for budget in BUDGETS
        if (found := caught(scores, positive, harm, budget)) is not None
    ]


def harm_of(ranked: Ranked) -> F64:
    """Return the harm hidden in each row: its kilograms by the harm of one kilogram."""
    table = harm_per_kilogram()
    carried = ranked.rows["carried"].to_list()
    each = np.array([table.get(goods, 0.0) if goods else 0.0 for goods in carried])
    harm: F64 = each * ranked.rows["kilograms"].fill_null(0).to_numpy()
    return harm


def over_sets(sets: Sequence[Iterable[Line]]) -> Mapping[tuple[str, str, float, str], Interval]:
    """Return the mean of each figure over sets, by baseline, kind, budget and figure's name."""
    gathered: dict[tuple[str, str, float, str], list[float]] = {}
    for one in sets:
        for line in one:
            for figure in ("precision", "recall", "harm_recall", "lift"):
                value = getattr(line.caught, figure)
                if value is not None:
                    key = (line.baseline, line.kind, line.caught.budget, figure)
                    gathered.setdefault(key, []).append(value)
    return {key: interval(values) for key, values in gathered.items()}


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of independent figures, with the half width of its 95 % interval."""
    count = len(values)
    if count < 2:
        return Interval(float(np.mean(values)), None, count)
    point = T_95[count - 2] if count - 2 < len(T_95) else 1.96
    half = point * float(np.std(values, ddof=1)) / math.sqrt(count)
    return Interval(float(np.mean(values)), half, count)


def _natural(code: str) -> tuple[str, int]:
    """Order M2 before M10."""
    digits = "".join(sign for sign in code if sign.isdigit())
    return code.rstrip("0123456789"), int(digits or 0)
