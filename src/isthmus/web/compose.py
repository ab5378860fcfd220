"""The composer: what each partner would get of an item, field by field, and sending it.

The settings stand in the address, so that a look can be kept and shown to a colleague; changing
them is a form that asks for the page again. Sending acts on the look that was shown: when
something else would go by now, nothing is sent and the page says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from isthmus.access import denials
from isthmus.access.model import Permission
from isthmus.agreements import service, words
from isthmus.agreements.model import Standing
from isthmus.exchange import holders
from isthmus.exchange.model import Lane
from isthmus.exchange.trust import partners
from isthmus.flow.sharing import handover
from isthmus.flow.sharing.handover import Looked, Order
from isthmus.intelligence import schema
from isthmus.intelligence.render import marking
from isthmus.kernel.errors import Conflict, Denied, Invalid, IsthmusError, PurposeNeeded
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list
from isthmus.web.compose_asked import CONDITIONS, MODES, PURPOSES, USES, Asked
from isthmus.web.compose_view import Column, column, rows_of
from isthmus.web.page import page, problem_key
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

Seen = Annotated[Visitor, Depends(may(Permission.ITEM_READ))]
Opening = Annotated[Visitor, Depends(may(Permission.ITEM_PERSONS))]
Sending = Annotated[Visitor, Depends(may(Permission.ITEM_SEND))]
Token = Annotated[str, Query(max_length=40)]
Paths = Annotated[list[str], Query(default_factory=list, max_length=5_000)]


@dataclass(frozen=True, slots=True)
class Refused:
    """What could not be done, for which partner, and why in words."""

    words: str
    partner: str | None = None
    typed: str = ""  # the reason that was given for opening persons


@router.get("/items/{item_id}/compose")
def compose(request: Request, visitor: Seen, item_id: str) -> Response:
    """Show what each partner would get of an item, and why or why not."""
    return _show(request, visitor, item_id, Asked.of(request.query_params.getlist))


@router.post("/items/{item_id}/compose/open")
def lay_open(request: Request, visitor: Opening, item_id: str, form: Typed) -> Response:
    """Show the same with what is about persons, for a reason that is kept for supervision."""
    asked, reason = Asked.of(form.many), form.text("reason")
    try:
        return _show(request, visitor, item_id, asked, reason=reason)
    except (PurposeNeeded, Invalid) as error:
        refused = Refused(_words(visitor, error), typed=reason)
        return _show(request, visitor, item_id, asked, refused=refused, status=422)


@router.post("/items/{item_id}/compose/{partner}")
def send(
    request: Request,
    visitor: Sending,
    item_id: str,
    partner: str,
    form: Typed,
    shown_kept: Paths,
    look: Token = "",
) -> Response:
    """Send a partner what was looked at."""
    asked, opened = Asked.of(form.many), "opened" in form
    reason = form.text("reason") if opened else None

    def act(tx: Transaction) -> None:
        without = asked.kept_from(partner)
        if not opened:
            without |= frozenset(schema.personal_paths(handover.item(tx, visitor.actor, item_id)))
        kept = frozenset(shown_kept)
        order = Order(partner, asked.lane, without, look, kept, reason, asked.consents)
        handover.hand_over(tx, visitor.actor, item_id, asked.said, order)

    try:
        visitor.node.database.write(act)
    except (Conflict, Invalid, Denied) as error:
        if error.code == "item_over":
            raise
        if isinstance(error, Denied):
            _note(visitor, error)
        refused = Refused(_words(visitor, error), partner, reason or "")
        return _show(request, visitor, item_id, asked, reason=reason, refused=refused, status=422)
    path = f"/items/{item_id}/compose?{asked.query}&done=item_sent#p-{partner}"
    return RedirectResponse(path, status_code=303)


def _show(
    request: Request,
    visitor: Visitor,
    item_id: str,
    asked: Asked,
    *,
    reason: str | None = None,
    refused: Refused | None = None,
    status: int = 200,
) -> Response:
    """Lay the composer out; with a reason, or an empty one by task, persons are opened."""
    actor, said = visitor.actor, asked.said

    def read(tx: Transaction) -> dict[str, Any]:
        if reason is None:
            looked = handover.look(tx, actor, item_id, said, asked.consents)
        else:
            looked = handover.look_opened(tx, actor, item_id, said, reason, asked.consents)
        return _known(tx, visitor, looked, asked)

    database = visitor.node.database
    try:
        found = database.read(read) if reason is None else database.write(read)
    except (Invalid, Denied) as error:
        if not asked.consent or isinstance(error, PurposeNeeded):
            raise
        refused = Refused(visitor.reader.t("problem.consent_wrong"))
        bare = replace(asked, consent="")
        return _show(request, visitor, item_id, bare, reason=reason, refused=refused, status=422)
    return page(
        request,
        visitor,
        "compose.html",
        status=status,
        asked=asked,
        refused=refused,
        reason=reason,
        choices=_choices(visitor),
        **found,
    )


def _known(tx: Transaction, visitor: Visitor, looked: Looked, asked: Asked) -> dict[str, Any]:
    locale, item = visitor.reader.locale, looked.item
    known = {one.code: one for one in partners.directory(tx, visitor.actor)}
    post = holders.post(tx, visitor.actor, item.id)
    rows = rows_of(looked, visitor.reader)
    columns = [
        column(looked, view, known[view.partner], asked, rows, post, locale)
        for view in looked.views
    ]
    personal = sum(row.personal for row in rows)
    return {
        "item": item,
        "opened": looked.opened,
        "rows": rows,
        "columns": _nearest_first(columns),
        "agreements": _clauses(tx, visitor, columns),
        "marking": {one.path: one.value for one in marking(item, locale)},
        "personal": personal,
        "wants_consent": bool(asked.consent) or any(one.wants_consent for one in columns),
        "may_open": visitor.may(Permission.ITEM_PERSONS)
        and visitor.may(Permission.PERSON_DATA_READ),
        "may_send": visitor.may(Permission.ITEM_SEND),
    }


def _clauses(tx: Transaction, visitor: Visitor, columns: list[Column]) -> dict[str, str]:
    """What the clauses that are named say, in the reader's language, for whoever may read them."""
    if not visitor.may(Permission.AGREEMENT_READ):
        return {}
    wanted = {citation for one in columns for citation in one.named}
    found = {}
    for row, agreement in service.agreements(tx, visitor.actor):
        if row["state"] != Standing.ACTIVE:
            continue
        for clause in agreement.clauses:
            citation = f"{agreement.id}/{clause.id}"
            if citation in wanted:
                found[citation] = words.text(agreement, clause.id, visitor.reader.locale)
    return found


