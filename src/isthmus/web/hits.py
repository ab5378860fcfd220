"""The desk of hits: parties of the papers that may stand on a list, until a person says so.

The desk shows no name of a person. A hit laid open shows the line as declared beside the entry,
for a purpose that is logged, and is judged there.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import RowMapping

from isthmus.access import store as people
from isthmus.access.model import Permission
from isthmus.flow import judge
from isthmus.flow.judge import Comparison
from isthmus.kernel.errors import Conflict, Invalid, PurposeNeeded
from isthmus.parties import hits, judgements, reasons
from isthmus.parties.hit import NOT_SAME_FOR, UNDECIDED, HitState, LineKind, Verdict
from isthmus.parties.hit_store import Wanted
from isthmus.parties.judgements import Given
from isthmus.parties.lists.catalogue import LISTS
from isthmus.platform.transaction import Transaction
from isthmus.reference.codelist import code_list
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

PAGE = 25
STRONG = 0.85  # from here a likeness is called near the same; as the shipped rules of lists do
_FILTERS = ("state", "list", "kind", "entry", "strong")

Seen = Annotated[Visitor, Depends(may(Permission.HIT_READ))]
Opening = Annotated[Visitor, Depends(may(Permission.PERSON_DATA_READ))]
Judging = Annotated[Visitor, Depends(may(Permission.HIT_JUDGE))]
Short = Annotated[str, Query(max_length=40)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class Word:
    """A row of the word by word table: either side may be missing."""

    line: str | None
    listed: str | None
    relation: str
    bits: float
    formal: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """What the reader may see of a hit now, and what was wrong with what they typed."""

    state: str  # open, reason_needed, closed
    comparison: Comparison | None = None
    problem: str | None = None
    typed: str = ""


@router.get("/hits")
def desk(
    request: Request,
    visitor: Seen,
    state: Short = "",
    list_: Annotated[str, Query(alias="list", max_length=40)] = "",
    kind: Short = "",
    entry: Short = "",
    strong: Short = "",
    number: Annotated[PageNumber, Query(alias="page")] = 1,
) -> Response:
    """Show hits to be judged, the nearest likeness first."""
    asked = {k: v for k, v in request.query_params.items() if k in _FILTERS and v}
    wanted = Wanted(
        states=[one for one in HitState if one == state] or UNDECIDED,
        list=list_ or None,
        line_kind=kind or None,
        entry_kind=entry or None,
        least=STRONG if strong else 0.0,
    )

    def read(tx: Transaction) -> dict[str, Any]:
        rows = judge.waiting(tx, visitor.actor, wanted, PAGE + 1, (number - 1) * PAGE)
        return {
            "rows": rows[:PAGE],
            "more": len(rows) > PAGE,
            "counts": hits.counts(tx, visitor.actor),
        }

    found = visitor.node.database.read(read)
    return page(
        request,
        visitor,
        "hits.html",
        number=number,
        query=urlencode(asked),
        state=state,
        list_=list_,
        kind=kind,
        entry=entry,
        strong=strong,
        states=[one.value for one in HitState],
        lists=list(LISTS),
        **found,
    )


@router.get("/hits/{hit_id}")
def hit(request: Request, visitor: Seen, hit_id: str) -> Response:
    """Show one hit; the comparison at once to whoever works on its consignment."""
    return _show(request, visitor, hit_id, _by_task(visitor, hit_id))


@router.post("/hits/{hit_id}/open")
def lay_open(request: Request, visitor: Opening, hit_id: str, form: Typed) -> Response:
    """Lay a hit open for a reason that is kept for supervision."""
    reason = form.text("reason")
    try:
        opened = Opened("open", _lay_open(visitor, hit_id, reason))
    except (PurposeNeeded, Invalid) as error:
        wrong = Opened("reason_needed", problem=f"problem.{error.code}", typed=reason)
        return _show(request, visitor, hit_id, wrong, status=422)
    return _show(request, visitor, hit_id, opened)


@router.post("/hits/{hit_id}/judgement")
def give(visitor: Judging, hit_id: str, form: Typed) -> Response:
    """Judge a hit, and go on to the next one."""
    try:
        given = Given(
            Verdict(form.text("verdict")),
            form.text("reason"),
            date.fromisoformat(form.text("until")) if form.text("until") else None,
            form.text("note"),
            visitor.reader.locale,
        )
    except ValueError:
        return back(f"/hits/{hit_id}", problem="value_impossible")
    try:
        visitor.node.database.write(lambda tx: judge.judge(tx, visitor.actor, hit_id, given))
    except (Conflict, Invalid) as error:
        return back(f"/hits/{hit_id}", problem=error.code)
    return back("/hits", done="judged")


def _by_task(visitor: Visitor, hit_id: str) -> Opened:
    if not visitor.may(Permission.PERSON_DATA_READ):
        found = visitor.node.database.read(lambda tx: hits.find(tx, visitor.actor, hit_id))
        if found["line_kind"] == LineKind.PARTY:
            return Opened("closed")
    try:
        return Opened("open", _lay_open(visitor, hit_id, None))
    except PurposeNeeded:
        return Opened("reason_needed")


def _lay_open(visitor: Visitor, hit_id: str, reason: str | None) -> Comparison:
    actor = visitor.actor
    return visitor.node.database.write(
        lambda tx: judge.lay_open(tx, actor, hits.find(tx, actor, hit_id), reason)
    )


def _show(
    request: Request, visitor: Visitor, hit_id: str, opened: Opened, *, status: int = 200
) -> Response:
    actor, locale = visitor.actor, visitor.reader.locale

    def read(tx: Transaction) -> dict[str, Any]:
        row = hits.find(tx, actor, hit_id)
        return {
            "hit": row,
            "entry": hits.entry_of(tx, actor, row),
            "units": judge.units_of(tx, actor, row),
            "history": judgements.history(tx, actor, row),
            "names": {one.id: one.name or "–" for one in people.people(tx)},
        }

    found = visitor.node.database.read(read)
    match = opened.comparison.match if opened.comparison else None
    today = visitor.node.database.clock.now().date()
    return page(
        request,
        visitor,
        "hit.html",
        status=status,
        opened=opened,
        words=_words(opened.comparison),
        why=[reasons.in_words(one, locale) for one in reasons.of_match(match)] if match else [],
        title=_title(found["hit"]),
        until=today + NOT_SAME_FOR,
        verdicts=_verdicts(locale),
        may_judge=visitor.may(Permission.HIT_JUDGE) and found["hit"]["state"] != HitState.ENDED,
        **found,
    )


def _title(row: RowMapping) -> str:
    known = LISTS.get(row["list"])
    return known.title if known else str(row["list"])


def _verdicts(locale: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every verdict with the reasons that fit it."""
    return [
        (
            verdict.value,
            [
                (entry.code, entry.label(locale))
                for entry in code_list("judgement_reasons")
                if verdict.value in entry.extra["verdicts"].split()
            ],
        )
        for verdict in Verdict
    ]


def _words(comparison: Comparison | None) -> list[Word]:
    """The words of the line with their nearest on the list, then what only the list has."""
    if comparison is None or comparison.explanation is None:
        return []
    one, other = comparison.explanation.one, comparison.explanation.other
    rows = [
        Word(match.word, match.other, match.relation.value, match.bits, match.formal)
        for match in one
    ]
    taken = {match.other for match in one}
    return rows + [
        Word(match.other, match.word, match.relation.value, match.bits, match.formal)
        for match in other
        if match.word not in taken
    ]
