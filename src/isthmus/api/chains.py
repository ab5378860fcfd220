"""Inspection chains: one inspection for two countries, from the cue to what both made of it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field

from isthmus.access.model import Actor, Permission
from isthmus.api.identity import allowed
from isthmus.api.items import ITEM
from isthmus.api.problems import answers
from isthmus.api.requests import Box, Drafted, NodeCode, own_node, pace
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Code, Done, Id, Limit, Listed, Moment, coded, page
from isthmus.cases import chains, partner_record
from isthmus.cases.chains import Cue
from isthmus.cases.partner_model import ChainState, Voyage
from isthmus.cases.partner_record import Record, Tally
from isthmus.flow.sharing import asking
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/chains", tags=["chains"])
Reader = Annotated[Actor, Depends(allowed(Permission.CHAIN_READ))]
Keeper = Annotated[Actor, Depends(allowed(Permission.CHAIN_KEEP))]
ChainPath = Annotated[str, Path(pattern=ITEM, examples=["PA-ANA:chn_06bq3f1m9t0xk2r8v5hc7n4ezs"])]
CueReason = Annotated[Code, coded("cue_reasons")]
Port = Annotated[str, Field(pattern=r"^[A-Z]{2}[A-Z0-9]{3}$", examples=["BEANR"])]
Opened = (ChainState.CUED, ChainState.ACCEPTED)


class ChainTold(Answer):
    """A chain as both nodes keep it."""

    id: str
    container: str
    unit_id: str | None
    cued_by: str = Field(description="code of a node")
    asked: str = Field(description="code of the node that inspects")
    ours: bool = Field(description="whether this node is the one that is asked")
    state: ChainState
    cue_reason: str = Field(description="code list `cue_reasons`")
    decline_reason: str | None
    deadline: At
    port: str | None
    vessel_imo: str | None
    voyage: str | None
    arrives_at: At | None
    guards_until: At = Field(description="until when the box is not opened a second time")
    inspection_id: str | None
    result: str | None = Field(description="code list `inspection_results`")
    seizure: str | None
    cue_item: str | None
    result_item: str | None
    cued_at: At
    answered_at: At | None
    result_at: At | None


class Reopening(Answer):
    """When the box was opened again, and why."""

    node: str
    at: At
    reason: str = Field(description="code list `override_reasons`")
    words: str | None
    language: str | None
    result: str | None
    told_at: At | None = Field(description="when the partner was told")


class ChainWhole(Answer):
    """A chain with every second opening."""

    chain: ChainTold
    reopenings: list[Reopening]


class NewCue(Ask):
    """Which unit's box to have inspected, where, by when, and why not here."""

    unit: Id
    container: Box
    asked: NodeCode
    port: Port
    cue_reason: CueReason
    deadline: Moment
    arrives_at: Moment | None = None
    voyage: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    vessel_imo: Annotated[str, Field(pattern=r"^[0-9]{7}$")] | None = None


class DecliningCue(Ask):
    """Why a cue is declined."""

    reason: CueReason


class ResultOf(Ask):
    """The inspection that a chain came to."""

    inspection: Id


class Counted(Answer):
    """How many were given, tried, and found something: a share of five or more."""

    given: int
    tried: int
    found: int
    share: float | None

    @staticmethod
    def of(tally: Tally) -> "Counted":
        """Return a tally as it is told."""
        return Counted(given=tally.given, tried=tally.tried, found=tally.found, share=tally.share)


class PartnerRecord(Answer):
    """What came of a partner's lookouts and cues here, and of ours there."""

    partner: str
    lookouts: Counted
    own_lookouts: Counted = Field(description="as the partner told what became of them")
    cues: Counted
    own_cues: Counted

    @staticmethod
    def of(one: Record) -> "PartnerRecord":
        """Return a record as it is told."""
        return PartnerRecord(
            partner=one.partner,
            lookouts=Counted.of(one.lookouts),
            own_lookouts=Counted.of(one.own_lookouts),
            cues=Counted.of(one.cues),
            own_cues=Counted.of(one.own_cues),
        )


