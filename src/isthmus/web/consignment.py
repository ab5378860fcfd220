"""One consignment: all that is known of it on one page, and what may be decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import RowMapping

from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.cargo import service as cargo
from isthmus.cargo.model import GoodsItem, Packages, Seal
from isthmus.cargo.unit import Unit
from isthmus.cases import store as cases
from isthmus.cases.model import ACTIVE_HOLDS, HOLD_STEPS, OPEN_PICKS, HoldState, PickState
from isthmus.flow import judge
from isthmus.kernel.errors import PurposeNeeded
from isthmus.platform.transaction import Transaction
from isthmus.risk import assessments
from isthmus.risk.assessments import Told
from isthmus.web.differences import compare
from isthmus.web.history import timeline
from isthmus.web.page import page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

LIST_RULES = "rule:list_"  # how the codes of reasons by the shipped rules of lists begin

Seen = Annotated[Visitor, Depends(may(Permission.UNIT_READ))]
Opening = Annotated[Visitor, Depends(may(Permission.PERSON_DATA_READ))]


@dataclass(frozen=True, slots=True)
class Parties:
    """The declared parties as far as this reader may see them now."""

    state: str  # open, reason_needed, closed
    rows: Sequence[RowMapping] = ()
    problem: str | None = None
    typed: str = ""


@router.get("/consignments/{unit_id}")
def consignment(request: Request, visitor: Seen, unit_id: str, features: str = "") -> Response:
    """Show everything known of one consignment."""
    parties = Parties("closed")
    if visitor.may(Permission.PERSON_DATA_READ):
        parties = _parties_by_task(visitor, unit_id)
    return _show(request, visitor, unit_id, parties, with_features=bool(features))


@router.post("/consignments/{unit_id}/parties")
def open_parties(request: Request, visitor: Opening, unit_id: str, form: Typed) -> Response:
    """Open the declared parties for a reason that is kept for supervision."""
    reason = form.text("reason")
    try:
        rows = visitor.node.database.write(lambda tx: _open(tx, visitor, unit_id, reason))
    except PurposeNeeded as error:
        parties = Parties("reason_needed", problem=f"problem.{error.code}", typed=reason)
        return _show(request, visitor, unit_id, parties, status=422)
    return _show(request, visitor, unit_id, Parties("open", rows))


def _parties_by_task(visitor: Visitor, unit_id: str) -> Parties:
    """Who works on a consignment sees its parties; the look-up is logged all the same."""

    def has_task(tx: Transaction) -> bool:
        return people.assignment_for(tx, visitor.actor.id, [unit_id]) is not None

    if not visitor.node.database.read(has_task):
        return Parties("reason_needed")
    return Parties(
        "open", visitor.node.database.write(lambda tx: _open(tx, visitor, unit_id, None))
    )


def _open(tx: Transaction, visitor: Visitor, unit_id: str, reason: str | None) -> list[RowMapping]:
    unit = cargo.find_unit(tx, visitor.actor, unit_id)
    rows = cargo.open_parties(tx, visitor.actor, unit, reason)
    return rows[::-1]  # the newest version first: that is who it is about now


def _show(
    request: Request,
    visitor: Visitor,
    unit_id: str,
    parties: Parties,
    *,
    status: int = 200,
    with_features: bool = False,
) -> Response:
    known = visitor.node.database.read(lambda tx: _known(tx, visitor, unit_id, with_features))
    return page(
        request,
        visitor,
        "consignment.html",
        status=status,
        parties=parties,
        with_features=with_features,
        **known,
    )


def _known(tx: Transaction, visitor: Visitor, unit_id: str, with_features: bool) -> dict[str, Any]:
    actor = visitor.actor
    unit = cargo.find_unit(tx, actor, unit_id)
    records = cargo.records_behind(tx, actor, unit)
    told = assessments.tell(tx, actor, unit_id, visitor.reader.locale, deep=True)
    current = [one for one in told if one.current]
    seen = {
        "picks": cases.picks_of_unit(tx, scope(actor, Permission.PICK_READ), unit_id),
        "holds": cases.holds_of_unit(tx, scope(actor, Permission.HOLD_READ), unit_id),
        "inspections": cases.inspections_of_unit(
            tx, scope(actor, Permission.INSPECTION_READ), unit_id
        ),
    }
    orders = [row["id"] for row in seen["inspections"]]
    return {
        "unit": unit,
        "current": sorted(current, key=lambda one: -one.score),
        "earlier": [one for one in told if not one.current][:20],
        "versions": {row["id"]: row for row in records},
        "goods": _goods(records, unit),
        "seals": _seals(records, unit),
        "comparisons": compare(records),
        "days": timeline(visitor, unit, records, **seen),
        "listed": judge.on_unit(tx, actor, unit) if visitor.may(Permission.HIT_READ) else None,
        "effects": _effects(current),
        "findings": cases.findings(tx, scope(actor, Permission.INSPECTION_READ), orders),
        "names": {one.id: one.name or "–" for one in people.people(tx)},
        "features": _features(tx, visitor, unit_id) if with_features else [],
        **_open_acts(visitor, seen),
        **seen,
    }


def _effects(current: Sequence[Told]) -> list[tuple[Told, str]]:
    """What list hits did to the assessments in force: each with the reason in words."""
    return [
        (told, words)
        for told in current
        if told.row["body"] is not None
        for reason, words in zip(
            orjson.loads(told.row["body"])["reasons"], told.reasons, strict=True
        )
        if str(reason["code"]).startswith(LIST_RULES)
    ]


def _open_acts(visitor: Visitor, seen: dict[str, list[RowMapping]]) -> dict[str, Any]:
    """What this person may do now; the services decide again when it is done."""
    pick = next((row for row in seen["picks"] if row["state"] in OPEN_PICKS), None)
    hold = next((row for row in seen["holds"] if HOLD_STEPS.get(HoldState(row["state"]))), None)
    state = PickState(pick["state"]) if pick else None
    mine = (
        pick is not None
        and pick["taken_by"] == visitor.actor.id
        and state in (PickState.TAKEN, PickState.WATCH)
    )
    may_order = visitor.may(Permission.INSPECTION_ORDER)
    may_refuse = (
        hold is not None
        and hold["state"] == HoldState.PROPOSED
        and visitor.may(Permission.HOLD_CONFIRM)
    )
    acts = {
        "take": visitor.may(Permission.PICK_TAKE)
        and (state is PickState.OFFERED or (state is PickState.WATCH and not mine)),
        "put_back": mine and state is PickState.TAKEN and visitor.may(Permission.PICK_TAKE),
        "clear": mine and visitor.may(Permission.PICK_CLEAR),
        "watch": mine and state is PickState.TAKEN and visitor.may(Permission.PICK_TAKE),
        "hold": mine and visitor.may(Permission.HOLD_PROPOSE),
        "inspect": may_order and ((mine and state is PickState.TAKEN) or state is PickState.HELD),
        "refuse": may_refuse,
        "confirm": may_refuse and hold is not None and hold["proposed_by"] != visitor.actor.id,
        "extend": hold is not None
        and hold["state"] in ACTIVE_HOLDS
        and visitor.may(Permission.HOLD_CONFIRM),
        "release": hold is not None
        and hold["state"] != HoldState.PROPOSED
        and visitor.may(Permission.HOLD_RELEASE),
    }
    return {"pick": pick, "hold": hold, "acts": {name for name, on in acts.items() if on}}


def _goods(records: Sequence[RowMapping], unit: Unit) -> list[dict[str, Any]]:
    """The goods lines of the newest versions: the declaration's first, where there is one."""
    lines: list[dict[str, Any]] = []
    for kind in ("declaration", "consignment"):
        for record in records:
            if record["kind"] == kind and record["state"] == "current":
                for line in record["body"].get("goods", ()):
                    boxes = line.get("containers")
                    if not boxes or unit.container is None or unit.container in boxes:
                        lines.append({**_whole(GoodsItem, line), "source": kind})
                        packages = [_whole(Packages, one) for one in line.get("packages", ())]
                        lines[-1]["packages"] = packages
    return lines


