"""The labelled table: a row for each shipment, of what was declared and seen, and what was so.

The columns are described in ``labelled.json`` as the leak detector and the benchmark read them.
What only the truth knows (which method, how much, what was left) is named there to be ignored.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
import polars as pl

from isthmus.cargo.model import Regime
from isthmus.simulator.actors.traders import Trader
from isthmus.simulator.smuggling.officers import Inspection
from isthmus.simulator.smuggling.planted import Planted
from isthmus.simulator.traffic.boxes import nominal_tare
from isthmus.simulator.traffic.shipment import Shipment
from isthmus.simulator.truth.observed import observed

TABLE = "labelled.parquet"
DESCRIPTION = "labelled.json"
TRUTH = ("objective", "method", "kilograms", "carried", "kind", "traces", "inspected", "found")
ENTITIES = ("shipper", "consignee", "forwarder", "haulier", "vessel", "container")
_ROWS = 50_000  # rows that are gathered before they become a frame


class Labelled:
    """Gathers the rows of a run."""

    def __init__(self) -> None:
        self._rows: list[Mapping[str, object]] = []
        self._frames: list[pl.DataFrame] = []

    def take(
        self,
        shipments: Sequence[Shipment],
        planted: Mapping[int, Planted],
        inspections: Mapping[int, Inspection],
    ) -> None:
        """Take these shipments; the others are by the ``id`` of their shipment."""
        for shipment in shipments:
            key = id(shipment)
            truth = _truth(planted.get(key), inspections.get(key))
            self._rows.append({**_declared(shipment), **observed(shipment), **truth})
        if len(self._rows) >= _ROWS:
            self._frame()

    def write(self, folder: Path) -> None:
        """Write the table, in order of the first paper, and its description."""
        self._frame()
        table = pl.concat(self._frames)
        table.sort("reported_at", "bill").write_parquet(folder / TABLE)
        said = {
            "label": "illicit",
            "id": "bill",
            "time": "reported_at",
            "entities": ENTITIES,
            "ignore": TRUTH,
        }
        (folder / DESCRIPTION).write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2))

    def _frame(self) -> None:
        if self._rows or not self._frames:
            self._frames.append(pl.DataFrame(self._rows, schema=_SCHEMA, orient="row"))
            self._rows = []


def _declared(shipment: Shipment) -> Mapping[str, object]:
    """Return what the papers say: of a changed consignee, that it was changed."""
    call = shipment.arrival or shipment.departure
    if call is None:
        raise TypeError("a shipment has a ship")
    box, goods = shipment.box, shipment.goods
    onward = shipment.departure.service if shipment.arrival and shipment.departure else None
    net = sum(load.net for load in shipment.loads)
    leaves_zone = shipment.regime is Regime.FREE_ZONE_OUT
    return {
        "bill": shipment.bill,
        "reported_at": shipment.reported,
        "regime": shipment.regime.value,
        "service": call.service.code,
        "onward_service": onward.code if onward else None,
        "carrier": call.service.carrier.code,
        "terminal": call.service.terminal.code,
        "onward_terminal": onward.terminal.code if onward else None,
        "vessel": call.ship.imo,
        "container": box.number,
        "origin": shipment.origin,
        "discharge": shipment.discharge,
        "delivery": shipment.delivery,
        "shipper": _name(shipment.shipper),
        "consignee": _name(shipment.consignee),
        "forwarder": _name(shipment.forwarder),
        "hs": shipment.hs,
        "hs_of_lot": shipment.lot.goods.hs if leaves_zone and shipment.lot else None,
        "description": shipment.text,
        "language": shipment.language,
        "packages": sum(load.packages for load in shipment.loads),
        "package_kind": goods.package[0] if goods else None,
        "net_kg": net,
        "gross_kg": sum(load.gross for load in shipment.loads),
        "value_usd": float(shipment.value) if goods else None,
        "freight_usd": float(shipment.freight) if goods else None,
        "size_type": box.size_type,
        "boxes": len(shipment.boxes),
        "tare_kg": box.tare,
        "tare_over_kg": box.tare - nominal_tare(box.size_type),
        "verified_mass": box.verified,
        "set_point": box.set_point,
        "seals": len(box.seals),
        "to_order": shipment.ordered,
        "groupage": shipment.master is not None,
        "consignee_changed": shipment.consignee_after is not None,
        "mass_corrected": shipment.misstated != 1.0,
    }


def _name(trader: Trader | None) -> str | None:
    return trader.name if trader else None


def _truth(planted: Planted | None, inspection: Inspection | None) -> Mapping[str, object]:
    guilty = planted is not None and planted.guilty
    return {
        "illicit": int(guilty),
        "objective": planted.scheme.objective if planted and guilty else None,
        "method": planted.scheme.code if planted else None,
        "kilograms": float(planted.kilograms) if planted and guilty else 0.0,
        "carried": planted.scheme.goods if planted and guilty else None,
        "kind": planted.kind if planted else "lawful",
        "traces": planted.left if planted else [],
        "inspected": inspection.control if inspection else None,
        "found": bool(inspection and inspection.discovery),
    }


_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("bill",), pl.String),
    "reported_at": pl.Datetime("us", "UTC"),
    **dict.fromkeys(
        (
            "regime",
            "service",
            "onward_service",
            "carrier",
            "terminal",
            "onward_terminal",
            "vessel",
            "container",
            "origin",
            "discharge",
            "delivery",
            "shipper",
            "consignee",
            "forwarder",
            "hs",
            "hs_of_lot",
            "description",
            "language",
        ),
        pl.String,
    ),
    "packages": pl.Int64,
    "package_kind": pl.String,
    "net_kg": pl.Int64,
    "gross_kg": pl.Int64,
    "value_usd": pl.Float64,
    "freight_usd": pl.Float64,
    "size_type": pl.String,
    "boxes": pl.Int64,
    "tare_kg": pl.Int64,
    "tare_over_kg": pl.Int64,
    "verified_mass": pl.Boolean,
    "set_point": pl.Float64,
    "seals": pl.Int64,
    **dict.fromkeys(("to_order", "groupage", "consignee_changed", "mass_corrected"), pl.Boolean),
    "events": pl.Int64,
    "stay_hours": pl.Float64,
    "yard_moves": pl.Int64,
    "night_moves": pl.Int64,
    "weighed_over_kg": pl.Float64,
    **dict.fromkeys(
        ("seals_read", "seal_changes", "resealed", "opened_by_customs", "scanned"), pl.Int64
    ),
    "road_hours": pl.Float64,
    **dict.fromkeys(("gate_outs", "holds_lifted", "repairs"), pl.Int64),
    **dict.fromkeys(("supply_air_over_c", "lot_out_share"), pl.Float64),
    **dict.fromkeys(
        ("elsewhere", "right_lookups", "right_transfers", "right_users", "night_lookups"), pl.Int64
    ),
    "last_transfer_hours": pl.Float64,
    "haulier": pl.String,
    "illicit": pl.Int64,
    "objective": pl.String,
    "method": pl.String,
    "kilograms": pl.Float64,
    "carried": pl.String,
    "kind": pl.String,
    "traces": pl.List(pl.String),
    "inspected": pl.String,
    "found": pl.Boolean,
}
