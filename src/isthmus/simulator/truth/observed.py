"""What could be seen of a box while it could still be stopped: read from its own events."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from isthmus.cargo.model import ContainerEvent, Regime
from isthmus.simulator.traffic.shipment import Box, Shipment

LEAD = timedelta(hours=1)  # a hold must reach the gate or crane this long before the box goes
_NIGHT = range(3, 10)  # hours in UTC: 22 to 5 o'clock in Panama
_MOVE = "isth:yard_move"
_WEIGH = "isth:weigh"
_RIGHT = "isth:release_right_"


def deadline(shipment: Shipment) -> datetime:
    """Return the last moment at which the shipment's first box can still be stopped here."""
    moves = [move.at for move in shipment.moves if move.container == shipment.box.number]
    return (max(moves) if moves else shipment.reported) - LEAD


def observed(shipment: Shipment) -> Mapping[str, object]:
    """Return what was observed of its first box until the deadline, as columns of a table.

    Masses in kilograms, times in hours; None where nothing was seen.
    """
    until = deadline(shipment)
    box = shipment.box
    moves = sorted(
        (m for m in shipment.moves if m.container == box.number and m.at <= until),
        key=lambda move: (move.at, move.code),
    )
    yard = [move for move in moves if move.code == _MOVE]
    rights = [move for move in moves if move.code.startswith(_RIGHT)]
    return {
        "events": len(moves),
        "stay_hours": _hours(until - moves[0].at) if moves else None,
        "yard_moves": len(yard),
        "night_moves": sum(move.at.hour in _NIGHT for move in yard),
        "weighed_over_kg": _over(box, moves),
        "seals_read": sum(bool(move.seals) for move in moves),
        "seal_changes": _seal_changes(box, moves),
        "resealed": sum(move.code == "RSEA" for move in moves),
        "opened_by_customs": sum(move.code == "CUSI" for move in moves),
        "scanned": sum(move.code == "isth:scan" for move in moves),
        "road_hours": _road_hours(moves),
        "elsewhere": _elsewhere(shipment, moves),
        "gate_outs": sum(move.code == "GTOT" for move in moves),
        "holds_lifted": sum(move.code == "isth:release" for move in moves),
        "repairs": sum(name == "repaired" for move in moves for name, _ in move.detail),
        "supply_air_over_c": _warm(box, moves),
        "lot_out_share": _lot_out(shipment),
        "right_lookups": sum(move.code.endswith("lookup") for move in rights),
        "right_transfers": sum(move.code.endswith("transfer") for move in rights),
        "right_users": len({move.user for move in rights if move.user}),
        "night_lookups": sum(move.at.hour in _NIGHT for move in rights),
        "last_transfer_hours": _last_transfer(rights, until),
        "haulier": next((m.haulier for m in reversed(moves) if m.haulier), None),
    }


def _over(box: Box, moves: Sequence[ContainerEvent]) -> float | None:
    """Return how much more a scale showed than the papers say."""
    shown = [move.weight_kg for move in moves if move.code == _WEIGH and move.weight_kg]
    return float(shown[-1] - Decimal(box.tare + box.gross)) if shown else None


def _seal_changes(box: Box, moves: Sequence[ContainerEvent]) -> int:
    """Return how often a box was seen with seals that nothing told explains."""
    known = {seal.number for seal in box.seals}
    changes = 0
    for move in moves:
        seen = {seal.number for seal in move.seals}
        if move.code == "RSEA":
            known = seen
        elif seen and seen != known:
            changes += 1
            known = seen
    return changes


def _warm(box: Box, moves: Sequence[ContainerEvent]) -> float | None:
    """Return by how much the warmest supply air read of a reefer was over its set point."""
    shown = [float(v) for move in moves for name, v in move.detail if name == "supply_air_c"]
    return max(shown) - box.set_point if shown and box.set_point is not None else None


def _lot_out(shipment: Shipment) -> float | None:
    """Return what leaves the free zone as a share of what entered under the same lot."""
    if shipment.lot is None or shipment.regime is not Regime.FREE_ZONE_OUT:
        return None
    net = sum(load.net for load in shipment.loads)
    return round(net / max(1, shipment.lot.entered), 4)


def _road_hours(moves: Sequence[ContainerEvent]) -> float | None:
    left: datetime | None = None
    for move in moves:
        if move.code == "GTOT":
            left = move.at
        elif move.code == "GTIN" and left is not None:
            return _hours(move.at - left)
    return None


def _elsewhere(shipment: Shipment, moves: Sequence[ContainerEvent]) -> int:
    """Return how often its number was seen at a terminal where it has no business."""
    calls = [call for call in (shipment.arrival, shipment.departure) if call]
    own = {call.service.terminal.code for call in calls}
    return sum(move.terminal is not None and move.terminal not in own for move in moves)


def _last_transfer(rights: Sequence[ContainerEvent], until: datetime) -> float | None:
    passed = [move.at for move in rights if move.code.endswith("transfer")]
    return _hours(until - max(passed)) if passed else None


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 2)
