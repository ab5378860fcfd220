"""Units: what the queue is made of, each with all that is known of it."""

from dataclasses import MISSING, fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import orjson
from fastapi import APIRouter, Depends, Query
from pydantic import Field, create_model
from sqlalchemy import RowMapping

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.api.holds import Hold
from isthmus.api.identity import Stated, allowed
from isthmus.api.inspections import Inspection
from isthmus.api.picks import Pick
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import ID, LINE, Answer, At, CodeQuery, IdPath, Limit, Listed, page
from isthmus.cargo import search, service
from isthmus.cargo.model import PartyRole, Regime
from isthmus.cargo.search import Wanted
from isthmus.cargo.unit import Unit as UnitRow
from isthmus.cargo.unit import UnitState
from isthmus.cases import store as cases
from isthmus.platform.transaction import Transaction
from isthmus.risk import store as risk

router = APIRouter(prefix="/api/units", tags=["units"])
Reader = Annotated[Actor, Depends(allowed(Permission.UNIT_READ))]
Opener = Annotated[Actor, Depends(allowed(Permission.PERSON_DATA_READ))]

# A party's reference may be a person's own number: it is told with the parties, for a purpose.
WITHHELD = frozenset(entry.name for entry in fields(UnitRow) if entry.name.endswith("_ref"))


def _unit_fields() -> dict[str, Any]:
    """Make the fields of the answer from the unit itself, which is the one description of it."""
    hints = get_type_hints(UnitRow, include_extras=True)
    made: dict[str, Any] = {}
    for entry in fields(UnitRow):
        if entry.name in WITHHELD:
            continue
        hint, words = hints[entry.name], None
        if get_origin(hint) is Annotated:
            hint, words = get_args(hint)
        default = ... if entry.default is MISSING else entry.default
        made[entry.name] = (hint, Field(default, description=words))
    return made


UnitFlat: type[Answer] = create_model(
    "Unit", __base__=Answer, __doc__="One unit, flat, without parties.", **_unit_fields()
)


class Record(Answer):
    """One version of one record behind a unit, as declared, without parties."""

    id: str
    kind: str = Field(examples=["consignment"])
    key: str
    version: int
    function: str = Field(description="code list `message_functions`")
    state: str
    document_id: str
    position: str
    body: dict[str, Any]
    flags: list[Any]
    received_at: At


class Assessment(Answer):
    """A unit's score for one objective, and what it rests on."""

    id: str
    objective: str
    at: At
    unit_version: int
    score: float
    band: str = Field(description="code list `risk_bands`")
    basis: str = Field(description="model: a calibrated probability; else an order of urgency")
    mandated_by: str | None
    lane: str | None
    reasons: list[dict[str, Any]] = Field(description="codes with parameters")
    shadow: list[str] = Field(description="rules on trial that fired and changed nothing")
    ruleset_id: str
    model_id: str | None
    code_version: str
    current: bool
    erased: bool


class UnitWhole(Answer):
    """A unit with everything behind it that the caller may see."""

    unit: UnitFlat
    records: list[Record]
    assessments: list[Assessment]
    picks: list[Pick]
    holds: list[Hold]
    inspections: list[Inspection]


class DeclaredParty(Answer):
    """A party as one record version declares it."""

    record_id: str
    role: PartyRole
    ref: str
    name: str | None
    identifier: str | None
    address: dict[str, Any] | None
    category: str = Field(description="code list `data_subject_categories`")
    purpose: str
    review_on: str
    retain_until: str


class Parties(Answer):
    """The parties behind a unit."""

    items: list[DeclaredParty]


@router.get("", responses=answers())
def search_units(
    node: NodeServed,
    actor: Reader,
    container: CodeQuery = None,
    bill: Annotated[str | None, Query(min_length=1, max_length=80, pattern=LINE)] = None,
    declaration: Annotated[str | None, Query(min_length=1, max_length=80, pattern=LINE)] = None,
    vessel_imo: Annotated[str | None, Query(pattern=r"^[0-9]{7}$")] = None,
    voyage: CodeQuery = None,
    regime: Regime | None = None,
    office: CodeQuery = None,
    terminal: CodeQuery = None,
    state: UnitState | None = None,
    hs: Annotated[str | None, Query(pattern=r"^([0-9]{2}){1,3}$")] = None,
    before: Annotated[
        str | None, Query(pattern=ID, description="last id of the page before")
    ] = None,
    limit: Limit = 100,
) -> Listed[UnitFlat]:
    """Return units that match, the newest known first."""
    wanted = Wanted(
        container=container.upper() if container else None,
        bill=bill,
        declaration=declaration,
        vessel_imo=vessel_imo,
        voyage=voyage,
        regime=regime,
        office=office,
        terminal=terminal,
        state=state,
        hs=hs,
    )
    rows = node.database.read(
        lambda tx: search.search(
            tx, scope(actor, Permission.UNIT_READ), wanted, before=before, limit=limit + 1
        )
    )
    return page([UnitFlat.model_validate(row) for row in rows], limit)


@router.get("/{unit_id}", responses=answers(404))
def read_unit(node: NodeServed, actor: Reader, unit_id: IdPath) -> UnitWhole:
    """Return one unit: record versions side by side, assessments, picks, holds, inspections."""
    return node.database.read(lambda tx: _whole(tx, actor, unit_id))


@router.get("/{unit_id}/parties", responses=answers(404), dependencies=[Stated])
def read_parties(node: NodeServed, actor: Opener, unit_id: IdPath) -> Parties:
    """Return the parties behind a unit. Needs a task on it or a reason, and is logged."""

    def work(tx: Transaction) -> list[RowMapping]:
        return service.open_parties(tx, actor, service.find_unit(tx, actor, unit_id))

    rows = node.database.write(work)
    return Parties(items=[_party(row) for row in rows])


def _whole(tx: Transaction, actor: Actor, unit_id: str) -> UnitWhole:
    unit = service.find_unit(tx, actor, unit_id)
    holds = cases.holds_of_unit(tx, scope(actor, Permission.HOLD_READ), unit_id)
    orders = cases.inspections_of_unit(tx, scope(actor, Permission.INSPECTION_READ), unit_id)
    assessed = risk.assessments_of(tx, scope(actor, Permission.UNIT_READ), unit_id)
    return UnitWhole(
        unit=UnitFlat.model_validate(unit),
        records=[_record(row) for row in service.records_behind(tx, actor, unit)],
        assessments=[assessment(row) for row in assessed],
        picks=[
            Pick.model_validate(dict(row))
            for row in cases.picks_of_unit(tx, scope(actor, Permission.PICK_READ), unit_id)
        ],
        holds=[Hold.of(row, actor) for row in holds],
        inspections=[Inspection.model_validate(dict(row)) for row in orders],
    )


def _record(row: RowMapping) -> Record:
    # Who used a port system is known for watching release rights, a purpose of its own.
    body = {name: value for name, value in row["body"].items() if name != "user"}
    return Record.model_validate({**row, "body": body})


def assessment(row: RowMapping) -> Assessment:
    """Return an assessment as its answer; an erased one keeps its score and loses its reasons."""
    body = orjson.loads(row["body"]) if row["body"] is not None else {}
    return Assessment.model_validate(
        {
            **row,
            "reasons": body.get("reasons", []),
            "shadow": body.get("shadow", []),
            "erased": row["body"] is None,
        }
    )


def _party(row: RowMapping) -> DeclaredParty:
    days = {name: row[name].isoformat() for name in ("review_on", "retain_until")}
    return DeclaredParty.model_validate({**row, **days})
