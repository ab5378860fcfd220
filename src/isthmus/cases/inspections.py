"""Inspections: ordered, accepted, done with a result; what was found is counted in its own unit."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from isthmus.access import service as people
from isthmus.access.gate import check, scope
from isthmus.access.model import Actor, Permission, Purpose
from isthmus.cargo.unit import Unit
from isthmus.cases import chains, picks, store
from isthmus.cases.model import (
    ACTIVE_HOLDS,
    INSPECTION_STEPS,
    InspectionState,
    PickState,
    Result,
    step,
)
from isthmus.cases.partner_model import Override
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.kernel.ids import new_id
from isthmus.platform import audit, events
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list

# Results that say an irregularity was there: they need the objective it belongs to.
IRREGULAR = (Result.DOCUMENTARY, Result.NON_COMPLIANT, Result.SEIZURE)
LONGEST_DELAY = 60 * 24 * 90


@dataclass(frozen=True, slots=True)
class Found:
    """Something an inspection found."""

    goods: str
    quantity: float | None = None
    unit: str | None = None
    pieces: int | None = None
    zone: str | None = None
    note: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What an inspector reports. ``share_unloaded`` is 0 to 1; the delay is the trade's."""

    result: Result
    control_type: str
    minutes_delay: int
    share_unloaded: float = 0.0
    objective: str | None = None
    findings: tuple[Found, ...] = ()


def order(
    tx: Transaction,
    actor: Actor,
    unit: Unit,
    control_type: str,
    pick_id: str | None = None,
    override: Override | None = None,
) -> str:
    """Order an inspection of a unit, from its pick where there is one; returns its id.

    A pick that an officer works on is decided by that officer; of a held unit whoever may order
    inspections orders it. Raises ``Conflict`` when one is under way, or when the box is inspected
    in a chain with a partner and no reason to open it again (``override``) is given.
    """
    check(
        tx,
        actor,
        Permission.INSPECTION_ORDER,
        office=unit.office,
        terminal=unit.terminal,
        object_id=unit.id,
    )
    _code("control_types", control_type, "control_type")
    tx.lock([unit.id])
    open_ = (InspectionState.ORDERED, InspectionState.ACCEPTED)
    if any(row["state"] in open_ for row in store.inspection_rows(tx, unit.id)):
        raise Conflict("inspection_open", "an inspection of this unit is under way", unit=unit.id)
    chain = chains.guard_opening(tx, unit, control_type, override)
    if pick_id is not None:
        pick = store.pick(tx, scope(actor, Permission.PICK_READ), pick_id)
        if pick["unit_id"] != unit.id:
            raise Invalid("pick_foreign", "the pick is of another unit", pick=pick_id)
        if pick["state"] != PickState.HELD:
            picks.check_own(pick, actor)
        picks.move(
            tx,
            pick_id,
            PickState.INSPECTION_ORDERED,
            decided_by=actor.id,
            decided_at=tx.now,
            taken_until=None,
        )
    inspection_id = new_id("insp")
    store.insert_inspection(
        tx,
        {
            "id": inspection_id,
            "pick_id": pick_id,
            "unit_id": unit.id,
            "office": unit.office,
            "terminal": unit.terminal,
            "state": InspectionState.ORDERED,
            "control_type": control_type,
            "ordered_by": actor.id,
            "ordered_at": tx.now,
            "override": override.reason if override and chain else None,
            "chain": chain,
        },
    )
    detail = {}
    if chain and override:
        detail = {"chain": chain, "override": override.reason}
        chains.reopen(tx, actor, chain, inspection_id, override)
    _note(
        tx, actor, "inspection.order", inspection_id, unit.id, control_type=control_type, **detail
    )
    return inspection_id


def accept(tx: Transaction, actor: Actor, inspection_id: str) -> None:
    """Accept an order: the inspection is this inspector's task and gives the purpose."""
    row = _inspection(tx, actor, inspection_id, Permission.INSPECTION_ACCEPT)
    _move(tx, row, InspectionState.ACCEPTED, accepted_by=actor.id, accepted_at=tx.now)
    people.assign(tx, actor, actor.id, "unit", row["unit_id"], purpose=Purpose.INSPECTION)
    _note(tx, actor, "inspection.accept", inspection_id, row["unit_id"])


def decline(tx: Transaction, actor: Actor, inspection_id: str, reason: str) -> None:
    """Decline an order with a reason; the pick goes back to be decided on again."""
    row = _inspection(tx, actor, inspection_id, Permission.INSPECTION_ACCEPT)
    _code("reasons", reason, "reason")
    _move(tx, row, InspectionState.DECLINED, decline_reason=reason)
    if row["pick_id"]:
        holds = store.hold_rows(tx, row["unit_id"])
        if any(h["state"] in ACTIVE_HOLDS and h["pick_id"] == row["pick_id"] for h in holds):
            picks.move(tx, row["pick_id"], PickState.HELD)
        else:
            picks.move(tx, row["pick_id"], PickState.TAKEN, taken_until=tx.now + picks.LOCK)
    if row["accepted_by"] is not None:
        people.unassign(tx, actor, row["accepted_by"], "unit", row["unit_id"])
    _note(tx, actor, "inspection.decline", inspection_id, row["unit_id"], reason=reason)


