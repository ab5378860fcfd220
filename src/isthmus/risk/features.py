"""Features of units as of the moment of decision, never of anything later.

A row's features are the same whether it is computed alone or among any others, and do not change
when later rows arrive. All counts and sums are of integers, so neither order nor threads matter.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

import numpy as np
import polars as pl

from isthmus.kernel.time import to_micros
from isthmus.risk.catalogue import derived_features
from isthmus.risk.history import (
    OUTCOME_KEYS,
    PRICE_STEP,
    UNIT_KEYS,
    History,
    hashed,
    id_hashes,
    log_price,
    micros,
    unit_entries,
)
from isthmus.risk.objectives import Objective
from isthmus.risk.rules import read_list, shipped_folder
from isthmus.risk.schema import DTYPES, MOMENT
from isthmus.risk.timeline import NEVER, Answer, Questions, Segment, View
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
_Columns = dict[str, pl.Series]


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
    times = micros(frame["as_of"])
    columns: _Columns = {}
    # A frame of one row needs no batch: a unit never sees itself.
    batch = Segment(history.units.fresh(unit_entries(frame))) if frame.height > 1 else None
    view = history.units.view(Questions(times, ids, ids), batch)
    keys = {kind: hashed(frame, fields) for kind, fields in UNIT_KEYS.items()}
    columns["history_units"] = pl.Series("history_units", view.total())
    _seen(columns, view, keys, times)
    _price(columns, view, keys, frame)
    for objective, timeline in history.outcomes.items():
        # Tie 0: an outcome counts only when it was recorded strictly before.
        asked = Questions(times, np.zeros_like(ids), ids)
        _outcomes(columns, objective, timeline.view(asked), frame, len(timeline) > 0)
    unknown = pl.Series("unknown", times == NEVER)
    if unknown.any():
        columns = {
            name: one.to_frame(name).select(pl.when(~unknown).then(pl.col(name))).to_series()
            for name, one in columns.items()
        }
    plain = frame.select(_plain_features())
    columns |= {name: plain[name] for name in plain.columns}
    return frame.with_columns(
        columns[name].cast(DTYPES[one.kind]).alias(name) for name, one in derived_features().items()
    )


def _seen(
    columns: _Columns,
    view: View,
    keys: Mapping[str, np.ndarray[tuple[int], np.dtype[np.uint64]]],
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> None:
    def put(name: str, values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> None:
        columns[name] = pl.Series(name, values, nan_to_null=True)

    def count(kind: str, answer: Answer) -> None:
        known = pl.Series("known", keys[kind] != 0)
        counts = pl.Series(f"{kind}_seen", answer.count)
        columns[f"{kind}_seen"] = counts.set(~known, None)

    for kind in ("shipper", "consignee", "declarant", "seller", "container", *_SEEN):
        answer = view.ask(kind, keys[kind])
        count(kind, answer)
        since = _days(times, answer.first)
        if f"{kind}_days_since_first" in derived_features():
            put(f"{kind}_days_since_first", since)
        if f"{kind}_days_since_last" in derived_features():
            put(f"{kind}_days_since_last", _days(times, answer.last))
        if f"{kind}_dormant" in derived_features():
            dormant = _days(times, answer.last) > DORMANT_DAYS
            known = pl.Series("known", keys[kind] != 0)
            columns[f"{kind}_dormant"] = pl.Series("dormant", dormant).set(~known, None)
    share = columns["hs6_origin_seen"] / (columns["hs6_seen"] + 1)
    columns["hs6_origin_share"] = share


def _days(
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
    seen: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    past = seen != NEVER
    days = np.full(len(seen), np.nan)
    days[past] = (times[past] - seen[past]) / _DAY
    return days


def _price(
    columns: _Columns,
    view: View,
    keys: Mapping[str, np.ndarray[tuple[int], np.dtype[np.uint64]]],
    frame: pl.DataFrame,
) -> None:
    """How far the price lies from earlier ones of its band, in standard deviations.

    Bands are of one currency. Of n earlier logarithms x the mean is sum(x)/n and the variance
    (n sum(x²) - sum(x)²) / n²; at least a step of .05 is taken as the deviation, so that a band
    of one contract price does not make every other price extreme.
    """
    price = log_price(frame)
    x = price.fill_null(0).to_numpy()
    bands = [view.ask(kind, keys[kind], sums=2) for kind in ("price_hs6_origin", "price_hs4")]
    narrow = bands[0].count >= BAND_ROWS
    n = np.where(narrow, bands[0].count, bands[1].count)
    total = np.where(narrow, bands[0].sums[0], bands[1].sums[0]).astype(np.float64)
    squares = np.where(narrow, bands[0].sums[1], bands[1].sums[1]).astype(np.float64)
    known = price.is_not_null().to_numpy() & (n >= BAND_ROWS)
    size = np.maximum(n, 1).astype(np.float64)
    mean = total / size
    variance = np.maximum(squares / size - mean * mean, 0.0)
    deviation = np.maximum(np.sqrt(variance), 0.05 * PRICE_STEP)
    z = np.where(known, (x - mean) / deviation, np.nan)
    columns["price_z"] = pl.Series("price_z", z, nan_to_null=True)
    names = np.where(narrow, "hs6_origin", "hs4")
    unknown = pl.Series("unknown", ~known)
    columns["price_band"] = pl.Series("price_band", names.tolist(), dtype=pl.String).set(
        unknown, None
    )
    columns["price_band_rows"] = pl.Series("price_band_rows", n).set(unknown, None)


def _outcomes(
    columns: _Columns, objective: Objective, view: View, frame: pl.DataFrame, known: bool
) -> None:
    """Smoothed rates of positive outcomes, wide to narrow: (positives + m r) / (rows + m).

    r is the rate of the next wider group and m is ``PRIOR_ROWS``; the widest rate is smoothed
    towards one half with two rows, and is null while no outcome is known.
    """
    prefix = f"{objective}_"
    if not known:
        for name, one in derived_features().items():
            if name.startswith(prefix):
                columns[name] = pl.Series(name, [None] * frame.height, dtype=DTYPES[one.kind])
        return
    answers: dict[str, Answer] = {}
    held: dict[str, np.ndarray[tuple[int], np.dtype[np.uint64]]] = {}
    for kind, fields in OUTCOME_KEYS.items():
        held[kind] = hashed(frame, fields)
        answers[kind] = view.ask(kind, held[kind], sums=1)
    every = answers["all"]
    base = (every.sums[0] + 1) / (every.count + 2)
    none = pl.Series("none", every.count == 0)

    def put(name: str, values: "np.ndarray[tuple[int], np.dtype[np.float64]]", *kinds: str) -> None:
        columns[prefix + name] = pl.Series(name, values).set(none, None)
        for kind in kinds:
            missing = pl.Series("missing", held[kind] == 0)
            columns[prefix + name] = columns[prefix + name].set(missing, None)

    put("rate_all", base)
    wider = base
    for kind in _LADDER:
        wider = (answers[kind].sums[0] + PRIOR_ROWS * wider) / (answers[kind].count + PRIOR_ROWS)
        put(f"rate_{kind}", wider, kind)
    for kind in _SINGLE:
        rate = (answers[kind].sums[0] + PRIOR_ROWS * base) / (answers[kind].count + PRIOR_ROWS)
        put(f"rate_{kind}", rate, kind)
    put("rows_hs6", answers["hs6"].count.astype(np.float64), "hs6")
    for kind in _PARTIES:
        put(f"hits_{kind}", answers[kind].sums[0].astype(np.float64), kind)


@cache
def _plain_features() -> tuple[pl.Expr, ...]:
    """What a row says by itself. Every division is null where its divisor is not over zero."""
    col = pl.col
    declared = col("tare_kg") + col("gross_kg")
    words = folded(col("description")).str.strip_chars(" ").str.split(" ")
    empty_words = [*_words("vague_words"), *_words("filler_words"), ""]
    telling = words.list.set_difference(pl.lit(pl.Series([empty_words])).first())
    numberless = telling.list.eval(pl.element().filter(~pl.element().str.contains(r"^[0-9]+$")))
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
        pl.when(present).then(numberless.list.len() == 0).alias("description_vague"),
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


@cache
def _words(name: str) -> tuple[str, ...]:
    return read_list(shipped_folder() / "lists" / f"{name}.txt")
