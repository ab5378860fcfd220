"""Features of units as of the moment of decision, never of anything later.

A row's features are the same whether it is computed alone or among any others, and do not change
when later rows arrive. All counts and sums are of integers, so neither order nor threads matter.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from isthmus.kernel.time import to_micros
from isthmus.risk.catalogue import derived_features
from isthmus.risk.history import (
    LOG_PRICE,
    OUTCOME_KEYS,
    PRICE_STEP,
    UNIT_KEYS,
    History,
    evaluated,
    hashed,
    id_hashes,
    key_expressions,
    unit_entries,
)
from isthmus.risk.metrics import F64
from isthmus.risk.objectives import Objective
from isthmus.risk.schema import DTYPES, MOMENT
from isthmus.risk.timeline import I64, NEVER, U64, Questions, Segment, View
from isthmus.risk.words import folded

DORMANT_DAYS = 365
"""A party not seen for longer than this is dormant. A default of ours."""

BAND_ROWS = 20
"""A price is compared with subheading and origin from this many earlier values on, else with the
heading, else not at all. A default of ours."""

PRIOR_ROWS = 20
"""How many rows the wider group weighs in a smoothed rate. A default of ours."""

_DAY = 86_400_000_000
_HOUR = 3_600_000_000
_LADDER = ("hs2", "hs4", "hs6", "hs6_origin")
_SINGLE = (
    "origin", "dispatch", "loading", "carrier", "office", "mode", "procedure", "type_code",
    "payment", "duty_regime", "extra",
)  # fmt: skip
_PARTIES = ("shipper", "consignee", "declarant", "seller", "container")
_SEEN = ("pair", "triad", "hs6", "hs6_origin", "hs6_loading", "port_pair", "carrier_route")
_BANDS = tuple(kind.removeprefix("price_") for kind in ("price_hs6_origin", "price_hs4"))
_Columns = dict[str, F64]  # unknown is not a number, until all become columns


def features(frame: pl.DataFrame, history: History, as_of: datetime | None = None) -> pl.DataFrame:
    """Add to a unit frame the moment ``as_of`` and every derived feature.

    ``as_of`` is the moment of decision, the same for all rows; without it each row is judged as
    of the moment the authority was told of it (``lodged_at``, else ``created_at``). A row sees
    the units of the history and of this frame that came before it, by moment and then by a hash
    of the id, and the outcomes recorded before it; never itself. Where no moment is known,
    features of history are null, as they are where a key is missing.
    """
    moment = pl.coalesce("lodged_at", "created_at")
    if as_of is not None:
        moment = pl.lit(to_micros(as_of), dtype=pl.Int64).cast(MOMENT)
    frame = frame.with_columns(moment.alias("as_of"))
    ids = id_hashes(frame["id"])
    told = evaluated(frame, _all_told())
    times = told["moment"].to_numpy()
    # What the history has already is not entered again; one row by itself never sees itself.
    new = ~history.units.holds(ids) if frame.height > 1 else np.zeros(1, dtype=bool)
    batch = None
    if new.any():
        batch = Segment(history.units.fresh(unit_entries(frame.filter(new))))
    view = history.units.view(Questions(times, ids, ids), batch)
    keys = {kind: told[kind].to_numpy() for kind in UNIT_KEYS}
    columns: _Columns = {"history_units": view.total().astype(np.float64)}
    _seen(columns, view, keys, times)
    band = _price(columns, view, keys, told)
    known = {one: timeline for one, timeline in history.outcomes.items() if len(timeline)}
    keys = hashed(frame, OUTCOME_KEYS) if known else {}
    for objective, timeline in known.items():
        # Tie 0: an outcome counts only when it was recorded strictly before.
        _outcomes(
            columns, objective, timeline.view(Questions(times, np.zeros_like(ids), ids)), keys
        )
    unknown = times == NEVER
    for values in columns.values():
        values[unknown] = np.nan
    band_names = pl.Series("price_band", band, dtype=pl.String)
    made = told.drop(_INNER).hstack([*pl.DataFrame(columns), band_names])
    return frame.hstack(made.select(_derived(tuple(made.schema.items()))))


@lru_cache(maxsize=8)
def _derived(made: tuple[tuple[str, pl.DataType], ...]) -> tuple[pl.Expr, ...]:
    """Every derived feature, in its place and of its type, from the columns made of it."""
    types = dict(made)
    return tuple(
        (
            _finite(name, types[name]).cast(DTYPES[one.kind])
            if name in types
            else pl.lit(None, dtype=DTYPES[one.kind])
        ).alias(name)
        for name, one in derived_features().items()
    )


_INNER = ("moment", "priced", "log_price", *UNIT_KEYS)


@cache
def _all_told() -> tuple[pl.Expr, ...]:
    """What is asked of the rows by themselves, in one pass: inner columns, and plain features."""
    return (
        pl.col("as_of").cast(pl.Int64).fill_null(int(NEVER)).alias("moment"),
        LOG_PRICE.is_not_null().alias("priced"),
        LOG_PRICE.fill_null(0).alias("log_price"),
        *key_expressions(UNIT_KEYS),
        *_plain_features(),
    )


def _finite(name: str, dtype: pl.DataType) -> pl.Expr:
    # What is not a finite number is no value: stored rows cannot hold it.
    column = pl.col(name)
    return pl.when(column.is_finite()).then(column) if dtype == pl.Float64 else column


def _seen(columns: _Columns, view: View, keys: Mapping[str, U64], times: I64) -> None:
    for kind in ("shipper", "consignee", "declarant", "seller", "container", *_SEEN):
        answer = view.ask(kind, keys[kind])
        last = _days(times, answer.last)
        columns[f"{kind}_seen"] = _where(keys[kind], answer.count)
        made = {
            f"{kind}_days_since_first": _days(times, answer.first),
            f"{kind}_days_since_last": last,
            f"{kind}_dormant": _where(keys[kind], last > DORMANT_DAYS),
        }
        columns.update({name: made[name] for name in made if name in derived_features()})
    columns["hs6_origin_share"] = columns["hs6_origin_seen"] / (columns["hs6_seen"] + 1)


def _where(keys: U64, values: NDArray[Any]) -> F64:
    """The values as numbers, not a number where the row has no key of this kind."""
    return np.where(keys != 0, values.astype(np.float64), np.nan)


def _days(times: I64, seen: I64) -> F64:
    past = seen != NEVER
    days = np.full(len(seen), np.nan)
    days[past] = (times[past] - seen[past]) / _DAY
    return days


def _price(
    columns: _Columns, view: View, keys: Mapping[str, U64], told: pl.DataFrame
) -> list[str | None]:
    """How far the price lies from earlier ones of its band, in standard deviations.

    Bands are of one currency. Of n earlier logarithms x the mean is sum(x)/n and the variance
    sum(x²)/n - mean²; at least .05 is taken as the deviation, so that a band of one contract
    price does not make every other price extreme. Returns the name of each row's band.
    """
    x = told["log_price"].to_numpy()
    bands = [view.ask(kind, keys[kind], sums=2) for kind in ("price_hs6_origin", "price_hs4")]
    narrow = bands[0].count >= BAND_ROWS
    n = np.where(narrow, bands[0].count, bands[1].count)
    total = np.where(narrow, bands[0].sums[0], bands[1].sums[0]).astype(np.float64)
    squares = np.where(narrow, bands[0].sums[1], bands[1].sums[1]).astype(np.float64)
    known = told["priced"].to_numpy() & (n >= BAND_ROWS)
    size = np.maximum(n, 1).astype(np.float64)
    mean = total / size
    variance = np.maximum(squares / size - mean * mean, 0.0)
    deviation = np.maximum(np.sqrt(variance), 0.05 * PRICE_STEP)
    columns["price_z"] = np.where(known, (x - mean) / deviation, np.nan)
    columns["price_band_rows"] = np.where(known, n.astype(np.float64), np.nan)
    return [
        (_BANDS[0] if first else _BANDS[1]) if held else None
        for first, held in zip(narrow.tolist(), known.tolist(), strict=True)
    ]


def _outcomes(columns: _Columns, objective: Objective, view: View, keys: Mapping[str, U64]) -> None:
    """Smoothed rates of positive outcomes, wide to narrow: (positives + m r) / (rows + m).

    r is the rate of the next wider group and m is ``PRIOR_ROWS``; the widest rate is smoothed
    towards one half with two rows. All are unknown before the first outcome.
    """
    answers = {kind: view.ask(kind, keys[kind], sums=1) for kind in OUTCOME_KEYS}
    every = answers["all"]
    base = (every.sums[0] + 1) / (every.count + 2)
    told: _Columns = {"rate_all": base.copy()}
    wider = base
    for kind in _LADDER:
        wider = (answers[kind].sums[0] + PRIOR_ROWS * wider) / (answers[kind].count + PRIOR_ROWS)
        told[f"rate_{kind}"] = _where(keys[kind], wider)
    for kind in _SINGLE:
        rate = (answers[kind].sums[0] + PRIOR_ROWS * base) / (answers[kind].count + PRIOR_ROWS)
        told[f"rate_{kind}"] = _where(keys[kind], rate)
    told["rows_hs6"] = _where(keys["hs6"], answers["hs6"].count)
    for kind in _PARTIES:
        told[f"hits_{kind}"] = _where(keys[kind], answers[kind].sums[0])
    for name, values in told.items():
        values[every.count == 0] = np.nan
        columns[f"{objective}_{name}"] = values


@cache
def _plain_features() -> tuple[pl.Expr, ...]:
    """What a row says by itself. Every division is null where its divisor is not over zero."""
    col = pl.col
    declared = col("tare_kg") + col("gross_kg")
    words = folded(col("description")).str.strip_chars(" ").str.split(" ")
    present = col("description").is_not_null()
    arrived = (col("as_of") >= col("arrival_at")) & col("gate_out_at").is_null()
    return (
        _over(col("value"), pl.coalesce("net_kg", "gross_kg")).alias("price_per_kg"),
        _over(col("net_kg"), col("gross_kg")).alias("net_share"),
        _over(col("gross_kg"), col("package_count")).alias("kg_per_package"),
        (col("vgm_kg") - declared).alias("vgm_gap_kg"),
        (col("weighed_kg") - declared).alias("weighed_gap_kg"),
        (col("weighed_kg") - col("vgm_kg")).alias("weighed_vgm_gap_kg"),
        pl.when(col("empty"))
        .then(pl.coalesce("weighed_kg", "vgm_kg") - col("tare_kg"))
        .alias("empty_excess_kg"),
        _over(col("freight"), col("value")).alias("freight_share"),
        (col("value") * col("duty_rate") / 100).alias("duty"),
        col("description").str.len_chars().alias("description_length"),
        pl.when(present).then(words.list.len()).alias("description_words"),
        pl.when(present)
        .then(col("flags").list.contains("description_vague"))
        .alias("description_vague"),
        _hours("as_of", "deadline_at").alias("hours_to_deadline"),
        _hours("as_of", "arrival_at").alias("hours_to_arrival"),
        _hours("lodged_at", "arrival_at").alias("hours_told_before_arrival"),
        pl.when(arrived).then(_hours("arrival_at", "as_of")).alias("dwell_hours"),
        col("flags").list.len().alias("flag_count"),
    )


def _over(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)


def _hours(start: str, end: str) -> pl.Expr:
    return (pl.col(end) - pl.col(start)).dt.total_microseconds() / _HOUR
