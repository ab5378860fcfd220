"""Partnerships: how fast each step went, how accurate, and the signed pack that shows it."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, CodeQuery, Limit, Listed, Moment, Offset, page
from isthmus.flow import assurance, assurance_pack, partnership
from isthmus.flow.partnership import Accuracy, Figure, Measure, Partnership, Span, Step
from isthmus.kernel.errors import Invalid
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/partnership", tags=["partnership"])
Reader = Annotated[Actor, Depends(allowed(Permission.PARTNER_READ))]
Maker = Annotated[Actor, Depends(allowed(Permission.LEDGER_READ))]

Weeks = Annotated[int, Query(ge=1, le=52, description="so many weeks back from now")]
PartnerCode = Annotated[str, InPath(pattern=r"^[A-Z]{2}-[A-Z0-9-]{1,30}$", examples=["NL-DOUANE"])]


class Times(Answer):
    """How long ended steps took. No median is told of fewer than five."""

    begun: int
    ended: int
    median_seconds: float | None
    p95_seconds: float | None = Field(description="95th percentile, nearest rank")


class WeekOf(Times):
    """The steps begun in one week."""

    day: date = Field(description="its Monday")


class StepTimes(Times):
    """One measure, under all agreements or under one."""

    measure: Measure
    agreement: str | None
    target_seconds: tuple[float, float] | None = Field(
        description="the shortest and the longest term that clauses give, a cue's deadline"
    )
    judged: int = Field(description="those of which it can be said whether they were in time")
    in_time: int
    weeks: list[WeekOf]


class Right(Answer):
    """Items of one originator that were later corrected or recalled."""

    items: int
    corrected: int
    recalled: int
    share: float | None = Field(description="corrected or recalled; null of fewer than five")


class PartnerTimes(Answer):
    """How a partnership went in a period."""

    partner: str
    since: At
    until: At
    times: list[StepTimes]
    ours: Right
    theirs: Right


class Partnerships(Answer):
    """Every partner of this node."""

    items: list[PartnerTimes]


class OneStep(Answer):
    """One thing that a figure counts."""

    measure: Measure
    partner: str
    object_id: str = Field(description="the request, the chain, or the item shared")
    began: At
    ended: At | None
    seconds: float | None
    target_seconds: float | None
    in_time: bool | None
    clause: str | None
    envelope: str | None


class Period(Ask):
    """From when until when; the period must be over."""

    since: Moment
    until: Moment


class SignedPack(Answer):
    """A pack as it was signed."""

    partner: str
    digest: str = Field(description="SHA-256 of the pack, hex")
    pack: str = Field(description="the bytes that were signed: write them to a file as they are")


@router.get("", responses=answers())
def read_partnerships(
    node: NodeServed, actor: Reader, weeks: Weeks = partnership.WEEKS, agreement: CodeQuery = None
) -> Partnerships:
    """Return how long each step with each partner took, against what the clauses give."""

    def read(tx: Transaction) -> list[Partnership]:
        since = tx.now - timedelta(weeks=weeks)
        return partnership.partnerships(tx, actor, since, tx.now, agreement)

    return Partnerships(items=[_partnership(one) for one in node.database.read(read)])


@router.get("/{partner}/steps", responses=answers(404))
def list_steps(
    node: NodeServed,
    actor: Reader,
    partner: PartnerCode,
    measure: Measure,
    weeks: Weeks = partnership.WEEKS,
    agreement: CodeQuery = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Listed[OneStep]:
    """Return what a measure counts, the newest first."""

    def read(tx: Transaction) -> list[OneStep]:
        rows = partnership.behind(
            tx, actor, partner, measure, tx.now - timedelta(weeks=weeks), tx.now, agreement
        )
        return [_step(one, tx.now) for one in rows[offset : offset + limit + 1]]

    return page(node.database.read(read), limit)


@router.post("/{partner}/assurance", status_code=201, responses=answers(404, 409))
def make_assurance(node: NodeServed, actor: Maker, partner: PartnerCode, ask: Period) -> SignedPack:
    """Sign the pack of a partner and a period. Verify it by `isthmus assurance verify FILE`."""
    head = node.folder.audit_head
    raw = assurance.make(node.database, actor, partner, ask.since, ask.until, head)
    pack, found = assurance_pack.verify(raw)
    if pack is None:
        raise Invalid("pack_unsound", "the pack does not verify", fault=found[0].code)
    return SignedPack(partner=partner, digest=pack.digest, pack=raw.decode())


def _partnership(one: Partnership) -> PartnerTimes:
    return PartnerTimes(
        partner=one.partner,
        since=one.since,
        until=one.until,
        times=[_figure(each) for each in one.figures],
        ours=_right(one.ours),
        theirs=_right(one.theirs),
    )


def _figure(one: Figure) -> StepTimes:
    targets = one.targets
    return StepTimes(
        measure=one.measure,
        agreement=one.agreement,
        target_seconds=(targets[0].total_seconds(), targets[1].total_seconds())
        if targets
        else None,
        judged=one.judged,
        in_time=one.in_time,
        weeks=[WeekOf(day=week.day, **_span(week.span)) for week in one.weeks],
        **_span(one.span),
    )


def _span(one: Span) -> dict[str, Any]:
    return {
        "begun": one.begun,
        "ended": one.ended,
        "median_seconds": _seconds(one.median),
        "p95_seconds": _seconds(one.p95),
    }


def _right(one: Accuracy) -> Right:
    return Right(items=one.items, corrected=one.corrected, recalled=one.recalled, share=one.share)


def _step(one: Step, now: datetime) -> OneStep:
    return OneStep(
        measure=one.measure,
        partner=one.partner,
        object_id=one.object_id,
        began=one.began,
        ended=one.ended,
        seconds=_seconds(one.took),
        target_seconds=_seconds(one.target),
        in_time=one.in_time(now),
        clause=one.clause,
        envelope=one.envelope,
    )


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
