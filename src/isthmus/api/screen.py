"""Screening by request: one name or many against the lists in force, each hit with its reasons."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import Stated, allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import TEXT, Answer, Ask, Code, Number
from isthmus.kernel.errors import Invalid
from isthmus.parties import reasons
from isthmus.parties.match import FIND_THRESHOLD
from isthmus.parties.model import EntryKind
from isthmus.parties.query import LONGEST, screen_query

router = APIRouter(prefix="/api", tags=["screening"])
Asker = Annotated[Actor, Depends(allowed(Permission.SCREEN_QUERY))]

MOST = 1_000
"""Names of one request; the table of a larger file is for the console."""

AskedName = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST, pattern=TEXT)]
Locale = Literal["es", "en", "fr", "nl", "pt"]


class Screening(Ask):
    """Which names to screen: ``name`` or ``names``. A whole party line is read as one."""

    name: AskedName | None = None
    names: Annotated[list[AskedName], Field(min_length=1, max_length=MOST)] | None = None
    threshold: Annotated[Number, Field(gt=0, le=1)] = Field(
        FIND_THRESHOLD, description="the lowest score of a hit"
    )
    lists: Annotated[frozenset[Code], Field(max_length=50)] | None = Field(
        None, description="only hits on these lists; all if none"
    )
    locale: Locale | None = Field(None, description="language of the reasons' texts")


class Why(Answer):
    """One reason of a hit: its code with parameters, and the same in words."""

    code: str = Field(examples=["word.sound"])
    parameters: dict[str, Any]
    text: str


class FoundEntry(Answer):
    """An entry that a name may mean."""

    entry: str = Field(description="the list's own identifier")
    kind: EntryKind
    name: str = Field(description="the listed name that was met; the main one for a number")
    score: float
    basis: str = Field(description="name or number")
    algorithm: str
    reading: str = Field(description="the part of what was asked that was taken for it")
    reasons: list[Why]
    list: str


class Query(Answer):
    """What was asked, and the hits, best first."""

    name: str
    hits: list[FoundEntry]


class Screened(Answer):
    """The answer to each name, in the order asked."""

    lists: dict[str, int] = Field(description="the version of each list in force")
    threshold: float
    queries: list[Query]


@router.post("/screen", responses=answers(), dependencies=[Stated])
def screen_names(node: NodeServed, actor: Asker, ask: Screening) -> Screened:
    """Screen names against the lists in force. The look-up is logged with its purpose."""
    names = _names(ask)
    listed = node.database.read(node.screener.lists.now)
    found = node.database.write(
        lambda tx: screen_query(tx, actor, listed, names, threshold=ask.threshold)
    )
    locale = ask.locale or actor.locale or node.settings.node.locale
    queries = [
        {
            "name": name,
            "hits": [
                reasons.tell(match, locale)
                for match in matches
                if ask.lists is None or match.list in ask.lists
            ],
        }
        for name, matches in zip(names, found, strict=True)
    ]
    return Screened.model_validate(
        {"lists": listed.versions, "threshold": ask.threshold, "queries": queries}
    )


def _names(ask: Screening) -> list[str]:
    if (ask.name is None) == (ask.names is None):
        raise Invalid("name_missing", "send either name or names", field="names")
    return [ask.name] if ask.name is not None else list(ask.names or ())
