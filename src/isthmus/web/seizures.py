"""Seizures: one number on both sides, what was seized, what it weighed, and whose credit it is."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from isthmus.access import store as people
from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.api.requests import own_node, pace
from isthmus.cases import partner_store, seizures
from isthmus.cases.seizures import Credit
from isthmus.exchange.trust import partners
from isthmus.flow.sharing import asking
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list
from isthmus.web.page import back, page
from isthmus.web.visitor import Form, Typed, Visitor, may

router = APIRouter()

PAGE = 50
MOST_SHARES = 8
Seen = Annotated[Visitor, Depends(may(Permission.SEIZURE_READ))]
Registering = Annotated[Visitor, Depends(may(Permission.SEIZURE_REGISTER))]
Writing = Annotated[Visitor, Depends(may(Permission.ITEM_SEND))]
PageNumber = Annotated[int, Query(ge=1, le=100_000, alias="page")]


@router.get("/seizures")
def desk(request: Request, visitor: Seen, number: PageNumber = 1) -> Response:
    """Show seizures, the newest first: each once, whoever took part."""
    seen = scope(visitor.actor, Permission.SEIZURE_READ)

    def read(tx: Transaction) -> dict[str, Any]:
        rows = partner_store.newest_seizures(tx, seen, PAGE + 1, (number - 1) * PAGE)
        shown = [row["number"] for row in rows[:PAGE]]
        return {
            "rows": rows[:PAGE],
            "more": len(rows) > PAGE,
            "goods": _by_number(seizures.goods(tx, visitor.actor, shown)),
            "credits": _by_number(partner_store.credits_of(tx, seen, shown)),
        }

    found = visitor.node.database.read(read)
    return page(request, visitor, "seizures.html", number=number, **found)


def _by_number(rows: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(row)
    return found


@router.post("/seizures")
def register(visitor: Registering, form: Typed) -> Response:
    """Give the seizure of an inspection its number."""
    inspection = form.text("inspection")
    try:
        number = visitor.node.database.write(
            lambda tx: seizures.register(
                tx, visitor.actor, inspection, own_node(visitor.node), pace=pace(visitor.node)
            )
        )
    except (Conflict, Invalid) as error:
        return back(f"/inspections/{quote(inspection)}", problem=error.code)
    return back(f"/seizures/{number}", done="seizure_registered")


@router.get("/seizures/{number}")
def one(request: Request, visitor: Seen, number: str) -> Response:
    """Show one seizure."""
    actor = visitor.actor
    seen = scope(actor, Permission.SEIZURE_READ)

    def read(tx: Transaction) -> dict[str, Any]:
        row = partner_store.seizure(tx, seen, number)
        known = partners.directory(tx, actor) if visitor.may(Permission.PARTNER_READ) else []
        return {
            "row": row,
            "goods": seizures.goods(tx, actor, [number]),
            "credits": partner_store.credits_of(tx, seen, [number]),
            "nodes": sorted({own_node(visitor.node), *(one.code for one in known)}),
            "names": {person.id: person.name or "–" for person in people.people(tx)},
        }

    found = visitor.node.database.read(read)
    changes = found["row"]["own"] and visitor.may(Permission.SEIZURE_REGISTER)
    nodes = sorted({*found.pop("nodes"), *(one["node"] for one in found["credits"])})
    return page(request, visitor, "seizure.html", changes=changes, nodes=nodes, **found)


@router.post("/seizures/{number}/weigh")
def weigh(visitor: Registering, number: str, form: Typed) -> Response:
    """Note what the lines weighed, those that were typed."""
    path = f"/seizures/{number}"
    typed = _weights(form)
    if typed is None:
        return back(path, problem="value_impossible")

    def write(tx: Transaction) -> None:
        for place, quantity in typed:
            seizures.weigh(tx, visitor.actor, number, place, quantity)

    try:
        visitor.node.database.write(write)
    except (Conflict, Invalid) as error:
        return back(path, problem=error.code)
    return back(path, done="seizure_weighed")


def _weights(form: Form) -> list[tuple[int, float]] | None:
    found = []
    for place in range(200):
        text = form.text(f"weighed-{place}").replace(",", ".").replace("\N{NO-BREAK SPACE}", "")
        if text:
            try:
                found.append((place, float(text)))
            except ValueError:
                return None
    return found or None


@router.post("/seizures/{number}/credits")
def credits(visitor: Registering, number: str, form: Typed) -> Response:
    """Share the credit anew."""
    path = f"/seizures/{number}"
    shares = []
    for place in range(MOST_SHARES):
        node, share = form.text(f"node-{place}"), form.text(f"share-{place}")
        if node and share:
            if not share.isdecimal() or form.text(f"role-{place}") not in code_list("credit_roles"):
                return back(path, problem="value_impossible")
            shares.append(Credit(node, form.text(f"role-{place}"), int(share)))
    try:
        visitor.node.database.write(
            lambda tx: seizures.share_credit(tx, visitor.actor, number, shares)
        )
    except (Conflict, Invalid) as error:
        return back(path, problem=error.code)
    return back(path, done="seizure_credited")


@router.post("/seizures/{number}/notice")
def notice(visitor: Writing, number: str, _form: Typed) -> Response:
    """Draft the notice to partners and lay it before whoever sends it."""
    try:
        made = visitor.node.database.write(
            lambda tx: asking.seizure(tx, visitor.actor, own_node(visitor.node), number)
        )
    except (Conflict, Invalid) as error:
        return back(f"/seizures/{number}", problem=error.code)
    said = {"purpose": "inspection", "mode": "spontaneous", "lane": "immediate"}
    return RedirectResponse(f"/items/{quote(made)}/compose?{urlencode(said)}", status_code=303)
