"""What a shipment of a labelled set tells by itself and beside earlier ones: no label, no truth.

The columns are those that ``isthmus simulate generate`` describes in ``labelled.json``: what was
declared, and what the port saw of the box while it could still be stopped.
"""

from collections.abc import Sequence

import polars as pl

from isthmus.kernel.errors import Invalid
from isthmus.risk.encodings import earlier, general_rate, rate

MOMENT = "reported_at"
DECLARED = (
    "packages", "net_kg", "gross_kg", "value_usd", "freight_usd", "boxes", "tare_kg",
    "tare_over_kg", "verified_mass", "set_point", "seals", "to_order", "groupage",
    "consignee_changed", "mass_corrected",
)  # fmt: skip
OBSERVED = (
    "events", "stay_hours", "yard_moves", "night_moves", "weighed_over_kg", "seals_read",
    "seal_changes", "resealed", "opened_by_customs", "scanned", "road_hours", "elsewhere",
    "gate_outs", "holds_lifted", "repairs", "supply_air_over_c", "lot_out_share",
    "right_lookups", "right_transfers", "right_users", "night_lookups", "last_transfer_hours",
)  # fmt: skip
MADE = (
    "price_kg", "kg_package", "freight_of_value", "beyond_thousands", "way_back",
    "delivered_apart", "other_than_lot", "words",
)  # fmt: skip
SEEN: Sequence[tuple[str, ...]] = (
    ("shipper",), ("consignee",), ("forwarder",), ("haulier",), ("vessel",), ("container",),
    ("hs4", "origin"), ("origin", "delivery"), ("hs4", "delivery"), ("shipper", "consignee"),
    ("shipper", "hs4"), ("consignee", "hs4"), ("consignee", "haulier"), ("hs4", "description"),
    ("hs4", "value_cents"), ("shipper", "consignee", "forwarder"),
)  # fmt: skip
RATED: Sequence[tuple[str, ...]] = (
    ("shipper",), ("consignee",), ("forwarder",), ("haulier",), ("service",), ("hs4",),
    ("origin",), ("delivery",), ("hs4", "origin"), ("origin", "delivery"), ("regime", "hs2"),
)  # fmt: skip
# Quantities beside what was usual for such rows before: the name, what is measured, among whom.
USUAL: Sequence[tuple[str, pl.Expr, tuple[str, ...]]] = (
    ("price_z", (pl.col("value_usd") / pl.col("net_kg")).log(), ("hs", "origin")),
    ("price_of_goods_z", (pl.col("value_usd") / pl.col("net_kg")).log(), ("hs",)),
    ("price_of_shipper_z", (pl.col("value_usd") / pl.col("net_kg")).log(), ("shipper", "hs4")),
    ("freight_z", (pl.col("freight_usd") / pl.col("boxes")).log(), ("origin", "delivery")),
    ("package_z", (pl.col("net_kg") / pl.col("packages")).log(), ("hs",)),
    ("load_z", (pl.col("net_kg") / pl.col("boxes")).log(), ("hs",)),
    ("tare_z", pl.col("tare_kg").cast(pl.Float64), ("size_type",)),
    ("set_point_z", pl.col("set_point"), ("hs",)),
    ("stay_z", pl.col("stay_hours").log1p(), ("regime", "terminal")),
    ("road_z", pl.col("road_hours").log1p(), ("terminal",)),
)
_LEAST_USUAL = 8  # rows from which something is usual


def shipment_features(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with ``hs2``, ``hs4``, times seen before and distance from the usual.

    Raises ``Invalid`` naming the columns that are missing. Rows must be in order of time.
    """
    needed = {MOMENT, *DECLARED, *OBSERVED, "hs", "hs_of_lot", "origin", "delivery", "description"}
    if missing := sorted(needed - set(rows.columns)):
        raise Invalid("benchmark_columns", "the set lacks columns", columns=missing)
    wide = rows.with_columns(
        hs2=pl.col("hs").str.head(2),
        hs4=pl.col("hs").str.head(4),
        price_kg=pl.col("value_usd") / pl.col("net_kg"),
        kg_package=pl.col("net_kg") / pl.col("packages"),
        freight_of_value=pl.col("freight_usd") / pl.col("value_usd"),
        value_cents=(pl.col("value_usd") * 100).round().cast(pl.Int64),
        beyond_thousands=pl.col("value_usd") % 1000,
        way_back=pl.col("origin").str.head(2) == pl.col("delivery").str.head(2),
        delivered_apart=pl.col("discharge").str.head(2) != pl.col("delivery").str.head(2),
        other_than_lot=pl.col("hs") != pl.col("hs_of_lot"),
        words=pl.col("description").str.count_matches(r"\S+"),
    )
    columns = [_seen(wide, keys) for keys in SEEN]
    columns += [_usual(wide, *one) for one in USUAL]
    return wide.with_columns(columns)


def names() -> list[str]:
    """Return the columns of numbers that may be offered to a model, without any label."""
    return [*DECLARED, *OBSERVED, *MADE, *map(seen_name, SEEN), *(name for name, *_ in USUAL)]


def rated(rows: pl.DataFrame, label: str) -> pl.DataFrame:
    """Return the rows with the as-of rate of each key of ``RATED``; a null label is not known."""
    general = general_rate(rows, label, moment=MOMENT)
    return rows.with_columns(
        rate(rows, keys, label, moment=MOMENT, general=general).alias(rate_name(keys))
        for keys in RATED
    )


def seen_name(keys: Sequence[str]) -> str:
    """Return the column that says how often keys were seen before, as log(1 + times)."""
    return f"seen_{'_'.join(keys)}"


def rate_name(keys: Sequence[str]) -> str:
    """Return the column of the keys' rate of positives."""
    return f"rate_{'_'.join(keys)}"


def _seen(rows: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    past = earlier(rows, keys, {"_rows": pl.len()}, moment=MOMENT)
    return past["_rows"].cast(pl.Float64).log1p().alias(seen_name(keys))


def _usual(rows: pl.DataFrame, name: str, measure: pl.Expr, keys: Sequence[str]) -> pl.Series:
    """Return how many standard deviations a row lies from the mean of earlier ones like it."""
    finite = pl.when(measure.is_finite()).then(measure)
    table = rows.with_columns(finite.alias("_x"))
    sums = {
        "_n": pl.col("_x").count().cast(pl.Float64),
        "_sum": pl.col("_x").sum(),
        "_squares": (pl.col("_x") ** 2).sum(),
    }
    past = earlier(table, keys, sums, moment=MOMENT).with_columns(table["_x"])
    mean = pl.col("_sum") / pl.col("_n")
    spread = (pl.col("_squares") / pl.col("_n") - mean**2).clip(0).sqrt().clip(1e-3)
    usual = pl.when(pl.col("_n") >= _LEAST_USUAL).then((pl.col("_x") - mean) / spread)
    return past.select(usual.clip(-20, 20).alias(name))[name]
