"""Hits of parties on lists: read, laid open for a purpose, judged by a person."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import Stated, allowed
from isthmus.api.problems import answers
from isthmus.api.screen import FoundEntry
from isthmus.api.served import NodeServed
from isthmus.api.wire import (
    Answer,
    Ask,
    At,
    Code,
    CodeQuery,
    Day,
    Done,
    IdPath,
    Limit,
    Listed,
    Offset,
    Text,
    coded,
    page,
)
from isthmus.flow import judge
from isthmus.parties import hits, judgements, reasons
from isthmus.parties.hit import UNDECIDED, HitState, LineKind, Verdict
from isthmus.parties.hit_store import Wanted
from isthmus.parties.judgements import Given
from isthmus.parties.model import EntryKind
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/hits", tags=["screening"])
Reader = Annotated[Actor, Depends(allowed(Permission.HIT_READ))]
Opener = Annotated[Actor, Depends(allowed(Permission.PERSON_DATA_READ))]
Judge = Annotated[Actor, Depends(allowed(Permission.HIT_JUDGE))]
JudgementReason = Annotated[Code, coded("judgement_reasons")]


class ListHit(Answer):
    """A party line, ship or box of the papers that may mean a list entry; no name in it."""

    id: str
    list: str
    entry: str = Field(description="the list's own identifier")
    entry_kind: EntryKind
    line_kind: LineKind
    score: float
    basis: str = Field(description="name or number")
    algorithm: str
    state: HitState
    found_at: At
    settled_at: At | None
    ended_by: str | None = Field(description="code list `hit_endings`")


class Judged(Answer):
    """What somebody found of the hit's party and entry."""

    id: str
    verdict: Verdict
    reason: str = Field(description="code list `judgement_reasons`")
    by: str
    at: At
    until: str | None = Field(description="from this day it no longer speaks")
    speaks: bool = Field(description="about the hit as it stands now")


class WholeHit(ListHit):
    """A hit with the open consignments that carry it and what was found of it so far."""

    units: list[str] = Field(description="ids, the nearest deadline first")
    judgements: list[Judged] = Field(description="newest first")


class Compared(Answer):
    """The line as declared beside the entry as the list has it."""

    line: str = Field(description="as declared; empty once every paper with it was erased")
    entry: dict[str, Any] | None = Field(description="null once it was erased")
    match: FoundEntry | None = Field(description="what they give today, with its reasons")


class Judgement(Ask):
    """What a person finds of a hit, why, and until when."""

    verdict: Verdict
    reason: JudgementReason
    until: Day | None = Field(None, description="a year from now for not_same, if none is given")
    note: Text = ""


@router.get("", responses=answers())
def list_hits(
    node: NodeServed,
    actor: Reader,
    state: HitState | None = None,
    list_code: CodeQuery = None,
    line_kind: LineKind | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Listed[ListHit]:
    """Return hits, best first; those still to be judged unless a state is given."""
    wanted = Wanted((state,) if state else UNDECIDED, list_code, line_kind)
    rows = node.database.read(lambda tx: hits.desk(tx, actor, wanted, limit + 1, offset))
    return page([ListHit.model_validate(_plain(row)) for row in rows], limit)


@router.get("/{hit_id}", responses=answers(404))
def read_hit(node: NodeServed, actor: Reader, hit_id: IdPath) -> WholeHit:
    """Return one hit, without what the papers or the list say of anybody."""

    def read(tx: Transaction) -> dict[str, Any]:
        row = hits.find(tx, actor, hit_id)
        return {
            **_plain(row),
            "units": [unit["id"] for unit in judge.units_of(tx, actor, row)],
            "judgements": [
                Judged(
                    id=one.id,
                    verdict=one.verdict,
                    reason=one.reason,
                    by=one.by,
                    at=one.at,
                    until=one.until.isoformat() if one.until else None,
                    speaks=one.speaks,
                )
                for one in judgements.history(tx, actor, row)
            ],
        }

    return WholeHit.model_validate(node.database.read(read))


@router.get("/{hit_id}/comparison", responses=answers(404), dependencies=[Stated])
def compare_hit(node: NodeServed, actor: Opener, hit_id: IdPath) -> Compared:
    """Return the declared line beside the list entry. Needs a task or a reason, and is logged."""
    locale = actor.locale or node.settings.node.locale

    def work(tx: Transaction) -> Compared:
        row = hits.find(tx, actor, hit_id)
        laid = judge.lay_open(tx, actor, row)
        entry = hits.entry_of(tx, actor, row)
        match = reasons.tell(laid.match, locale) if laid.match else None
        return Compared.model_validate(
            {"line": laid.text, "entry": entry["body"] if entry else None, "match": match}
        )

    return node.database.write(work)


@router.post("/{hit_id}/judgement", responses=answers(404, 409))
def judge_hit(node: NodeServed, actor: Judge, hit_id: IdPath, ask: Judgement) -> Done:
    """Judge a hit, and with it every hit of the same party, entry and facts. Only a person may."""
    given = Given(
        ask.verdict, ask.reason, ask.until, ask.note, actor.locale or node.settings.node.locale
    )

    def work(tx: Transaction) -> str:
        judge.judge(tx, actor, hit_id, given)
        return str(hits.find(tx, actor, hit_id)["state"])

    return Done(id=hit_id, state=node.database.write(work))


def _plain(row: Any) -> dict[str, Any]:
    return {**row, "entry": row["key"]}