def _nearest_first(columns: list[Column]) -> list[Column]:
    """Partners to whom something may go stand before those who get nothing."""
    return sorted(columns, key=lambda one: (one.nothing, one.code))


def _choices(visitor: Visitor) -> Mapping[str, list[tuple[str, str]]]:
    locale = visitor.reader.locale

    def of(name: str, codes: Iterable[str]) -> list[tuple[str, str]]:
        return [(code, code_list(name).label(code, locale)) for code in codes]

    return {
        "purposes": of("purposes", (one.value for one in PURPOSES)),
        "modes": of("share_modes", (one.value for one in MODES)),
        "lanes": of("exchange_lanes", (one.value for one in Lane)),
        "conditions": of("share_conditions", CONDITIONS),
        "uses": of("intended_uses", USES),
    }


def _words(visitor: Visitor, error: IsthmusError) -> str:
    """Why something was refused: a reason of the agreements as its column says it, in words."""
    reader = visitor.reader
    if error.code in code_list("withholding_reasons"):
        return reader.t("compose.refused", clause=error.where.get("clause") or "–")
    return reader.t(problem_key(reader, error.code, error.kind))


def _note(visitor: Visitor, error: Denied) -> None:
    """Write a refusal to the audit: the page answers it, so no handler will."""
    actor = visitor.actor
    error.where = {"actor": actor.id, "agency": actor.agency, **error.where}
    visitor.node.database.write(lambda tx: denials.note(tx, error))
