"""One item: what it says in the reader's words, how far to trust it, who holds it, its versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from isthmus.access.model import Permission
from isthmus.exchange import consents, holders
from isthmus.exchange.trust import partners
from isthmus.flow.sharing import heard
from isthmus.intelligence import items, reading, schema
from isthmus.intelligence.keeping import ItemState
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.reading import Copy
from isthmus.intelligence.render import Rendered, render
from isthmus.kernel.errors import Conflict, Invalid, NotFound, PurposeNeeded
from isthmus.platform.transaction import Transaction
from isthmus.web.compose_view import Row, in_order, moment_at
from isthmus.web.i18n import Reader
from isthmus.web.item_form import Wrong, wrong_of
from isthmus.web.item_value import value_of
from isthmus.web.items import newest_of
from isthmus.web.page import back, page
from isthmus.web.visitor import Form, Typed, Visitor, may

router = APIRouter()

Seen = Annotated[Visitor, Depends(may(Permission.ITEM_READ))]
Opening = Annotated[Visitor, Depends(may(Permission.ITEM_PERSONS))]
Sending = Annotated[Visitor, Depends(may(Permission.ITEM_SEND))]
Recalling = Annotated[Visitor, Depends(may(Permission.ITEM_RECALL))]
OVER = (ItemState.RECALLED, ItemState.ERASED)
# These come about by correcting and recalling, and stay as they are.
BY_ACT = (ItemKind.CORRECTION, ItemKind.RECALL)


@dataclass(frozen=True, slots=True)
class Telling:
    """A copy with what it says in the reader's words, in the order of its schema."""

    copy: Copy
    words: Rendered | None
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Typing:
    """A form that came back: which, what is wrong, and what was typed."""

    act: str = ""  # open, correct, recall, consent
    wrong: Wrong | None = None
    form: Form | None = None

    def typed(self, act: str, name: str) -> str:
        """What was typed into a field of a form, to be shown again."""
        return self.form.raw(name) if self.form is not None and act == self.act else ""


@router.get("/items/{item_id}")
def item(request: Request, visitor: Seen, item_id: str) -> Response:
    """Show one item, without what is about persons."""
    return _show(request, visitor, item_id, Typing())


@router.post("/items/{item_id}/open")
def lay_open(request: Request, visitor: Opening, item_id: str, form: Typed) -> Response:
    """Show what is about persons, for a reason that is kept for supervision."""
    try:
        return _show(request, visitor, item_id, Typing(), reason=form.text("reason"))
    except (PurposeNeeded, Invalid) as error:
        typing = Typing("open", wrong_of(visitor, error), form)
        return _show(request, visitor, item_id, typing, status=422)


@router.post("/items/{item_id}/correct")
def correct(request: Request, visitor: Recalling, item_id: str, form: Typed) -> Response:
    """Correct one path of an own item; every holder of it hears of it."""

    def act(tx: Transaction) -> None:
        row, _ = reading.find(tx, visitor.actor, item_id)
        path = form.text("path")
        change: dict[str, Any] = {"path": path}
        field = schema.field_of(ItemKind(row["kind"]), path)
        if field is None:
            raise Invalid("item_invalid", "no such path", path="path")
        if "take_away" not in form:
            change["value"] = value_of(field, form, "value", visitor)
        if field.personal:
            change["category"] = form.text("category")
        items.correct(tx, visitor.actor, item_id, [change], form.text("why"))

    return _act(request, visitor, item_id, form, "correct", "item_corrected", act)


@router.post("/items/{item_id}/recall")
def recall(request: Request, visitor: Recalling, item_id: str, form: Typed) -> Response:
    """Take an own item back, all its versions, wherever it went."""

    def act(tx: Transaction) -> None:
        replaced_by = form.text("replaced_by") or None
        items.recall(tx, visitor.actor, item_id, form.text("ground"), replaced_by)

    return _act(request, visitor, item_id, form, "recall", "item_recalled", act)


@router.post("/items/{item_id}/consent")
def consent(request: Request, visitor: Sending, item_id: str, form: Typed) -> Response:
    """Consent that a holder passes its copy on; what was signed is shown, to be handed over."""
    holder, recipient = form.text("holder"), form.text("recipient")
    try:
        raw = visitor.node.database.write(
            lambda tx: consents.give(tx, visitor.actor, item_id, holder, recipient)
        )
    except (Invalid, NotFound) as error:
        typing = Typing("consent", wrong_of(visitor, error), form)
        return _show(request, visitor, item_id, typing, status=422)
    return _show(request, visitor, item_id, Typing("consent", None, form), signed=raw.decode())


def _act(
    request: Request, visitor: Visitor, item_id: str, form: Form, name: str, done: str, act: Any
) -> Response:
    """Do what was confirmed; what is wrong is said in its form, with all that was typed."""
    try:
        if "confirmed" not in form:
            raise Invalid("not_confirmed", "tick that you mean it", field="confirmed")
        visitor.node.database.write(act)
    except (Invalid, Conflict) as error:
        typing = Typing(name, wrong_of(visitor, error), form)
        return _show(request, visitor, item_id, typing, status=422)
    return back(f"/items/{item_id}", done=done)


def _show(
    request: Request,
    visitor: Visitor,
    item_id: str,
    typing: Typing,
    *,
    reason: str | None = None,
    signed: str = "",
    status: int = 200,
) -> Response:
    actor = visitor.actor

    def read(tx: Transaction) -> dict[str, Any]:
        if reason is None:
            row, copies = reading.find(tx, actor, item_id)
        else:
            row, copies = reading.open_persons(tx, actor, item_id, reason)
        told = [_telling(copy, visitor.reader) for copy in reversed(copies)]
        newest = newest_of(copies)
        return {
            "row": row,
            "told": told,
            "newest": next((one for one in told if one.copy is newest), None),
            "holders": holders.holders(tx, actor, item_id),
            "post": holders.post(tx, actor, item_id),
            "names": {one.code: one.name for one in partners.directory(tx, actor)},
        }

    database = visitor.node.database
    found = database.read(read) if reason is None else database.write(read)
    heard.note(database, actor, item_id)
    standing = found["row"]["state"] not in OVER and ItemKind(found["row"]["kind"]) not in BY_ACT
    own = bool(found["row"]["own"])
    return page(
        request,
        visitor,
        "item.html",
        status=status,
        typing=typing,
        opened=reason is not None,
        signed=signed,
        consenting=own and standing and visitor.may(Permission.ITEM_SEND),
        changeable=own and standing and visitor.may(Permission.ITEM_RECALL),
        shareable=standing and found["row"]["state"] != ItemState.EXPIRED,
        **found,
    )


def _telling(copy: Copy, reader: Reader) -> Telling:
    if copy.item is None:
        return Telling(copy, None, ())
    words, values = render(copy.item, reader.locale), in_order(copy.item)
    lines = {one.path: one for one in words.lines}
    order = [path for path in values if path in lines]
    order += [path for path in lines if path not in values]  # what a correction takes away
    rows = []
    for path in order:
        one = lines[path]
        said = moment_at(copy.item, path, values.get(path), reader) or one.value
        rows.append(Row(path, one.label, said, one.personal, one.language, one.language_name))
    return Telling(copy, words, rows)
