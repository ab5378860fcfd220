"""Watch lists: how each stands, its versions, and what changed between two of them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, At
from isthmus.parties import store
from isthmus.parties.lists import difference
from isthmus.parties.lists import status as standing
from isthmus.parties.lists.catalogue import LISTS
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/lists", tags=["screening"])
Reader = Annotated[Actor, Depends(allowed(Permission.LIST_READ))]
Version = Annotated[int | None, Query(ge=0, le=1_000_000)]
ListCode = Annotated[str, Query(json_schema_extra={"enum": list(LISTS)}, max_length=20)]


class Standing(Answer):
    """How a list stands."""

    title: str
    version: int | None = Field(description="null: never taken in")
    published_on: str | None = None
    taken_at: At | None = None
    confirmed_at: At | None = Field(None, description="when the same content last came in")
    age_days: int | None = None
    stale: bool | None = Field(None, description="older than this list may be")
    licence: str | None = None
    counts: dict[str, int] | None = None
    alarms: list[dict[str, Any]] = Field(description="open, with codes of list `list_alarms`")
    list: str


class Standings(Answer):
    """Every list that this node knows."""

    items: list[Standing]


class ListVersion(Answer):
    """One version of a list."""

    number: int
    state: str
    published_on: str | None
    taken_at: At
    taken_by: str
    licence: str | None
    documents: list[str]
    counts: dict[str, int]
    changes: dict[str, int]


class ListVersions(Answer):
    """The versions of a list, newest first."""

    items: list[ListVersion]


class ChangedEntry(Answer):
    """An entry that changed, by the list's own identifier, and in which fields."""

    key: str
    fields: list[str]


class Difference(Answer):
    """What changed between two versions; entries by the list's own identifiers."""

    from_version: int
    to_version: int
    added: list[str]
    removed: list[str]
    changed: list[ChangedEntry]
    list: str


@router.get("", responses=answers())
def list_watch_lists(node: NodeServed, actor: Reader) -> Standings:
    """Return how every list stands: version, age, alarms."""
    rows = node.database.read(lambda tx: standing.status(tx, actor))
    return Standings(items=[Standing.model_validate(_plain(row)) for row in rows])


@router.get("/versions", responses=answers())
def list_watch_list_versions(node: NodeServed, actor: Reader, code: ListCode) -> ListVersions:
    """Return the versions of a list, newest first."""

    def read(tx: Transaction) -> list[dict[str, Any]]:
        rows = store.versions(tx, scope(actor, Permission.LIST_READ), code)
        return [_plain(dict(row)) for row in rows]

    return ListVersions(items=[ListVersion.model_validate(row) for row in node.database.read(read)])


@router.get("/difference", responses=answers(404))
def read_watch_list_difference(
    node: NodeServed,
    actor: Reader,
    code: ListCode,
    first: Version = None,
    last: Version = None,
) -> Difference:
    """Return what changed between two versions, else by the newest; version 0 is empty."""
    found = node.database.read(lambda tx: difference.diff(tx, actor, code, first, last))
    return Difference.model_validate(
        {**found, "from_version": found["from"], "to_version": found["to"]}
    )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    day = row.get("published_on")
    return {**row, "published_on": day.isoformat() if day else None}
