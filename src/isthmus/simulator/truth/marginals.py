"""A set's marginals beside what is known of the real trade, and how much of it there is.

Every figure is computed from the set's own table and files; what it stands beside is a fact of the
world's ``facts.yaml``, public or assumed, with its source.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from isthmus.kernel.errors import Invalid
from isthmus.simulator.truth.book import FOLDER
from isthmus.simulator.truth.labelled import TABLE
from isthmus.simulator.world import World

MOST = 10  # lines of a table of shares
_TERMINALS = {
    "teu_share_balboa": "PPCBL",
    "teu_share_mit": "MIT",
    "teu_share_cct": "CCT",
    "teu_share_rodman": "PPIT",
    "teu_share_cristobal": "PCPPC",
}
_EXPORTS = {
    "exports_bananas": ("0803",),
    "exports_shrimp": ("0306",),
    "exports_sugar": ("1701",),
    "exports_palm_oil": ("1511",),
    "exports_scrap_iron": ("7204",),
    "exports_teak": ("4403", "4407"),
}
_CLOTHING, _FOOTWEAR = ("61", "62"), ("64",)
_TRANSHIPPED = pl.col("regime") == "transhipment"


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of the set beside a fact of the world, both in the fact's unit."""

    fact: str
    words: str
    unit: str
    here: float
    known: float
    public: bool
    source: str


@dataclass(frozen=True, slots=True)
class Marginals:
    """What a set looks like as a whole."""

    rows: int
    compared: tuple[Compared, ...]
    shares: Mapping[str, Mapping[str, float]]  # table by table, the greatest first
    files: Mapping[str, tuple[int, int]]  # number and bytes, by kind


def of(folder: Path, world: World, advance: Callable[[int], None] = lambda _: None) -> Marginals:
    """Return the marginals of a generated set; ``advance`` is told how many files were seen.

    Raises ``Invalid`` when the folder holds no set.
    """
    try:
        rows = pl.read_parquet(folder / FOLDER / TABLE)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Invalid("simulator.no_set", "holds no generated set", folder=str(folder)) from error
    here = _figures(_boxes(rows))
    compared = tuple(
        Compared(code, fact.says, fact.unit, here[code], fact.value, fact.public, fact.source)
        for code, fact in world.facts.items()
        if code in here
    )
    return Marginals(len(rows), compared, _shares(rows), _files(folder, advance))


