"""The page of lists: what is in force, how old it is, what is wrong, and what changed."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from isthmus.access.gate import scope
from isthmus.access.model import Permission
from isthmus.parties import hit_store, store
from isthmus.parties.lists import difference
from isthmus.parties.lists import status as standing
from isthmus.parties.lists.catalogue import watch_list
from isthmus.platform.transaction import Transaction
from isthmus.web.page import page
from isthmus.web.visitor import Visitor, may

router = APIRouter()

SHOWN = 500  # keys of each sort of change; the console prints them all
RESCREENINGS = 20

Seen = Annotated[Visitor, Depends(may(Permission.LIST_READ))]
Version = Annotated[int | None, Query(ge=0, le=1_000_000)]


@router.get("/lists")
def lists(request: Request, visitor: Seen) -> Response:
    """Show the health of every list and what came of its changes."""

    def read(tx: Transaction) -> dict[str, Any]:
        reach = scope(visitor.actor, Permission.LIST_READ)
        return {
            "rows": standing.status(tx, visitor.actor),
            "rescreenings": hit_store.rescreenings(tx, reach, RESCREENINGS),
        }

    return page(request, visitor, "lists.html", **visitor.node.database.read(read))


@router.get("/lists/{code}")
def one(
    request: Request,
    visitor: Seen,
    code: str,
    first: Annotated[Version, Query(alias="from")] = None,
    last: Annotated[Version, Query(alias="to")] = None,
) -> Response:
    """Show the versions of a list, and what changed between two of them."""

    def read(tx: Transaction) -> dict[str, Any]:
        reach = scope(visitor.actor, Permission.LIST_READ)
        known = watch_list(code)
        versions = store.versions(tx, reach, code)
        found = difference.diff(tx, visitor.actor, code, first, last) if versions else None
        return {"known": known, "versions": versions, "found": found}

    return page(request, visitor, "list.html", shown=SHOWN, **visitor.node.database.read(read))
