"""The desk of partnerships: how fast and how accurate, the rows behind it, and the signed pack."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from isthmus.access.model import Permission
from isthmus.exchange.trust import identity, key_store, partners
from isthmus.flow import assurance, partnership
from isthmus.flow.partnership import FEW, Figure, Measure, Step, Week
from isthmus.kernel.errors import Conflict, Invalid
from isthmus.platform.transaction import Transaction
from isthmus.web.i18n import Reader
from isthmus.web.page import back, page
from isthmus.web.visitor import Typed, Visitor, may

router = APIRouter()

PAGE = 50
PERIODS = (4, 12, 26, 52)
QUARTER = timedelta(days=91)
TALL, STEP = 26.0, 10.0  # of the drawing of weeks: its height, and the room of a week
Seen = Annotated[Visitor, Depends(may(Permission.PARTNER_READ))]
Assuring = Annotated[Visitor, Depends(may(Permission.LEDGER_READ))]
Weeks = Annotated[int, Query(ge=1, le=52)]
Agreement = Annotated[str, Query(max_length=40)]
Code = Annotated[str, Path(pattern=r"^[A-Z]{2}-[A-Z0-9-]{1,30}$")]
PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class Bar:
    """One week in the drawing: where it stands, how tall, and whether its few are no rate."""

    x: float
    height: float
    few: bool


@dataclass(frozen=True, slots=True)
class Trend:
    """The medians of the weeks as bars, and the clause's term as a line where it fits in."""

    bars: tuple[Bar, ...]
    width: float
    target: float | None


@router.get("/partnership")
def desk(
    request: Request, visitor: Seen, weeks: Weeks = partnership.WEEKS, agreement: Agreement = ""
) -> Response:
    """Show how each partnership went in the last weeks."""

    def read(tx: Transaction) -> dict[str, Any]:
        since = tx.now - timedelta(weeks=weeks)
        found = partnership.partnerships(tx, visitor.actor, since, tx.now, agreement or None)
        known = partners.directory(tx, visitor.actor) if key_store.myself(tx) else []
        return {"told": found, "names": {one.code: one.name for one in known}}

    found = visitor.node.database.read(read)
    agreements = sorted({name for one in found["told"] for name in one.agreements})
    return page(
        request, visitor, "partnership.html", weeks=weeks, periods=PERIODS, agreement=agreement,
        agreements=agreements, took=_took(visitor.reader), trend=trend, few=FEW,
        lines=_lines, **found,
    )  # fmt: skip


def _lines(figures: Sequence[Figure]) -> list[tuple[Figure, list[Figure]]]:
    """Each measure that has anything to tell, with its parts where it is of several agreements."""
    told = []
    for one in figures:
        parts = [each for each in figures if each.measure is one.measure and each is not one]
        if one.span.begun and (one.agreement is None or not parts):
            told.append((one, parts if len(parts) > 1 else []))
    return told


@router.get("/partnership/steps")
def rows(
    request: Request,
    visitor: Seen,
    partner: Annotated[str, Query(max_length=40)],
    measure: Measure,
    weeks: Weeks = partnership.WEEKS,
    agreement: Agreement = "",
    week: date | None = None,
    number: PageNumber = 1,
) -> Response:
    """Show what a figure counts: each step, when it began and ended, and its weeks."""

    def read(tx: Transaction) -> tuple[list[Step], datetime, datetime]:
        since = tx.now - timedelta(weeks=weeks)
        found = partnership.behind(
            tx, visitor.actor, partner, measure, since, tx.now, agreement or None
        )
        return found, since, tx.now

    found, since, now = visitor.node.database.read(read)
    figure = partnership.figure(measure, agreement or None, found, (since, now), now)
    shown = [one for one in found if week is None or partnership.monday(one.began) == week]
    start = (number - 1) * PAGE
    return page(
        request, visitor, "partnership_steps.html", partner=partner, measure=measure, weeks=weeks,
        agreement=agreement, week=week, figure=figure, rows=shown[start : start + PAGE],
        more=len(shown) > start + PAGE, number=number, now=now, took=_took(visitor.reader),
        few=FEW,
    )  # fmt: skip