def _boxes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with their boxes' TEU, and the TEU that this country's ports moved.

    A box of twenty feet is one TEU and longer ones are two; a transhipped box is landed and
    loaded. Consignments that share a box count as a share of it.
    """
    feet = pl.when(pl.col("size_type").str.starts_with("2")).then(1.0).otherwise(2.0)
    shared = pl.when("groupage").then(pl.len().over("container", "reported_at")).otherwise(1)
    return rows.with_columns(boxed=pl.col("boxes") / shared).with_columns(
        teu=pl.col("boxed") * feet * pl.when(_TRANSHIPPED).then(2).otherwise(1),
        hs4=pl.col("hs").str.head(4),
        hs2=pl.col("hs").str.head(2),
    )


def _figures(rows: pl.DataFrame) -> dict[str, float]:
    """Return every figure that a fact speaks of and the set has rows for."""
    moved = rows["teu"].sum()
    regimes = dict(rows.group_by("regime").agg(pl.col("teu").sum() / moved).iter_rows())
    there = pl.concat(
        [
            rows.select("terminal", pl.col("teu") / pl.when(_TRANSHIPPED).then(2).otherwise(1)),
            rows.filter(_TRANSHIPPED).select(pl.col("onward_terminal").alias("terminal"),
                                             pl.col("teu") / 2),
        ]
    )  # fmt: skip
    terminals = dict(there.group_by("terminal").agg(pl.col("teu").sum() / moved).iter_rows())
    zone = regimes.get("free_zone_in", 0.0) + regimes.get("free_zone_out", 0.0)
    transhipped = rows.filter(_TRANSHIPPED)
    boxes = float(rows["boxed"].sum())
    found = {
        "transhipment_share_of_teu": regimes.get("transhipment", 0.0),
        "local_share_of_teu": regimes.get("import", 0.0) + regimes.get("export", 0.0),
        "free_zone_share_of_teu": zone,
        "empty_share_of_teu": regimes.get("empty", 0.0),
        "transhipment_share": float(transhipped["boxed"].sum()) / boxes if boxes else None,
        "regime_weights": len(transhipped) / len(rows),
        "transfer_share": (transhipped["terminal"] != transhipped["onward_terminal"]).mean(),
        "dwell_usual": _mean(transhipped["stay_hours"], 24),
        "inspected_share": rows["inspected"].is_not_null().mean(),
        "inspected_by_regime": rows["inspected"].is_not_null().mean(),
        "base_rate": rows["illicit"].mean(),
        **{fact: terminals.get(code, 0.0) for fact, code in _TERMINALS.items()},
        **_of_value(rows),
        **_of_finds(rows),
    }
    return {code: float(value) for code, value in found.items() if isinstance(value, int | float)}


def _of_value(rows: pl.DataFrame) -> dict[str, float | None]:
    """Return shares of the value exported, and of what came into the free zone."""
    out = rows.filter(pl.col("regime") == "export")
    zone = rows.filter(pl.col("regime") == "free_zone_in")
    shares = {
        fact: _share(out, pl.col("hs4").is_in(headings)) for fact, headings in _EXPORTS.items()
    }
    return shares | {
        "exports_to_us": _share(out, pl.col("delivery").str.starts_with("US")),
        "exports_to_nl": _share(out, pl.col("delivery").str.starts_with("NL")),
        "free_zone_from_china": _share(zone, pl.col("origin").str.starts_with("CN"), "gross_kg"),
        "free_zone_clothing": _share(zone, pl.col("hs2").is_in(_CLOTHING)),
        "free_zone_footwear": _share(zone, pl.col("hs2").is_in(_FOOTWEAR)),
    }


def _of_finds(rows: pl.DataFrame) -> dict[str, float | None]:
    """Return what can be held against seizures: finds of cocaine, never what passed."""
    finds = rows.filter(pl.col("found") & (pl.col("carried") == "cocaine"))
    return {
        "bananas_share": _mean(finds["hs4"] == "0803"),
        "packages_per_port_operation": _mean(finds["kilograms"]),
    }


def _mean(values: pl.Series, unit: float = 1) -> float | None:
    mean = values.cast(pl.Float64).mean()
    return mean / unit if isinstance(mean, float) else None


def _share(rows: pl.DataFrame, part: pl.Expr, weight: str = "value_usd") -> float | None:
    whole = float(rows[weight].sum())
    return float(rows.filter(part)[weight].sum()) / whole if whole else None


def _shares(rows: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return the greatest shares of the rows: regimes, goods, lanes, methods, controls."""
    lane = pl.concat_str(pl.col("origin").str.head(2), pl.lit(" to "),
                         pl.col("delivery").str.head(2))  # fmt: skip
    illicit = rows.filter(pl.col("illicit") == 1)
    return {
        "share of consignments, by regime": _top(rows["regime"]),
        "by HS chapter": _top(rows["hs"].str.head(2)),
        "by lane, country to country": _top(rows.select(lane.alias("lane"))["lane"]),
        "by terminal": _top(rows["terminal"]),
        "share of the illicit, by method": _top(illicit["method"]),
        "share of the inspected, by control": _top(rows["inspected"]),
    }


def _top(values: pl.Series) -> dict[str, float]:
    known = values.drop_nulls().alias("value")
    counted = known.value_counts(sort=True).sort(
        ["count", "value"], descending=[True, False]
    )  # equal counts by name, so that a repeat prints the same
    return {str(value): count / len(known) for value, count in counted.head(MOST).iter_rows()}


def _files(folder: Path, advance: Callable[[int], None]) -> dict[str, tuple[int, int]]:
    """Return number and bytes of the files, by part of the set and ending."""
    found: dict[str, tuple[int, int]] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            kind = f"{path.relative_to(folder).parts[0]} {_ending(path)}"
            count, size = found.get(kind, (0, 0))
            found[kind] = count + 1, size + path.stat().st_size
            advance(1)
    return dict(sorted(found.items()))


def _ending(path: Path) -> str:
    return "".join(path.suffixes[-2:]) or path.name
