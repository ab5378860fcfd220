"""Small labelled sets of shipments with the columns of the simulator's table, and their schemes."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from isthmus.risk.trace_odds import Confused, Scheme

SCHEMES = (
    Scheme(
        "M1",
        3,
        {"regime": ["transhipment"]},
        {"seal_swapped": 0.7, "heavier": 0.5},
        [Confused(2, {"heavier": 1.0}), Confused(0.3, {"seal_swapped": 1.0})],
    ),
    Scheme("M9", 2, {"regime": ["import"]}, {"cheap": 0.8}, [Confused(1.5, {"cheap": 1.0})]),
)
CARRIED = {"M1": ("contraband", "cocaine"), "M9": ("revenue", "other")}
START = datetime(2026, 1, 5, tzinfo=UTC)


def shipments(seed: int, rows: int = 4000, share: float = 0.04) -> pl.DataFrame:
    """Shipments of ninety days; schemes and look-alikes leave their traces in the columns."""
    random = np.random.default_rng(seed)
    made = []
    for number, day in enumerate(np.sort(random.random(rows)) * 90):
        regime = ("transhipment", "import")[int(random.random() < 0.4)]
        scheme = SCHEMES[regime == "import"]
        guilty = random.random() < share
        chances = dict(scheme.traces) if guilty else {}
        for confused in scheme.confused:
            if not guilty and random.random() < share * confused.each:
                chances = dict(confused.traces)
        left = [name for name, chance in chances.items() if random.random() < chance]
        made.append(_row(number, START + timedelta(days=float(day)), regime, left, random))
        objective, goods = CARRIED[scheme.code]
        inspected = random.random() < 0.3
        made[-1] |= {
            "illicit": int(guilty),
            "objective": objective if guilty else None,
            "method": scheme.code if guilty else None,
            "kilograms": float(random.integers(50, 900)) if guilty else 0.0,
            "carried": goods if guilty else None,
            "traces": left,
            "inspected": "physical_full" if inspected else None,
            "found": bool(guilty and inspected and random.random() < 0.8),
        }
    empty = dict.fromkeys(("road_hours", "last_transfer_hours"), pl.Float64)
    return pl.DataFrame(
        made,
        infer_schema_length=None,
        schema_overrides={**empty, "onward_terminal": pl.String, "traces": pl.List(pl.String)},
    )


def _row(
    number: int, at: datetime, regime: str, left: list[str], random: np.random.Generator
) -> dict[str, object]:
    def one(kind: str, of: int) -> str:
        return f"{kind}{int(of * random.random() ** 2)}"

    good = int(random.integers(0, 5))
    net = int(random.normal(20_000, 800))
    price = (1 + good) * np.exp(random.normal(0, 0.1)) * (0.3 if "cheap" in left else 1)
    port = one("EC", 6)
    return {
        "bill": f"B{number}",
        "reported_at": at,
        "regime": regime,
        "service": one("S", 4),
        "onward_service": one("S", 4) if regime == "transhipment" else None,
        "carrier": one("C", 2),
        "terminal": one("T", 3),
        "onward_terminal": None,
        "vessel": one("V", 9),
        "container": f"X{number}",
        "origin": port,
        "discharge": "PABLB",
        "delivery": one("NL", 5),
        "shipper": one("shipper", 200),
        "consignee": one("consignee", 200),
        "forwarder": one("forwarder", 9) if random.random() < 0.5 else None,
        "haulier": one("H", 20) if regime == "import" else None,
        "hs": f"0{good + 1}0100",
        "description": f"GOODS OF KIND {good}",
        "language": "en",
        "packages": net // 20,
        "package_kind": "CT",
        "net_kg": net,
        "gross_kg": net + 900,
        "value_usd": round(net * price, 2),
        "freight_usd": 1500.0 + float(random.integers(0, 300)),
        "size_type": "45G1",
        "boxes": 1,
        "tare_kg": 3900,
        "tare_over_kg": 0,
        "hs_of_lot": None,
        "verified_mass": False,
        "set_point": None if good else 13.0,
        "seals": 1,
        **dict.fromkeys(("to_order", "groupage", "consignee_changed", "mass_corrected"), False),
        "events": int(random.integers(2, 6)),
        "stay_hours": float(random.integers(40, 200)),
        "yard_moves": int(random.integers(0, 3)),
        "night_moves": 0,
        "weighed_over_kg": 600.0 if "heavier" in left else float(random.normal(0, 80)),
        "seals_read": 2,
        "seal_changes": int("seal_swapped" in left),
        **dict.fromkeys(("resealed", "opened_by_customs", "scanned", "elsewhere"), 0),
        **dict.fromkeys(("gate_outs", "holds_lifted", "repairs"), 0),
        **dict.fromkeys(("supply_air_over_c", "lot_out_share"), None),
        "road_hours": None,
        **dict.fromkeys(("right_lookups", "right_transfers", "right_users", "night_lookups"), 0),
        "last_transfer_hours": None,
    }
