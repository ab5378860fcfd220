"""Drafting an item: from nothing, or from a consignment with what it tells already filled in."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.datastructures import FormData, UploadFile

from isthmus.access.model import Permission
from isthmus.exchange.trust import identity
from isthmus.flow.sharing import draft
from isthmus.intelligence import items
from isthmus.intelligence.model import Classification, Handling, ItemKind, Scale, Tlp
from isthmus.intelligence.validation import evaluation_list
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list
from isthmus.web.item import BY_ACT
from isthmus.web.item_form import Sheet, body_of, marking_of, pairs_of, sheet, wrong_of
from isthmus.web.page import back, page
from isthmus.web.visitor import Form, Typed, Visitor, may

router = APIRouter()

Writing = Annotated[Visitor, Depends(may(Permission.ITEM_WRITE))]
Short = Annotated[str, Query(max_length=60)]
KINDS = tuple(kind for kind in ItemKind if kind not in BY_ACT)
# What a draft is marked with before anybody chose: no evaluation, and the careful codes.
_MARKED: Sequence[tuple[str, str]] = [
    ("marking.handling", Handling.H1.value),
    ("marking.classification", Classification.NONE.value),
    ("marking.tlp", Tlp.AMBER.value),
]


@router.get("/items/new")
def new(request: Request, visitor: Writing, kind: Short = "alert", unit: Short = "") -> Response:
    """Show the form for an item of a kind, filled from a consignment where one is named."""
    chosen = next((one for one in KINDS if one.value == kind), ItemKind.ALERT)
    pairs: list[tuple[str, str | UploadFile]] = list(_MARKED)
    if unit:
        made = visitor.node.database.read(lambda tx: draft.of_unit(tx, visitor.actor, unit, chosen))
        pairs += [("unit", unit), *pairs_of(chosen, made.body, visitor)]
    return _show(request, visitor, _sheet(visitor, chosen, Form(FormData(pairs))))


@router.post("/items/new")
def enter(request: Request, visitor: Writing, form: Typed) -> Response:
    """Draft the item, and go on to the composer or stay with it; nobody gets it by that."""
    kind = next((one for one in KINDS if one.value == form.text("kind")), ItemKind.ALERT)
    if "add" in form:
        return _show(request, visitor, _sheet(visitor, kind, form))

    def work(tx: Transaction) -> str:
        own = identity.me(tx)["node"]
        body = body_of(kind, form, visitor)
        return items.draft(tx, visitor.actor, own, kind, body, marking_of(form)).id

    try:
        made = visitor.node.database.write(work)
    except (Invalid, Conflict) as error:
        wrong = wrong_of(visitor, error)
        shown = sheet(kind, form, visitor, wrong, persons=visitor.may(Permission.ITEM_PERSONS))
        return _show(request, visitor, shown, status=422)
    if "share" in form:
        return back(f"/items/{made}/compose", done="item_drafted")
    return back(f"/items/{made}", done="item_drafted")


def _sheet(visitor: Visitor, kind: ItemKind, form: Form) -> Sheet:
    return sheet(kind, form, visitor, persons=visitor.may(Permission.ITEM_PERSONS))


def _show(request: Request, visitor: Visitor, shown: Sheet, *, status: int = 200) -> Response:
    locale = visitor.reader.locale
    grades = {
        of: [
            (
                code_list("evaluation_scales").label(scale.value, locale),
                [
                    (f"{scale.value} {one.code}", f"{one.code}: {one.label(locale)}")
                    for one in code_list(evaluation_list(scale, of))
                ],
            )
            for scale in Scale
        ]
        for of in ("sources", "information")
    }
    return page(
        request,
        visitor,
        "item_draft.html",
        status=status,
        sheet=shown,
        kinds=[(one.value, code_list("item_kinds").label(one.value, locale)) for one in KINDS],
        grades=grades,
    )
