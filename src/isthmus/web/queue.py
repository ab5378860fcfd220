"""The target queue: what to decide next, why, and until when."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import RowMapping

from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.cases import queue as picked
from isthmus.cases import store as cases
from isthmus.cases.model import OPEN_PICKS, PickState
from isthmus.flow import target
from isthmus.kernel.errors import Invalid
from isthmus.platform.transaction import Transaction
from isthmus.risk import assessments
from isthmus.risk import store as risk
from isthmus.risk.assessments import Told
from isthmus.risk.objectives import Objective
from isthmus.web import store
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, first_desk, may

router = APIRouter()

PAGE = 50
Seen = Annotated[Visitor, Depends(may(Permission.PICK_READ))]
Found = Annotated[Visitor, Depends(may(Permission.UNIT_READ))]
Short = Annotated[str, Query(max_length=70)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
DECIDED = ("cleared", "inspected", "released", "inspection_ordered", "held", "hold_proposed")


@router.get("/")
def home(request: Request, visitor: Annotated[Visitor, Depends(may(*Permission))]) -> Response:
    """Lead everybody to the desk where their work begins."""
    path = first_desk(visitor.actor.permissions)
    if path == "/help":
        return page(request, visitor, "help.html")
    return RedirectResponse(path, status_code=303)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the queue as it is shown."""

    row: RowMapping
    reasons: tuple[str, ...]
    holder: str | None  # the name of who works on it
    mine: bool


@dataclass(frozen=True, slots=True)
class Budget:
    """A run and how far the office has come with it."""

    run: RowMapping
    picked: int
    decided: int


@router.get("/queue")
def queue(
    request: Request,
    visitor: Seen,
    lane: Short = "",
    state: Short = "",
    office: Short = "",
    basis: Short = "",
    objective: Short = "",
    mine: Short = "",
    number: Annotated[PageNumber, Query(alias="page")] = 1,
) -> Response:
    """Show one page of the queue."""
    asked = {k: v for k, v in request.query_params.items() if k in _FILTERS and v}
    wanted = picked.Wanted(
        states=[one for one in PickState if one == state] if state else OPEN_PICKS,
        lane=lane or None,
        office=office or None,
        basis=basis or None,
        objective=objective or None,
        mine=visitor.actor.id if mine else None,
    )

    def read(tx: Transaction) -> dict[str, Any]:
        seen = scope(visitor.actor, Permission.PICK_READ)
        rows = picked.read(tx, seen, wanted, PAGE, (number - 1) * PAGE)
        counts: Counter[str] = Counter()
        for one in picked.counts(tx, seen, wanted):
            counts[one["state"]] += one["picks"]
        told = assessments.tell_current(
            tx, visitor.actor, [row["unit_id"] for row in rows], visitor.reader.locale
        )
        names = {one.id: one.name for one in people.people(tx)}
        learnt = {row["objective"] for row in risk.live_models(tx)}
        return {
            "lines": [_line(row, told.get(row["unit_id"], ()), names, visitor) for row in rows],
            "counts": {code: counts[code] for code in OPEN_PICKS if code in counts},
            "total": sum(counts.values()),
            "budgets": _budgets(tx, visitor),
            "unlearnt": [one.value for one in Objective if one not in learnt],
            "empty": not (rows or asked or number > 1),
        }

    return page(
        request,
        visitor,
        "queue.html",
        wanted=wanted,
        number=number,
        pages=PAGE,
        state=state,
        query=urlencode(asked),
        states=[code.value for code in OPEN_PICKS],
        **visitor.node.database.read(read),
    )


_FILTERS = ("lane", "state", "office", "basis", "objective", "mine")


def _line(
    row: RowMapping, told: Sequence[Told], names: Mapping[str, str | None], visitor: Visitor
) -> Line:
    own = [one for one in told if one.objective == row["objective"]]
    reasons = own[0].reasons if own else ()
    holder = row["taken_by"] if row["state"] in ("taken", "watch") else None
    return Line(row, reasons, names.get(holder) if holder else None, holder == visitor.actor.id)


def _budgets(tx: Transaction, visitor: Visitor) -> list[Budget]:
    """The newest run of each office and objective, with how many of its picks are decided."""
    seen = scope(visitor.actor, Permission.PICK_READ)
    newest: dict[tuple[str | None, str], RowMapping] = {}
    for run in cases.runs(tx, seen, 20):
        newest.setdefault((run["office"], run["objective"]), run)
    budgets = []
    for run in list(newest.values())[:3]:
        states = store.budget(tx, seen, run["id"])
        decided = sum(count for code, count in states.items() if code in DECIDED)
        budgets.append(Budget(run, sum(states.values()), decided))
    return budgets


@router.get("/consignments")
def consignments(
    request: Request,
    visitor: Found,
    q: Short = "",
    objective: Short = Objective.CONTRABAND.value,
    number: Annotated[PageNumber, Query(alias="page")] = 1,
) -> Response:
    """Find a consignment by container, bill or declaration, or walk all open ones by score."""
    text = "".join(q.split()).upper()

    def read(tx: Transaction) -> list[RowMapping]:
        seen = scope(visitor.actor, Permission.UNIT_READ)
        if text:
            # What people type follows the number on the box, what is declared may be in any case.
            found = store.find_units(tx, seen, text, PAGE)
            return found or store.find_units(tx, seen, q.strip(), PAGE)
        return store.ranked_units(tx, seen, objective, PAGE, (number - 1) * PAGE)

    rows = visitor.node.database.read(read)
    if text and len(rows) == 1:
        return RedirectResponse(f"/consignments/{rows[0]['id']}", status_code=303)
    return page(
        request, visitor, "consignments.html", rows=rows, q=q, objective=objective,
        number=number, pages=PAGE,
    )  # fmt: skip


@router.post("/target")
def run_targeting(
    visitor: Annotated[Visitor, Depends(may(Permission.TARGET_RUN))],
    form: Typed,
) -> Response:
    """Pick what to inspect in this shift, within its budget."""
    floor = visitor.node.settings.targeting.random_floor
    try:
        budget, documentary = int(form.text("budget") or 0), int(form.text("documentary") or 0)
        objective = Objective(form.text("objective"))
    except ValueError:
        return back("/queue", problem="value_impossible")
    order = target.Order(
        budget=budget,
        documentary=documentary,
        office=form.text("office") or None,
        shift=form.text("shift")[:40] or "day",
        objective=objective,
        floor=floor,
    )
    try:
        visitor.node.database.write(lambda tx: target.run(tx, visitor.actor, order))
    except Invalid as error:
        return back("/queue", problem=error.code)
    return back("/queue", done="target")