def _seals(records: Sequence[RowMapping], unit: Unit) -> list[dict[str, Any]]:
    """The seals that the newest manifest and declaration name on the container."""
    return [
        {**_whole(Seal, seal), "source": record["kind"]}
        for record in records
        if record["kind"] in ("consignment", "declaration") and record["state"] == "current"
        for box in record["body"].get("containers", ())
        if unit.container is None or box["number"] == unit.container
        for seal in box.get("seals", ())
    ]


def _whole(of: type, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of a record's part with what was left out as None."""
    return {**dict.fromkeys(entry.name for entry in fields(of)), **plain}


def _features(tx: Transaction, visitor: Visitor, unit_id: str) -> list[tuple[str, str]]:
    """The values that the newest assessment was made from, in the order of the row."""
    import zlib

    from isthmus.risk import store as risk
    from isthmus.risk.catalogue import derived_features, unit_features
    from isthmus.risk.explain import shown

    rows = risk.current_for(tx, scope(visitor.actor, Permission.UNIT_READ), [unit_id])
    body = risk.feature_body(tx, rows[0]["feature_row_id"]) if rows else None
    if body is None:
        return []
    values = orjson.loads(zlib.decompress(body))
    known = {**unit_features(), **derived_features()}
    locale = visitor.reader.locale
    return [
        (feature.label(locale), shown(values[name], locale))
        for name, feature in known.items()
        if values.get(name) is not None
    ]
