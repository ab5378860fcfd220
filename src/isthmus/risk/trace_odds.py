"""The oracle of a benchmark: ranks by the traces that were truly left, and by their odds.

It knows which traces were left on every row, how likely each scheme leaves them, and how often
lawful trade leaves the same ones. It does not know who did it: what leaves no trace, or only such
as lawful trade leaves more often, it cannot tell. No system that sees papers and events has as much
to go by, except through the history of actors, which it does not use.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from isthmus.risk.metrics import F64


@dataclass(frozen=True, slots=True)
class Confused:
    """Lawful shipments, ``each`` for one of the scheme's, with the chance of each trace."""

    each: float
    traces: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the oracle knows of a way of smuggling.

    ``weight`` is its share of all that is planted, in any unit; ``where`` the values that columns
    of a row must have for it to be usable; ``traces`` the chance of each.
    """

    code: str
    weight: float
    where: Mapping[str, Sequence[object]]
    traces: Mapping[str, float]
    confused: Sequence[Confused]


def log_odds(rows: pl.DataFrame, schemes: Sequence[Scheme], share: float) -> F64:
    """Return for each row the log of how much likelier its traces are under crime than lawfully.

    ``rows`` has ``traces``, a list of names, and the columns that schemes ask for; ``share`` is the
    part of all rows in which something is planted.

    With row and traces (x, T), schemes s of weight w, usable in n_s of n rows, and their confusers
    c: log of sum_s w_s n/n_s P(T|s) over sum_s w_s n/n_s sum_c each_c P(T|c) + [T empty]/share,
    as Neyman and Pearson (1933) rank.
    """
    known = _usable(rows, schemes).with_columns(
        pl.col("traces").list.unique().list.sort().list.join(" ").alias("_left")
    )
    codes = [scheme.code for scheme in schemes]
    kinds = known.select("_left", *codes).unique(maintain_order=True)
    counts = known.select(pl.col(codes).sum()).row(0)
    total = sum(scheme.weight for scheme in schemes)
    weights = [
        scheme.weight / total * len(rows) / count if count else 0.0
        for scheme, count in zip(schemes, counts, strict=True)
    ]
    values = []
    for left, *fits in kinds.iter_rows():
        names = frozenset(left.split())
        crime, lawful = 0.0, (1 / share if not names else 0.0)
        for scheme, weight, fit in zip(schemes, weights, fits, strict=True):
            if fit:
                crime += weight * _chance(names, scheme.traces)
                lawful += weight * sum(one.each * _chance(names, one.traces)
                                       for one in scheme.confused)  # fmt: skip
        values.append(_log(crime) - _log(lawful))
    odds = kinds.with_columns(pl.Series("_odds", values, dtype=pl.Float64))
    found: F64 = known.join(odds, on=["_left", *codes], how="left", maintain_order="left")[
        "_odds"
    ].to_numpy()
    return np.nan_to_num(found)


def _usable(rows: pl.DataFrame, schemes: Sequence[Scheme]) -> pl.DataFrame:
    """Return the traces and, for each scheme by its code, whether a row could be its own."""
    return rows.select(
        "traces",
        *(
            pl.all_horizontal(
                pl.lit(True),
                *(pl.col(name).is_in(list(values)) for name, values in scheme.where.items()),
            )
            .fill_null(True)
            .alias(scheme.code)
            for scheme in schemes
        ),
    )


def _chance(left: frozenset[str], chances: Mapping[str, float]) -> float:
    """Return the chance that just these traces were left."""
    if not left <= chances.keys():
        return 0.0
    return math.prod(p if name in left else 1 - p for name, p in chances.items())


def _log(value: float) -> float:
    return math.log(max(value, 1e-12))
