"""Draft: what a consignment tells, laid out as the body of an item that may cross a border.

Only objects are taken over: box, seals, ship, papers, route, goods, and what an inspection found.
Nobody who is named on the papers is among them. A person completes the draft and decides.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission
from isthmus.cargo import service as cargo
from isthmus.cargo.unit import Unit
from isthmus.cases import store as cases
from isthmus.intelligence import schema
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.validation import known
from isthmus.kernel.time import isoformat
from isthmus.platform.transaction import Transaction
from isthmus.reference import harmonised

# A lookout ends; whoever drafts it may say when.
WATCH_FOR = timedelta(days=30)
_SEAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./-")


@dataclass(frozen=True, slots=True)
class Draft:
    """The body of an item before anybody completed it, and the consignment it speaks of."""

    kind: ItemKind
    unit: Unit
    body: Mapping[str, Any]


def of_unit(tx: Transaction, actor: Actor, unit_id: str, kind: ItemKind = ItemKind.ALERT) -> Draft:
    """Return a draft about a consignment that the actor may see, with what was found in it.

    Only fields that the kind has are filled in. Raises ``NotFound``.
    """
    check(tx, actor, Permission.ITEM_WRITE)
    unit = cargo.find_unit(tx, actor, unit_id)
    seen = scope(actor, Permission.INSPECTION_READ)
    orders = cases.inspections_of_unit(tx, seen, unit_id)
    found = cases.findings(tx, seen, [row["id"] for row in orders])
    told = {
        **_objects(unit, cargo.records_behind(tx, actor, unit)),
        **_route(unit),
        **_outcome(orders, found),
        **_asked(tx, unit, found),
    }
    fields = schema.fields(kind)
    return Draft(
        kind, unit, {name: value for name, value in told.items() if name in fields and value}
    )


def _objects(unit: Unit, records: Sequence[RowMapping]) -> dict[str, Any]:
    papers = [("bill_of_lading", unit.bill or unit.master_bill)]
    papers.append(("declaration", unit.declaration_key))
    return {
        "containers": [unit.container] if unit.container else [],
        "container": unit.container,
        "seals": _seals(unit, records),
        "vessels": [{"imo": unit.vessel_imo}] if unit.vessel_imo else [],
        "documents": [{"kind": kind, "number": number} for kind, number in papers if number],
        "goods": _goods(unit),
    }


def _seals(unit: Unit, records: Iterable[RowMapping]) -> list[str]:
    """The seals that the newest papers name on the box, as seals are written."""
    numbers = {
        "".join(str(seal["number"]).upper().split())
        for record in records
        if record["kind"] in ("consignment", "declaration") and record["state"] == "current"
        for box in record["body"].get("containers", ())
        if unit.container is None or box["number"] == unit.container
        for seal in box.get("seals", ())
        if seal.get("number")
    }
    return sorted(one for one in numbers if 0 < len(one) <= 35 and _SEAL.issuperset(one))


def _goods(unit: Unit) -> list[dict[str, Any]]:
    """The goods as declared, by their code and quantities: their words may name somebody."""
    line: dict[str, Any] = {}
    if unit.hs6 and harmonised.is_known(unit.hs6) is not None:
        line["hs"] = unit.hs6
    if unit.gross_kg:
        line |= {"quantity": f"{unit.gross_kg:.3f}".rstrip("0").rstrip("."), "unit": "KGM"}
    if unit.package_count:
        line["packages"] = unit.package_count
    return [line] if line else []


def _route(unit: Unit) -> dict[str, Any]:
    stops = {
        "origins": (unit.place_origin, unit.place_loading),
        "transhipments": (unit.place_transhipment,),
        "destinations": (unit.place_discharge, unit.place_delivery),
    }
    return {
        name: list(dict.fromkeys(one for one in places if one and known("places", one)))
        for name, places in stops.items()
    } | {
        "voyage": unit.voyage,
        "arrives_at": isoformat(unit.arrival_at) if unit.arrival_at else None,
    }


def _outcome(orders: Sequence[RowMapping], found: Sequence[RowMapping]) -> dict[str, Any]:
    """What the inspections of the box came to; what was found goes before what was declared."""
    objectives = [row["objective"] for row in orders if row["objective"]]
    told: dict[str, Any] = {"objective": objectives[-1]} if objectives else {}
    goods = []
    for row in found:
        line: dict[str, Any] = {"class": row["goods"]}
        if row["quantity"]:
            quantity = f"{float(row['quantity']):.3f}".rstrip("0").rstrip(".")
            line |= {"quantity": quantity, "unit": row["unit"]}
        goods.append(line)
    if goods:
        told["goods"] = goods
        told["concealment_zones"] = sorted({row["zone"] for row in found if row["zone"]})
    return told


def _asked(tx: Transaction, unit: Unit, found: Sequence[RowMapping]) -> dict[str, Any]:
    reason = "seizure_linked" if found else "risk_assessment"
    return {
        "reason": reason,
        "action": "assess",
        "expires_at": isoformat((tx.now + WATCH_FOR).replace(microsecond=0)),
        "seen_at": isoformat(tx.now.replace(microsecond=0)),
        "means": "declaration",
        "place": _place(unit),
    }


def _place(unit: Unit) -> str | None:
    place = unit.place_discharge
    return place if place and known("places", place) else None