def report(tx: Transaction, actor: Actor, inspection_id: str, told: Report) -> RowMapping:
    """Record what an inspection came to; the loop learns from it. Returns the inspection."""
    row = _inspection(tx, actor, inspection_id, Permission.INSPECTION_RECORD)
    _check_report(told)
    _move(
        tx,
        row,
        InspectionState.DONE,
        done_by=actor.id,
        done_at=tx.now,
        result=told.result,
        control_type=told.control_type,
        objective=told.objective,
        share_unloaded=told.share_unloaded,
        minutes_delay=told.minutes_delay,
    )
    if row["override"] is not None:
        chains.reopened(tx, inspection_id, told.result)
    store.insert_findings(tx, [_finding(inspection_id, found) for found in told.findings])
    picks.move(tx, row["pick_id"], PickState.INSPECTED)
    picks.end_task(tx, actor, row["pick_id"])
    people.unassign(tx, actor, row["accepted_by"], "unit", row["unit_id"])
    _note(
        tx,
        actor,
        "inspection.report",
        inspection_id,
        row["unit_id"],
        result=told.result,
        objective=told.objective,
        findings=len(told.findings),
    )
    events.emit(
        tx,
        "inspection.done",
        row["unit_id"],
        inspection=inspection_id,
        pick=row["pick_id"],
        result=told.result.value,
        objective=told.objective,
    )
    return store.inspection(tx, scope(actor, Permission.INSPECTION_READ), inspection_id)


def _check_report(told: Report) -> None:
    _code("control_types", told.control_type, "control_type")
    if not 0 <= told.share_unloaded <= 1:
        raise Invalid(
            "value_impossible",
            "the share unloaded is between 0 and 1",
            field="share_unloaded",
            value=told.share_unloaded,
        )
    if not 0 <= told.minutes_delay <= LONGEST_DELAY:
        raise Invalid(
            "value_impossible",
            f"minutes of delay are between 0 and {LONGEST_DELAY}",
            field="minutes_delay",
            value=told.minutes_delay,
        )
    if told.objective is not None:
        _code("objectives", told.objective, "objective")
    if (told.result in IRREGULAR) != (told.objective is not None):
        raise Invalid(
            "objective_mismatch",
            "an irregularity needs the objective it belongs to, and nothing else may name one",
            field="objective",
            value=told.objective,
        )
    if told.result is Result.SEIZURE and not told.findings:
        raise Invalid("finding_missing", "a seizure needs what was found", field="findings")
    if told.findings and told.result not in IRREGULAR:
        raise Invalid("finding_unfit", "this result goes with no findings", field="findings")
    for found in told.findings:
        _code("seized_goods", found.goods, "findings.goods")
        if found.zone is not None:
            _code("concealment_zones", found.zone, "findings.zone")
        if found.quantity is not None and not 0 < found.quantity < 1e9:
            raise Invalid(
                "value_impossible",
                "a quantity is above 0",
                field="findings.quantity",
                value=found.quantity,
            )
        counted_in = code_list("seized_goods").entries[found.goods].extra["counting_unit"]
        if found.unit is not None and found.unit != counted_in:  # money is counted in a currency
            _code("units", found.unit, "findings.unit")
        if found.pieces is not None and not 0 < found.pieces < 1e9:
            raise Invalid(
                "value_impossible",
                "pieces are counted from 1",
                field="findings.pieces",
                value=found.pieces,
            )


def _code(name: str, code: str, field: str) -> None:
    if code not in code_list(name):
        raise Invalid("code_unknown", f"not in the code list {name}", field=field, value=code)


def _finding(inspection_id: str, found: Found) -> dict[str, Any]:
    return {
        "id": new_id("find"),
        "inspection_id": inspection_id,
        "goods": found.goods,
        "quantity": found.quantity,
        "unit": found.unit,
        "pieces": found.pieces,
        "zone": found.zone,
        "note": found.note,
        "language": found.language,
    }


def _inspection(
    tx: Transaction, actor: Actor, inspection_id: str, permission: Permission
) -> RowMapping:
    tx.lock([inspection_id])
    row = store.inspection(tx, scope(actor, Permission.INSPECTION_READ), inspection_id)
    check(
        tx,
        actor,
        permission,
        office=row["office"],
        terminal=row["terminal"],
        object_id=inspection_id,
    )
    return row


def _move(tx: Transaction, row: RowMapping, then: InspectionState, **values: Any) -> None:
    step(INSPECTION_STEPS, InspectionState(row["state"]), then, row["id"])
    store.change_inspection(tx, row["id"], state=then, **values)


def _note(
    tx: Transaction, actor: Actor, action: str, inspection_id: str, unit_id: str, **detail: Any
) -> None:
    audit.record(
        tx,
        actor.id,
        action,
        "inspection",
        inspection_id,
        agency=actor.agency,
        purpose=Purpose.INSPECTION,
        unit=unit_id,
        **detail,
    )