class PartnerRecords(Answer):
    """The record of each partner."""

    items: list[PartnerRecord]


@router.get("", responses=answers())
def list_chains(
    node: NodeServed,
    actor: Reader,
    state: Annotated[list[ChainState] | None, Query(max_length=4)] = None,
    limit: Limit = 100,
) -> Listed[ChainTold]:
    """Return chains, the nearest deadline first; without a state those that are open."""
    states = tuple(state or Opened)
    rows = node.database.read(lambda tx: chains.chains(tx, actor, states, limit + 1))
    return page([ChainTold.model_validate(dict(row)) for row in rows], limit)


@router.get("/record", responses=answers())
def read_partner_records(node: NodeServed, actor: Reader) -> PartnerRecords:
    """Return what came of partners' lookouts and cues: counts, and no share of fewer than five."""
    found = node.database.read(lambda tx: partner_record.records(tx, actor, ()))
    return PartnerRecords(items=[PartnerRecord.of(one) for one in found])


@router.get("/{chain_id}", responses=answers(404))
def read_chain(node: NodeServed, actor: Reader, chain_id: ChainPath) -> ChainWhole:
    """Return one chain with every second opening."""

    def work(tx: Transaction) -> ChainWhole:
        row = chains.chain(tx, actor, chain_id)
        again = chains.reopenings(tx, actor, chain_id)
        return ChainWhole(
            chain=ChainTold.model_validate(dict(row)),
            reopenings=[Reopening.model_validate(dict(one)) for one in again],
        )

    return node.database.read(work)


@router.post("", status_code=201, responses=answers(404, 409))
def cue_partner(node: NodeServed, actor: Keeper, ask: NewCue) -> Drafted:
    """Begin a chain: ask another node to inspect a box. The cue goes once the item is sent."""
    deadline: datetime = ask.deadline.replace(microsecond=0)
    voyage = Voyage(ask.vessel_imo, ask.voyage, ask.arrives_at)
    cue = Cue(ask.container, ask.asked, ask.cue_reason, deadline, ask.port, voyage)
    chain, item = node.database.write(
        lambda tx: asking.cue(tx, actor, own_node(node), ask.unit, cue, pace(node))
    )
    return Drafted(item=item, object=chain)


@router.post("/{chain_id}/accept", responses=answers(404, 409))
def accept_cue(node: NodeServed, actor: Keeper, chain_id: ChainPath) -> Done:
    """Accept a partner's cue; the partner is told."""
    node.database.write(lambda tx: chains.accept(tx, actor, chain_id))
    return Done(id=chain_id, state=ChainState.ACCEPTED)


@router.post("/{chain_id}/decline", responses=answers(404, 409))
def decline_cue(node: NodeServed, actor: Keeper, chain_id: ChainPath, ask: DecliningCue) -> Done:
    """Decline a partner's cue with a reason; the partner is told."""
    node.database.write(lambda tx: chains.decline(tx, actor, chain_id, ask.reason))
    return Done(id=chain_id, state=ChainState.DECLINED)


@router.post("/{chain_id}/result", responses=answers(404, 409))
def end_chain(node: NodeServed, actor: Keeper, chain_id: ChainPath, ask: ResultOf) -> Done:
    """Enter what an inspection of the box came to as the result of the chain."""
    node.database.write(lambda tx: asking.result(tx, actor, chain_id, ask.inspection, pace(node)))
    return Done(id=chain_id, state=ChainState.RESULT)


@router.post("/{chain_id}/tell", status_code=201, responses=answers(404, 409))
def draft_result(node: NodeServed, actor: Keeper, chain_id: ChainPath, ask: ResultOf) -> Drafted:
    """Draft the result, or that of a second opening, for the partner."""
    made = node.database.write(
        lambda tx: asking.tell_result(tx, actor, own_node(node), chain_id, ask.inspection)
    )
    return Drafted(item=made, object=chain_id)
