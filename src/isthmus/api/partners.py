"""Partners: the directory, the ceremony that begins an exchange, and what travelled."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi import Path as InPath
from pydantic import Field

from isthmus.access.gate import scope
from isthmus.access.model import Actor, Permission
from isthmus.api.agreement_forms import NodeCode
from isthmus.api.identity import allowed
from isthmus.api.problems import answers
from isthmus.api.served import NodeServed
from isthmus.api.wire import Answer, Ask, At, Done, Listed, page
from isthmus.exchange import post_store, presence
from isthmus.exchange.model import Direction, EnvelopeState, Lane, Partner, PartnerState
from isthmus.exchange.presence import Presence
from isthmus.exchange.trust import identity, key_store, partners
from isthmus.kernel.errors import Conflict, NotFound
from isthmus.platform.transaction import Transaction

router = APIRouter(prefix="/api/partners", tags=["partners"])
Reader = Annotated[Actor, Depends(allowed(Permission.PARTNER_READ))]
Proposer = Annotated[Actor, Depends(allowed(Permission.PARTNER_PROPOSE))]
Comparer = Annotated[Actor, Depends(allowed(Permission.PARTNER_COMPARE))]
PartnerCode = Annotated[str, InPath(pattern=r"^[A-Z]{2}-[A-Z0-9-]{1,30}$", examples=["NL-DOUANE"])]
Fingerprint = Annotated[
    str, Field(min_length=64, max_length=200, pattern=r"^[0-9A-Fa-f :]+$", description="as heard")
]
Card = Annotated[str, Field(min_length=1, max_length=20_000, description="the card, as it came")]
Address = Annotated[str, Field(max_length=200, pattern=r"^[!-~]*$")]
Most = Annotated[int, Query(ge=1, le=200)]


class LaneTold(Answer):
    """Numbers of one lane: what went and came in this epoch, and what is set apart."""

    sent: int
    waiting: int
    received: int
    held: int
    refused: int
    stopped: int


class PartnerTold(Answer):
    """A partner as the directory holds it, and whether it is there."""

    code: str
    country: str
    name: str
    address: str = Field(description="host:port; empty: it only dials out")
    state: PartnerState
    signing: str = Field(description="fingerprint of its signing key")
    certificate: str = Field(description="fingerprint of its TLS certificate")
    compared_by: str | None
    trusted_by: str | None
    epoch: int
    since: At
    caps: dict[str, int]
    offline: bool
    heard_at: At | None
    last_receipt_at: At | None
    waiting_since: At | None
    alarms: list[str]
    lanes: dict[Lane, LaneTold]


class Partners(Answer):
    """The directory."""

    items: list[PartnerTold]


class KeyTold(Answer):
    """A key that a partner has or had, and from when until when it counts."""

    fingerprint: str
    kind: str = Field(description="signing, tls")
    state: str = Field(description="current, previous, compromised")
    since: At
    until: At


class PartnerWhole(PartnerTold):
    """A partner with all its keys."""

    keys: list[KeyTold]


class OwnCard(Answer):
    """Who this node is to others: fingerprints to read out, and the card to hand over."""

    node: str
    address: str
    signing: str
    certificate: str
    until: At
    epoch: int
    card: str


class EnvelopeTold(Answer):
    """An envelope without what was said: its item, its place, and what became of it."""

    id: str
    direction: Direction
    partner: str
    lane: Lane
    epoch: int
    sequence: int | None
    item_id: str
    item_version: int
    item_kind: str
    originator: str
    purpose: str
    state: EnvelopeState
    code: str | None = Field(description="why it is held, refused or stopped")
    at: At
    settled_at: At | None
    expires_at: At | None


class Proposal(Ask):
    """A partner's card, and where to dial it when that is elsewhere than it says."""

    card: Card
    address: Address | None = None


class Replacement(Ask):
    """A partner's new card, got out of band."""

    card: Card


class Compared(Ask):
    """Both fingerprints as the partner read them out over another channel."""

    signing: Fingerprint
    certificate: Fingerprint


@router.get("", responses=answers())
def list_partners(node: NodeServed, actor: Reader) -> Partners:
    """Return the directory: state, fingerprints, lanes, and who is away."""
    found = node.database.read(lambda tx: presence.presences(tx, actor))
    return Partners(items=[PartnerTold(**_plain(one)) for one in found])


@router.get("/self", responses=answers(404))
def read_own_card(node: NodeServed, _actor: Reader) -> OwnCard:
    """Return this node's card and its fingerprints."""
    raw = node.database.read(identity.card)
    card = identity.read_card(raw)
    return OwnCard(
        node=card.node,
        address=card.address,
        signing=card.signing_fingerprint,
        certificate=card.certificate_fingerprint,
        until=card.until,
        epoch=card.epoch,
        card=raw.decode(),
    )


