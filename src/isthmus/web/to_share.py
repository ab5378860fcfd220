"""The desk of what was learned and waits to be shared: a person composes and sends, or keeps it."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy import RowMapping

from isthmus.access.model import Permission
from isthmus.cases import store as cases
from isthmus.flow import share
from isthmus.flow.sharing import told
from isthmus.intelligence.model import ItemKind
from isthmus.kernel.errors import Conflict
from isthmus.platform.transaction import Transaction
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

MOST = 200
Sending = Annotated[Visitor, Depends(may(Permission.ITEM_SEND))]
# Where a person finds what an entry is about, by its kind.
_PAGES = {"inspection": "/inspections/", "seizure": "/seizures/", "request": "/requests/"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the desk: what was learned, about which box, and where it is told from."""

    row: RowMapping
    container: str | None
    about: str | None  # the page of what it is about
    tell: str  # the page on which a person goes on

    @property
    def worded(self) -> bool:
        """Whether an item tells it already."""
        return self.row["item_id"] is not None


@router.get("/to-share")
def desk(request: Request, visitor: Sending) -> Response:
    """Show what waits, the newest first."""

    def read(tx: Transaction) -> list[Waiting]:
        return [_waiting(tx, row) for row in share.waiting(tx, visitor.actor, MOST)]

    rows = visitor.node.database.read(read)
    return page(request, visitor, "to_share.html", rows=rows, full=len(rows) == MOST)


@router.post("/to-share/{entry_id}/keep")
def keep(visitor: Sending, entry_id: str, _form: Typed) -> Response:
    """Keep it here: nobody gets more of it."""
    try:
        visitor.node.database.write(lambda tx: told.keep(tx, visitor.actor, entry_id))
    except Conflict as error:
        return back("/to-share", problem=error.code)
    return back("/to-share", done="share_kept")


def _waiting(tx: Transaction, row: RowMapping) -> Waiting:
    unit = row["unit_id"]
    container = cases.container_of(tx, unit) if unit else None
    base = _PAGES.get(row["about_kind"])
    about = f"{base}{quote(row['about_id'], safe='')}" if base else None
    if about is None and unit:
        about = f"/consignments/{unit}"
    return Waiting(row, container, about, _tell(row, unit))


def _tell(row: RowMapping, unit: Any) -> str:
    if row["item_id"] is not None:
        return f"/items/{quote(row['item_id'], safe='')}/compose"
    if row["item_kind"] == ItemKind.INSPECTION_RESULT:
        return "/chains"
    return "/items/new?" + urlencode({"kind": row["item_kind"], **({"unit": unit} if unit else {})})