@router.get("/partnership/{partner}/assurance")
def pack(
    request: Request,
    visitor: Assuring,
    partner: Code,
    since: Annotated[date | None, Query(alias="from")] = None,
    until: date | None = None,
) -> Response:
    """Show what the pack of a partner and a period says, to be read before it is signed."""
    today = visitor.reader.now.date()
    start, end = since or (until or today) - QUARTER, until or today
    said, wrong = None, ""
    try:
        said = visitor.node.database.read(
            lambda tx: assurance.gather(
                tx, visitor.actor, partner, _midnight(start), _midnight(end),
                visitor.node.folder.audit_head,
            )
        )  # fmt: skip
    except (Invalid, Conflict) as error:
        wrong = error.code
    return page(
        request, visitor, "partnership_assurance.html", status=422 if wrong else 200,
        partner=partner, since=start, until=end, said=said, wrong=wrong,
        took=_took(visitor.reader), seconds=lambda value: timedelta(seconds=value),
        moment=datetime.fromisoformat, lines=_apart,
    )  # fmt: skip


@router.post("/partnership/{partner}/assurance")
def sign(visitor: Assuring, partner: Code, form: Typed) -> Response:
    """Sign the pack and hand it over as a file."""
    try:
        start, end = (date.fromisoformat(form.text(name)) for name in ("from", "until"))
        raw = assurance.make(
            visitor.node.database, visitor.actor, partner, _midnight(start), _midnight(end),
            visitor.node.folder.audit_head,
        )  # fmt: skip
    except ValueError:
        return back(f"/partnership/{partner}/assurance", problem="period_wrong")
    except (Invalid, Conflict) as error:
        return back(f"/partnership/{partner}/assurance", problem=error.code)
    node = visitor.node.database.read(lambda tx: identity.me(tx)["node"])
    name = f"assurance-{node}-{partner}-{start}-{end}.json"
    return Response(
        raw,
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _apart(times: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The times of a pack without those of an agreement that is the only one of its measure."""
    counts = Counter(one["measure"] for one in times if one["agreement"] is not None)
    return [one for one in times if one["agreement"] is None or counts[one["measure"]] > 1]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def trend(figure: Figure) -> Trend:
    """Lay the weeks of a figure out: bars for medians, a line for the clause's longest term."""
    medians = [_seconds(week) for week in figure.weeks]
    tallest = max(medians, default=0.0)
    target = figure.targets[1].total_seconds() if figure.targets else None
    # A term far above everything is told in words alone: its line would flatten the weeks.
    fits = target is not None and (not tallest or target <= 4 * tallest)
    scale = max(tallest, target or 0.0) if fits else tallest
    bars = tuple(
        Bar(
            place * STEP,
            0 if not scale else TALL * value / scale,
            week.span.begun > 0 and not value,
        )
        for place, (week, value) in enumerate(zip(figure.weeks, medians, strict=True))
    )
    line = TALL - TALL * target / scale if fits and target is not None and scale else None
    return Trend(bars, STEP * len(bars), line)


def _seconds(week: Week) -> float:
    return week.span.median.total_seconds() if week.span.median is not None else 0.0


def _took(reader: Reader) -> Any:
    """Return what says a span of time: in milliseconds, seconds, or its two largest units."""

    def said(span: timedelta | None) -> str:
        if span is None:
            return "–"
        seconds = span.total_seconds()
        if seconds < 1:
            return reader.t("partnership.ms", count=round(seconds * 1000))
        if seconds < 120:
            return reader.t("partnership.seconds", count=round(seconds, 1 if seconds < 10 else 0))
        if seconds % 3600 == 0 and seconds < 3 * 86_400:
            return reader.t("partnership.hours", count=int(seconds // 3600))
        return reader.span(span)

    return said