@router.get("/envelopes", responses=answers())
def list_envelopes(
    node: NodeServed,
    actor: Reader,
    partner: Annotated[NodeCode | None, Query()] = None,
    state: EnvelopeState | None = None,
    limit: Most = 50,
) -> Listed[EnvelopeTold]:
    """Return envelopes, newest first, without what was said."""

    def find(tx: Transaction) -> list[Any]:
        seen = scope(actor, Permission.PARTNER_READ)
        return post_store.seen(tx, seen, partner=partner, state=state, limit=limit + 1)

    rows = node.database.read(find)
    return page([EnvelopeTold.model_validate(row) for row in rows], limit)


@router.get("/{code}", responses=answers(404))
def read_partner(node: NodeServed, actor: Reader, code: PartnerCode) -> PartnerWhole:
    """Return one partner with all keys it has or had."""

    def find(tx: Transaction) -> PartnerWhole:
        mine = [one for one in presence.presences(tx, actor) if one.partner.code == code]
        if not mine:
            raise NotFound("partner_unknown", "no such partner", partner=code)
        keys = key_store.key_history(tx, scope(actor, Permission.PARTNER_READ), code)
        return PartnerWhole(**_plain(mine[0]), keys=[KeyTold.model_validate(one) for one in keys])

    return node.database.read(find)


@router.post("", status_code=201, responses=answers(404, 409))
def propose_partner(node: NodeServed, actor: Proposer, ask: Proposal) -> Done:
    """Propose a partner from its card; nothing is exchanged before two people compared it."""
    raw = ask.card.strip().encode()
    found = node.database.write(lambda tx: partners.add(tx, actor, raw, ask.address))
    return _done(found)


@router.post("/{code}/compare", responses=answers(404, 409))
def compare_partner(node: NodeServed, actor: Comparer, code: PartnerCode, ask: Compared) -> Done:
    """First person: both fingerprints as the partner read them out."""
    found = node.database.write(
        lambda tx: partners.compare(tx, actor, code, ask.signing, ask.certificate)
    )
    return _done(found)


@router.post("/{code}/trust", responses=answers(404, 409))
def trust_partner(node: NodeServed, actor: Comparer, code: PartnerCode, ask: Compared) -> Done:
    """Second person: the same again; the partner is trusted from now on."""
    found = node.database.write(
        lambda tx: partners.trust(tx, actor, code, ask.signing, ask.certificate)
    )
    return _done(found)


@router.post("/{code}/suspend", responses=answers(404))
def suspend_partner(node: NodeServed, actor: Comparer, code: PartnerCode) -> Done:
    """Stop all exchange with a partner at once; what waits keeps waiting."""
    return _done(node.database.write(lambda tx: partners.suspend(tx, actor, code)))


@router.post("/{code}/resume", responses=answers(404, 409))
def resume_partner(node: NodeServed, actor: Proposer, code: PartnerCode) -> Done:
    """Begin the ceremony anew for a suspended partner."""
    return _done(node.database.write(lambda tx: partners.resume(tx, actor, code)))


@router.post("/{code}/replace", responses=answers(404, 409))
def replace_partner_key(
    node: NodeServed, actor: Proposer, code: PartnerCode, ask: Replacement
) -> Done:
    """After a compromise: old keys count for nothing, the ceremony begins anew."""
    raw = ask.card.strip().encode()
    if identity.read_card(raw).node != code:
        raise Conflict("card_foreign", "the card is of another node", partner=code)
    return _done(node.database.write(lambda tx: partners.replace(tx, actor, raw)))


def _done(found: Partner) -> Done:
    return Done(id=found.code, state=found.state.value)


def _plain(one: Presence) -> dict[str, Any]:
    held = one.partner
    return {
        "code": held.code,
        "country": held.country,
        "name": held.name,
        "address": held.address,
        "state": held.state,
        "signing": held.signing,
        "certificate": held.certificate,
        "compared_by": held.compared_by,
        "trusted_by": held.trusted_by,
        "epoch": held.epoch,
        "since": held.since,
        "caps": held.caps.plain(),
        "offline": one.offline,
        "heard_at": one.heard_at,
        "last_receipt_at": one.receipt_at,
        "waiting_since": one.waits_since,
        "alarms": list(one.alarms),
        "lanes": {lane: LaneTold.model_validate(held) for lane, held in one.lanes.items()},
    }
