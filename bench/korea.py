"""The Korean import declarations as units, for benches: ``../shared/data/declarations``."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from isthmus.cargo.unit import Unit

FOLDER = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "declarations"
FILES = ("korea_train.csv", "korea_valid.csv", "korea_test.csv")
TUPLE = ("hs6", "dispatch_country", "origin_country", "duty_rate", "duty_regime", "net_kg")
_EXTRA = ("Process Type", "Import Type", "Import Use", "Country of Origin Indicator")


def present() -> bool:
    """Whether the three files are there."""
    return all((FOLDER / name).is_file() for name in FILES)


def units() -> tuple[list[Unit], pl.Series]:
    """Every row as a unit, and whether it was found to be fraud against the revenue."""
    made, fraud = [], []
    for row in _rows():
        hs = row["HS6 Code"].zfill(6)
        made.append(
            Unit(
                id=f"korea:{row['Declaration ID']}",
                kind="declaration",
                regime="import",
                office=row["Office ID"],
                mode=row["Mode of Transport"],
                declarant_ref=row["Declarant ID"] or None,
                consignee_ref=row["Importer ID"] or None,
                seller_ref=row["Seller ID"] or None,
                carrier=row["Courier ID"] or None,
                hs6=hs,
                hs4=hs[:4],
                hs2=hs[:2],
                dispatch_country=row["Country of Departure"],
                origin_country=row["Country of Origin"],
                duty_rate=float(row["Tax Rate"]),
                duty_regime=row["Tax Type"],
                net_kg=float(row["Net Mass"]),
                value=float(row["Item Price"]),
                currency="KRW",
                payment=row["Payment Type"],
                goods_lines=1,
                lodged_at=datetime.fromisoformat(row["Date"]).replace(tzinfo=UTC),
                extra=tuple((name, row[name]) for name in _EXTRA),
            )
        )
        fraud.append(row["Fraud"] == "1")
    return made, pl.Series("positive", fraud)


def leak_free(frame: pl.DataFrame) -> pl.DataFrame:
    """The first row by date of each tuple: 84.8 % of test rows repeat one seen with its label."""
    ordered = frame.sort("lodged_at", maintain_order=True)
    return ordered.unique(TUPLE, keep="first", maintain_order=True)


def _rows() -> Iterator[dict[str, str]]:
    for name in FILES:
        with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)
