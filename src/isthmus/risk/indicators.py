"""The indicators that authorities publish, each a rule over a shipment, each with its source.

None of the sources publishes weights, so each that fires counts one. Thresholds are ours where a
source names none; they were set once from what the words mean, never on a measured set. One was
changed after a look at measured sets, at all of their rows: an invoice counts as used again by its
goods and value, not by its shipper and value.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from isthmus.risk.metrics import F64

TIN_CAN = "WCO, Operation TIN CAN (2023)"
PORTS = "Europol, Criminal networks in EU ports (2023)"
GUIDE = "EU, Good Practice Guide for Sea Container Control"
CONTROL = "UNODC-WCO, Container Control Programme, risk indicators"
STOP_WORDS = "EU, ICS2 list of unacceptable descriptions (stop words)"
HARC = "Netherlands Customs and HARC team Rotterdam, share of seizures by commodity"
DATE = "Kim et al., DATE: dual attentive tree-aware embedding for customs fraud (KDD 2020)"
BOX = "ISO 6346 and Europol, Criminal networks in EU ports (2023)"
FTZ = "FATF, Money laundering vulnerabilities of free trade zones (2010)"

_FRUIT_AND_SCRAP = ("08", "2009", "7204", "7404", "7602", "1801")
_SOURCE_COUNTRIES = ("EC", "CO", "PE", "BR", "CR", "BO", "PA", "GT", "HN", "DO")
_VAGUE = (
    r"(?i)said to contain|\bstc\b|general cargo|consolidated|mercanc[ií]as? (varias|general)|"
    r"\bvarios\b|\bdiversos?\b|divers(es)?\b|\bvarious\b|\bgoods\b|freight all kinds|\bfak\b|"
    r"carga geral|stukgoed|as per|seg[uú]n factura|accessories$|^parts$|\bsamples?\b"
)


@dataclass(frozen=True, slots=True)
class Indicator:
    """A published sign of risk: a condition on the columns of ``shipment_features``."""

    name: str
    source: str
    when: pl.Expr


def _new(*keys: str) -> pl.Expr:
    return pl.col(f"seen_{'_'.join(keys)}") == 0


_REEFER = pl.col("size_type").str.contains(r"^..R")

INDICATORS: tuple[Indicator, ...] = (
    Indicator("seal_differs", TIN_CAN, pl.col("seal_changes") > 0),
    Indicator(
        "reefer_not_operating",
        TIN_CAN,
        _REEFER & pl.col("set_point").is_null() & pl.col("hs").is_not_null(),
    ),
    Indicator("tare_deviates", TIN_CAN, pl.col("tare_z").abs() > 3),
    Indicator("release_right_looked_up", PORTS, pl.col("right_lookups") >= 4),
    Indicator("release_right_passed_late", PORTS, pl.col("last_transfer_hours") < 6),
    Indicator("haulier_not_usual", PORTS, _new("haulier")),
    Indicator("fetched_early", PORTS, (pl.col("right_lookups") > 0) & (pl.col("stay_z") < -2)),
    Indicator("moved_without_need", PORTS, pl.col("yard_moves") >= 3),
    Indicator("slow_between_terminals", PORTS, pl.col("road_z") > 2),
    Indicator(
        "empty_heavier", PORTS, (pl.col("regime") == "empty") & (pl.col("weighed_over_kg") > 60)
    ),
    Indicator("number_elsewhere", BOX, pl.col("elsewhere") > 0),
    Indicator(
        "goods_and_origin",
        HARC,
        pl.any_horizontal(pl.col("hs").str.starts_with(code) for code in _FRUIT_AND_SCRAP)
        & pl.col("origin").str.head(2).is_in(_SOURCE_COUNTRIES),
    ),
    Indicator("words_say_nothing", STOP_WORDS, pl.col("description").str.contains(_VAGUE)),
    Indicator("new_shipper", GUIDE, _new("shipper")),
    Indicator("new_consignee", GUIDE, _new("consignee")),
    Indicator("new_relation", GUIDE, _new("shipper", "consignee") & ~_new("shipper")),
    Indicator("to_order", CONTROL, pl.col("to_order")),
    Indicator("consignee_changed", CONTROL, pl.col("consignee_changed")),
    Indicator("lane_never_used", CONTROL, _new("hs4", "origin") | _new("origin", "delivery")),
    Indicator("way_makes_no_sense", CONTROL, pl.col("way_back") | pl.col("delivered_apart")),
    Indicator("price_outlier", DATE, pl.col("price_z").abs() > 2.5),
    Indicator("freight_outlier", CONTROL, pl.col("freight_z").abs() > 2.5),
    Indicator("weighs_more", CONTROL, pl.col("weighed_over_kg") > 250),
    Indicator("text_not_of_heading", CONTROL, _new("hs4", "description")),
    Indicator("mass_corrected", GUIDE, pl.col("mass_corrected")),
    Indicator("stands_long", PORTS, pl.col("stay_z") > 2),
    Indicator("packages_odd", CONTROL, pl.col("package_z").abs() > 2.5),
    Indicator("repaired", TIN_CAN, pl.col("repairs") > 0),
    Indicator("reefer_warm", TIN_CAN, pl.col("supply_air_over_c") > 3),
    Indicator("gated_out_twice", PORTS, pl.col("gate_outs") > 1),
    Indicator("hold_lifted", PORTS, pl.col("holds_lifted") > 0),
    Indicator("more_out_than_in", FTZ, pl.col("lot_out_share") > 1),
    Indicator("other_than_lot", FTZ, pl.col("hs") != pl.col("hs_of_lot")),
    Indicator("same_invoice", FTZ, ~_new("hs4", "value_cents")),
)


def fired(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a column of booleans per indicator; what is not known does not fire."""
    return rows.select(one.when.fill_null(False).alias(one.name) for one in INDICATORS)


def score(rows: pl.DataFrame) -> F64:
    """Return how many indicators fire on each row."""
    counted: F64 = fired(rows).sum_horizontal().to_numpy().astype(float)
    return counted


def sources() -> Mapping[str, str]:
    """Return the source of each indicator, by its name."""
    return {one.name: one.source for one in INDICATORS}
