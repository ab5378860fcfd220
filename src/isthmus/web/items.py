"""The desk of items: what this node knows that may cross a border, and what partners told it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import RowMapping

from isthmus.access.model import Permission
from isthmus.exchange import holders
from isthmus.exchange.holders import Holder
from isthmus.exchange.trust import partners
from isthmus.intelligence import reading
from isthmus.intelligence.keeping import ItemState
from isthmus.intelligence.model import ItemKind
from isthmus.intelligence.reading import Copy
from isthmus.intelligence.render import line
from isthmus.intelligence.store import Wanted
from isthmus.platform.transaction import Transaction
from isthmus.web.compose_view import in_order
from isthmus.web.page import page
from isthmus.web.visitor import Visitor, may

router = APIRouter()

PAGE = 25
OWN, PARTNERS = "own", "partners"
_FILTERS = ("whose", "kind", "state", "partner")
# By what people know an item, the most telling first; nothing of it is about a person.
_TELLING = (
    "containers", "container", "number", "title", "about", "vessels.imo", "vehicles.plate",
    "documents.number", "seals", "case_number", "method", "methods", "goods.class", "goods.hs",
)  # fmt: skip
_MOST = 3

Seen = Annotated[Visitor, Depends(may(Permission.ITEM_READ))]
Short = Annotated[str, Query(max_length=40)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the desk: the item, what it speaks of, and who holds it."""

    row: RowMapping
    telling: Sequence[str]
    persons: bool
    partner: str | None  # who sent it
    expires_at: Any
    holders: Sequence[Holder]


@router.get("/items")
def desk(
    request: Request,
    visitor: Seen,
    whose: Short = "",
    kind: Short = "",
    state: Short = "",
    partner: Short = "",
    number: Annotated[PageNumber, Query(alias="page")] = 1,
) -> Response:
    """Show items in force, the last changed first."""
    asked = {k: v for k, v in request.query_params.items() if k in _FILTERS and v}
    wanted = Wanted(
        [one.value for one in ItemKind if one == kind],
        [one.value for one in ItemState if one == state] or [ItemState.CURRENT.value],
        {OWN: True, PARTNERS: False}.get(whose),
        partner or None,
    )

    def read(tx: Transaction) -> dict[str, Any]:
        rows = reading.desk(tx, visitor.actor, wanted, PAGE + 1, (number - 1) * PAGE)
        return {
            "rows": [_listed(tx, visitor, row) for row in rows[:PAGE]],
            "more": len(rows) > PAGE,
            "partners": [(one.code, one.name) for one in partners.directory(tx, visitor.actor)],
        }

    found = visitor.node.database.read(read)
    return page(
        request,
        visitor,
        "items.html",
        number=number,
        query=urlencode(asked),
        whose=whose,
        kind=kind,
        state=state,
        partner=partner,
        **found,
    )


def _listed(tx: Transaction, visitor: Visitor, row: RowMapping) -> Listed:
    _, copies = reading.find(tx, visitor.actor, row["id"])
    newest = newest_of(copies)
    return Listed(
        row,
        telling(newest, visitor.reader.locale) if newest else (),
        bool(newest and newest.hidden),
        newest.row["partner"] if newest else None,
        newest.row["expires_at"] if newest else None,
        holders.holders(tx, visitor.actor, row["id"]),
    )


def newest_of(copies: Sequence[Copy]) -> Copy | None:
    """Return the newest copy of which something is kept, else the newest."""
    return next((one for one in reversed(copies) if one.item), copies[-1] if copies else None)


def telling(copy: Copy, locale: str) -> list[str]:
    """Return the few values by which people know an item."""
    if copy.item is None:
        return []
    names = {name: place for place, name in enumerate(_TELLING)}
    found: list[tuple[int, str]] = []
    for path, value in in_order(copy.item).items():
        name = ".".join(part for part in path.split(".") if not part.isdecimal())
        if name in names:
            said = line(copy.item, path, value, locale).value
            found.append((names[name], f"IMO {said}" if name == "vessels.imo" else said))
    return [words for _, words in sorted(found, key=lambda one: one[0])][:_MOST]
