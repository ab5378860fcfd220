"""What was known of a trader, a lane or goods before a moment: sums over earlier rows only.

A rate taken over a whole table has seen the label of the row that it describes, and of later ones;
no officer has. Here a row sees rows whose moment lies strictly before its own, so that the
consignments of one manifest do not see each other.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import polars as pl

LABEL_DELAY = timedelta(days=7)
"""Days from a consignment's first paper until its label is known. An assumption: inspection
happens within the stay in the port, and a report follows."""

SMOOTHING = 20.0
"""Rows of the general rate that every key's own rate is mixed with."""


def earlier(
    rows: pl.DataFrame,
    keys: Sequence[str],
    sums: Mapping[str, pl.Expr],
    *,
    moment: str,
    delay: timedelta = timedelta(0),
) -> pl.DataFrame:
    """Return each sum over the rows with equal keys more than ``delay`` before, in row order.

    Nothing before is 0; a missing key is null, since nothing can be said of nobody.
    """
    asked = rows.select(*keys, moment).with_row_index("_row").sort(moment, maintain_order=True)
    past = (
        rows.lazy()
        .group_by(*keys, moment)
        .agg(**sums)
        .drop_nulls(list(keys))
        .sort(moment, *keys)
        .with_columns(pl.col(name).cum_sum().over(keys) for name in sums)
        .with_columns(pl.col(moment) + delay)
        .collect()
        .sort(moment)
    )
    joined = asked.join_asof(
        past,
        on=moment,
        by=list(keys),
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    known = pl.all_horizontal(pl.col(key).is_not_null() for key in keys)
    return joined.sort("_row").select(
        pl.when(known).then(pl.col(name).fill_null(0)).alias(name) for name in sums
    )


def rate(
    rows: pl.DataFrame, keys: Sequence[str], label: str, *, moment: str, general: pl.Series
) -> pl.Series:
    """Return the share of positives among earlier labelled rows of the keys, mixed with general.

    ``label`` is 1, 0, or null where it is not known. A label counts ``LABEL_DELAY`` after its row.
    """
    past = earlier(
        rows,
        keys,
        {"_hits": pl.col(label).sum(), "_known": pl.col(label).count()},
        moment=moment,
        delay=LABEL_DELAY,
    )
    hits, known = past["_hits"].cast(pl.Float64), past["_known"].cast(pl.Float64)
    return (hits + SMOOTHING * general) / (known + SMOOTHING)


def general_rate(rows: pl.DataFrame, label: str, *, moment: str) -> pl.Series:
    """Return the share of positives among all earlier labelled rows; 0 before the first."""
    past = earlier(
        rows.with_columns(_all=pl.lit(0)),
        ["_all"],
        {"_hits": pl.col(label).sum(), "_known": pl.col(label).count()},
        moment=moment,
        delay=LABEL_DELAY,
    )
    return (past["_hits"] / past["_known"].clip(1)).fill_nan(0.0)
